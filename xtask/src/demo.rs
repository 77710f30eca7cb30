//! The demo's records: an organization's key, an agent with a published version, and a widget on
//! the demo site. They are created over the service's own API and found again at the next start.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    http,
    service::Service,
    workspace::{self, write_secret},
};

const ORGANIZATION: &str = "demo";
const AGENT: &str = "Concierge";
/// The name under which the example worker registers.
pub(crate) const LIVEKIT_AGENT: &str = "concierge";
const SCOPES: &[&str] = &[
    "web_widgets:manage",
    "agents:manage",
    "conversations:read_sensitive",
    "conversations:write",
];
const WORKER_SCOPES: &[&str] = &["conversations:read_sensitive", "conversations:write"];

/// What was created or found.
pub(crate) struct Demo {
    pub(crate) widget_id: String,
    /// The HTML to paste.
    pub(crate) snippet: String,
    /// The file with the organization's key.
    pub(crate) key_file: PathBuf,
    /// The key that the worker uses.
    pub(crate) worker_key: String,
}

/// Creates or finds the records.
pub(crate) fn prepare(service: &Service, folder: &Path, site: &str) -> Result<Demo> {
    let key_file = folder.join("api-key");
    let api = Api {
        service: service.origin(),
        key: require_key(service, &key_file, "demo", SCOPES)?,
    };
    let worker_file = folder.join("worker-key");
    let worker_key = require_key(service, &worker_file, "agent worker", WORKER_SCOPES)?;

    let agent = json!({ "name": AGENT });
    let agent_id = api.find_or_create("/core/agents", &agent)?;
    let versions = format!("/core/agents/{agent_id}/versions");
    let version = json!({ "livekit_agent_name": LIVEKIT_AGENT, "label": "The example worker" });
    let version_id = api.find_or_create(&versions, &version)?;
    // A version that is published already stays so.
    api.call(
        "POST",
        &format!("{versions}/{version_id}/publish"),
        Some(&json!({})),
    )?;

    let config = workspace::root().join("examples/site/widget.json");
    let config: Value = serde_json::from_slice(&fs::read(&config)?)
        .with_context(|| format!("{} is not JSON", config.display()))?;
    let widget = json!({
        "agent_id": agent_id,
        "agent_version_id": version_id,
        "domains": [site],
        "published": true,
        "config": config,
    });
    let widgets = "/core/web-widgets";
    let found = api.find(widgets, &json!({ "agent_id": agent_id }))?;
    let widget_id = match found {
        Some(found) if matches(&found, &widget) => require_id(&found)?,
        Some(found) => {
            let id = require_id(&found)?;
            api.call("PUT", &format!("{widgets}/{id}"), Some(&widget))?;
            id
        }
        None => require_id(&api.call("POST", widgets, Some(&widget))?)?,
    };
    let snippet = api.call("GET", &format!("{widgets}/{widget_id}/snippet"), None)?;
    Ok(Demo {
        snippet: snippet["html"]
            .as_str()
            .context("the service returned no snippet")?
            .to_owned(),
        widget_id,
        key_file,
        worker_key,
    })
}

/// The key kept in the file, or a new one when the service does not know it.
fn require_key(service: &Service, file: &Path, name: &str, scopes: &[&str]) -> Result<String> {
    if let Ok(key) = fs::read_to_string(file) {
        let key = key.trim().to_owned();
        // Each of the keys may list conversations.
        let probe = format!("{}/core/conversations", service.origin());
        if http::request("GET", &probe, Some(&key), None)?.0 == 200 {
            return Ok(key);
        }
    }
    let key = service.create_key(ORGANIZATION, name, scopes)?;
    write_secret(file, &format!("{key}\n"))?;
    Ok(key)
}

struct Api {
    service: String,
    key: String,
}

impl Api {
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.service);
        let (status, body) = http::request(method, &url, Some(&self.key), body)?;
        if !(200..300).contains(&status) {
            bail!("the service answered {status} to {method} {path}: {body}");
        }
        Ok(body)
    }

    /// The first record of a list that has all of the values.
    fn find(&self, path: &str, values: &Value) -> Result<Option<Value>> {
        let list = self.call("GET", path, None)?;
        let list = list
            .as_array()
            .with_context(|| format!("{path} is not a list: {list}"))?;
        Ok(list.iter().find(|record| matches(record, values)).cloned())
    }

    fn find_or_create(&self, path: &str, values: &Value) -> Result<String> {
        match self.find(path, values)? {
            Some(record) => require_id(&record),
            None => require_id(&self.call("POST", path, Some(values))?),
        }
    }
}

fn matches(record: &Value, values: &Value) -> bool {
    let values = values.as_object().into_iter().flatten();
    values.into_iter().all(|(key, value)| record[key] == *value)
}

fn require_id(record: &Value) -> Result<String> {
    Ok(record["id"]
        .as_str()
        .with_context(|| format!("no id in {record}"))?
        .to_owned())
}
