//! The endpoint of a form: it checks what a visitor sends and answers with every fault at once.

use widget_core::{config::Config, form::FormDefinition, serde_json::json};

/// The status and the body of the answer.
fn submit(form: &FormDefinition, body: &str) -> (u16, String) {
    match form.validate_text(body) {
        Ok(submission) => (200, json!({"data": submission.values()}).to_string()),
        // With the feature `serde`, findings are what the API answers.
        Err(faults) => (422, json!({"errors": faults}).to_string()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::parse(
        r#"{"v1": {"pre_conversation_form": {
            "id": "contact",
            "name": "Contact",
            "fields": [
                {"id": "email", "label": "E-mail", "type": "email", "required": true},
                {"id": "order", "label": "Order", "type": "text"}
            ]
        }}}"#,
    )?;
    let form = config.current().pre_conversation_form.as_ref();
    let form = form.expect("it is in the config");

    let (status, body) = submit(form, r#"{"email": "a@shop.example"}"#);
    assert_eq!(status, 200, "{body}");
    let (status, body) = submit(form, r#"{"email": "nobody", "size": 7}"#);
    assert_eq!(status, 422);
    assert!(
        body.contains("email_invalid") && body.contains("key_unknown"),
        "{body}"
    );
    Ok(())
}
