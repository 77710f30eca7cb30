//! A nightly job over a table of configs: what owners should look at, and what no longer loads.

use widget_core::{config::Config, finding::Finding};

/// A row of the table: the widget's id, and its config as text.
type Row = (&'static str, &'static str);

/// Faults of a config that cannot be read, else its warnings.
fn lint(text: &str) -> Vec<Finding> {
    match Config::parse(text) {
        Ok(config) => config.warnings().into_vec(),
        Err(error) => error.findings().to_vec(),
    }
}

/// One line for each finding, for the report.
fn report(rows: &[Row]) -> Vec<String> {
    let lines = |(id, text): &Row| {
        let lines = lint(text).into_iter().map(|found| format!("{id} {found}"));
        lines.collect::<Vec<_>>()
    };
    rows.iter().flat_map(lines).collect()
}

fn main() {
    let table = [
        ("a1", r#"{"v1": {"theme": "dark"}}"#),
        ("a2", r#"{"v1": {"chat": {"titel": "Ask us"}}}"#),
        ("a3", r#"{"v1": {"theme": "pink"}}"#),
    ];
    let report = report(&table);
    assert_eq!(report.len(), 2);
    assert!(report[0].starts_with("a2 /config/v1/chat/titel: "));
    assert!(report[1].starts_with("a3 /config/v1/theme: "));
}
