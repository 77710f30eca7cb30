//! What the service takes and answers, as JSON Schemas and as an OpenAPI document.
//!
//! Each file of `routes` lists its operations beside its router; the bodies' schemas are derived
//! from the very types that are read and written. `widget-schema` writes the outcome to `schema/`,
//! and the service serves that file.

use std::{any::type_name, borrow::Cow};

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema,
    transform::transform_subschemas,
};
use serde_json::{Map, Value, json};
use widget_core::{
    config,
    conversation::{EndReason, Mode, Reporter, Role, Status},
    explain::{Difference, Verdict},
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
};

use crate::{
    routes,
    web::{
        auth::Scope,
        extract::Parsed,
        problem::ProblemBody,
        wire::{Text, Timestamp},
    },
};

/// The name of the config's schema among the others.
pub const CONFIG: &str = "Config";

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// What a caller shows to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A key of the organization with this scope.
    Key(Scope),
    /// An embed ticket.
    Ticket,
    /// The token of one conversation.
    ConversationToken,
    /// LiveKit's signature over the body.
    LiveKit,
    /// Nothing: the `Origin` decides, or the answer is the same for everybody.
    None,
}

/// One method at one path, as the OpenAPI document shows it.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    credential: Credential,
    parameters: Vec<Value>,
    query: Option<Describe>,
    body: Option<Describe>,
    answers: Vec<Answer>,
}

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    description: &'static str,
    content: Option<(&'static str, Describe)>,
}

/// A `GET` that `id` names.
pub(crate) const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, id, summary)
}

/// A `POST` that `id` names.
pub(crate) const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, id, summary)
}

/// A `PUT` that `id` names.
pub(crate) const fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("put", path, id, summary)
}

/// A `DELETE` that `id` names.
pub(crate) const fn delete(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new("delete", path, id, summary)
}

impl Operation {
    const fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            credential: Credential::None,
            parameters: Vec::new(),
            query: None,
            body: None,
            answers: Vec::new(),
        }
    }

    /// Wants a key with `scope`.
    pub(crate) const fn scope(self, scope: Scope) -> Self {
        self.credential(Credential::Key(scope))
    }

    /// Wants this credential.
    pub(crate) const fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// Takes a header.
    pub(crate) fn header(mut self, name: &'static str, description: &'static str) -> Self {
        self.parameters.push(json!({
            "name": name,
            "in": "header",
            "description": description,
            "schema": {"type": "string"},
        }));
        self
    }

    /// Takes the fields of `T` as query parameters.
    pub(crate) const fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    /// Takes `T` as its JSON body.
    pub(crate) const fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Answers `T` as JSON.
    pub(crate) fn gives<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.gives_as::<T>(status, description, "application/json")
    }

    /// Answers text of `media_type` that has the shape of `T`.
    pub(crate) fn gives_as<T: JsonSchema>(
        mut self,
        status: u16,
        description: &'static str,
        media_type: &'static str,
    ) -> Self {
        self.answers.push(Answer {
            status,
            description,
            content: Some((media_type, SchemaGenerator::subschema_for::<T>)),
        });
        self
    }

    /// Answers without a body.
    pub(crate) fn gives_nothing(mut self, status: u16, description: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            description,
            content: None,
        });
        self
    }

    fn describe(&self, generators: &mut Generators) -> Value {
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), json!(self.id));
        operation.insert("summary".to_owned(), json!(self.summary));
        operation.insert("tags".to_owned(), json!([self.tag()]));
        operation.insert("security".to_owned(), self.security());
        let mut parameters: Vec<Value> = self.path_parameters().collect();
        parameters.extend(self.parameters.iter().cloned());
        if let Some(query) = self.query {
            let mut fields = query(&mut generators.requests);
            tidy(&mut fields);
            parameters.extend(query_parameters(&fields));
        }
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), json!(parameters));
        }
        if let Some(body) = self.body {
            let schema = body(&mut generators.requests);
            let content = json!({"application/json": {"schema": schema}});
            operation.insert(
                "requestBody".to_owned(),
                json!({"required": true, "content": content}),
            );
        }
        let mut responses = Map::new();
        for answer in &self.answers {
            let mut response = json!({"description": answer.description});
            if let Some((media_type, schema)) = answer.content {
                let schema = schema(&mut generators.answers);
                response["content"] = json!({media_type: {"schema": schema}});
            }
            responses.insert(answer.status.to_string(), response);
        }
        responses.insert(
            "default".to_owned(),
            json!({"$ref": "#/components/responses/Problem"}),
        );
        operation.insert("responses".to_owned(), Value::Object(responses));
        Value::Object(operation)
    }

    /// Whom the operation is for.
    fn tag(&self) -> &'static str {
        if self.path.starts_with("/core/public/") {
            "Visitors"
        } else if self.path.starts_with("/core/") {
            "Management"
        } else if self.path.starts_with("/public/") {
            "Embed"
        } else {
            "Operations"
        }
    }

    fn security(&self) -> Value {
        match self.credential {
            Credential::Key(scope) => json!([{"key": [scope.as_str()]}]),
            Credential::Ticket => json!([{"ticket": []}]),
            Credential::ConversationToken => json!([{"conversation_token": []}]),
            Credential::LiveKit => json!([{"livekit": []}]),
            Credential::None => json!([]),
        }
    }

    fn path_parameters(&self) -> impl Iterator<Item = Value> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                let schema = match name {
                    "id" | "cid" | "version_id" => uuid(),
                    "number" => json_schema!({"type": "integer", "minimum": 1}),
                    _ => json_schema!({"type": "string"}),
                };
                json!({"name": name, "in": "path", "required": true, "schema": schema})
            })
    }
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

/// Puts what something is before how it looks, as one paragraph; a default of `null` is what "not
/// required" says.
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

/// What is read and what is written differ: a field with a default may be missing only in what is
/// read.
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

/// The OpenAPI 3.1 document of the service, all schemas in it.
///
/// # Panics
/// When two bodies with different schemas have the same name.
#[must_use]
pub fn openapi() -> Value {
    let mut generators = Generators::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in routes::operations() {
        let described = operation.describe(&mut generators);
        let methods = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        methods[operation.method] = described;
    }
    let problem = generators.answers.subschema_for::<ProblemBody<'static>>();
    let scopes: Vec<String> = Scope::ALL
        .iter()
        .map(|scope| format!("`{}`", scope.as_str()))
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
                            routes take a key of an organization; visitors' routes take what the \
                            service gave to their page.",
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "A refusal or a failure (RFC 9457); `code` is stable.",
                    "content": {"application/problem+json": {"schema": problem}},
                },
            },
            "securitySchemes": {
                "key": bearer(&format!(
                    "A key of an organization, `ak_<id>.<secret>`, with the scope that the \
                     operation names. Scopes: {}.",
                    scopes.join(", ")
                )),
                "ticket": bearer("An embed ticket: for one widget on one page, once, within 60 s."),
                "conversation_token": bearer("The token of one conversation."),
                "livekit": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "LiveKit's own token with the hash of the body.",
                },
            },
        },
    })
}

/// The config of a widget, as core describes it.
#[derive(Debug)]
pub(crate) struct ConfigDocument;

impl JsonSchema for ConfigDocument {
    fn schema_name() -> Cow<'static, str> {
        CONFIG.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        merge(config::json_schema(), generator)
    }
}

/// The launcher's part of a config in a schema, as core describes it.
pub(crate) struct LauncherDocument;

impl JsonSchema for LauncherDocument {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LauncherConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = merge(config::launcher_json_schema(), generator);
        schema.remove("title");
        schema
    }
}

/// A document's schema, with its definitions put among those of the generator.
fn merge(document: Value, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Schema::try_from(document).unwrap_or_default();
    schema.remove("$schema");
    let definitions = match schema.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let path = generator.settings().definitions_path.clone();
    for (name, definition) in definitions {
        let mut definition = Schema::try_from(definition).unwrap_or_default();
        move_references(&mut definition, &path);
        generator
            .definitions_mut()
            .insert(name, definition.to_value());
    }
    move_references(&mut schema, &path);
    schema
}

/// Lets references into `$defs` point to where definitions are here.
fn move_references(schema: &mut Schema, path: &str) {
    if let Some(Value::String(reference)) = schema.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        *reference = format!("#{path}/{name}");
    }
    transform_subschemas(
        &mut |schema: &mut Schema| move_references(schema, path),
        schema,
    );
}

/// A type of the domain as its text looks in JSON.
pub(crate) trait Described {
    /// The schema of the text.
    fn described() -> Schema;
}

fn uuid() -> Schema {
    json_schema!({
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$",
        "examples": ["0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01"],
    })
}

macro_rules! identifiers {
    ($($name:ident),*) => {
        $(impl Described for $name {
            fn described() -> Schema {
                uuid()
            }
        })*
    };
}

identifiers!(AgentId, AgentVersionId, ConversationId, WidgetId);

impl Described for OrganizationId {
    fn described() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            "examples": ["acme"],
        })
    }
}

macro_rules! words {
    ($($name:ident),*) => {
        $(impl Described for $name {
            fn described() -> Schema {
                let names: Vec<_> = $name::ALL.iter().map(|name| name.as_str()).collect();
                json_schema!({"type": "string", "enum": names})
            }
        })*
    };
}

words!(Difference, EndReason, Mode, Reporter, Role, Status, Verdict);

macro_rules! texts {
    ($($wrapper:ident),*) => {
        $(impl<T: Described> JsonSchema for $wrapper<T> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                type_name::<T>().into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                T::described()
            }
        })*
    };
}

texts!(Text, Parsed);

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "examples": ["2026-01-31T09:30:00Z"],
        })
    }
}
