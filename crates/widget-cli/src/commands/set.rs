//! `widget set` and `widget unset`: single values of a widget, by JSON Pointer.

use clap::Args;
use serde_json::{Value, value::to_raw_value};
use widget_api::{Widget, WidgetPatch};
use widget_core::{
    config::{Config, Edit},
    doctor::quote_for_shell,
    finding::{Code, Finding, Findings},
    id::{AgentId, AgentVersionId, WidgetId},
    json,
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        change::{self, PendingChange},
        proposal::{ChangeOptions, Current},
        reference::Reference,
    },
    printer::Printer,
};

pub(crate) const SET_HELP: &str = "\
A pointer is from the root of the widget, as in the API and in `widget diff`: /config/v1/chat/title, \
/published, /agent_version_id. The first `=` ends it. What comes after is the value: JSON if it is \
JSON, and else a text. So `=5` is a number, `=true` a boolean, `=null` null, `=Hi` and `=Hi there` \
texts, `=` the empty text, and `='\"5\"'` a text again. With --text each value is a text as it is.
Objects on the way are made when they are missing. In an array an index replaces an item, and `-` \
appends one. All values are set together: only the result has to be valid.

Examples:
  widget set 0197a8b2 /config/v1/chat/title='Ask us'
  widget set 0197a8b2 /config/v1/theme=dark '/config/v1/suggested_questions=[\"Where is my order?\"]'
  widget set 0197a8b2 --text /config/v1/chat/title=24/7

`widget domains` changes the list of domains, and `widget pin` the version of the agent.";

pub(crate) const UNSET_HELP: &str = "\
What is removed from the config has its default again.

Examples:
  widget unset 0197a8b2 /config/v1/theme
  widget unset 0197a8b2 /config/v1/suggested_questions/0 /config/v1/chat/title --dry-run";

/// Arguments of `set`.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// JSON Pointers with their new values
    #[arg(value_name = "POINTER=VALUE", required = true)]
    pub(crate) values: Vec<String>,
    /// Take each value as a text, also one that is JSON
    #[arg(long)]
    pub(crate) text: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// Arguments of `unset`.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// JSON Pointers of values in the config
    #[arg(value_name = "POINTER", required = true)]
    pub(crate) pointers: Vec<String>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// Sets values.
pub(super) fn set(
    arguments: &Set,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let edits = arguments
        .values
        .iter()
        .map(|text| parse_assignment(text, arguments.text))
        .collect::<Result<Vec<_>, _>>()?;
    let done = "has these values";
    run(
        &arguments.widget,
        edits,
        done,
        arguments.change,
        global,
        printer,
    )
}

/// Removes values.
pub(super) fn unset(
    arguments: &Unset,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let edits = arguments
        .pointers
        .iter()
        .map(|pointer| Edit::Remove {
            pointer: pointer.clone(),
        })
        .collect();
    let done = "no longer has these values";
    run(
        &arguments.widget,
        edits,
        done,
        arguments.change,
        global,
        printer,
    )
}

fn run(
    widget: &str,
    edits: Vec<Edit>,
    done: &str,
    options: ChangeOptions,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let before = reference.find_widget(session, printer).await?;
        let pending = PendingChange {
            patch: build_patch(&before.value, edits)?,
            before: Current::of(&before, session)?,
            effects: Vec::new(),
            done,
            options,
        };
        change::write(pending, session, printer).await
    })
}

/// Reads `/config/v1/theme=dark`.
fn parse_assignment(text: &str, is_text: bool) -> Result<Edit, Failure> {
    let Some((pointer, value)) = text.split_once('=') else {
        return Err(Failure::unexpected(format_args!(
            "`{text}` has no value; write it as `POINTER=VALUE`"
        ))
        .hint("`widget unset` removes values"));
    };
    let value = if is_text {
        Value::from(value)
    } else {
        match json::parse(value, pointer, LIMITS) {
            Ok(parsed) => match Findings::from_list(parsed.faults) {
                Some(faults) => return Err(invalid(&faults)),
                None => parsed.value,
            },
            Err(json::JsonError::Syntax(_)) => Value::from(value),
            Err(error) => return Err(Failure::bad_input(format_args!("{pointer}: {error}"))),
        }
    };
    Ok(Edit::Set {
        pointer: pointer.to_owned(),
        value,
    })
}

/// Core checks the limits of the config that results.
const LIMITS: json::JsonLimits = json::JsonLimits {
    bytes: 1024 * 1024,
    depth: 128,
};

fn build_patch(before: &Widget, edits: Vec<Edit>) -> Result<WidgetPatch, Failure> {
    let mut patch = WidgetPatch::default();
    let mut in_config = Vec::new();
    for edit in edits {
        let (Edit::Set { pointer, .. } | Edit::Remove { pointer }) = &edit;
        let pointer = pointer.as_str();
        match (pointer, &edit) {
            ("/published", Edit::Set { value, .. }) => {
                patch.published = Some(read(pointer, value, "`true` or `false`")?);
            }
            ("/agent_id", Edit::Set { value, .. }) => {
                patch.agent_id = Some(read::<AgentId>(pointer, value, "the id of an agent")?);
            }
            ("/agent_version_id", Edit::Set { value, .. }) => {
                let expected = "the id of a version";
                patch.agent_version_id = Some(read::<AgentVersionId>(pointer, value, expected)?);
            }
            ("/domains", Edit::Set { value, .. }) => {
                patch.domains = Some(read(pointer, value, "an array of texts")?);
            }
            _ if pointer == "/config" || pointer.starts_with("/config/") => in_config.push(edit),
            _ => return Err(refuse(pointer, &edit, before.id)),
        }
    }
    if !in_config.is_empty() {
        let config = change::to_core(before)?.config;
        let edited = config.edit(in_config.iter().cloned()).map_err(|error| {
            let mut faults = error.findings().into_vec();
            for fault in &mut faults {
                if let Some(hint) = advise_type(fault, &in_config, &config, before.id) {
                    fault.hint = Some(hint);
                }
            }
            invalid(&faults)
        })?;
        patch.config = Some(to_raw_value(&edited.to_value()).map_err(Failure::unexpected)?);
    }
    if let Some(domains) = &patch.domains {
        patch.domains = Some(super::domains::canonical(domains)?.entries().to_vec());
    }
    Ok(patch)
}

/// What was probably meant by a value of the wrong type: nothing by null, and by any other value
/// that is JSON a text, where a text is possible.
fn advise_type(fault: &Finding, edits: &[Edit], config: &Config, id: WidgetId) -> Option<String> {
    if fault.code != Code::TypeInvalid {
        return None;
    }
    let place = fault.pointer.as_deref()?;
    let is_meant = |edit: &Edit| matches!(edit, Edit::Set { pointer, .. } if pointer == place);
    let value = edits.iter().find_map(|edit| match edit {
        Edit::Set { pointer, value } if pointer == place => Some(value),
        _ => None,
    })?;
    if value.is_string() {
        return None;
    }
    if value.is_null() {
        return Some(format!(
            "to remove it, so that it has its default: widget unset {id} {}",
            quote_for_shell(place)
        ));
    }
    let text = value.to_string();
    let as_text = edits.iter().map(|edit| {
        if is_meant(edit) {
            Edit::Set {
                pointer: place.to_owned(),
                value: text.as_str().into(),
            }
        } else {
            edit.clone()
        }
    });
    let is_possible = match config.edit(as_text) {
        Ok(_) => true,
        Err(error) => {
            let faults = error.findings();
            let mut faults = faults.iter();
            faults.all(|fault| fault.pointer.as_deref() != Some(place))
        }
    };
    is_possible.then(|| format!("to set the text `{text}`, add `--text`"))
}

fn read<T: serde::de::DeserializeOwned>(
    pointer: &str,
    value: &Value,
    expected: &str,
) -> Result<T, Failure> {
    T::deserialize(value).map_err(|_| {
        let detail = format!("`{value}` must be {expected}");
        invalid(&[Finding::new(Code::TypeInvalid, detail).at(pointer)])
    })
}

fn refuse(pointer: &str, edit: &Edit, id: WidgetId) -> Failure {
    let failure = |reason: &str| Failure::bad_input(format_args!("`{pointer}` {reason}"));
    if pointer.starts_with("/domains/") || pointer == "/domains" {
        return failure("cannot be changed by itself: it is in the list of domains").hint(
            format_args!("`widget domains {id} add`, `remove` and `list` are for it"),
        );
    }
    let is_removal = matches!(edit, Edit::Remove { .. });
    match pointer {
        "/id" | "/organization_id" => {
            failure("cannot be changed").hint("`widget create --file FILE` makes a copy")
        }
        "/created_at" | "/updated_at" => failure("cannot be changed"),
        "/published" if is_removal => failure("cannot be removed")
            .hint(format_args!("`widget unpublish {id}` sets it to `false`")),
        "/agent_version_id" if is_removal => {
            failure("cannot be removed").hint(format_args!("`widget pin {id} VERSION` changes it"))
        }
        "/agent_id" if is_removal => failure("cannot be removed")
            .hint(format_args!("`widget set {id} /agent_id=AGENT` changes it")),
        _ if pointer == "/v1" || pointer.starts_with("/v1/") => {
            failure("is not a value of a widget")
                .hint(format_args!("did you mean `/config{pointer}`?"))
        }
        _ => failure("is not a JSON Pointer to a value of a widget").hint(format_args!(
            "write one such as `/config/v1/chat/title`; `widget show {id}` shows the values"
        )),
    }
}

/// Findings of core as one failure: the hint of the only one at the end, and those of several where
/// they belong.
pub(super) fn invalid(findings: &[Finding]) -> Failure {
    let mut message = "this is not valid; nothing was written".to_owned();
    for finding in findings {
        let pointer = finding.pointer.as_deref().unwrap_or_default();
        message.extend(["\n  ", pointer, ": ", &finding.detail]);
        if let (Some(hint), true) = (&finding.hint, findings.len() > 1) {
            message.extend(["\n    hint: ", hint]);
        }
    }
    let failure = Failure::bad_input(message);
    match findings {
        [only] => match &only.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        },
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_json_or_text() {
        let read = |text: &str, is_text| match parse_assignment(text, is_text) {
            Ok(Edit::Set { pointer, value }) => (pointer, value),
            other => panic!("{other:?}"),
        };
        for (text, pointer, value) in [
            ("/a=5", "/a", json!(5)),
            ("/a=true", "/a", json!(true)),
            ("/a=null", "/a", json!(null)),
            ("/a=Hi there", "/a", json!("Hi there")),
            ("/a=", "/a", json!("")),
            ("/a=\"5\"", "/a", json!("5")),
            ("/a=b=c", "/a", json!("b=c")),
            ("/a=[1, \"b\"]", "/a", json!([1, "b"])),
            ("/a={\"b\":", "/a", json!("{\"b\":")),
            ("/a=#0055ff", "/a", json!("#0055ff")),
        ] {
            assert_eq!(read(text, false), (pointer.to_owned(), value), "{text}");
        }
        assert_eq!(read("/a=5", true), ("/a".to_owned(), json!("5")));
        assert!(parse_assignment("/a", false).is_err());
        assert!(parse_assignment("/a={\"b\":1,\"b\":2}", false).is_err());
    }
}
