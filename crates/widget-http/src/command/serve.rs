//! `widget-http serve`: reads the settings, binds the address, serves until a signal to stop.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use axum::serve::ListenerExt;
use clap::{Args, ValueEnum, builder::RangedI64ValueParser, value_parser};
use secrecy::SecretString;
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tracing_appender::non_blocking::ErrorCounter;
use url::Url;
use widget_core::{
    conversation::{
        LifecycleLimits,
        budget::{Budgets, DayBudget},
    },
    embed::{LiveKitServerError, PublicUrl},
    origin::SuffixList,
};
use widget_http::{
    background,
    causes::with_causes,
    metrics::Scrape,
    settings::{AgentDirectorySettings, LimitSettings, LiveKitSettings, Settings},
    state::{AppState, Dependencies},
    storage::Storage,
    system::{Clock, SystemClock, SystemRandom},
    visitors::signing,
    web::{
        caller::{ForwardedHeader, TrustedProxies},
        connections::{ConnectionLimits, Connections, RESERVED_FILES, raise_file_limit},
    },
};

use super::{
    agent_directory::DirectoryArguments,
    database::{DatabaseArguments, WaitArguments},
    environment,
    key::parse_duration,
    output::print_line,
    secret::read_secret,
    telemetry::{MetricsListener, TelemetryArguments},
};

/// How long open requests may take to end after the signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last writes may take after that.
const LAST_WRITES_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    wait: WaitArguments,
    /// Address to listen on; port 0 chooses a free one.
    #[arg(
        long,
        env = "WIDGET_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    /// Where browsers reach this service; without it, the address that it listens on.
    #[arg(long, env = "WIDGET_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// Proxies whose `X-Forwarded-For` is believed: addresses, networks such as `10.0.0.0/8`,
    /// `loopback` and `private`, separated by commas.
    #[arg(
        long = "trusted-proxy",
        env = "WIDGET_TRUSTED_PROXIES",
        value_name = "PROXIES"
    )]
    trusted_proxies: Vec<TrustedProxies>,
    /// The header in which these proxies name the visitor.
    #[arg(
        long,
        env = "WIDGET_FORWARDED_HEADER",
        value_enum,
        default_value_t = ForwardedHeaderChoice::Any,
        value_name = "HEADER"
    )]
    forwarded_header: ForwardedHeaderChoice,
    /// Connections at once; without it, the limit of open files less 64.
    #[arg(long, env = "WIDGET_MAX_CONNECTIONS", value_name = "COUNT")]
    max_connections: Option<NonZeroUsize>,
    /// Seconds between a signal to stop, when `/readyz` fails, and the end of new connections: as
    /// long as a load balancer takes to notice.
    #[arg(
        long,
        env = "WIDGET_DRAIN_DELAY",
        default_value_t = 0,
        value_name = "SECONDS",
        value_parser = value_parser!(u16).range(..=3_600)
    )]
    drain_delay: u16,
    /// A newer public suffix list than the one built in, as from <https://publicsuffix.org/list/>.
    #[arg(long, env = "WIDGET_SUFFIX_LIST", value_name = "PATH")]
    suffix_list: Option<PathBuf>,
    /// Let auto-brand read pages on private addresses, too; only where all who hold keys may reach
    /// them.
    #[arg(long, env = "WIDGET_BRAND_FROM_PRIVATE_ADDRESSES")]
    brand_from_private_addresses: bool,
    /// After which time the content of conversations that have ended is erased, such as `90d`;
    /// never when left out. An organization can set less.
    #[arg(long, env = "WIDGET_TRANSCRIPT_RETENTION", value_name = "TIME", value_parser = parse_duration)]
    transcript_retention: Option<time::Duration>,
    /// After which time numbers about widgets are forgotten: what was shown, refused and talked.
    #[arg(long, env = "WIDGET_STATISTICS_RETENTION", value_name = "TIME", default_value = "400d", value_parser = parse_duration)]
    statistics_retention: time::Duration,
    #[command(flatten)]
    telemetry: TelemetryArguments,
    #[command(flatten)]
    agents: DirectoryArguments,
    #[command(flatten)]
    livekit: LiveKitArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

/// [`ForwardedHeader`] as an operator writes it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ForwardedHeaderChoice {
    /// `X-Forwarded-For`, and `Forwarded` where that is absent.
    Any,
    /// `X-Forwarded-For` alone.
    XForwardedFor,
    /// `Forwarded` (RFC 7239) alone.
    Forwarded,
}

impl From<ForwardedHeaderChoice> for ForwardedHeader {
    fn from(choice: ForwardedHeaderChoice) -> Self {
        match choice {
            ForwardedHeaderChoice::Any => Self::Any,
            ForwardedHeaderChoice::XForwardedFor => Self::XForwardedFor,
            ForwardedHeaderChoice::Forwarded => Self::Forwarded,
        }
    }
}

/// The secret itself comes from `LIVEKIT_API_SECRET` or from a file.
#[derive(Debug, Args)]
struct LiveKitArguments {
    /// LiveKit as this service reaches it; without it conversations cannot be created.
    #[arg(
        id = "livekit_url",
        long = "livekit-url",
        env = "LIVEKIT_URL",
        value_name = "URL"
    )]
    url: Option<String>,
    /// LiveKit as browsers reach it, where that is another address.
    #[arg(
        id = "livekit_public_url",
        long = "livekit-public-url",
        env = "LIVEKIT_PUBLIC_URL",
        value_name = "URL"
    )]
    public_url: Option<String>,
    /// Name of LiveKit's key.
    #[arg(
        id = "livekit_api_key",
        long = "livekit-api-key",
        env = "LIVEKIT_API_KEY",
        value_name = "NAME"
    )]
    api_key: Option<String>,
    /// File that holds the secret of LiveKit's key, instead of the variable `LIVEKIT_API_SECRET`.
    #[arg(
        id = "livekit_api_secret_file",
        long = "livekit-api-secret-file",
        env = "LIVEKIT_API_SECRET_FILE",
        value_name = "PATH"
    )]
    api_secret_file: Option<PathBuf>,
}

impl LiveKitArguments {
    fn settings(&self) -> anyhow::Result<Option<LiveKitSettings>> {
        let secret = match &self.api_secret_file {
            Some(path) => Some(read_secret(path, "LiveKit's secret")?),
            None => environment::variable("LIVEKIT_API_SECRET"),
        };
        let secret = secret.filter(|secret| !secret.is_empty());
        let (url, api_key, secret) = match (self.url.clone(), self.api_key.clone(), secret) {
            (None, None, None) => return Ok(None),
            (Some(url), Some(key), Some(secret)) => (url, key, secret),
            (url, key, secret) => {
                let missing: Vec<&str> = [
                    ("LIVEKIT_URL", url.is_none()),
                    ("LIVEKIT_API_KEY", key.is_none()),
                    ("LIVEKIT_API_SECRET", secret.is_none()),
                ]
                .into_iter()
                .filter_map(|(name, missing)| missing.then_some(name))
                .collect();
                bail!(
                    "LiveKit is configured in part: {} {} missing; {}",
                    missing.join(" and "),
                    if missing.len() == 1 { "is" } else { "are" },
                    if self.url.is_some() {
                        "set what is missing, or unset `LIVEKIT_URL`"
                    } else {
                        "set what is missing, or unset the others"
                    }
                );
            }
        };
        let public_url = match &self.public_url {
            Some(text) => text.parse().context("LIVEKIT_PUBLIC_URL")?,
            None => url.parse().context(
                "LIVEKIT_URL is not an address for browsers, and LIVEKIT_PUBLIC_URL is not set",
            )?,
        };
        Ok(Some(LiveKitSettings {
            url: livekit_url(&url)?,
            public_url,
            api_key,
            api_secret: SecretString::from(secret),
        }))
    }
}

fn livekit_url(text: &str) -> anyhow::Result<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| ["ws", "wss", "http", "https"].contains(&url.scheme()))
        .filter(Url::has_host)
        .ok_or_else(|| LiveKitServerError::new(text))
        .context("LIVEKIT_URL")
}

#[derive(Debug, Args)]
struct LimitArguments {
    /// Launcher configs a minute and address prefix.
    #[arg(long, env = "WIDGET_LIMIT_CONFIGS", default_value_t = LimitSettings::default().configs_per_minute)]
    limit_configs: u32,
    /// Window documents a minute and address prefix.
    #[arg(long, env = "WIDGET_LIMIT_DOCUMENTS", default_value_t = LimitSettings::default().documents_per_minute)]
    limit_documents: u32,
    /// Tickets a minute and address prefix.
    #[arg(long, env = "WIDGET_LIMIT_TICKETS", default_value_t = LimitSettings::default().tickets_per_minute)]
    limit_tickets: u32,
    /// New conversations a minute and address prefix; an IPv6 /48 may begin three times as many.
    #[arg(long, env = "WIDGET_LIMIT_CONVERSATIONS", default_value_t = LimitSettings::default().conversations_per_minute)]
    limit_conversations: u32,
    /// New conversations a minute and widget.
    #[arg(long, env = "WIDGET_LIMIT_WIDGET_CONVERSATIONS",
          default_value_t = LimitSettings::default().widget_conversations_per_minute)]
    limit_widget_conversations: u32,
    /// Conversations that were joined and that a widget may have open at once.
    #[arg(long, env = "WIDGET_LIMIT_WIDGET_OPEN", default_value_t = Budgets::default().open_on_widget)]
    limit_widget_open: u32,
    /// New conversations a minute and organization, on each node; no bound when left out.
    #[arg(
        long,
        env = "WIDGET_LIMIT_ORGANIZATION_CONVERSATIONS",
        value_name = "COUNT"
    )]
    limit_organization_conversations: Option<u32>,
    /// Conversations that were joined and that an organization may have open at once; no bound when
    /// left out.
    #[arg(long, env = "WIDGET_LIMIT_ORGANIZATION_OPEN", value_name = "COUNT")]
    limit_organization_open: Option<u32>,
    /// Conversations that may wait to be joined, started from one IPv4 address or IPv6 /64.
    #[arg(long, env = "WIDGET_LIMIT_ADDRESS_UNJOINED", default_value_t = Budgets::default().unjoined_per_address)]
    limit_address_unjoined: u32,
    /// Conversations that may wait to be joined, started from one IPv6 /48.
    #[arg(long, env = "WIDGET_LIMIT_NETWORK_UNJOINED", default_value_t = Budgets::default().unjoined_per_network)]
    limit_network_unjoined: u32,
    /// New conversations a day (UTC) and organization; no bound when left out. API keys may set
    /// less, as of the three below.
    #[arg(long, env = "WIDGET_LIMIT_ORGANIZATION_DAY", value_name = "COUNT")]
    limit_organization_day: Option<u32>,
    /// New conversations a day (UTC) and widget; no bound when left out.
    #[arg(long, env = "WIDGET_LIMIT_WIDGET_DAY", value_name = "COUNT")]
    limit_widget_day: Option<u32>,
    /// Minutes of voice a day (UTC) and organization; no bound when left out.
    #[arg(
        long,
        env = "WIDGET_LIMIT_ORGANIZATION_VOICE_MINUTES",
        value_name = "COUNT"
    )]
    limit_organization_voice_minutes: Option<u32>,
    /// Minutes of voice a day (UTC) and widget; no bound when left out.
    #[arg(long, env = "WIDGET_LIMIT_WIDGET_VOICE_MINUTES", value_name = "COUNT")]
    limit_widget_voice_minutes: Option<u32>,
    /// Minutes that a conversation may last.
    #[arg(long, env = "WIDGET_CONVERSATION_MINUTES", default_value_t = default_minutes(|limits| limits.max_length), value_parser = minutes())]
    conversation_minutes: u32,
    /// Minutes of silence after which a conversation ends.
    #[arg(long, env = "WIDGET_SILENCE_MINUTES", default_value_t = default_minutes(|limits| limits.max_silence), value_parser = minutes())]
    silence_minutes: u32,
    /// Minutes that a visitor may be away and still come back.
    #[arg(long, env = "WIDGET_RESUME_MINUTES", default_value_t = default_minutes(|limits| limits.resume_within), value_parser = minutes())]
    resume_minutes: u32,
    /// Minutes that a visitor may take to join; then the conversation has failed.
    #[arg(long, env = "WIDGET_JOIN_MINUTES", default_value_t = default_minutes(|limits| limits.join_within), value_parser = minutes())]
    join_minutes: u32,
}

/// One minute to one year: without an upper bound the end of a conversation could lie beyond what a
/// time can be.
fn minutes() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=525_600)
}

/// A limit as long as it is when nothing is set.
fn default_minutes(limit: impl Fn(LifecycleLimits) -> time::Duration) -> u32 {
    let minutes = limit(LifecycleLimits::default()).whole_minutes();
    minutes.try_into().unwrap_or(u32::MAX)
}

impl LimitArguments {
    fn settings(&self) -> LimitSettings {
        let minutes = |count: u32| time::Duration::minutes(i64::from(count));
        let mut budgets = Budgets::default();
        budgets.open_on_widget = self.limit_widget_open;
        budgets.open_in_organization = self.limit_organization_open;
        budgets.unjoined_per_address = self.limit_address_unjoined;
        budgets.unjoined_per_network = self.limit_network_unjoined;
        budgets.organization_day = DayBudget {
            conversations: self.limit_organization_day,
            voice_minutes: self.limit_organization_voice_minutes,
        };
        budgets.widget_day = DayBudget {
            conversations: self.limit_widget_day,
            voice_minutes: self.limit_widget_voice_minutes,
        };
        let mut lifecycle = LifecycleLimits::default();
        lifecycle.max_length = minutes(self.conversation_minutes);
        lifecycle.max_silence = minutes(self.silence_minutes);
        lifecycle.resume_within = minutes(self.resume_minutes);
        lifecycle.join_within = minutes(self.join_minutes);
        LimitSettings {
            configs_per_minute: self.limit_configs,
            documents_per_minute: self.limit_documents,
            tickets_per_minute: self.limit_tickets,
            conversations_per_minute: self.limit_conversations,
            widget_conversations_per_minute: self.limit_widget_conversations,
            organization_conversations_per_minute: self.limit_organization_conversations,
            budgets,
            lifecycle,
        }
    }
}

fn read_suffix_list(path: &Path) -> anyhow::Result<SuffixList> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the public suffix list {shown} cannot be read"))?;
    SuffixList::parse(&text).with_context(|| format!("{shown} cannot be the public suffix list"))
}

pub(super) async fn run(
    arguments: ServeArguments,
    dropped_lines: ErrorCounter,
) -> anyhow::Result<ExitCode> {
    require_reachable(&arguments)?;
    let traces = arguments.telemetry.start_traces()?;
    let livekit = arguments.livekit.settings()?;
    let agent_directory = arguments.agents.settings()?;
    // Some milliseconds of work at start, so that the first request does not wait for it.
    let suffixes = match &arguments.suffix_list {
        Some(path) => read_suffix_list(path)?,
        None => SuffixList::builtin().clone(),
    };
    let storage = open_storage(&arguments.database, arguments.wait, suffixes.clone()).await?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let metrics = arguments.telemetry.bind_metrics().await?;
    let max_connections = arguments.max_connections;
    let drain_delay = Duration::from_secs(u64::from(arguments.drain_delay));
    let settings = build_settings(arguments, livekit, agent_directory, address)?;
    let limits = connection_limits(max_connections, settings.trusted_proxies.clone());
    let state = AppState::new(Dependencies {
        storage: Arc::clone(&storage),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        suffixes,
        settings,
    });

    let mut signals = Signals::new()?;
    let connections = Arc::new(Connections::new(limits));
    let scrape = Scrape::new(state.clone())
        .with_connections(Arc::clone(&connections))
        .with_log(dropped_lines);
    let mut running = Running::start(state, listener, connections, drain_delay).await;
    print_line(&format!("listening on http://{address}"))?;
    if let Some(metrics) = metrics {
        metrics.announce()?;
        running.serve_metrics(metrics, scrape);
    }
    let code = running.wait(&mut signals).await;
    running.stop(&mut signals).await;
    storage.close().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    tracing::info!("stopped");
    Ok(code)
}

/// Refuses to listen on every address without knowing one where browsers reach the service.
fn require_reachable(arguments: &ServeArguments) -> anyhow::Result<()> {
    if arguments.public_url.is_none() && arguments.listen.ip().to_canonical().is_unspecified() {
        bail!(
            "`--listen {}` is every address of this machine, so it does not say where browsers \
             reach the service; set WIDGET_PUBLIC_URL (`--public-url https://widgets.example`)",
            arguments.listen
        );
    }
    Ok(())
}

/// The migrated database, with a key that signs.
async fn open_storage(
    database: &DatabaseArguments,
    wait: WaitArguments,
    suffixes: SuffixList,
) -> anyhow::Result<Arc<dyn Storage>> {
    let storage = database.await_migrated(suffixes, wait).await?;
    storage
        .ensure_signing_key(&signing::new_key(&SystemRandom, SystemClock.now())?)
        .await?;
    Ok(storage)
}

fn build_settings(
    arguments: ServeArguments,
    livekit: Option<LiveKitSettings>,
    agent_directory: Option<AgentDirectorySettings>,
    address: SocketAddr,
) -> anyhow::Result<Settings> {
    if livekit.is_none() {
        tracing::warn!("LIVEKIT_URL is not set: everything works but conversations");
    }
    Ok(Settings {
        livekit,
        agent_directory,
        trusted_proxies: arguments.trusted_proxies.into_iter().collect(),
        forwarded_header: arguments.forwarded_header.into(),
        brand_from_private_addresses: arguments.brand_from_private_addresses,
        transcript_retention: arguments.transcript_retention,
        statistics_retention: arguments.statistics_retention,
        limits: arguments.limits.settings(),
        ..Settings::new(build_public_url(arguments.public_url, address)?)
    })
}

/// Where browsers reach the service; without a URL, the address that it listens on.
fn build_public_url(url: Option<PublicUrl>, address: SocketAddr) -> anyhow::Result<PublicUrl> {
    match url {
        Some(url) => Ok(url),
        None => Ok(format!("http://{address}").parse()?),
    }
}

/// The service while it runs: its connections and its work in the background.
struct Running {
    state: AppState,
    drain_delay: Duration,
    stop: watch::Sender<bool>,
    server: JoinSet<()>,
    tasks: JoinSet<()>,
    metrics: JoinSet<()>,
}

impl Running {
    async fn start(
        state: AppState,
        listener: TcpListener,
        connections: Arc<Connections>,
        drain_delay: Duration,
    ) -> Self {
        // Before the first page can ask another node for them.
        if let Err(error) = background::keep_embed_builds(&state).await {
            tracing::warn!(
                error = with_causes(&error),
                "this node's build of the embed is not kept for other nodes"
            );
        }
        let (stop, stopped) = watch::channel(false);
        let tasks = background::start(&state, &stopped);
        let mut server = JoinSet::new();
        let router = widget_http::router(state.clone());
        server.spawn(async move {
            let listener = listener.tap_io(send_at_once);
            connections.serve(listener, router, stopped).await;
        });
        Self {
            state,
            drain_delay,
            stop,
            server,
            tasks,
            metrics: JoinSet::new(),
        }
    }

    /// Answers `/metrics` until the last open request has ended.
    fn serve_metrics(&mut self, listener: MetricsListener, scrape: Scrape) {
        self.metrics.spawn(listener.serve(scrape));
    }

    /// Waits for the reason to stop, and returns what the process ends with.
    async fn wait(&mut self, signals: &mut Signals) -> ExitCode {
        tokio::select! {
            cause = signals.next() => {
                self.state.drain.begin();
                delay_stop(cause, self.drain_delay, signals).await;
                ExitCode::SUCCESS
            }
            // It ends by itself only when it panics; without it rooms and conversations would stay
            // open.
            ended = self.tasks.join_next() => {
                let error = ended.and_then(Result::err).map(|error| error.to_string());
                tracing::error!(error, "background work ended; stopping, so that the service is restarted");
                ExitCode::FAILURE
            }
        }
    }

    /// Lets open requests end for a while, then closes every connection that is left, so that none
    /// holds the database.
    async fn stop(mut self, signals: &mut Signals) {
        self.stop.send_replace(true);
        let drained = async {
            while self.server.join_next().await.is_some() {}
            // What a client began that hung up since.
            self.state.running.ended().await;
            while self.tasks.join_next().await.is_some() {}
        };
        tokio::select! {
            done = tokio::time::timeout(DRAIN_TIMEOUT, drained) => {
                if done.is_err() {
                    tracing::warn!("some requests did not end in time; stopping without them");
                }
            }
            cause = signals.next() => tracing::warn!(signal = cause, "second signal; stopping at once"),
        }
        self.server.shutdown().await;
        self.tasks.shutdown().await;
        self.metrics.shutdown().await;
        write_last(&self.state).await;
    }
}

/// Writes what is kept in memory between two writes. Last, so that what the background was about to
/// write is there again, and as little as possible is counted afterwards.
async fn write_last(state: &AppState) {
    let written = async {
        if let Err(error) = background::write_key_uses(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "the last use of API keys cannot be written"
            );
        }
        if let Err(error) = background::write_statistics(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "what was counted last cannot be written; it is lost"
            );
        }
    };
    if tokio::time::timeout(LAST_WRITES_TIMEOUT, written)
        .await
        .is_err()
    {
        tracing::warn!("what was counted last cannot be written in time; it is lost");
    }
}

/// Waits after a signal to stop, so that load balancers notice that `/readyz` fails while new
/// connections are still accepted.
async fn delay_stop(cause: &str, delay: Duration, signals: &mut Signals) {
    if delay.is_zero() {
        tracing::info!(
            signal = cause,
            "stopping: no new requests; open ones may end"
        );
        return;
    }
    tracing::info!(
        signal = cause,
        delay.seconds = delay.as_secs(),
        "stopping: no new requests after the delay; open ones may end"
    );
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        cause = signals.next() => tracing::warn!(signal = cause, "second signal; no further delay"),
    }
}

/// The bounds on connections: as many as there can be files, or as many as the operator allows.
fn connection_limits(allowed: Option<NonZeroUsize>, trusted: TrustedProxies) -> ConnectionLimits {
    let possible = raise_file_limit().map(|files| files.saturating_sub(RESERVED_FILES));
    let possible = possible.unwrap_or(usize::MAX);
    let allowed = allowed.map_or(possible, NonZeroUsize::get);
    if allowed > possible {
        tracing::warn!(
            connections.allowed = allowed,
            connections.possible = possible,
            "WIDGET_MAX_CONNECTIONS is more than the limit of open files allows; raise that limit"
        );
    }
    ConnectionLimits::new(allowed.min(possible), trusted)
}

/// Sends each answer at once, without waiting for the client to acknowledge the one before.
fn send_at_once(stream: &mut TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = with_causes(&error), "TCP_NODELAY cannot be set");
    }
}

/// The signals that mean: stop.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
