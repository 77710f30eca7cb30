//! What is asked about a page, and what is known when it is asked.

use time::Duration;
use url::Url;

use super::evidence::page_argument;
use super::fix::Fix;
use super::visit::Visit;
use crate::{config::Config, explain::Explanation, id::WidgetId, mode::Mode, origin::SuffixList};

/// The service and the widget that a page has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address of the service, with a slash at the end.
    pub service: Url,
    /// The widget; `None` when what the page names is not an id.
    pub widget_id: Option<WidgetId>,
    /// The address of the script in the page's tag, when it has one.
    pub script: Option<Url>,
}

/// Whether two addresses are of the same service.
pub(super) fn is_same_service(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
        && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
}

/// What came of asking something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer<T> {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// The time was over before it was asked, or before it could answer.
    OutOfTime,
    /// There was no answer, for this reason.
    Failed(String),
    /// There was one.
    Given(T),
}

/// The service's script, as it is served under the address in the page's tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptAnswer {
    /// The status.
    pub status: u16,
    /// Its hashes as in an `integrity` attribute, such as `sha384-…`, one for each algorithm.
    pub hashes: Vec<String>,
    /// Its headers, where they are known.
    pub headers: Vec<(String, String)>,
    /// Its text, where it is known.
    pub text: Option<String>,
}

/// What the service says to the page's origin about the widget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LauncherAnswer {
    /// It is shown.
    Shown {
        /// The image of the launcher.
        icon_url: Option<Url>,
    },
    /// It is refused, with this code.
    Refused(String),
}

/// LiveKit, where conversations take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveKitAnswer {
    /// It answers.
    Reachable,
    /// The service knows none: it shows widgets, and no conversation begins.
    NotSetUp,
}

/// What the service, and what is behind it, answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceAnswers {
    /// The script in the page's tag.
    pub script: Answer<ScriptAnswer>,
    /// The config of the launcher, for the page's origin.
    pub launcher: Answer<LauncherAnswer>,
    /// The same for other widgets of the page.
    pub others: Vec<(WidgetId, LauncherAnswer)>,
    /// The headers of the window's document, for the page's origin.
    pub window: Answer<Vec<(String, String)>>,
    /// Values of `integrity` that the service knows, beside those of the script above.
    pub known_hashes: Vec<String>,
    /// Whether LiveKit can be reached.
    pub livekit: Answer<LiveKitAnswer>,
    /// How far the service's clock is ahead of the caller's.
    pub clock_difference: Option<Duration>,
}

/// A widget that people may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherWidget {
    /// Its id.
    pub id: WidgetId,
    /// The title of its window.
    pub title: String,
}

/// What is asked about a page.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The page as it was asked for.
    pub page: &'a str,
    /// What was fetched of it.
    pub visit: &'a Visit,
    /// The addresses of the service that the page should use; without one, that of its snippet.
    pub services: &'a [Url],
    /// The widget that the page should show; without one, that of its snippet.
    pub widget_id: Option<WidgetId>,
    /// The answers of the service.
    pub answers: &'a ServiceAnswers,
    /// Core's decision about the widget and the page, when the widget is known.
    pub explanation: Option<&'a Explanation>,
    /// What the history of the widget says about when it was shown on the page: a sentence, which
    /// becomes evidence of a decision against the page.
    pub past: Option<&'a str>,
    /// Another published widget of the same organization whose list has the page's site: the page
    /// may have the snippet of the wrong one.
    pub listed_by: Option<&'a OtherWidget>,
    /// The widget's config; `None` when it is not known.
    pub config: Option<&'a Config>,
    /// The service that the caller works with, where `services` is empty because the page has the
    /// snippet of another one.
    pub own_service: Option<&'a Url>,
    /// Services that the caller can ask with `--profile`, by the names of the profiles.
    pub profiles: &'a [(String, Url)],
    /// The list that says which names belong together.
    pub suffixes: &'a SuffixList,
}

/// No answers.
const NOT_ASKED: &ServiceAnswers = &ServiceAnswers {
    script: Answer::NotAsked,
    launcher: Answer::NotAsked,
    others: Vec::new(),
    window: Answer::NotAsked,
    known_hashes: Vec::new(),
    livekit: Answer::NotAsked,
    clock_difference: None,
};

impl<'a> Question<'a> {
    /// The question about a page of which nothing else is known.
    #[must_use]
    pub fn new(page: &'a str, visit: &'a Visit) -> Self {
        Self {
            page,
            visit,
            services: &[],
            widget_id: None,
            answers: NOT_ASKED,
            explanation: None,
            past: None,
            listed_by: None,
            config: None,
            own_service: None,
            profiles: &[],
            suffixes: SuffixList::builtin(),
        }
    }

    /// Whether the widget has a mode; also where its config is not known.
    pub(super) fn may_have(&self, mode: Mode) -> bool {
        let config = self.config.map(Config::current);
        config.is_none_or(|config| config.is_enabled(mode))
    }

    /// The profile whose service this is.
    pub(super) fn profile_of(&self, service: &Url) -> Option<&'a str> {
        let mut profiles = self.profiles.iter();
        let found = profiles.find(|(_, known)| is_same_service(known, service))?;
        Some(found.0.as_str())
    }

    /// The command that looks at the page with the key of the service, if it is that of a profile.
    pub(super) fn with_profile_of(&self, service: &Url) -> Option<Fix> {
        let profile = self.profile_of(service)?;
        let page = page_argument(self.page);
        Some(Fix::command(["doctor", page, "--profile", profile]))
    }
}
