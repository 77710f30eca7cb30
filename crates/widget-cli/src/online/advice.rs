//! What codes say to people: a few words in a list, and the command to enter next.

use widget_api::{Received, decisions::Finding};
use widget_core::{
    finding::Code,
    id::{AgentId, AgentVersionId, WidgetId},
    origin::{Entry, Origin, SuffixList},
};

/// A code in a few words, for a list.
pub(crate) fn words(code: &Received<Code>) -> String {
    let words = match code.known() {
        Some(Code::NotPublished) => "not published",
        Some(Code::AgentNotFound) => "agent missing",
        Some(Code::AgentVersionNotFound) => "version missing",
        Some(Code::AgentVersionOfOtherAgent) => "another agent's version",
        Some(Code::AgentVersionDraft) => "draft version",
        Some(Code::AgentDirectoryUnavailable) => "agent directory down",
        Some(Code::ConfigUnreadable) => "config unreadable",
        Some(Code::FieldUnreadable) => "unreadable",
        Some(Code::WidgetDeleted) => "deleted",
        Some(Code::WidgetNotFound) => "no such widget",
        Some(Code::OriginNotListed) => "site not listed",
        Some(Code::OriginRequired) => "no origin sent",
        Some(Code::OriginOpaque) => "page without an origin",
        Some(Code::OriginMalformed) => "origin malformed",
        Some(Code::OriginScheme) => "neither http nor https",
        // Of a newer service, or one that is not expected here.
        _ => return code.to_string().replace('_', " "),
    };
    words.to_owned()
}

/// The widget that a finding is about, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'w> {
    pub(crate) widget: WidgetId,
    /// The agent and the version that it pins; `None` also where they are kept in an agent
    /// directory, which this program does not change.
    pub(crate) agent: Option<(AgentId, AgentVersionId)>,
    pub(crate) domains: &'w [String],
    /// The site of the page in question.
    pub(crate) origin: Option<&'w Origin>,
}

impl About<'_> {
    /// Findings with the command to enter next in their hints.
    pub(crate) fn advise(&self, findings: &[Finding]) -> Vec<Finding> {
        let advised = |found: &Finding| {
            let (pointer, hint) = (found.pointer.as_deref(), found.hint.as_deref());
            Finding {
                hint: self.hint(&found.code, pointer, hint),
                ..found.clone()
            }
        };
        findings.iter().map(advised).collect()
    }

    /// The hint of a finding with the command to enter next, where there is one.
    pub(crate) fn hint(
        &self,
        code: &Received<Code>,
        pointer: Option<&str>,
        hint: Option<&str>,
    ) -> Option<String> {
        let command = code
            .known()
            .and_then(|code| self.command(code, pointer, hint));
        match (hint, command) {
            (Some(_), Some(command)) if code.known() == Some(Code::NotPublished) => {
                Some(format!("`{command}` publishes it"))
            }
            (Some(hint), Some(command)) => Some(match self.origin {
                Some(origin) if hint == format!("add `{origin}`") => format!("`{command}` adds it"),
                _ => format!("{hint}: `{command}`"),
            }),
            (None, Some(command)) => Some(format!("`{command}`")),
            (hint, None) => hint.map(str::to_owned),
        }
    }

    fn command(&self, code: Code, pointer: Option<&str>, hint: Option<&str>) -> Option<String> {
        let id = self.widget;
        match code {
            Code::NotPublished => Some(format!("widget publish {id}")),
            Code::AgentVersionDraft => {
                let (agent, version) = self.agent?;
                Some(format!(
                    "widget agents publish {agent} {version}` or `widget pin {id} --newest"
                ))
            }
            Code::AgentVersionNotFound | Code::AgentVersionOfOtherAgent => {
                self.agent?;
                Some(format!("widget pin {id} --newest"))
            }
            Code::AgentNotFound => {
                self.agent?;
                Some("widget agents list".to_owned())
            }
            Code::NoDomains => Some(format!("widget domains {id} add https://YOUR-SITE")),
            // Where another name is to be listed, the hint says so.
            Code::OriginNotListed => {
                let origin = self.origin?;
                let is_advised = hint.is_some_and(|hint| hint.contains(&format!("`{origin}`")));
                is_advised.then(|| format!("widget domains {id} add {origin}"))
            }
            Code::TwinMissing => {
                let place: usize = pointer?.strip_prefix("/domains/")?.parse().ok()?;
                let entry = Entry::parse(self.domains.get(place)?, SuffixList::builtin()).ok()?;
                let Entry::Exact(origin) = entry else {
                    return None;
                };
                let twin = origin.www_twin(SuffixList::builtin())?;
                Some(format!("widget domains {id} add {twin}"))
            }
            Code::LoopbackOrigin => {
                let place: usize = pointer?.strip_prefix("/domains/")?.parse().ok()?;
                let entry = self.domains.get(place)?;
                Some(format!("widget domains {id} remove {entry}"))
            }
            _ => None,
        }
    }
}
