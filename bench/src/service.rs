//! The service as it is built for production, with records to serve.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use crate::{
    client::{Client, request},
    process::{Server, beside, output},
};

/// Origin of the page that embeds the widgets.
pub const SHOP: &str = "https://shop.example";
/// Origin of the service, and so of the window.
pub const OWN: &str = "https://widgets.example";

/// A running service and one live widget.
pub struct Service {
    pub server: Server,
    pub url: String,
    pub widget: String,
    key: String,
    agent: Value,
}

/// `widget-http` on this database.
fn program(database: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(beside("widget-http")?);
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database);
    Ok(command)
}

/// Creates the tables of an empty database.
pub async fn migrate(database: &str) -> Result<()> {
    output(&mut program(database, &["migrate"])?)
        .await
        .map(drop)
}

/// Starts the service with its log as JSON in a file, and nothing limited by address.
pub async fn start(database: &str, folder: &Path) -> Result<Server> {
    let mut command = program(database, &["serve", "--listen", "127.0.0.1:0"])?;
    command
        .env("WIDGET_LOG_FORMAT", "json")
        .env("WIDGET_PUBLIC_URL", OWN)
        .env("WIDGET_TRUSTED_PROXIES", "loopback")
        // Conversations are created without asking LiveKit anything.
        .env("LIVEKIT_URL", "ws://127.0.0.1:9")
        .env("LIVEKIT_API_KEY", "devkey")
        .env("LIVEKIT_API_SECRET", "secret-secret-secret-secret-secret-32");
    for limit in [
        "CONFIGS",
        "DOCUMENTS",
        "TICKETS",
        "CONVERSATIONS",
        "WIDGET_CONVERSATIONS",
    ] {
        command.env(format!("WIDGET_LIMIT_{limit}"), "1000000000");
    }
    Server::start(&mut command, &folder.join("service.log")).await
}

impl Service {
    /// A service on an empty database, with a live widget of this config.
    pub async fn start(database: &str, folder: &Path, config: &Value) -> Result<Self> {
        migrate(database).await?;
        let scopes = [
            "web_widgets:manage",
            "agents:manage",
            "conversations:read_sensitive",
            "conversations:write",
        ];
        let mut create = program(database, &["key", "create", "--organization", "bench"])?;
        create.args(scopes.iter().flat_map(|scope| ["--scope", scope]));
        let mut service = Self {
            server: start(database, folder).await?,
            url: database.to_owned(),
            widget: String::new(),
            key: output(&mut create).await?.trim().to_owned(),
            agent: Value::Null,
        };
        let agent = service
            .post("/core/agents", &json!({"name": "Bench"}))
            .await?;
        let versions = format!("/core/agents/{}/versions", text(&agent["id"])?);
        let version = json!({"livekit_agent_name": "bench"});
        let version = service.post(&versions, &version).await?;
        let publish = format!("{versions}/{}/publish", text(&version["id"])?);
        service.post(&publish, &json!({})).await?;
        service.agent = json!([agent["id"], version["id"]]);
        service.widget = service.create_widget(config).await?;
        Ok(service)
    }

    /// The id of another live widget.
    pub async fn create_widget(&self, config: &Value) -> Result<String> {
        let body = json!({
            "agent_id": self.agent[0],
            "agent_version_id": self.agent[1],
            "domains": [SHOP, "https://*.customer.example"],
            "published": true,
            "config": config,
        });
        let widget = self.post("/core/web-widgets", &body).await?;
        Ok(text(&widget["id"])?.to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.send(path, body);
        Client::connect(self.server.address)
            .await?
            .ask(&request)
            .await?
            .json()
    }

    /// A write with the organization's key.
    pub fn send(&self, path: &str, body: &Value) -> Vec<u8> {
        request(
            "POST",
            path,
            &[("authorization", &self.bearer())],
            &body.to_string(),
        )
    }

    /// A read with the organization's key.
    pub fn list(&self, path: &str) -> Vec<u8> {
        request("GET", path, &[("authorization", &self.bearer())], "")
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }
}

/// What the loader of the page asks for.
pub fn launcher(widget: &str) -> Vec<u8> {
    let path = format!("/core/public/web-widgets/{widget}");
    request("GET", &path, &browser(&[("origin", SHOP)]), "")
}

/// What the page loads first.
pub fn loader(widget: &str) -> Vec<u8> {
    request("GET", &format!("/public/embed/{widget}"), &browser(&[]), "")
}

/// What the frame loads.
pub fn window(widget: &str) -> Vec<u8> {
    let path = format!("/public/widget/{widget}?o=https%3A%2F%2Fshop.example");
    request("GET", &path, &browser(&[]), "")
}

/// What the page asks for when its visitor begins.
pub fn ticket(widget: &str) -> Vec<u8> {
    let path = format!("/core/public/web-widgets/{widget}/embed-tickets");
    request("POST", &path, &browser(&[("origin", SHOP)]), "{}")
}

/// What the window asks for then, for a visitor at some address of the internet: nobody starts
/// many from one.
pub fn start_conversation(widget: &str, ticket: &str) -> Vec<u8> {
    let path = format!("/core/public/web-widgets/{widget}/conversations");
    let [_, a, b, c] = std::array::from_fn(|byte| Uuid::new_v4().as_bytes()[byte]);
    let (bearer, address) = (format!("Bearer {ticket}"), format!("198.{a}.{b}.{c}"));
    let own = [
        ("origin", OWN),
        ("authorization", &*bearer),
        ("x-forwarded-for", &*address),
    ];
    request("POST", &path, &browser(&own), "{}")
}

/// The headers that browsers send with everything.
fn browser<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut headers = vec![
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
        ),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, deflate, br"),
        ("accept-language", "en-US,en;q=0.9"),
        ("referer", "https://shop.example/"),
    ];
    headers.extend(more);
    headers
}

/// A string in an answer.
pub fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .with_context(|| format!("no string: {value}"))
}

/// A config as customers write it.
pub fn typical() -> Value {
    json!({"v1": {
        "theme": "dark",
        "chat": {"title": "Ask the shop", "greeting": "How can we help?",
            "avatar_url": "https://shop.example/avatar.png"},
        "suggested_questions": ["Where is my order?", "Do you ship to Norway?"],
    }})
}
