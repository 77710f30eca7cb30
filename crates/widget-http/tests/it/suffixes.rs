//! A newer public suffix list decides wherever an owner asks: writing, explaining, going live.

use serde_json::{Value, json};
use widget_core::origin::SuffixList;

use crate::support::{Service, id};

/// A list in which the names below `hosting.example` belong to different owners.
const NEWER: &str = "\
// ===BEGIN ICANN DOMAINS===
example
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
hosting.example
// ===END PRIVATE DOMAINS===
";

/// The answer to the owner of the widget at `path` about a page.
async fn explain(service: &Service, path: &str, page: &str) -> Value {
    let path = format!("{path}/explain?origin={page}");
    service.get(&path).await.json(200)
}

/// The warnings about sites of different owners.
async fn warnings(service: &Service, path: &str) -> Vec<Value> {
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    let warnings = report["warnings"].as_array().expect("a list").iter();
    warnings
        .filter(|warning| warning["code"] == "wildcard_public_suffix")
        .map(|warning| warning["pointer"].clone())
        .collect()
}

#[tokio::test]
async fn a_newer_list_decides_everywhere() {
    let mut service = Service::start().await;
    let pattern = json!({"domains": ["https://*.hosting.example"]});
    let all = service.widget(pattern.clone()).await;
    let one = service
        .widget(json!({"domains": ["https://a.hosting.example"]}))
        .await;
    let [all, one] = [&all, &one].map(|widget| format!("/core/web-widgets/{}", id(widget)));
    let page = "https://b.hosting.example";

    assert_eq!(warnings(&service, &all).await, [Value::Null; 0]);
    assert_eq!(explain(&service, &all, page).await["verdict"], "shown");
    assert_eq!(
        explain(&service, &one, page).await["hint"],
        "add `https://b.hosting.example`; or `https://*.hosting.example` for all its subdomains"
    );
    service.put(&one, &pattern).await.json(200);
    let back = json!({"domains": ["https://a.hosting.example"]});
    service.put(&one, &back).await.json(200);

    let newer = SuffixList::parse(NEWER).expect("a complete list");
    service.restart_with_suffixes(newer).await;

    assert_eq!(warnings(&service, &all).await, ["/domains/0"]);
    let explanation = explain(&service, &all, page).await;
    assert_eq!(explanation["code"], "origin_not_listed");
    assert_eq!(
        explain(&service, &one, page).await["hint"],
        "check the spelling of the page, because `https://a.hosting.example` is listed; only if \
         this is your site, add `https://b.hosting.example`"
    );
    service.put(&one, &pattern).await.problem_at(
        422,
        "domains_invalid",
        "/domains/0",
        "wildcard_public_suffix",
    );
}
