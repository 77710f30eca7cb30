//! The widget that a page shows: fetches the page and reads the snippet out of it.

use url::Url;
use widget_core::{embed::PublicUrl, id::WidgetId};

use super::Session;
use crate::failure::Failure;

/// The most that is read of a page. Snippets are before the end of much shorter ones.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// How many redirects of a page are followed.
const MAX_REDIRECTS: usize = 10;

/// A snippet in a page: which widget of which service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundSnippet {
    pub(crate) service: PublicUrl,
    pub(crate) id: WidgetId,
}

/// Fetches a page, without a key, and finds the widget of this session's service in it.
pub(crate) async fn find_widget(session: &Session, page: &Url) -> Result<WidgetId, Failure> {
    let html = fetch(session, page).await?;
    let snippets = find_snippets(&html, page);
    let own = session.client.service();
    let ids: Vec<WidgetId> = snippets
        .iter()
        .filter(|snippet| snippet.service == *own)
        .map(|snippet| snippet.id)
        .collect();
    match (&ids[..], snippets.first()) {
        ([id], _) => Ok(*id),
        ([], None) => Err(
            Failure::bad_input(format_args!("`{page}` has no snippet of a widget")).hint(
                "a tag manager may add it; `widget list --domain` shows the widgets of a site",
            ),
        ),
        ([], Some(other)) => Err(Failure::bad_input(format_args!(
            "`{page}` shows widget {} of `{}`, and this key is for `{}`",
            other.id,
            other.service.origin(),
            own.origin()
        ))
        .hint("choose a profile of that service with `--profile`")),
        (several, _) => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Failure::bad_input(format_args!(
                "`{page}` has the snippets of several widgets: {}",
                ids.join(", ")
            )))
        }
    }
}

async fn fetch(session: &Session, page: &Url) -> Result<String, Failure> {
    let failed = |error: &reqwest::Error| {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Failure::unexpected(format_args!("cannot read `{page}`: {cause}"))
    };
    let http = session
        .page_client(reqwest::redirect::Policy::limited(MAX_REDIRECTS))
        .map_err(|error| failed(&error))?;
    let response = http.get(page.clone()).send().await;
    let response = response.and_then(reqwest::Response::error_for_status);
    let mut response = response.map_err(|error| match error.status() {
        Some(status) => Failure::unexpected(format_args!("`{page}` answers {status}")),
        None => failed(&error),
    })?;
    let mut html = Vec::new();
    while html.len() < MAX_PAGE_BYTES
        && let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))?
    {
        html.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&html).into_owned())
}

/// The snippets in a page's HTML: addresses of loaders. `doctor` looks at them more closely.
fn find_snippets(html: &str, page: &Url) -> Vec<FoundSnippet> {
    const PATH: &str = "/public/embed/";
    const ID_LENGTH: usize = 36;
    let mut found = Vec::new();
    for (position, _) in html.match_indices(PATH) {
        let before = &html[..position];
        let start = before
            .rfind(|character: char| {
                character.is_whitespace() || matches!(character, '"' | '\'' | '=' | '`' | '(')
            })
            .map_or(0, |index| index + 1);
        let after = &html[position + PATH.len()..];
        let id = after.get(..ID_LENGTH).and_then(|id| id.parse().ok());
        let service = page
            .join(&format!("{}/", &before[start..]))
            .ok()
            .and_then(|url| PublicUrl::try_from(url).ok());
        if let (Some(id), Some(service)) = (id, service) {
            let snippet = FoundSnippet { service, id };
            if !found.contains(&snippet) {
                found.push(snippet);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_are_found() {
        let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
        let page: Url = "https://shop.example/cart".parse().expect("an address");
        let find = |html: &str| -> Vec<String> {
            find_snippets(html, &page)
                .iter()
                .map(|found| format!("{} {}", found.service.origin(), found.id))
                .collect()
        };
        let expected = format!("https://widgets.example {id}");
        for html in [
            format!(r#"<script async src="https://widgets.example/public/embed/{id}"></script>"#),
            format!("<script src=https://widgets.example/public/embed/{id}/3f2a.js>"),
            format!("<script src='//widgets.example/public/embed/{id}'>"),
        ] {
            assert_eq!(find(&html), [expected.as_str()], "{html}");
        }
        let own = format!("<script src='/public/embed/{id}'>");
        assert_eq!(find(&own), [format!("https://shop.example {id}")]);
        let other = "<script src='https://widgets.example/public/embed/app.js'>";
        assert!(find(other).is_empty());
    }
}
