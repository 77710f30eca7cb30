//! `widget conversations erase`: counted and shown first, then erased for good.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio::time::sleep;
use widget_api::{
    ProblemCode,
    client::Error,
    erasures::{ConversationSelection, ErasureJob, ErasureRequest, JOB_DAYS},
};
use widget_core::{
    doctor::quote_for_shell,
    id::{ConversationId, ErasureJobId},
};

use super::{
    filter::{Selected, Selection, note_messages, nothing_fits},
    may_return,
};
use crate::{
    commands::time,
    exit::ExitCode,
    failure::Failure,
    online::{
        Session,
        proposal::{self, ChangeOptions, Decision},
    },
    printer::{GREEN, Printer, RED, count, printable},
};

pub(super) const HELP: &str = "\
Counts the conversations and asks. What is erased cannot be brought back; that there was a \
conversation stays known.

What a filter selects is erased by a job of the service, which continues when this command is ended; \
--job waits for it again.

Examples:
  widget conversations erase 0197c3d4
  widget conversations erase --visitor a@b.example --dry-run
  widget conversations erase --job 0197d000-6c1e-7d3f-8a4b-5c6d7e8f9a0b";

/// The shortest and the longest time between two questions how far a job has come.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How long the service may be away before the command no longer waits for a job.
const MAX_SILENCE: Duration = Duration::from_mins(1);

/// Arguments of `conversations erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// Wait for a job that erases, and show what it did
    #[arg(
        long,
        value_name = "JOB",
        conflicts_with_all = [
            "conversations", "widget", "metadata", "form", "visitor", "text", "since", "until",
            "yes", "dry_run"
        ]
    )]
    job: Option<ErasureJobId>,
    #[command(flatten)]
    change: ChangeOptions,
    #[command(flatten)]
    selected: Selected,
}

/// The answer for programs.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Erasure"))]
pub(crate) struct EraseJson {
    /// How many conversations fit.
    matched: i64,
    /// How many were erased.
    erased: i64,
    /// The job that erased them, for those that a filter selects.
    #[cfg_attr(
        test,
        schemars(with = "Option<widget_api::schema::Text<ErasureJobId>>")
    )]
    job_id: Option<ErasureJobId>,
}

/// Erases conversations.
pub(super) async fn run(
    arguments: &Erase,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    if let Some(id) = arguments.job {
        let job = session.client.get_erasure_job(id).await;
        let job = job.map_err(|error| job_failure(error, id))?;
        note_continuing(&job, session);
        return finish_job(job, session, printer).await;
    }
    if let Some(text) = &arguments.selected.filter.text {
        return Err(Failure::unexpected(
            "`--text` also finds conversations of others who mention it; name those to erase by \
             their ids",
        )
        .hint(format_args!(
            "`widget conversations list --text {}` shows them",
            quote_for_shell(text)
        )));
    }
    match arguments.selected.find(session, printer).await? {
        Selection::Ids(ids) => erase_ids(&ids, arguments.change, session, printer).await,
        Selection::Filter(filter) => {
            erase_selected(*filter, arguments.change, session, printer).await
        }
    }
}

/// Why a job cannot be read.
fn job_failure(error: Error, id: ErasureJobId) -> Failure {
    if error.is_not_found() {
        return Failure::bad_input(format_args!("there is no job `{id}`")).hint(format_args!(
            "jobs are kept for {JOB_DAYS} days; check the id"
        ));
    }
    error.into()
}

async fn erase_ids(
    ids: &[ConversationId],
    options: ChangeOptions,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let mut answer = EraseJson::default();
    let (mut waiting, mut erased) = (Vec::new(), Vec::new());
    for id in ids {
        let conversation = match session.client.get_conversation(*id).await {
            Ok(conversation) => conversation,
            // It can be erased all the same.
            Err(error) if error.code() == Some(ProblemCode::RecordUnreadable) => {
                show(
                    &format!("conversation {id}, which cannot be read, is erased for good"),
                    printer,
                )?;
                answer.matched += 1;
                waiting.push(*id);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let began = time(conversation.created_at);
        if conversation.erased_at.is_some() {
            erased.push(id.to_string());
            continue;
        }
        let state = super::state(&conversation);
        show(
            &format!("conversation {id} of {began} ({state}) is erased for good"),
            printer,
        )?;
        answer.matched += 1;
        waiting.push(*id);
    }
    let already = match &erased[..] {
        [] => None,
        [only] => Some(format!("conversation {only} was erased before")),
        several => Some(format!(
            "conversations {} were erased before",
            several.join(", ")
        )),
    };
    if waiting.is_empty() {
        let nothing = already.map(|already| format!("{already}; there is nothing to erase"));
        return finish(&answer, &nothing.unwrap_or_default(), printer);
    }
    if let Some(already) = already {
        printer.note(already)?;
    }
    match proposal::confirm(options, "Erase this?", session, printer).await? {
        Decision::Go => {}
        Decision::No => return Ok(ExitCode::No),
        Decision::DryRun => return finish(&answer, "nothing was erased (--dry-run)", printer),
    }
    for id in &waiting {
        session.check_interrupted()?;
        let sent = session.client.erase_conversation(*id);
        let done = format!("conversation {id} is erased");
        if let Err(error) = session.write(done, sent).await {
            show_stop(&error, *id, (answer.erased, waiting.len()), printer);
            return Err(error.into());
        }
        answer.erased += 1;
    }
    finish(&answer, "", printer)
}

/// Says at which of several conversations the command stops.
fn show_stop(
    error: &Error,
    id: ConversationId,
    (erased, total): (i64, usize),
    printer: &mut Printer,
) {
    if total == 1 {
        return;
    }
    let before = format!("{erased} of {total} conversations were erased before");
    let stopped = if matches!(error, Error::OutcomeUnknown { .. }) {
        format!(
            "stopped: {before}, it is not known whether conversation {id} was erased, the others \
             were not"
        )
    } else {
        format!("stopped at conversation {id}: {before}, the others were not")
    };
    // Why it stops is more than that this cannot be shown.
    let _ = printer.error(format_args!("{RED}error{RED:#}: {stopped}"));
}

async fn erase_selected(
    filter: ConversationSelection,
    options: ChangeOptions,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let mut request = ErasureRequest {
        filter,
        dry_run: true,
    };
    let job = session.client.erase_conversations(&request).await?;
    let counted = wait(job, session, printer).await?;
    let answer = EraseJson {
        matched: counted.matched,
        ..EraseJson::default()
    };
    if counted.matched == 0 {
        return Err(nothing_fits("nothing was erased"));
    }
    let number = conversations(counted.matched, "is", "are");
    show(&format!("{number} erased for good"), printer)?;
    let widget = request.filter.web_widget_id.map(|id| id.to_string());
    note_messages(
        request.filter.visitor.as_deref(),
        widget.as_deref(),
        printer,
    )?;
    match proposal::confirm(options, "Erase this?", session, printer).await? {
        Decision::Go => {}
        Decision::No => return Ok(ExitCode::No),
        Decision::DryRun => return finish(&answer, "nothing was erased (--dry-run)", printer),
    }
    session.check_interrupted()?;
    request.dry_run = false;
    let sent = session.client.erase_conversations(&request);
    let job = session
        .write(format!("a job by which {number} erased"), sent)
        .await?;
    note_continuing(&job, session);
    session.check_interrupted()?;
    finish_job(job, session, printer).await
}

/// The job is the service's: it does not end with this command.
fn note_continuing(job: &ErasureJob, session: &Session) {
    session.note_continuing(Some(format!(
        "the service continues with it; `widget conversations erase --job {}` waits for it and \
         shows what it did",
        job.id
    )));
}

/// Waits for a job, and says what it did.
async fn finish_job(
    job: ErasureJob,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let done = wait(job, session, printer).await?;
    session.note_continuing(None);
    let answer = EraseJson {
        matched: done.matched,
        erased: done.erased,
        job_id: Some(done.id),
    };
    let nothing = if done.dry_run {
        "this job only counted; nothing was erased"
    } else {
        ""
    };
    finish(&answer, nothing, printer)
}

/// Waits until a job is done.
async fn wait(
    mut job: ErasureJob,
    session: &Session,
    printer: &mut Printer,
) -> Result<ErasureJob, Failure> {
    let (mut pause, mut answered_at) = (MIN_PAUSE, Instant::now());
    while job.finished_at.is_none() {
        sleep(pause).await;
        pause = (2 * pause).min(MAX_PAUSE);
        match session.client.get_erasure_job(job.id).await {
            Ok(read) => {
                (job, answered_at) = (read, Instant::now());
                printer.progress(conversations(job.matched, "so far", "so far"));
            }
            // It is restarted, perhaps.
            Err(error) if may_return(&error) && answered_at.elapsed() < MAX_SILENCE => {
                printer.progress("the service does not answer; waiting for it");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(job)
}

fn conversations(number: i64, one: &str, many: &str) -> String {
    let number = usize::try_from(number).unwrap_or_default();
    count(
        number,
        &format!("conversation {one}"),
        &format!("conversations {many}"),
    )
}

/// Shows what will be erased: on standard output for people, beside the answer for programs.
fn show(what: &str, printer: &mut Printer) -> Result<(), Failure> {
    proposal::show_lines(&[format!("{RED}-{RED:#} {}", printable(what))], printer)
}

fn finish(answer: &EraseJson, nothing: &str, printer: &mut Printer) -> Result<ExitCode, Failure> {
    if printer.is_data() {
        printer.data(answer)?;
    } else if answer.erased > 0 {
        let number = conversations(answer.erased, "was", "were");
        printer.line(format_args!("{GREEN}✓{GREEN:#} {number} erased"))?;
    } else if nothing.is_empty() {
        printer.note("nothing was erased; others were faster")?;
    } else {
        printer.note(nothing)?;
    }
    Ok(ExitCode::Yes)
}
