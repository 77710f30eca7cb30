//! The browser test: the whole system on ports and a database of its own, and a test run that plays
//! a visitor.
//!
//! The test may ask for parts to be killed and started again (a server that is down, an agent that
//! is gone): it posts to `STORY_CONTROL_URL` + `/stop/<part>` or `/start/<part>`.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;
use tiny_http::Response;

use crate::{
    agent, embed,
    process::{self, Group, last_lines},
    service::{self, Build},
    site,
    stack::Stack,
    tools, workspace,
};

/// What the visitor asks aloud; the example worker knows the answer.
const QUESTION: &str = "What are your opening hours?";

/// Runs the stories, or those whose file names contain one of the words; or measures what a visitor
/// waits for, and prints it.
pub(crate) fn play(stories: &[String], measured: bool) -> Result<()> {
    let chromium = tools::CHROMIUM.require()?;
    let firefox = tools::FIREFOX.require()?;
    let folder = workspace::empty_folder("e2e/stack")?;
    let output = workspace::target().join("e2e");
    let speech = output.join("question.wav");
    agent::say(QUESTION, &speech)?;
    let mut stack = Stack::start(&folder, [0, 0], Build::Workspace, None)?;
    stack.start_for_visitors()?;

    let control = site::listen(0)?;
    let control_url = format!("http://{}", control.server_addr());
    let vitest = embed::folder().join("node_modules/.bin/vitest");
    let mut vitest = process::attached(vitest, "run --config e2e/vitest.config.ts");
    vitest
        .args(stories)
        .current_dir(embed::folder())
        .env("STORY_MEASURE", if measured { "1" } else { "" })
        .env("STORY_CHROMIUM", chromium)
        .env("STORY_FIREFOX", firefox)
        .env("STORY_CONTROL_URL", control_url)
        .env("STORY_DATABASE", service::database_file(&folder))
        .env("STORY_SERVICE_URL", &stack.service)
        .env("STORY_SITE_URL", stack.site())
        .env("STORY_WIDGET_ID", &stack.demo.widget_id)
        .env("STORY_API_KEY", &stack.demo.key)
        .env("STORY_SPEECH", speech)
        .env("STORY_OUTPUT", &output);
    let mut vitest = Group::spawn(&mut vitest)?;
    let status = loop {
        if let Some(status) = vitest.status()? {
            break status;
        }
        process::check_stop()?;
        stack.supervisor.check()?;
        let order = control.recv_timeout(process::TICK);
        if let Some(request) = order.map_err(|error| anyhow!(error))? {
            let (status, text) = match execute(request.url(), &mut stack) {
                Ok(()) => (200, "done".to_owned()),
                Err(error) => (500, format!("{error:#}")),
            };
            // The test has given up when it no longer listens.
            let _ = request.respond(Response::from_string(text).with_status_code(status));
        }
    };
    if status.success() {
        return Ok(());
    }
    bail!(
        "{}\n{}\nthe visitor's story failed; screenshots and logs are in {}{}",
        last_lines(&stack.supervisor.log(agent::NAME)),
        last_lines(&stack.supervisor.log(service::NAME)),
        output.display(),
        failed_tests(&output.join("report.json")).unwrap_or_else(|error| format!("\n{error:#}")),
    )
}

/// The tests that failed, each with the first line of its reason, from vitest's report.
fn failed_tests(report: &Path) -> Result<String> {
    let text =
        std::fs::read(report).with_context(|| format!("no report in {}", report.display()))?;
    let report: Value = serde_json::from_slice(&text)?;
    let each = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut list = String::new();
    for file in each(&report, "testResults") {
        for test in each(&file, "assertionResults") {
            if test["status"] == "failed" {
                let reason = each(&test, "failureMessages");
                let reason = reason.first().and_then(Value::as_str).unwrap_or_default();
                let reason = reason.lines().next().unwrap_or_default();
                write!(
                    list,
                    "\nfailed: {}: {reason}",
                    test["fullName"].as_str().unwrap_or("?")
                )?;
            }
        }
    }
    Ok(list)
}

fn execute(order: &str, stack: &mut Stack) -> Result<()> {
    if let Some(part) = order.strip_prefix("/stop/") {
        stack.supervisor.kill(part);
        Ok(())
    } else if let Some(part) = order.strip_prefix("/start/") {
        stack.supervisor.start_again(part)
    } else {
        bail!("`{order}` is not /stop/<part> or /start/<part>")
    }
}
