//! The browser test: the whole system on ports and a database of its own, and a test run that plays
//! a visitor.
//!
//! The test may ask for parts to be killed and started again (a server that is down, an agent that
//! is gone): it posts to `STORY_CONTROL_URL` + `/stop/<part>` or `/start/<part>`.

use std::fs;

use anyhow::{Result, anyhow, bail};
use tiny_http::{Method, Request, Response};

use crate::{
    agent, embed, livekit, ports,
    process::{self, Group},
    programs, report,
    service::{self, Build},
    site,
    stack::Stack,
    workspace,
};

/// What the visitor asks aloud; the example worker knows the answer.
const QUESTION: &str = "What are your opening hours?";

/// Runs the stories, or those whose file names contain one of the words; or measures what a visitor
/// waits for, and prints it.
pub(crate) fn play(stories: &[String], measured: bool) -> Result<()> {
    let chromium = programs::chromium()?;
    livekit::require()?;
    let python = agent::install()?;
    let output = workspace::target().join("e2e");
    let folder = output.join("stack");
    workspace::empty_folder(&folder)?;
    let speech = output.join("question.wav");
    agent::say(&python, QUESTION, &speech)?;
    let ports = || Ok([ports::free_tcp()?, ports::free_tcp()?]);
    let mut stack = Stack::start(&folder, ports, Build::Workspace, None)?;

    let control = site::listen(0)?;
    let key = fs::read_to_string(&stack.demo.key_file)?;
    let mut vitest = process::attached(embed::folder().join("node_modules/.bin/vitest"));
    vitest
        .args(["run", "--config", "e2e/vitest.config.ts"])
        .args(stories)
        .current_dir(embed::folder())
        .env("STORY_MEASURE", if measured { "1" } else { "" })
        .env("STORY_CHROMIUM", chromium)
        .env(
            "STORY_CONTROL_URL",
            format!("http://{}", control.server_addr()),
        )
        .env("STORY_SERVICE_URL", stack.service.origin())
        .env("STORY_SITE_URL", &stack.site)
        .env("STORY_WIDGET_ID", &stack.demo.widget_id)
        .env("STORY_API_KEY", key.trim())
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
            let (status, text) = match execute(&request, &mut stack) {
                Ok(()) => (200, "done".to_owned()),
                Err(error) => (500, format!("{error:#}")),
            };
            // The test has given up when it no longer listens.
            let _ = request.respond(Response::from_string(text).with_status_code(status));
        }
    };
    if !status.success() {
        report::line("");
        bail!(
            "the visitor's story failed; screenshots and logs are in {}\n{}",
            output.display(),
            [agent::NAME, service::NAME]
                .map(|name| process::last_lines(&stack.supervisor.log(name)))
                .join("\n")
        );
    }
    Ok(())
}

fn execute(request: &Request, stack: &mut Stack) -> Result<()> {
    let mut words = request.url().split('/').skip(1);
    match (request.method(), words.next(), words.next()) {
        (Method::Post, Some("stop"), Some(part)) => {
            stack.supervisor.kill(part);
            Ok(())
        }
        (Method::Post, Some("start"), Some(part)) => stack.start_part(part),
        (method, ..) => bail!("unknown request {method} {}", request.url()),
    }
}
