//! The OpenAPI document as a page for people: written on the server, without scripts, so that it
//! can ask for nothing and send nothing.

use askama::Template;
use serde_json::{Map, Value};

use self::{
    example::example_of,
    text::{Html, inline, slug},
    types::{Field, fields, type_of},
};

mod example;
mod text;
mod types;

/// The style sheet, which is inside the page; its hash is in the page's policy.
pub(crate) const STYLE: &str = include_str!("../../templates/docs.css");

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    style: &'static str,
    title: &'a str,
    version: &'a str,
    about: Html,
    groups: Vec<Group<'a>>,
    bodies: Vec<Body<'a>>,
}

/// The operations of one kind of caller.
struct Group<'a> {
    name: &'a str,
    id: String,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: Html,
    summary: Html,
    credential: Html,
    parameters: Vec<Parameter<'a>>,
    body: Option<Content>,
    answers: Vec<Answer<'a>>,
}

struct Parameter<'a> {
    place: &'a str,
    field: Field,
}

/// A body of a request or of an answer.
struct Content {
    media_type: String,
    shape: Html,
    example: Option<String>,
}

struct Answer<'a> {
    status: &'a str,
    about: Html,
    content: Option<Content>,
    headers: Vec<(&'a str, Html)>,
}

/// A named schema.
struct Body<'a> {
    name: &'a str,
    about: Html,
    shape: Option<Html>,
    fields: Vec<Field>,
    example: Option<String>,
}

/// The page of a document.
pub(crate) fn render(document: &Value) -> String {
    let info = &document["info"];
    let schemas = document["components"]["schemas"].as_object();
    let page = DocsPage {
        style: STYLE,
        title: text_of(&info["title"]),
        version: text_of(&info["version"]),
        about: inline(text_of(&info["description"])),
        groups: groups(document),
        bodies: schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| body(document, name, schema))
            .collect(),
    };
    page.render().expect("writing to a string never fails")
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The operations by their tag, in the order of the document.
fn groups(document: &Value) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (path, methods) in members(&document["paths"]) {
        for (method, described) in members(methods) {
            let name = text_of(&described["tags"][0]);
            let operation = operation(document, path, method, described);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group {
                    name,
                    id: slug(name),
                    operations: vec![operation],
                }),
            }
        }
    }
    groups
}

fn operation<'a>(
    document: &'a Value,
    path: &str,
    method: &str,
    described: &'a Value,
) -> Operation<'a> {
    let parameters = described["parameters"].as_array().into_iter().flatten();
    let body = members(&described["requestBody"]["content"]).next();
    Operation {
        id: text_of(&described["operationId"]),
        method: method.to_uppercase(),
        path: text::path(path),
        summary: inline(text_of(&described["summary"])),
        credential: credential(&described["security"]),
        parameters: parameters.map(parameter).collect(),
        body: body.map(|(media_type, content)| self::content(document, media_type, content)),
        answers: members(&described["responses"])
            .map(|(status, answer)| self::answer(document, status, answer))
            .collect(),
    }
}

/// What a caller needs, with the scope of a key.
fn credential(security: &Value) -> Html {
    match members(&security[0]).next() {
        None => inline("Nothing"),
        Some((name, scopes)) => match scopes[0].as_str() {
            Some(scope) => inline(&format!("An API key with the scope `{scope}`")),
            None => inline(match name.as_str() {
                "embed_ticket" => "An embed ticket",
                "conversation_token" => "The token of the conversation",
                "livekit_signature" => "LiveKit's signature",
                other => other,
            }),
        },
    }
}

fn parameter(parameter: &Value) -> Parameter<'_> {
    let is_required = parameter["required"] == true;
    Parameter {
        place: text_of(&parameter["in"]),
        field: Field::new(
            text_of(&parameter["name"]),
            &parameter["schema"],
            text_of(&parameter["description"]),
            is_required,
        ),
    }
}

fn content(document: &Value, media_type: &str, content: &Value) -> Content {
    let is_json = media_type == "application/json";
    let example = is_json.then(|| example_of(document, &content["schema"]));
    Content {
        media_type: media_type.to_owned(),
        shape: type_of(&content["schema"]),
        example: example.map(|example| format!("{example:#}")),
    }
}

fn answer<'a>(document: &Value, status: &'a str, answer: &'a Value) -> Answer<'a> {
    let is_problem = !answer["x-problem-codes"].is_null();
    let content = members(&answer["content"])
        .find(|(media_type, _)| !is_problem || *media_type != "application/problem+json");
    Answer {
        status,
        about: inline(text_of(&answer["description"])),
        content: content.map(|(media_type, content)| self::content(document, media_type, content)),
        headers: members(&answer["headers"])
            .map(|(name, header)| (name.as_str(), inline(text_of(&header["description"]))))
            .collect(),
    }
}

fn body<'a>(document: &Value, name: &'a str, schema: &Value) -> Body<'a> {
    let fields = fields(schema);
    let shape = fields.is_empty().then(|| type_of(schema));
    let example = (!fields.is_empty()).then(|| format!("{:#}", example_of(document, schema)));
    Body {
        name,
        about: inline(text_of(&schema["description"])),
        shape,
        fields,
        example,
    }
}
