//! Commands that ask a service: the profile in use, the runtime, progress and Ctrl-C.
//!
//! Nothing here runs for commands that work on files: they start no runtime and read no profile.

pub(crate) mod advice;
pub(crate) mod change;
pub(crate) mod effects;
pub(crate) mod failure;
pub(crate) mod ids;
mod interrupt;
pub(crate) mod keys;
pub(crate) mod page;
pub(crate) mod profile;
pub(crate) mod prompt;
pub(crate) mod proposal;
pub(crate) mod reference;
pub(crate) mod seen;
pub(crate) mod short_ids;
pub(crate) mod since;
pub(crate) mod visit;

use std::{
    cell::{Cell, RefCell},
    fs,
    io::{self, Write},
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Args;
use tokio::time::{Instant, sleep_until};
use widget_api::client::{Client, Error, SecretString, trust};
use widget_core::embed::PublicUrl;

use self::{
    interrupt::{Interrupt, Interrupts},
    seen::Seen,
};
use crate::{
    exit::ExitCode,
    failure::Failure,
    printer::{Printer, ProgressLine, printable},
};

/// After which time a command shows that it waits, and how often it shows it again.
const PROGRESS_AFTER: Duration = Duration::from_millis(500);

/// How services and pages see this program.
pub(crate) const USER_AGENT: &str = concat!("widget/", env!("CARGO_PKG_VERSION"));

/// Options of the commands that ask a service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service options")]
pub(crate) struct ServiceOptions {
    /// The profile to use, as `widget login` made it
    #[arg(
        long,
        global = true,
        env = "WIDGET_PROFILE",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(crate) profile: Option<String>,
    /// Also trust the certificates in this file (PEM)
    #[arg(
        long,
        global = true,
        env = "WIDGET_CA_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long to wait for an answer, with everything that is repeated [default: 30]
    #[arg(
        long,
        global = true,
        env = "WIDGET_TIMEOUT",
        hide_env_values = true,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    pub(crate) timeout: Option<u32>,
}

/// A command that talks to one service with one key.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// The profile in use; `None` when the environment names service and key.
    pub(crate) profile: Option<String>,
    /// What is offered in completions later.
    pub(crate) seen: Seen,
    options: ServiceOptions,
    state: State,
}

/// What Ctrl-C and the progress line need to know about the command.
#[derive(Debug, Default)]
struct State {
    /// A change was sent, and its answer has not arrived.
    is_writing: Cell<bool>,
    /// The command waits for a person.
    is_asking: Cell<bool>,
    /// Another program has the terminal, and Ctrl-C is for it.
    is_away: Cell<bool>,
    /// The command runs until somebody ends it.
    is_following: Cell<bool>,
    is_interrupted: Cell<bool>,
    /// What was written, one sentence each.
    written: RefCell<Vec<String>>,
    /// What to enter to look at something that continues without the command.
    continues: RefCell<Option<String>>,
    /// Where a text is that a person wrote and that was not written, and how to begin with it.
    kept: RefCell<Option<String>>,
    waiting_for: Arc<Mutex<String>>,
}

/// Runs a command with the service and the key of the profile in use.
pub(crate) fn run(
    options: &ServiceOptions,
    printer: &mut Printer,
    command: impl AsyncFnOnce(&Session, &mut Printer) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    let access = profile::find_access(options.profile.as_deref())?;
    let session = Session::new(options, access.service, access.key, access.profile)?;
    let exit = run_with(&session, printer, command)?;
    // The answer does not wait for the cache.
    let shown = printer.flush();
    shown.map_err(|failure| session.state.name_written(failure))?;
    let named = options.profile.as_deref();
    session.seen.keep(named, session.client.service());
    Ok(exit)
}

/// Runs a command with a session that the caller made.
pub(crate) fn run_with(
    session: &Session,
    printer: &mut Printer,
    command: impl AsyncFnOnce(&Session, &mut Printer) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unexpected(format_args!("no runtime: {error}")))?;
    let progress = printer.progress_line();
    let command = async {
        match command(session, printer).await {
            Err(failure) if failure.is_of_release => Err(session.name_releases(failure).await),
            result => result,
        }
    };
    let result = runtime.block_on(watch(session, progress, command));
    // A question that nobody answered would keep the process.
    runtime.shutdown_background();
    result.map_err(|failure| {
        let failure = session.state.name_written(failure);
        let failure = session.state.name_continuing(failure);
        session.state.name_kept(failure)
    })
}

/// Polls a command, shows that it waits, and ends it on Ctrl-C and on signals that end processes,
/// but not between a change and its answer.
async fn watch(
    session: &Session,
    progress: ProgressLine,
    command: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    let state = &session.state;
    let mut interrupts = Interrupts::listen().map_err(Failure::unexpected)?;
    let mut command = pin!(command);
    let mut next_progress = Instant::now() + PROGRESS_AFTER;
    loop {
        tokio::select! {
            biased;
            result = &mut command => return result,
            interrupt = interrupts.next() => {
                if interrupt == Interrupt::Key && state.is_away.get() {
                    continue;
                }
                if state.is_asking.get() {
                    // The question is still on the line.
                    let _ = writeln!(io::stderr());
                }
                if state.is_following.get() {
                    return Ok(ExitCode::Yes);
                }
                if state.is_interrupted.replace(true) || !state.is_writing.get() {
                    return Err(state.interrupted());
                }
                state.wait_for("the answer to a change that was sent");
            }
            () = sleep_until(next_progress) => {
                if !state.is_asking.get() && !state.is_away.get() {
                    let waiting_for = state.waiting_for.lock().map(|text| text.clone());
                    progress.show(waiting_for.unwrap_or_default());
                }
                next_progress = Instant::now() + PROGRESS_AFTER;
            }
        }
    }
}

impl Session {
    pub(crate) fn new(
        options: &ServiceOptions,
        service: PublicUrl,
        key: Option<SecretString>,
        profile: Option<String>,
    ) -> Result<Self, Failure> {
        let state = State::default();
        state.wait_for(&format!("waiting for {}", service.origin()));
        let mut builder = Client::builder(service)
            .user_agent(USER_AGENT)
            .certificates(read_ca_file(options)?)
            .timeout(timeout(options))
            .on_retry({
                let waiting_for = Arc::clone(&state.waiting_for);
                move |error: &Error, delay: Duration| {
                    if let Ok(mut text) = waiting_for.lock() {
                        *text = format!("{error}; trying again in {} s", delay.as_secs().max(1));
                    }
                }
            });
        if let Some(key) = key {
            builder = builder.key(key);
        }
        Ok(Self {
            client: builder.build()?,
            profile,
            seen: Seen::default(),
            options: options.clone(),
            state,
        })
    }

    /// Says which releases the service and this program are, if they differ and the service says it
    /// soon.
    async fn name_releases(&self, failure: Failure) -> Failure {
        const SOON: Duration = Duration::from_secs(3);
        const OWN: &str = env!("CARGO_PKG_VERSION");
        let asked = tokio::time::timeout(SOON, self.client.whoami()).await;
        match asked {
            Ok(Ok(service)) if service.version != OWN => failure.hint(format_args!(
                "the service is release {}, and this program is release {OWN}: update the older \
                 one",
                printable(&service.version)
            )),
            _ => failure,
        }
    }

    /// Makes a change. Ctrl-C waits for its answer. `written` says what was written, for the case
    /// that the command ends before its end.
    pub(crate) async fn write<T>(
        &self,
        written: impl Into<String>,
        change: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.state.is_writing.set(true);
        let result = change.await;
        self.state.is_writing.set(false);
        if result.is_ok() {
            self.note_written(written);
        }
        result
    }

    /// Says what was written, for the case that the command ends before its end: by a change whose
    /// answer was lost, and that was found made.
    pub(crate) fn note_written(&self, written: impl Into<String>) {
        self.state.written.borrow_mut().push(written.into());
    }

    /// Ends the command if Ctrl-C was pressed during a change. To be called before the next one.
    pub(crate) fn check_interrupted(&self) -> Result<(), Failure> {
        if self.state.is_interrupted.get() {
            return Err(self.state.interrupted());
        }
        Ok(())
    }

    /// Says that the service continues with what was written when the command ends before its end,
    /// and how to look at that; `None` once it has ended.
    pub(crate) fn note_continuing(&self, hint: Option<String>) {
        self.state.continues.replace(hint);
    }

    /// Says where a text is that is lost otherwise, for the case that the command ends before it
    /// was written; `None` once nobody needs it.
    pub(crate) fn note_kept(&self, kept: Option<String>) {
        self.state.kept.replace(kept);
    }

    /// Whether a text of a person is kept.
    pub(crate) fn keeps_text(&self) -> bool {
        self.state.kept.borrow().is_some()
    }

    /// Waits for a person; meanwhile no progress is shown, and Ctrl-C ends the command.
    pub(crate) async fn asking<T>(&self, question: impl Future<Output = T>) -> T {
        self.state.is_asking.set(true);
        let answer = question.await;
        self.state.is_asking.set(false);
        answer
    }

    /// Waits for another program at this terminal, such as an editor, which gets Ctrl-C.
    pub(crate) async fn away<T>(&self, program: impl Future<Output = T>) -> T {
        self.state.is_away.set(true);
        let result = program.await;
        self.state.is_away.set(false);
        result
    }

    /// From now on Ctrl-C is the usual end of the command, and `what` is shown while it waits.
    pub(crate) fn follow(&self, what: &str) {
        self.state.is_following.set(true);
        self.state.wait_for(what);
    }

    /// When everything that a command asks for has to be answered, of which none is repeated.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + timeout(&self.options)
    }

    /// What fetches pages: without a key, and with the same certificates. Whoever uses it has a
    /// deadline.
    pub(crate) fn page_client(
        &self,
        redirects: reqwest::redirect::Policy,
    ) -> Result<reqwest::Client, Failure> {
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirects)
            // One header that is not valid HTTP makes no page unreachable in browsers either.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_max_headers(widget_core::doctor::MAX_HEADERS);
        trust(&read_ca_file(&self.options)?, builder)?
            .build()
            .map_err(|error| Failure::unexpected(format_args!("no page can be read: {error}")))
    }
}

impl State {
    fn wait_for(&self, what: &str) {
        if let Ok(mut text) = self.waiting_for.lock() {
            what.clone_into(&mut text);
        }
    }

    fn interrupted(&self) -> Failure {
        let written = self.written.borrow().join("; ");
        let before = match &written[..] {
            "" => None,
            written => Some(format!("; this was written before: {written}")),
        };
        if self.is_writing.get() {
            return Failure::unexpected(format_args!(
                "interrupted before the answer to a change arrived, so the change may have been \
                 made{}",
                before.unwrap_or_default()
            ))
            .hint("`widget history` shows the changes of a widget");
        }
        Failure::unexpected(format_args!(
            "interrupted{}",
            before.as_deref().unwrap_or("; nothing was written")
        ))
    }

    /// Says how to look at what continues without the command.
    fn name_continuing(&self, failure: Failure) -> Failure {
        match &*self.continues.borrow() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Says also what was written when only the output about it is missing. Otherwise, nobody
    /// would know it when the reader of the output is gone.
    fn name_written(&self, failure: Failure) -> Failure {
        let written = self.written.borrow();
        if !failure.is_of_output || written.is_empty() {
            return failure;
        }
        Failure {
            message: format!(
                "{}; this was written: {}",
                failure.message,
                written.join("; ")
            ),
            silent: false,
            ..failure
        }
    }

    /// Says also where the text of a person is. Nobody else says it, so it is not left out when
    /// the reader of the output is gone.
    fn name_kept(&self, failure: Failure) -> Failure {
        let Some(kept) = self.kept.take() else {
            return failure;
        };
        let hint = match &failure.hint {
            Some(hint) => format!("{hint}\n{kept}"),
            None => kept,
        };
        Failure {
            silent: false,
            ..failure.hint(hint)
        }
    }
}

fn timeout(options: &ServiceOptions) -> Duration {
    options
        .timeout
        .map_or(widget_api::client::DEFAULT_TIMEOUT, |seconds| {
            Duration::from_secs(seconds.into())
        })
}

fn read_ca_file(options: &ServiceOptions) -> Result<Vec<u8>, Failure> {
    let Some(file) = &options.ca_file else {
        return Ok(Vec::new());
    };
    fs::read(file).map_err(|error| {
        Failure::unexpected(format_args!("cannot read `{}`: {error}", file.display()))
            .hint("`--ca-file` is a file with certificates in PEM format")
    })
}
