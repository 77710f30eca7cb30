//! Heads of requests that are too large.

use serde_json::Value;

use super::{
    process::{Server, command},
    visitor::support::SHOP,
};
use crate::{
    database::Database,
    support::{LogLines, Service},
};

/// What pages of other origins read.
const PAGES: &str = "/core/public/web-widgets/0197a3c0-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_page_reads_that_the_head_of_its_request_is_too_large() {
    let service = Service::start().await;
    let lines = LogLines::capture();
    let long = "x".repeat(32 * 1024);
    let headers = [("x-long", long.as_str()), ("origin", SHOP)];
    let by_header = service.call_with(None, "GET", PAGES, None, &headers).await;
    // Where there is nothing, too.
    let nothing = service.call_with(None, "GET", "/nothing", None, &headers);
    nothing.await.problem(431, "head_too_large");
    let path = format!("{PAGES}?{long}");
    let origin = [("origin", SHOP)];
    let by_path = service.call_with(None, "GET", &path, None, &origin).await;
    for answer in [by_header, by_path] {
        answer.problem(431, "head_too_large");
        assert_eq!(answer.header("access-control-allow-origin"), SHOP);
    }
    // One for each route: what repeats is only counted for a while.
    assert_eq!(lines.with("head_too_large").len(), 2);
    let headers = [("x-long", &long[..31 * 1024]), ("origin", SHOP)];
    let refused = service.call_with(None, "GET", PAGES, None, &headers).await;
    refused.problem(403, "widget_unavailable");
}

#[test]
fn the_service_itself_answers_heads_a_bit_above_the_limit() {
    let database = Database::create();
    let server = Server::start_as(command(&database).args(["serve", "--listen", "127.0.0.1:0"]));
    let ask = |size: usize, count: usize| {
        let many = "\r\nx-more: 1".repeat(count);
        let headers = format!("-\r\nx-long: {}{many}", "x".repeat(size));
        server.request("GET", "/healthz", &headers, "")
    };
    assert_eq!(ask(30 * 1024, 90).expect("it answers").0, 200);
    for (size, count) in [(33 * 1024, 0), (60 * 1024, 0), (33 * 1024, 90)] {
        let (status, body) = ask(size, count).expect("it answers");
        let body: Value = serde_json::from_str(&body).expect("a problem");
        assert_eq!(
            (status, &body["code"]),
            (431, &"head_too_large".into()),
            "{size} {count}"
        );
    }
    // Beyond that, the HTTP library answers.
    assert_eq!(ask(0, 101).expect("it answers"), (431, String::new()));
}
