//! The OpenAPI document: the descriptions of the routes, with the schemas of their bodies.
//!
//! The schemas are derived from the very types that are read and written. The service serves the
//! document; a test compares it with the committed `schema/openapi.json`.

use std::collections::BTreeMap;

use http::{HeaderName, header};
use schemars::{
    Schema, SchemaGenerator, generate::SchemaSettings, json_schema, transform::transform_subschemas,
};
use serde_json::{Map, Value, json};
use widget_api::{ProblemCode, Scope, schema};

use crate::web::{
    api::{Credential, Operation, meaning},
    problem::status,
};

pub(crate) mod page;

/// An operation as the document shows it.
fn describe(operation: &Operation, generators: &mut Generators) -> Value {
    let mut parameters: Vec<Value> = path_parameters(operation.path).collect();
    parameters.extend(operation.headers.iter().map(|header| {
        json!({
            "name": header.name,
            "in": "header",
            "description": header.description,
            "schema": header.schema,
        })
    }));
    if let Some(query) = operation.query {
        let mut fields = query(&mut generators.requests);
        tidy(&mut fields);
        parameters.extend(query_parameters(&fields));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(operation.path)],
        "security": security(operation.credential),
    });
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some(body) = operation.body {
        let schema = body(&mut generators.requests);
        described["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": schema}},
        });
    }
    described["responses"] = responses(operation, generators);
    described
}

/// Answers by status; the problems of a status are one answer that lists their codes.
fn responses(operation: &Operation, generators: &mut Generators) -> Value {
    let mut responses = Map::new();
    for answer in &operation.answers {
        let mut response = json!({"description": answer.description});
        if let Some((media_type, schema)) = answer.content {
            let schema = schema(&mut generators.answers);
            response["content"] = json!({media_type: {"schema": schema}});
        }
        add_headers(&mut response, &answer.headers);
        responses.insert(answer.status.to_string(), response);
    }
    let problem = generators.answers.subschema_for::<widget_api::Problem>();
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in operation.all_problems() {
        by_status
            .entry(status(code).as_u16())
            .or_default()
            .push(code);
    }
    for (status, codes) in by_status {
        let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
        let response = responses
            .entry(status.to_string())
            .or_insert_with(|| json!({"description": names.join(", ")}));
        response["content"]["application/problem+json"] = json!({"schema": problem});
        response["x-problem-codes"] = json!(codes);
        if matches!(status, 429 | 503) {
            add_headers(response, &[header::RETRY_AFTER]);
        }
    }
    responses.sort_keys();
    Value::Object(responses)
}

fn add_headers(response: &mut Value, names: &[HeaderName]) {
    for name in names {
        let schema = match *name {
            header::RETRY_AFTER => json!({"type": "integer", "minimum": 0}),
            _ => json!({"type": "string"}),
        };
        response["headers"][title_case(name)] =
            json!({"description": meaning(name), "schema": schema});
    }
}

/// A header in its usual case.
fn title_case(name: &HeaderName) -> String {
    if *name == header::ETAG {
        return "ETag".to_owned();
    }
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

/// Who calls the operation.
fn tag(path: &str) -> &'static str {
    if path.starts_with("/core/public/") {
        "Visitors"
    } else if path.starts_with("/core/") {
        "Management"
    } else if path.starts_with("/public/") {
        "Embed"
    } else {
        "Operations"
    }
}

fn security(credential: Credential) -> Value {
    match credential {
        Credential::ApiKey(scope) => json!([{"api_key": [scope]}]),
        Credential::AnyApiKey => json!([{"api_key": []}]),
        Credential::EmbedTicket => json!([{"embed_ticket": []}]),
        Credential::ConversationToken => json!([{"conversation_token": []}]),
        Credential::LiveKitSignature => json!([{"livekit_signature": []}]),
        Credential::None => json!([]),
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "id" | "cid" | "pid" | "version_id" => schema::uuid(),
                "number" => json_schema!({"type": "integer", "minimum": 1}),
                _ => json_schema!({"type": "string"}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
}

fn query_parameters(schema: &Schema) -> Vec<Value> {
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| {
            let mut property = property.clone();
            let description = property
                .as_object_mut()
                .and_then(|property| property.remove("description"));
            // A parameter is absent or it has a value: there is no `null` in a query.
            if let Some(Value::Array(types)) = property.get("type") {
                property["type"] = types.first().cloned().unwrap_or_default();
            }
            let required = required.is_some_and(|names| names.iter().any(|item| item == name));
            json!({
                "name": name,
                "in": "query",
                "description": description,
                "required": required,
                "schema": property,
            })
        })
        .collect()
}

/// Puts the description first, as one paragraph, and removes a default of `null`: "not required"
/// says the same.
fn tidy(schema: &mut Schema) {
    transform_subschemas(&mut tidy, schema);
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if members.get("default") == Some(&Value::Null) {
        members.shift_remove("default");
    }
    if let Some(Value::String(text)) = members.shift_remove("description") {
        members.shift_insert(0, "description".to_owned(), text.replace('\n', " ").into());
    }
}

/// The schemas of requests and of answers differ: a field with a default may be missing only in a
/// request.
struct Generators {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Generators {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.transforms.push(Box::new(tidy));
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    /// Every named schema, by name.
    ///
    /// # Panics
    /// When two types have the same name and not the same schema: one of them must be called
    /// differently.
    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        for (name, schema) in self.answers.take_definitions(true) {
            let other = all.insert(name.clone(), schema.clone());
            assert!(
                other.is_none_or(|other| other == schema),
                "two bodies are called `{name}`"
            );
        }
        all.sort_keys();
        all
    }
}

/// The OpenAPI 3.1 document of these operations, all schemas in it.
///
/// # Panics
/// When two bodies with different schemas have the same name.
#[must_use]
pub fn document(operations: &[Operation]) -> Value {
    let mut generators = Generators::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut generators);
        let methods = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        methods[operation.method.as_str().to_lowercase()] = described;
    }
    let scopes: Vec<String> = Scope::ALL
        .iter()
        .map(|scope| format!("`{scope}`"))
        .collect();
    let bearer =
        |description: &str| json!({"type": "http", "scheme": "bearer", "description": description});
    let schemas = generators.definitions();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Web Widgets",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Embeds AI agents as chat-and-voice bubbles on websites. Management \
                            routes need an API key of an organization; visitors' routes need what \
                            the service gave to their page. Every answer carries `X-Request-Id`.",
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "externalDocs": {"url": "/docs", "description": "This document as a page for people."},
        "servers": [{"url": "/", "description": "The service that serves this document."}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "api_key": bearer(&format!(
                    "An API key of an organization, `ak_<id>.<secret>`, with the scope that the \
                     operation names. Scopes: {}.",
                    scopes.join(", ")
                )),
                "embed_ticket": bearer(
                    "An embed ticket: for one widget on one page, once, within 60 s."
                ),
                "conversation_token": bearer("The token of one conversation."),
                "livekit_signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "LiveKit's own token with the hash of the body.",
                },
            },
        },
    })
}
