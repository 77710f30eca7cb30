//! Rates of the public endpoints: what limits a script that forges headers.
//!
//! Kept in the memory of each node: a limit slows callers down and does not count exactly. Budgets
//! that hold for all nodes together are counted in storage.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration as StdDuration, Instant},
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use http::{HeaderName, HeaderValue, header};
use time::Duration;
use widget_api::ProblemCode;
use widget_core::{
    conversation::budget::{BudgetError, Owner, StartRange},
    id::{ConversationId, OrganizationId, WidgetId},
};

use crate::{
    settings::LimitSettings,
    web::{caller::AddressPrefix, problem::Problem},
};

/// Requests of one window a minute during its conversation; a fast talker makes twenty turns.
const REPORTS_PER_MINUTE: u32 = 60;

/// Resumes of one conversation a minute: each page that its visitor goes to needs one. Each takes
/// a ticket, and tickets are limited by address.
const RESUMES_PER_MINUTE: u32 = 30;

/// Requests of all kinds with the token of one conversation a minute, before the database is asked:
/// twice what its window may report and resume.
const WINDOW_REQUESTS_PER_MINUTE: u32 = 2 * (REPORTS_PER_MINUTE + RESUMES_PER_MINUTE);

/// Builds of other releases that one address may ask for a minute, unless they are in memory.
const BUILDS_PER_MINUTE: u32 = 60;

/// How often the pages of previews at one address may ask whether their draft was replaced, a
/// minute: five pages that are looked at.
const PREVIEW_STATES_PER_MINUTE: u32 = 600;

/// Pages that an organization may have looked at a minute, also for their brand: each costs up to
/// ten seconds and five megabytes.
const DIAGNOSES_PER_MINUTE: u32 = 10;

/// How many times as many conversations an IPv6 /48 may begin a minute as one address, as with
/// those that wait to be joined.
const ADDRESSES_OF_NETWORK: u32 = 3;

/// Every rate of the public endpoints, and of those that fetch pages.
#[derive(Debug)]
pub struct RateLimits {
    /// Launcher configs by address.
    pub configs: Limit<AddressPrefix>,
    /// Window documents by address.
    pub documents: Limit<AddressPrefix>,
    /// Tickets by address.
    pub tickets: Limit<AddressPrefix>,
    /// New conversations by address.
    conversations: Limit<AddressPrefix>,
    /// New conversations by the IPv6 /48 of the address: one caller often has many /64.
    network_conversations: Limit<AddressPrefix>,
    /// New conversations by widget.
    pub widget_conversations: Limit<WidgetId>,
    /// The same of widgets for which a key has set a lower one.
    pub set_widget_conversations: SetLimit<WidgetId>,
    /// New conversations of organizations for which they are limited.
    pub set_organization_conversations: SetLimit<OrganizationId>,
    /// Everything that shows the token of a conversation.
    pub window_requests: Limit<ConversationId>,
    /// Resumes by conversation.
    pub resumes: Limit<ConversationId>,
    /// Builds of other releases by address.
    pub embed_builds: Limit<AddressPrefix>,
    /// Everything that a window sends during a conversation.
    pub reports: Limit<ConversationId>,
    /// What open pages of previews ask for again and again, by address.
    pub preview_states: Limit<AddressPrefix>,
    /// Pages to look at, by organization.
    pub diagnoses: Limit<OrganizationId>,
}

impl RateLimits {
    /// Limits with nothing used up yet.
    #[must_use]
    pub fn new(settings: &LimitSettings) -> Self {
        Self {
            configs: Limit::new("launcher-configs", settings.configs_per_minute),
            documents: Limit::new("window-documents", settings.documents_per_minute),
            tickets: Limit::new("tickets", settings.tickets_per_minute),
            conversations: Limit::new("conversations", settings.conversations_per_minute),
            network_conversations: Limit::new(
                "network-conversations",
                settings
                    .conversations_per_minute
                    .saturating_mul(ADDRESSES_OF_NETWORK),
            ),
            widget_conversations: Limit::new(
                "widget-conversations",
                settings.widget_conversations_per_minute,
            ),
            set_widget_conversations: SetLimit::new("widget-conversations"),
            set_organization_conversations: SetLimit::new("organization-conversations"),
            window_requests: Limit::new("window-requests", WINDOW_REQUESTS_PER_MINUTE),
            resumes: Limit::new("resumes", RESUMES_PER_MINUTE),
            embed_builds: Limit::new("embed-builds", BUILDS_PER_MINUTE),
            reports: Limit::new("reports", REPORTS_PER_MINUTE),
            preview_states: Limit::new("preview-states", PREVIEW_STATES_PER_MINUTE),
            diagnoses: Limit::new("diagnoses", DIAGNOSES_PER_MINUTE),
        }
    }

    /// Counts a start, before the widget and the organization count it: a caller who is refused
    /// here uses up nothing of theirs.
    ///
    /// # Errors
    /// 429 `rate_limited`, with the headers that say when to retry.
    pub fn check_start(&self, address: AddressPrefix) -> Result<(), Problem> {
        self.conversations.check(&address)?;
        match address.network() {
            Some(network) => self.network_conversations.check(&network),
            None => Ok(()),
        }
    }

    /// Forgets keys that have used nothing for a while; to be called now and then.
    pub fn forget_idle(&self) {
        self.configs.forget_idle();
        self.documents.forget_idle();
        self.tickets.forget_idle();
        self.conversations.forget_idle();
        self.network_conversations.forget_idle();
        self.widget_conversations.forget_idle();
        self.set_widget_conversations.forget_idle();
        self.set_organization_conversations.forget_idle();
        self.window_requests.forget_idle();
        self.resumes.forget_idle();
        self.embed_builds.forget_idle();
        self.reports.forget_idle();
        self.preview_states.forget_idle();
        self.diagnoses.forget_idle();
    }
}

/// A number of requests per minute for each key.
pub struct Limit<K: Hash + Eq + Clone> {
    name: &'static str,
    per_minute: u32,
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Limit<K> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Limit")
            .field("name", &self.name)
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// `per_minute` is at least one.
    fn new(name: &'static str, per_minute: u32) -> Self {
        let per_minute = per_minute.max(1);
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            name,
            per_minute,
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// 429 `rate_limited`, with the headers that say when to retry.
    pub fn check(&self, key: &K) -> Result<(), Problem> {
        let Err(refusal) = self.limiter.check_key(key) else {
            return Ok(());
        };
        let wait = refusal.wait_time_from(self.clock.now());
        Err(too_fast(self.name, self.per_minute, wait))
    }

    fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// A number of requests per minute that was set for each key by itself.
#[derive(Debug)]
pub struct SetLimit<K> {
    name: &'static str,
    limiters: Mutex<HashMap<K, KeyLimiter>>,
    clock: DefaultClock,
}

#[derive(Debug)]
struct KeyLimiter {
    per_minute: u32,
    limiter: DefaultDirectRateLimiter,
    used_at: Instant,
}

impl<K: Hash + Eq + Clone> SetLimit<K> {
    /// After so long, everything may be used again.
    const IDLE: StdDuration = StdDuration::from_mins(2);

    fn new(name: &'static str) -> Self {
        Self {
            name,
            limiters: Mutex::default(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one request; a key whose limit was changed begins anew.
    ///
    /// # Errors
    /// 429 `rate_limited`, with the headers that say when to retry.
    pub fn check(&self, key: &K, per_minute: u32) -> Result<(), Problem> {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let build = || KeyLimiter {
            per_minute: per_minute.get(),
            limiter: RateLimiter::direct(Quota::per_minute(per_minute)),
            used_at: Instant::now(),
        };
        let mut limiters = self.limiters();
        let entry = limiters.entry(key.clone()).or_insert_with(build);
        if entry.per_minute != per_minute.get() {
            *entry = build();
        }
        entry.used_at = Instant::now();
        entry.limiter.check().map_err(|refusal| {
            let wait = refusal.wait_time_from(self.clock.now());
            too_fast(self.name, entry.per_minute, wait)
        })
    }

    fn forget_idle(&self) {
        let mut limiters = self.limiters();
        limiters.retain(|_, limiter| limiter.used_at.elapsed() < Self::IDLE);
        limiters.shrink_to_fit();
    }

    fn limiters(&self) -> MutexGuard<'_, HashMap<K, KeyLimiter>> {
        self.limiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The refusal of one that comes while as many as may be are waiting.
pub(super) fn too_many_at_once(name: &'static str, max: u32) -> Problem {
    let detail = "too many requests of this kind at once; try again in a moment";
    let policy = format!("\"{name}\";q={max}");
    over(ProblemCode::RateLimited, detail, name, &policy, 1)
}

/// The refusal of one that may be tried again after the wait.
fn too_fast(name: &'static str, per_minute: u32, wait: StdDuration) -> Problem {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    let detail = format!("too many requests; try again in {seconds} s");
    let policy = format!("\"{name}\";q={per_minute};w=60");
    over(ProblemCode::RateLimited, &detail, name, &policy, seconds)
}

/// When a widget's visitors may try again: conversations end at any time.
const RETRY_WHEN_FULL: u64 = 30;

impl From<BudgetError> for Problem {
    fn from(error: BudgetError) -> Self {
        let detail = error.to_string();
        match error {
            BudgetError::WidgetBusy { max } => {
                let name = "open-conversations";
                let policy = format!("\"{name}\";q={max}");
                let code = ProblemCode::WidgetBusy;
                over(code, &detail, name, &policy, RETRY_WHEN_FULL)
            }
            BudgetError::OrganizationBusy { max } => {
                let name = "organization-open-conversations";
                let policy = format!("\"{name}\";q={max}");
                let code = ProblemCode::WidgetBusy;
                over(code, &detail, name, &policy, RETRY_WHEN_FULL)
            }
            BudgetError::DayUsedUp {
                owner,
                max,
                resets_in,
            } => {
                let name = match owner {
                    Owner::Organization => "organization-day",
                    Owner::Widget => "widget-day",
                };
                let policy = format!("\"{name}\";q={max};w=86400");
                let code = ProblemCode::BudgetUsedUp;
                over(code, &detail, name, &policy, whole_seconds(resets_in))
            }
            BudgetError::VoiceUsedUp {
                owner,
                max,
                resets_in,
            } => {
                let name = match owner {
                    Owner::Organization => "organization-voice-minutes",
                    Owner::Widget => "widget-voice-minutes",
                };
                let policy = format!("\"{name}\";q={max};w=86400");
                let code = ProblemCode::VoiceBudgetUsedUp;
                over(code, &detail, name, &policy, whole_seconds(resets_in))
            }
            BudgetError::TooManyUnjoined {
                range,
                max,
                resets_in,
            } => {
                let name = match range {
                    StartRange::Address => "unjoined-of-address",
                    StartRange::Network => "unjoined-of-network",
                };
                let policy = format!("\"{name}\";q={max}");
                let code = ProblemCode::RateLimited;
                over(code, &detail, name, &policy, whole_seconds(resets_in))
            }
            BudgetError::PreviewUsedUp { max, resets_in } => {
                let name = "preview-day";
                let policy = format!("\"{name}\";q={max};w=86400");
                let code = ProblemCode::BudgetUsedUp;
                over(code, &detail, name, &policy, whole_seconds(resets_in))
            }
            BudgetError::PreviewBusy { max } => {
                let name = "preview-open-conversations";
                let policy = format!("\"{name}\";q={max}");
                let code = ProblemCode::WidgetBusy;
                over(code, &detail, name, &policy, RETRY_WHEN_FULL)
            }
        }
    }
}

/// The seconds after which the time is over.
fn whole_seconds(time: Duration) -> u64 {
    let seconds = time.whole_seconds() + i64::from(time.subsec_nanoseconds() > 0);
    u64::try_from(seconds).unwrap_or(0).max(1)
}

/// 429, with the headers that say what the limit is and when to retry.
fn over(
    code: ProblemCode,
    detail: &str,
    name: &'static str,
    policy: &str,
    seconds: u64,
) -> Problem {
    let text = |text: &str| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    let state = format!("\"{name}\";r=0;t={seconds}");
    Problem::new(code, detail)
        .with_limit(name)
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
        .with_header(HeaderName::from_static("ratelimit-policy"), text(policy))
        .with_header(HeaderName::from_static("ratelimit"), text(&state))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn over_the_limit_says_when_to_retry() {
        let limit = Limit::new("tickets", 1);
        assert!(limit.check(&1).is_ok());
        assert!(limit.check(&2).is_ok());
        let problem = limit.check(&1).expect_err("the second in a minute");
        assert_eq!(
            (problem.status(), problem.code()),
            (StatusCode::TOO_MANY_REQUESTS, ProblemCode::RateLimited)
        );
        let response = axum::response::IntoResponse::into_response(problem);
        assert_eq!(
            response.headers()["ratelimit-policy"],
            "\"tickets\";q=1;w=60"
        );
        assert!(response.headers().contains_key("retry-after"));
        assert!(response.headers().contains_key("ratelimit"));
    }

    #[test]
    fn a_network_may_begin_three_times_as_many_as_an_address() {
        let settings = LimitSettings {
            conversations_per_minute: 2,
            ..LimitSettings::default()
        };
        let limits = RateLimits::new(&settings);
        let start = |address: &str| {
            let address = address.parse().expect("an address");
            limits.check_start(AddressPrefix::of(address)).is_ok()
        };
        for number in 0..3 {
            let address = format!("2001:db8:1:{number}::1");
            assert_eq!([(); 3].map(|()| start(&address)), [true, true, false]);
        }
        assert!(!start("2001:db8:1:3::1"), "the network has used up its own");
        assert!(start("2001:db8:2::1"), "of another network");
        assert_eq!([(); 3].map(|()| start("192.0.2.1")), [true, true, false]);
        for number in 2..9 {
            assert!(start(&format!("192.0.2.{number}")), "IPv4 has no networks");
        }
    }
}
