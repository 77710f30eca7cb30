//! What `--output json` writes, as JSON Schemas: `schema/cli.schema.json`, which the tests of the
//! whole command hold each answer to, and the table in `docs/cli.md`. Only tests need the types
//! here, so that the program carries the schemas as a text.
//!
//! `UPDATE_EXPECT=1 cargo test -p widget-cli --bin widget outputs` writes both.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use expect_test::expect_file;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use widget_api::{
    agents::{Agent, AgentVersion},
    conversations::Conversation,
    doctor::Diagnosis,
    events::ConversationEvent,
    previews::{CreatedPreview, Preview},
    refusals::Refusals,
    revisions::Revision,
    statistics::Statistics,
    unreadable::{Listed, WidgetRecord},
    widgets::ListedWidget,
};

use crate::{
    cli::Cli,
    commands::{
        agents, conversations, create, delete, diff, domains, explain, export, login, migrate,
        open, origins, plan::step::StepJson, preview, restore, snippet, validate,
    },
    online::change,
    widget_file::InvalidJson,
};

/// Commands that answer with a text, or with nothing.
const WITHOUT_JSON: [&str; 3] = ["completions", "logout", "man"];

/// A command, what each of its objects is for, and their schema.
type Output = (&'static str, &'static str, Schema);

/// The object of each command; where there are several kinds, any of them.
#[expect(clippy::too_many_lines, reason = "an entry for each command")]
fn outputs(generator: &mut SchemaGenerator) -> Vec<Output> {
    macro_rules! any {
        ($only:ty) => { generator.subschema_for::<$only>() };
        ($($kind:ty),+) => {
            json_schema!({ "anyOf": [$(generator.subschema_for::<$kind>()),+] })
        };
    }
    let changed = any!(change::WrittenChangeJson);
    vec![
        ("list", "widget", any!(WidgetRecord<ListedWidget>)),
        ("show", "run", any!(WidgetRecord, InvalidJson<'_>)),
        (
            "explain",
            "run",
            any!(explain::ExplanationJson<'_>, InvalidJson<'_>),
        ),
        ("doctor", "run", any!(Diagnosis, InvalidJson<'_>)),
        ("history", "revision", any!(Revision)),
        (
            "diff",
            "difference",
            any!(diff::DifferenceJson<'_>, InvalidJson<'_>),
        ),
        (
            "create",
            "run",
            any!(create::CreatedJson<'_>, InvalidJson<'_>),
        ),
        ("set", "run", changed.clone()),
        ("unset", "run", changed.clone()),
        ("edit", "run", changed.clone()),
        ("domains list", "entry", any!(domains::EntryJson<'_>)),
        ("domains add", "run", changed.clone()),
        ("domains remove", "run", changed.clone()),
        ("publish", "run", changed.clone()),
        ("unpublish", "run", changed.clone()),
        ("pin", "run", changed),
        (
            "restore",
            "run",
            any!(change::WrittenChangeJson, restore::RestoredJson),
        ),
        ("delete", "run", any!(delete::DeletedJson)),
        ("undelete", "run", any!(delete::DeletedJson)),
        (
            "snippet",
            "run",
            any!(snippet::SnippetJson, InvalidJson<'_>),
        ),
        (
            "preview",
            "link",
            any!(
                CreatedPreview,
                Preview,
                preview::ChangedJson,
                InvalidJson<'_>
            ),
        ),
        ("open", "run", any!(open::OpenedJson<'_>)),
        (
            "export",
            "widget",
            any!(export::ExportJson, InvalidJson<'_>),
        ),
        ("plan", "widget", any!(StepJson<'_>, InvalidJson<'_>)),
        ("apply", "widget", any!(StepJson<'_>, InvalidJson<'_>)),
        (
            "conversations list",
            "conversation",
            any!(Listed<Conversation>),
        ),
        (
            "conversations show",
            "run",
            any!(conversations::show::ShowJson),
        ),
        ("conversations follow", "event", any!(ConversationEvent)),
        (
            "conversations export",
            "run",
            any!(conversations::export::ExportedFileJson),
        ),
        (
            "conversations erase",
            "run",
            any!(conversations::erase::EraseJson),
        ),
        ("stats", "run", any!(Statistics)),
        ("refusals", "run", any!(Refusals)),
        ("agents list", "agent", any!(Listed<Agent>)),
        ("agents versions", "version", any!(Listed<AgentVersion>)),
        ("agents publish", "run", any!(agents::PublishJson)),
        ("validate", "widget or config", any!(validate::CheckedJson)),
        ("lint", "widget or config", any!(validate::CheckedJson)),
        ("migrate", "file", any!(migrate::MigratedJson)),
        ("origins test", "page", any!(origins::TestJson<'_>)),
        (
            "origins normalize",
            "entry",
            any!(origins::NormalizedJson<'_>),
        ),
        ("schema", "run", json_schema!({ "type": "object" })),
        ("login", "run", any!(login::WhoamiJson<'_>)),
        ("whoami", "run", any!(login::WhoamiJson<'_>)),
        ("profiles", "profile", any!(login::ProfileJson<'_>)),
    ]
}

/// The whole document: a property for each command.
fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut commands = Map::new();
    for (command, each, schema) in outputs(&mut generator) {
        let mut schema = schema.to_value();
        schema["description"] = format!("One object for each {each}.").into();
        commands.insert(command.to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The answers of the widget command",
        "description":
            "What each command writes with --output json, one object a line. Later versions only \
             add keys.",
        "properties": commands,
        "$defs": generator.take_definitions(true),
    })
}

/// The keys of an object, each once.
fn keys(schema: &Value, document: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    let mut add = |key: String| {
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        if !reference.ends_with("/InvalidInput") {
            let target = target.expect("a definition");
            keys_of(target, document).into_iter().for_each(&mut add);
        }
    }
    keys_of(schema, document).into_iter().for_each(add);
    keys
}

fn keys_of(schema: &Value, document: &Value) -> Vec<String> {
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut all: Vec<String> = own.map(|(key, _)| key.clone()).collect();
    for alternative in schema["anyOf"].as_array().into_iter().flatten() {
        for key in keys(alternative, document) {
            if !all.contains(&key) {
                all.push(key);
            }
        }
    }
    all
}

/// The table of `docs/cli.md`.
fn table(document: &Value) -> String {
    let mut table = String::from("| command | one object for each | keys |\n|---|---|---|\n");
    let commands = document["properties"].as_object().expect("commands");
    for (command, schema) in commands {
        let each = schema["description"].as_str().unwrap_or_default();
        let each = each.trim_start_matches("One object for each ");
        let keys: Vec<String> = keys(schema, document)
            .iter()
            .map(|key| format!("`{key}`"))
            .collect();
        let keys = if keys.is_empty() {
            "those of a JSON Schema".to_owned()
        } else {
            keys.join(", ")
        };
        let each = each.trim_end_matches('.');
        table.extend(["| `", command, "` | ", each, " | ", &keys, " |\n"]);
    }
    table
}

#[test]
fn every_command_is_described() {
    fn leaves(command: &Command, path: &str, found: &mut BTreeSet<String>) {
        for command in command.get_subcommands() {
            let path = format!("{path} {}", command.get_name());
            if command.has_subcommands() {
                leaves(command, &path, found);
            } else {
                found.insert(path.trim().to_owned());
            }
        }
    }
    let mut all = BTreeSet::new();
    leaves(&Cli::command(), "", &mut all);
    let mut generator = SchemaGenerator::default();
    let mut described: BTreeSet<String> = outputs(&mut generator)
        .into_iter()
        .map(|(command, ..)| command.to_owned())
        .collect();
    described.extend(WITHOUT_JSON.map(str::to_owned));
    assert_eq!(described, all);
}

#[test]
fn outputs_are_written_down() {
    const BEGIN: &str = "<!-- a test writes the table from here -->\n\n";
    const END: &str = "\n<!-- to here -->";

    let document = document();
    let text = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
    expect_file!["../../../schema/cli.schema.json"].assert_eq(&text);

    let page = include_str!("../../../docs/cli.md");
    let (before, rest) = page.split_once(BEGIN).expect("a beginning");
    let (_, after) = rest.split_once(END).expect("an end");
    let written = format!("{before}{BEGIN}{}{END}{after}", table(&document));
    expect_file!["../../../docs/cli.md"].assert_eq(&written);
}
