//! The demo's records: an organization's keys, an agent with a published version, and a widget on
//! the demo site. They are created over the service's own API and found again at the next start.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{http, service, workspace};

/// The name under which the example worker registers.
pub(crate) const LIVEKIT_AGENT: &str = "concierge";
const WORKER_SCOPES: &[&str] = &["conversations:read_sensitive", "conversations:write"];
const SCOPES: &[&str] = &[
    "web_widgets:manage",
    "agents:manage",
    "conversations:read_sensitive",
    "conversations:write",
    "limits:manage",
];

/// What was created or found.
pub(crate) struct Demo {
    pub(crate) agent_id: String,
    pub(crate) version_id: String,
    pub(crate) widget_id: String,
    /// The HTML to paste.
    pub(crate) snippet: String,
    /// The organization's key, and the file that keeps it.
    pub(crate) key: String,
    pub(crate) key_file: PathBuf,
    /// The key that the worker uses.
    pub(crate) worker_key: String,
}

/// Creates or finds the records of a service that keeps them in the folder.
pub(crate) fn prepare(service: &str, folder: &Path, site: &str) -> Result<Demo> {
    let key_file = folder.join("api-key");
    let key = require_key(service, &key_file, "demo", SCOPES)?;
    let worker_file = folder.join("worker-key");
    let worker_key = require_key(service, &worker_file, "agent worker", WORKER_SCOPES)?;
    let api = Api { service, key: &key };

    let agent = json!({ "name": "Concierge" });
    let agent_id = api.find_or_create("/core/agents", "name", &agent)?;
    let versions = format!("/core/agents/{agent_id}/versions");
    let version = json!({ "livekit_agent_name": LIVEKIT_AGENT, "label": "The example worker" });
    let version_id = api.find_or_create(&versions, "livekit_agent_name", &version)?;
    // A version that is published already stays so.
    let publish = format!("{versions}/{version_id}/publish");
    api.call("POST", &publish, &json!({}))?;

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
    let widget_id = api.find_or_create("/core/web-widgets", "agent_id", &widget)?;
    let path = format!("/core/web-widgets/{widget_id}");
    // This writes no revision when nothing has changed.
    api.call("PUT", &path, &widget)?;
    let snippet = api.call("GET", &format!("{path}/snippet"), &Value::Null)?;
    let snippet = snippet["html"].as_str();
    Ok(Demo {
        snippet: snippet
            .context("the service returned no snippet")?
            .to_owned(),
        agent_id,
        version_id,
        widget_id,
        key,
        key_file,
        worker_key,
    })
}

/// The key kept in the file, or a new one when the service does not know it.
fn require_key(service: &str, file: &Path, name: &str, scopes: &[&str]) -> Result<String> {
    let kept = fs::read_to_string(file).unwrap_or_default();
    let kept = kept.trim();
    // Each of the keys may list conversations.
    let probe = format!("{service}/core/conversations");
    if http::request("GET", &probe, kept, &Value::Null)?.0 == 200 {
        return Ok(kept.to_owned());
    }
    let folder = file.parent().context("the file is in no folder")?;
    let key = service::create_key(folder, name, scopes)?;
    let mut options = OpenOptions::new();
    // Only its owner can read it.
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let written = options
        .open(file)
        .and_then(|mut out| writeln!(out, "{key}"));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key)
}

struct Api<'a> {
    service: &'a str,
    key: &'a str,
}

impl Api<'_> {
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.service);
        let (status, body) = http::request(method, &url, self.key, body)?;
        if !(200..300).contains(&status) {
            bail!("the service answered {status} to {method} {path}: {body}");
        }
        Ok(body)
    }

    /// The id of the first record of a list whose field has the value that a new one would have, or
    /// of the new one.
    fn find_or_create(&self, path: &str, field: &str, new: &Value) -> Result<String> {
        let list = self.call("GET", path, &Value::Null)?;
        let mut records = list.as_array().into_iter().flatten();
        let record = match records.find(|record| record[field] == new[field]) {
            Some(record) => record.clone(),
            None => self.call("POST", path, new)?,
        };
        let id = record["id"].as_str();
        Ok(id.with_context(|| format!("no id in {record}"))?.to_owned())
    }
}
