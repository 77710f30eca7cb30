//! One shape for everything that is reported about a record: faults that reject a write, blockers
//! of a gate, warnings, notes. HTTP, CLI and schemas use the same codes and fields, so that an
//! answer found in one place can be looked up in another.
//!
//! ```
//! use widget_core::finding::{Code, Finding};
//!
//! let finding = Finding::new(Code::NoDomains, "the list of domains is empty")
//!     .at("/domains")
//!     .with_hint("add a site");
//! assert_eq!(finding.to_string(), "/domains: the list of domains is empty [no_domains]");
//! ```

use std::fmt;
use std::ops::Deref;

use crate::choice::choices;

choices! {
    /// The stable code of a finding: one code for one fault, wherever it is reported.
    ///
    /// Exhaustive on purpose: an adapter that matches codes must decide about a new one.
    pub enum Code {
        // Entries of the list of domains.
        /// An entry of nothing but white space.
        Empty = "empty",
        /// A text or an entry that is longer than allowed.
        TooLong = "too_long",
        /// An entry with a control character or a space.
        ControlOrSpace = "control_or_space",
        /// An entry with `\`.
        Backslash = "backslash",
        /// The entry `null`.
        NullOrigin = "null_origin",
        /// A quoted keyword of Content-Security-Policy.
        CspKeyword = "csp_keyword",
        /// An entry that starts with `//`.
        SchemeRelative = "scheme_relative",
        /// What stands before `://` is not a scheme.
        SchemeInvalid = "scheme_invalid",
        /// `http:` or `https:` without `//`.
        SchemeMalformed = "scheme_malformed",
        /// A scheme other than `http` and `https`.
        SchemeNotAllowed = "scheme_not_allowed",
        /// An entry with a user name.
        Userinfo = "userinfo",
        /// A percent-encoded host.
        PercentInHost = "percent_in_host",
        /// An entry without a host.
        HostEmpty = "host_empty",
        /// A host with an empty label.
        HostEmptyLabel = "host_empty_label",
        /// A host with `_`.
        HostUnderscore = "host_underscore",
        /// A host that ends in a dot.
        HostTrailingDot = "host_trailing_dot",
        /// A host that is longer than a domain name can be.
        HostTooLong = "host_too_long",
        /// Anything else that is not a host name.
        HostInvalid = "host_invalid",
        /// An IPv4 address in an unusual form.
        IpNotCanonical = "ip_not_canonical",
        /// An IPv6 address.
        Ipv6NotSupported = "ipv6_not_supported",
        /// Port 0.
        PortZero = "port_zero",
        /// Not a port from 1 to 65535.
        PortInvalid = "port_invalid",
        /// `*` as a port.
        PortWildcard = "port_wildcard",
        /// `*` anywhere but as the first label.
        WildcardMisplaced = "wildcard_misplaced",
        /// A pattern on an IP address.
        WildcardOnIp = "wildcard_on_ip",
        /// A pattern on a public suffix.
        WildcardPublicSuffix = "wildcard_public_suffix",
        /// A pattern with a public suffix below it.
        WildcardSpansPublicSuffix = "wildcard_spans_public_suffix",
        /// A pattern on a host that gives subdomains to its customers.
        WildcardMultitenantHost = "wildcard_multitenant_host",
        /// `*` beside other entries.
        WildcardAllNotAlone = "wildcard_all_not_alone",
        /// A list of more items than allowed.
        TooMany = "too_many",
        /// A stored entry that is not in canonical form.
        NotCanonical = "not_canonical",
        // Warnings about the list of domains.
        /// An empty list.
        NoDomains = "no_domains",
        /// The list `*`.
        AnySite = "any_site",
        /// An entry on the visitor's own machine.
        LoopbackOrigin = "loopback_origin",
        /// An entry that is not encrypted.
        InsecureOrigin = "insecure_origin",
        /// A name with letters outside of ASCII.
        IdnOrigin = "idn_origin",
        /// An IPv4 address.
        IpOrigin = "ip_origin",
        /// A name without a dot.
        SingleLabel = "single_label",
        /// A site whose `www.` twin is not listed.
        TwinMissing = "twin_missing",
        // The `Origin` header.
        /// The header is missing.
        OriginRequired = "origin_required",
        /// The header is `null`.
        OriginOpaque = "origin_opaque",
        /// The header is not what a browser sends.
        OriginMalformed = "origin_malformed",
        /// A page that is not on `http` or `https`.
        OriginScheme = "origin_scheme",
        // JSON texts and their values, in the config, in forms and in request bodies.
        /// A text that is not JSON.
        JsonInvalid = "json_invalid",
        /// A string with half of a surrogate pair.
        StringInvalid = "string_invalid",
        /// A number that cannot be kept exactly.
        NumberInexact = "number_inexact",
        /// A key that nothing reads.
        KeyUnknown = "key_unknown",
        /// A required key that is missing.
        KeyMissing = "key_missing",
        /// A key that occurs twice in one object.
        KeyDuplicate = "key_duplicate",
        /// A value of another JSON type.
        TypeInvalid = "type_invalid",
        /// A value that is not allowed, where no other code says why.
        ValueInvalid = "value_invalid",
        /// A required answer that is missing.
        ValueMissing = "value_missing",
        /// A value that is not one of those allowed.
        ValueNotAllowed = "value_not_allowed",
        /// A number below or above its limits.
        ValueOutOfRange = "value_out_of_range",
        /// A number that is not in steps.
        ValueOffStep = "value_off_step",
        /// A value that occurs twice in one list.
        ValueDuplicate = "value_duplicate",
        /// A text that is shorter than allowed.
        TooShort = "too_short",
        /// A list of fewer items than allowed.
        TooFew = "too_few",
        /// Not an id.
        IdInvalid = "id_invalid",
        /// An id that names something else.
        IdReserved = "id_reserved",
        /// An id that occurs twice in one list.
        IdDuplicate = "id_duplicate",
        /// Not a color.
        ColorInvalid = "color_invalid",
        /// Not a calendar date.
        DateInvalid = "date_invalid",
        /// Not an e-mail address.
        EmailInvalid = "email_invalid",
        /// Not a language tag.
        LocaleInvalid = "locale_invalid",
        /// Not a telephone number.
        PhoneInvalid = "phone_invalid",
        /// Not a time.
        TimeInvalid = "time_invalid",
        /// Not a URL of an allowed kind.
        UrlInvalid = "url_invalid",
        /// A lower limit above the upper one.
        RangeInvalid = "range_invalid",
        /// A JSON Pointer to a place where no value can be.
        PointerInvalid = "pointer_invalid",
        // Documents as a whole.
        /// A config with faults.
        ConfigInvalid = "config_invalid",
        /// A config that is nested too deeply.
        ConfigTooDeep = "config_too_deep",
        /// A config of too many bytes.
        ConfigTooLarge = "config_too_large",
        /// A config of newer versions only.
        ConfigTooNew = "config_too_new",
        /// A config without a version, with keys that version 1 does not have.
        ConfigUnversioned = "config_unversioned",
        /// A form's values of too many bytes.
        SubmissionTooLarge = "submission_too_large",
        // Faults and warnings of the config.
        /// Neither mode is enabled.
        ModeMissing = "mode_missing",
        /// A mode that is not enabled.
        ModeDisabled = "mode_disabled",
        /// A version that is newer than this build.
        VersionUnknown = "version_unknown",
        /// A version that is not read because a newer one is there.
        VersionSuperseded = "version_superseded",
        /// A text color that is hard to read.
        ContrastLow = "contrast_low",
        /// An action that shows a form that is not defined.
        FormNotFound = "form_not_found",
        /// An action without effect because voice is not enabled.
        VoiceDisabled = "voice_disabled",
        /// An action or question without effect because text is not enabled.
        TextDisabled = "text_disabled",
        /// Settings of a feedback that is not enabled.
        FeedbackDisabled = "feedback_disabled",
        /// A question that is suggested twice.
        QuestionDuplicate = "question_duplicate",
        /// Something comes before the conversation that a toggle starts.
        StartDelayed = "start_delayed",
        /// A URL on the visitor's own machine.
        UrlLoopback = "url_loopback",
        // The gates.
        /// The stored config cannot be read: a newer version wrote it, or it is damaged.
        ConfigUnreadable = "config_unreadable",
        /// Another stored field cannot be read.
        FieldUnreadable = "field_unreadable",
        /// The widget is not published.
        NotPublished = "not_published",
        /// The organization has no such agent.
        AgentNotFound = "agent_not_found",
        /// The agent has no such version.
        AgentVersionNotFound = "agent_version_not_found",
        /// The version is one of another agent.
        AgentVersionOfOtherAgent = "agent_version_of_other_agent",
        /// The version is a draft.
        AgentVersionDraft = "agent_version_draft",
        /// The agent directory does not answer.
        AgentDirectoryUnavailable = "agent_directory_unavailable",
        /// No worker of the pinned version joins conversations.
        AgentWorkerMissing = "agent_worker_missing",
        /// Voice is enabled, and a listed page is not encrypted.
        VoiceNeedsHttps = "voice_needs_https",
        // Steps and notes of an explanation.
        /// Every step is passed.
        Shown = "shown",
        /// The page has an origin.
        Origin = "origin",
        /// There is a widget with this id.
        WidgetFound = "widget_found",
        /// The widget was deleted.
        WidgetDeleted = "widget_deleted",
        /// There is no widget with this id.
        WidgetNotFound = "widget_not_found",
        /// The widget is published.
        Published = "published",
        /// The pinned version is published.
        VersionPublished = "version_published",
        /// An entry allows the page.
        OriginListed = "origin_listed",
        /// No entry allows the page.
        OriginNotListed = "origin_not_listed",
        /// A page inside a frame of another site.
        FramedPage = "framed_page",
        /// A page that gets no microphone.
        InsecurePage = "insecure_page",
        /// A page on an IPv6 address.
        Ipv6Page = "ipv6_page",
        /// A page on a host that browsers do not accept in `frame-ancestors`.
        PageHostUnsupported = "page_host_unsupported",
        /// The service does not show the widget on the page, and says not why without a key.
        WidgetUnavailable = "widget_unavailable",
        // What a page, and the service behind its widget, can have wrong: see `doctor::CODES`.
        /// The page cannot be loaded.
        PageUnreachable = "page_unreachable",
        /// The page answers with an error.
        PageStatus = "page_status",
        /// The address answers with something else than a page.
        PageNotHtml = "page_not_html",
        /// The page redirects to another origin.
        PageRedirected = "page_redirected",
        /// The page does not have the snippet.
        SnippetMissing = "snippet_missing",
        /// The snippet is inside of a comment.
        SnippetCommentedOut = "snippet_commented_out",
        /// The snippet is where browsers do not run it, or has a type that they do not run.
        SnippetInert = "snippet_inert",
        /// An optimizer runs the snippet later.
        SnippetDelayed = "snippet_delayed",
        /// The script is served from another address than the service's.
        SnippetCopied = "snippet_copied",
        /// The snippet is that of another widget.
        SnippetOtherWidget = "snippet_other_widget",
        /// The snippet is that of another service.
        SnippetOtherService = "snippet_other_service",
        /// The page has the snippet more than once.
        SnippetDuplicate = "snippet_duplicate",
        /// The snippet is a module.
        SnippetModule = "snippet_module",
        /// The snippet cannot be seen without running the page.
        SnippetByScript = "snippet_by_script",
        /// The service does not have the script that the snippet pins.
        IntegrityUnknown = "integrity_unknown",
        /// A policy of the page blocks the script.
        CspScriptBlocked = "csp_script_blocked",
        /// A policy of the page blocks requests to the service.
        CspConnectBlocked = "csp_connect_blocked",
        /// A policy of the page blocks the window.
        CspFrameBlocked = "csp_frame_blocked",
        /// A policy of the page blocks the launcher's image.
        CspImageBlocked = "csp_image_blocked",
        /// The page is in a sandbox.
        CspSandboxed = "csp_sandboxed",
        /// The page does not give the microphone to the window.
        PermissionsPolicyMicrophone = "permissions_policy_microphone",
        /// The page does not let the window play sound.
        PermissionsPolicyAutoplay = "permissions_policy_autoplay",
        /// The page is isolated, and the window is not made for it.
        CoepBlocksWindow = "coep_blocks_window",
        /// An encrypted page and a service that is not.
        MixedContent = "mixed_content",
        /// The page is a frame around another one, or is made to be framed.
        PageFrameOnly = "page_frame_only",
        /// The service does not answer.
        ServiceUnreachable = "service_unreachable",
        /// LiveKit does not answer.
        LivekitUnreachable = "livekit_unreachable",
        /// The clocks of the service and of the caller differ.
        ClockSkewed = "clock_skewed",
    }
}

/// Something to report about a widget record, or about values that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Finding {
    /// What is found.
    pub code: Code,
    /// JSON Pointer (RFC 6901) from the record's root, such as `/domains/0` or
    /// `/config/v1/theme`, when it is about one place. For a form's submission: from its root.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub pointer: Option<String>,
    /// What is found and what is expected, in one sentence without a full stop, offending values
    /// in backticks.
    pub detail: String,
    /// The one change that helps, when there is one.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub hint: Option<String>,
}

impl Finding {
    /// A finding about the whole record.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            pointer: None,
            detail: detail.into(),
            hint: None,
        }
    }

    /// The same finding, about the place at `pointer`.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The same finding with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same finding with advice, if there is any.
    #[must_use]
    pub(crate) fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pointer) = self
            .pointer
            .as_deref()
            .filter(|pointer| !pointer.is_empty())
        {
            write!(formatter, "{pointer}: ")?;
        }
        write!(formatter, "{} [{}]", self.detail, self.code)
    }
}

/// How many findings of one kind are kept and reported: enough to see the pattern, and a bound for
/// what a hostile document can cause. The others are counted.
pub const MAX_FINDINGS: usize = 100;

/// Findings in the order in which they are found, or none: the first [`MAX_FINDINGS`] of them, and
/// how many there are.
///
/// ```
/// use widget_core::finding::{Code, Finding, FindingList};
///
/// let list: FindingList = (0..190_000).map(|_| Finding::new(Code::Empty, "empty")).collect();
/// assert_eq!((list.len(), list.total(), list.omitted()), (100, 190_000, 189_900));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingList {
    kept: Vec<Finding>,
    omitted: usize,
}

impl FindingList {
    /// No finding.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            kept: Vec::new(),
            omitted: 0,
        }
    }

    /// Adds a finding: it is kept while there is room, and counted beyond.
    pub fn push(&mut self, finding: Finding) {
        self.push_with(|| finding);
    }

    /// Adds a finding that is made only if it is kept.
    pub fn push_with(&mut self, finding: impl FnOnce() -> Finding) {
        if self.is_full() {
            self.omitted = self.omitted.saturating_add(1);
        } else {
            self.kept.push(finding());
        }
    }

    /// Adds all of another list, those that it only counted too.
    pub fn append(&mut self, other: Self) {
        self.extend(other.kept);
        self.omitted = self.omitted.saturating_add(other.omitted);
    }

    /// Whether further findings are only counted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kept.len() >= MAX_FINDINGS
    }

    /// How many were found.
    #[must_use]
    pub fn total(&self) -> usize {
        self.kept.len().saturating_add(self.omitted)
    }

    /// How many of them are only counted.
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.omitted
    }

    /// How many were found, if not all of them are kept.
    #[must_use]
    pub fn total_if_omitted(&self) -> Option<u64> {
        (self.omitted > 0).then(|| u64::try_from(self.total()).unwrap_or(u64::MAX))
    }

    /// Those that are kept.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.kept
    }

    /// Drops those kept findings that are not wanted.
    pub fn retain(&mut self, wanted: impl FnMut(&Finding) -> bool) {
        self.kept.retain(wanted);
    }

    /// The same list with each kept finding changed.
    #[must_use]
    pub fn map(self, change: impl FnMut(Finding) -> Finding) -> Self {
        Self {
            kept: self.kept.into_iter().map(change).collect(),
            omitted: self.omitted,
        }
    }
}

impl Deref for FindingList {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.kept
    }
}

impl Extend<Finding> for FindingList {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        for finding in findings {
            self.push(finding);
        }
    }
}

impl FromIterator<Finding> for FindingList {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        let mut list = Self::new();
        list.extend(findings);
        list
    }
}

impl IntoIterator for FindingList {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.into_iter()
    }
}

impl<'a> IntoIterator for &'a FindingList {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}

/// Written as the array of those that are kept.
#[cfg(feature = "serde")]
impl serde::Serialize for FindingList {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.kept.serialize(serializer)
    }
}

/// One or more findings: the error of whatever reports all faults at once. As of every
/// [`FindingList`], the first [`MAX_FINDINGS`] are kept, and the others are counted.
///
/// ```
/// use widget_core::finding::Code;
/// use widget_core::origin::{AllowedOrigins, SuffixList};
///
/// let faults = AllowedOrigins::parse(&["shop.example", "*.com"], SuffixList::builtin())
///     .expect_err("a pattern on a public suffix");
/// assert_eq!(faults.len(), 1);
/// assert_eq!(faults[0].code, Code::WildcardPublicSuffix);
/// assert_eq!(faults[0].pointer.as_deref(), Some("/domains/1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Findings(FindingList);

impl Findings {
    /// All of them; `None` when there are none.
    #[must_use]
    pub fn from_list(findings: FindingList) -> Option<Self> {
        (!findings.is_empty()).then_some(Self(findings))
    }

    /// `value` when nothing was found.
    ///
    /// # Errors
    /// The findings, when there are any.
    pub fn none_or<T>(findings: FindingList, value: T) -> Result<T, Self> {
        match Self::from_list(findings) {
            None => Ok(value),
            Some(findings) => Err(findings),
        }
    }

    /// Those that are kept, in the order in which they were found.
    #[must_use]
    pub fn as_slice(&self) -> &[Finding] {
        &self.0
    }

    /// All of them as a list.
    #[must_use]
    pub fn into_list(self) -> FindingList {
        self.0
    }

    /// Those that are kept, in the order in which they were found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.0.into_vec()
    }

    /// How many were found.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.total()
    }

    /// How many of them are only counted.
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.0.omitted()
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: impl IntoIterator<Item = Finding>) -> Self {
        self.0.extend(others);
        self
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Self(std::iter::once(finding).collect())
    }
}

impl From<Findings> for FindingList {
    fn from(findings: Findings) -> Self {
        findings.0
    }
}

impl Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.0
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// How many findings are written as one text; more are better read in the list.
const MAX_DISPLAYED: usize = 3;

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().take(MAX_DISPLAYED).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{finding}")?;
        }
        match self.total().saturating_sub(MAX_DISPLAYED) {
            0 => Ok(()),
            more => write!(formatter, "; and {more} more"),
        }
    }
}

impl std::error::Error for Findings {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn reads_as_one_line() {
        let finding = Finding::new(Code::Empty, "the entry is empty")
            .at("/domains/0")
            .with_hint("remove it");
        assert_eq!(
            finding.to_string(),
            "/domains/0: the entry is empty [empty]"
        );
        assert_eq!(finding.hint.as_deref(), Some("remove it"));
        for whole in [
            Finding::new(Code::JsonInvalid, "no"),
            Finding::new(Code::JsonInvalid, "no").at(""),
        ] {
            assert_eq!(whole.to_string(), "no [json_invalid]");
        }
    }

    #[test]
    fn codes_are_snake_case_and_each_is_there_once() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} is there twice");
            assert!(
                text.split('_').all(|word| !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())),
                "{text}"
            );
            assert_eq!(text.parse(), Ok(*code));
        }
    }

    #[test]
    fn an_error_is_never_empty_and_its_text_is_bounded() {
        assert_eq!(Findings::from_list(FindingList::new()), None);
        assert_eq!(Findings::none_or(FindingList::new(), 1), Ok(1));
        let one = Findings::from(Finding::new(Code::TooFew, "a"));
        assert_eq!(one.to_string(), "a [too_few]");
        let many = one.and((0..9).map(|_| Finding::new(Code::TooMany, "b")));
        assert_eq!(many.len(), 10);
        assert_eq!(
            many.to_string(),
            "a [too_few]; b [too_many]; b [too_many]; and 7 more"
        );
        assert_eq!(Findings::none_or(many.clone().into_list(), 1), Err(many));
    }

    #[test]
    fn a_list_keeps_the_first_and_counts_all() {
        let list = |count: usize| -> FindingList {
            let numbered = |number: usize| Finding::new(Code::Empty, number.to_string());
            (0..count).map(numbered).collect()
        };
        for (count, kept, total_if_omitted) in [
            (0, 0, None),
            (100, 100, None),
            (101, 100, Some(101)),
            (190_000, 100, Some(190_000)),
        ] {
            let list = list(count);
            assert_eq!((list.len(), list.total()), (kept, count));
            assert_eq!(list.omitted(), count - kept);
            assert_eq!(list.total_if_omitted(), total_if_omitted);
            assert_eq!(list.last(), list.get(kept.saturating_sub(1)));
        }
        let mut both = list(60);
        both.append(list(150));
        assert_eq!((both.len(), both.total()), (100, 210));
        assert_eq!(both[99].detail, "39");
        both.push_with(|| unreachable!("a finding that is only counted is not made"));
        assert_eq!(both.map(|finding| finding.at("/x")).total(), 211);
        let error = Findings::from_list(list(1000)).expect("an error");
        assert!(error.to_string().ends_with("; and 997 more"), "{error}");
        assert_eq!((error.total(), error.omitted()), (1000, 900));
    }
}
