//! The browser test: the whole system on ports and a database of its own, and a test run that plays
//! a visitor.
//!
//! The test may ask for parts to be killed and started again (a server that is down, an agent that
//! is gone): it posts to `STORY_CONTROL_URL` + `/stop/<part>` or `/start/<part>`.

use std::{fs, path::Path, sync::mpsc, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    agent, browser, embed, livekit,
    ports::Ports,
    process, report,
    server::{self, Request, Response},
    service::Build,
    stack::Stack,
    workspace,
};

/// What the visitor asks aloud; the example worker knows the answer.
const QUESTION: &str = "What are your opening hours?";

/// A part to stop or start, and where to say how that went.
type Order = (Request, mpsc::Sender<Result<()>>);

/// Measures what a visitor waits for, and prints it.
///
/// # Errors
/// As [`test()`].
pub(crate) fn measure() -> Result<()> {
    play(&[], true)
}

/// Runs the stories, or those whose file names contain one of the words.
///
/// # Errors
/// When the system does not start, or a test fails.
pub(crate) fn test(stories: &[String]) -> Result<()> {
    play(stories, false)
}

fn play(stories: &[String], measured: bool) -> Result<()> {
    let chromium = browser::program()?;
    livekit::require()?;
    let python = agent::install()?;
    let output = workspace::target().join("e2e");
    let folder = output.join("stack");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&folder)?,
    }
    let speech = output.join("question.wav");
    agent::say(&python, QUESTION, &speech)?;
    let mut stack = Stack::start(&folder, Ports::free, Build::Workspace, None)?;

    let (orders, inbox) = mpsc::channel::<Order>();
    let control = server::serve(0, move |request| order(request, &orders))?;
    let key = fs::read_to_string(&stack.demo.key_file)?;
    let mut vitest = process::attached(embed::folder().join("node_modules/.bin/vitest"));
    vitest
        .args(["run", "--config", "e2e/vitest.config.ts"])
        .args(stories)
        .env("STORY_MEASURE", if measured { "1" } else { "" })
        .current_dir(embed::folder())
        .env("STORY_CHROMIUM", chromium)
        .env("STORY_CONTROL_URL", format!("http://127.0.0.1:{control}"))
        .env("STORY_SERVICE_URL", stack.service.origin())
        .env("STORY_SITE_URL", stack.site.origin())
        .env("STORY_WIDGET_ID", &stack.demo.widget_id)
        .env("STORY_API_KEY", key.trim())
        .env("STORY_SPEECH", speech)
        .env("STORY_OUTPUT", &output);
    let mut child = vitest.spawn().context("cannot start vitest")?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if process::stop_asked() {
            process::stop(&mut child, Duration::from_secs(5));
            bail!("stopped");
        }
        if let Some(death) = stack.supervisor.death() {
            process::stop(&mut child, Duration::from_secs(5));
            bail!(death);
        }
        if let Ok((request, reply)) = inbox.recv_timeout(process::TICK) {
            // The test has given up when it no longer listens.
            let _ = reply.send(obey(&request, &mut stack));
        }
    };
    if !status.success() {
        bail!(
            "the visitor's story failed; screenshots and logs are in {}{}",
            output.display(),
            logs(&stack, &folder)
        );
    }
    Ok(())
}

/// Hands an order to the thread that started the parts, and waits for it to be done.
fn order(request: &Request, orders: &mpsc::Sender<Order>) -> Response {
    let (reply, done) = mpsc::channel();
    let request = Request {
        method: request.method.clone(),
        path: request.path.clone(),
    };
    let result = orders
        .send((request, reply))
        .map_err(anyhow::Error::from)
        .and_then(|()| done.recv()?);
    match result {
        Ok(()) => Response::text("200 OK", "done"),
        Err(error) => Response::text("500 Internal Server Error", &format!("{error:#}")),
    }
}

fn obey(request: &Request, stack: &mut Stack) -> Result<()> {
    let mut words = request.path.trim_start_matches('/').splitn(2, '/');
    match (request.method.as_str(), words.next(), words.next()) {
        ("POST", Some("stop"), Some(part)) => {
            stack.supervisor.kill(part);
            Ok(())
        }
        ("POST", Some("start"), Some(part)) => stack.start_part(part),
        _ => bail!("there is no order {} {}", request.method, request.path),
    }
}

fn logs(stack: &Stack, folder: &Path) -> String {
    let told = [agent::NAME, crate::service::NAME].map(|name| {
        let log = stack.supervisor.log(name);
        format!(
            "\n{}:\n{}",
            log.strip_prefix(folder).unwrap_or(&log).display(),
            process::tail(&log, 15)
        )
    });
    report::line("");
    told.concat()
}
