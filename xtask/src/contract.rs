//! Whether the service answers as its OpenAPI document says: Schemathesis makes requests out of the
//! document, right and wrong ones, and compares each answer with it.

use anyhow::{Context as _, Result};

use crate::{
    packages,
    process::{self, attached},
    service::{self, Build},
    stack::Stack,
    workspace,
};

/// Runs Schemathesis against a service of its own, which has the demo's records.
pub(crate) fn test() -> Result<()> {
    let python = packages::openapi_python()?;
    let folder = workspace::empty_folder("xtask/contract")?;
    let stack = Stack::start(&folder, [0, 0], Build::Workspace, None)?;
    let settings = workspace::root().join("xtask/clients/schemathesis.toml");
    let mut schemathesis = attached(python.with_file_name("schemathesis"), "--config-file");
    schemathesis
        .arg(settings)
        .args(["run", &format!("{}/openapi.json", stack.service)])
        .current_dir(&folder)
        .env("NO_PROXY", "127.0.0.1")
        .env("API_KEY", &stack.demo.key)
        .env("AGENT_ID", &stack.demo.agent_id)
        .env("VERSION_ID", &stack.demo.version_id)
        .env("WIDGET_ID", &stack.demo.widget_id)
        .env("SITE", stack.site());
    process::run(&mut schemathesis).with_context(|| {
        let log = stack.supervisor.log(service::NAME);
        format!(
            "answers are not as described; the service's log is {}",
            log.display()
        )
    })
}
