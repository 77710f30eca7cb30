//! The demo's records: an organization's key, an agent with a published version, and a widget on
//! the demo site. They are made over the service's own API and found again at the next start.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    http::{self, Answer},
    service::Service,
    workspace::{self, secret_file},
};

const ORGANIZATION: &str = "demo";
const AGENT: &str = "Concierge";
/// The name that the example worker answers to.
pub(crate) const LIVEKIT_AGENT: &str = "concierge";

/// What was made or found.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) widget_id: String,
    /// The HTML to paste.
    pub(crate) snippet: String,
    /// The file with the organization's key.
    pub(crate) key_file: PathBuf,
    /// The key that the worker uses.
    pub(crate) worker_key: String,
}

/// Makes or finds the records.
///
/// # Errors
/// When the service refuses something.
pub(crate) fn prepare(service: &Service, folder: &Path, site: &str) -> Result<Demo> {
    let key_file = folder.join("api-key");
    let key = key(
        service,
        &key_file,
        "demo",
        &[
            "web_widgets:manage",
            "agents:manage",
            "conversations:read_sensitive",
            "conversations:write",
        ],
        "/core/web-widgets",
    )?;
    let worker_key = self::key(
        service,
        &folder.join("worker-key"),
        "agent worker",
        &["conversations:read_sensitive", "conversations:write"],
        "/core/conversations",
    )?;
    let api = Api { service, key: &key };
    let agent = api.found("/core/agents", |agent| agent["name"] == AGENT)?;
    let agent_id = match agent {
        Some(agent) => id(&agent)?,
        None => id(&api.done("POST", "/core/agents", &json!({ "name": AGENT }))?)?,
    };
    let versions = format!("/core/agents/{agent_id}/versions");
    let published = |version: &Value| {
        version["status"] == "published" && version["livekit_agent_name"] == LIVEKIT_AGENT
    };
    let version_id = if let Some(version) = api.found(&versions, published)? {
        id(&version)?
    } else {
        let draft = json!({ "livekit_agent_name": LIVEKIT_AGENT, "label": "The example worker" });
        let id = id(&api.done("POST", &versions, &draft)?)?;
        api.done("POST", &format!("{versions}/{id}/publish"), &json!({}))?;
        id
    };
    let config = workspace::root().join("examples/site/widget.json");
    let config: Value = serde_json::from_slice(&fs::read(&config)?)
        .with_context(|| format!("{} is not JSON", config.display()))?;
    let wanted = json!({
        "agent_id": agent_id,
        "agent_version_id": version_id,
        "domains": [site],
        "published": true,
        "config": config,
    });
    let widget = api.found("/core/web-widgets", |widget| widget["agent_id"] == agent_id)?;
    let widget_id = match widget {
        Some(widget) => {
            let id = id(&widget)?;
            if ["agent_version_id", "domains", "published", "config"]
                .iter()
                .any(|field| widget[field] != wanted[field])
            {
                api.done("PUT", &format!("/core/web-widgets/{id}"), &wanted)?;
            }
            id
        }
        None => id(&api.done("POST", "/core/web-widgets", &wanted)?)?,
    };
    let snippet = api.get(&format!("/core/web-widgets/{widget_id}/snippet"))?;
    let snippet = snippet["html"]
        .as_str()
        .context("no snippet was given")?
        .to_owned();
    Ok(Demo {
        widget_id,
        snippet,
        key_file,
        worker_key,
    })
}

/// The key kept in the file, or a new one when the service does not know it (any more).
fn key(service: &Service, file: &Path, name: &str, scopes: &[&str], probe: &str) -> Result<String> {
    if let Ok(key) = fs::read_to_string(file) {
        let key = key.trim().to_owned();
        if http::request(service.address(), "GET", probe, Some(&key), None)?.status == 200 {
            return Ok(key);
        }
    }
    let key = service.new_key(ORGANIZATION, name, scopes)?;
    writeln!(secret_file(file)?, "{key}")?;
    Ok(key)
}

struct Api<'a> {
    service: &'a Service,
    key: &'a str,
}

impl Api<'_> {
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let Answer { status, body } =
            http::request(self.service.address(), method, path, Some(self.key), body)?;
        if !(200..300).contains(&status) {
            bail!("the service answered {status} to {method} {path}: {body}");
        }
        Ok(body)
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None)
    }

    fn done(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.call(method, path, Some(body))
    }

    /// The first record of a list for which the condition holds.
    fn found(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Result<Option<Value>> {
        let list = self.get(path)?;
        let list = list
            .as_array()
            .with_context(|| format!("{path} gave no list: {list}"))?;
        Ok(list.iter().find(|record| condition(record)).cloned())
    }
}

fn id(record: &Value) -> Result<String> {
    Ok(record["id"]
        .as_str()
        .with_context(|| format!("no id in {record}"))?
        .to_owned())
}
