//! What a change of a widget does to its visitors, in a few codes.
//!
//! ```
//! use widget_core::effects::{self, EffectCode, Moment};
//! use widget_core::{go_live::PinnedVersion, widget::{NewWidget, WidgetPatch}};
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//!
//! let before = NewWidget::new("acme".parse()?, agent, version).into_widget(id, now);
//! let publish = WidgetPatch { published: Some(true), ..WidgetPatch::default() };
//! let after = publish.apply(before.clone(), now);
//! let moment = |widget| Moment::now(widget, PinnedVersion::Published);
//! let effects = effects::compare(Some(moment(&before)), moment(&after), None);
//! assert_eq!(effects[0].code, EffectCode::WentLive);
//! # Ok::<(), widget_core::id::IdError>(())
//! ```

use crate::{
    choice::choices,
    go_live::{self, PinnedVersion},
    widget::Widget,
};

choices! {
    /// What a change does to visitors.
    pub enum EffectCode {
        /// They see the widget, and did not before.
        WentLive = "went_live",
        /// They do not see the widget anymore.
        Stopped = "stopped",
        /// They see it on more sites.
        DomainsAdded = "domains_added",
        /// They do not see it anymore on some sites.
        DomainsRemoved = "domains_removed",
        /// New conversations are with another version, or with another agent.
        VersionChanged = "version_changed",
        /// The widget looks or behaves otherwise.
        LookChanged = "look_changed",
        /// Conversations that were open cannot continue.
        ConversationsEnded = "conversations_ended",
    }
}

/// One of the things that a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What it does.
    pub code: EffectCode,
    /// The entries of the list of sites that it is about: of `went_live` and `stopped` all.
    pub domains: Vec<String>,
    /// The number of conversations: of `conversations_ended`.
    pub count: Option<u64>,
}

/// A widget at a time.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// What it was.
    pub widget: &'a Widget,
    /// Whether it was live; nothing when nobody knows anymore.
    pub live: Option<bool>,
}

impl<'a> Moment<'a> {
    /// A widget, going by the version that it pins.
    #[must_use]
    pub fn now(widget: &'a Widget, pinned: PinnedVersion) -> Self {
        let live = Some(go_live::check(widget, pinned).is_ok());
        Self { widget, live }
    }

    /// A widget of which somebody may have noted whether it was live. One that was not published
    /// was not live in any case.
    #[must_use]
    pub fn noted(widget: &'a Widget, live: Option<bool>) -> Self {
        let live = if widget.published { live } else { Some(false) };
        Self { widget, live }
    }
}

/// What visitors notice of a change, the most important first: nothing while the widget is not live
/// before and after. `before` is nothing for a widget that was made by it; `ended` is the number of
/// conversations that it ends, if that is known.
#[must_use]
pub fn compare(before: Option<Moment<'_>>, after: Moment<'_>, ended: Option<u64>) -> Vec<Effect> {
    let effect = |code, domains: Vec<String>| Effect {
        code,
        domains,
        count: None,
    };
    let entries = |moment: &Moment<'_>| moment.widget.domains.entries().to_vec();
    let mut effects = Vec::new();
    let was_live = before.map_or(Some(false), |before| before.live);
    match (before, was_live, after.live) {
        (_, Some(false), Some(true)) => effects.push(effect(EffectCode::WentLive, entries(&after))),
        // Nobody knows that it was live, and nobody sees it now.
        (_, Some(false) | None, Some(false)) | (None, ..) => {}
        (Some(before), Some(true), Some(false)) => {
            effects.push(effect(EffectCode::Stopped, entries(&before)));
        }
        (Some(before), ..) => {
            let without = |list: &Moment<'_>, other: &Moment<'_>| -> Vec<String> {
                let (list, other) = (entries(list), entries(other));
                let only = list.into_iter().filter(|entry| !other.contains(entry));
                only.collect()
            };
            for (code, domains) in [
                (EffectCode::DomainsAdded, without(&after, &before)),
                (EffectCode::DomainsRemoved, without(&before, &after)),
            ] {
                if !domains.is_empty() {
                    effects.push(effect(code, domains));
                }
            }
            let pin = |moment: &Moment<'_>| {
                let widget = moment.widget;
                (widget.agent_id, widget.agent_version_id)
            };
            if pin(&before) != pin(&after) {
                effects.push(effect(EffectCode::VersionChanged, Vec::new()));
            }
            let (old, new) = (&before.widget.config, &after.widget.config);
            if old.as_json() != new.as_json() && old.for_window() != new.for_window() {
                effects.push(effect(EffectCode::LookChanged, Vec::new()));
            }
        }
    }
    if let Some(count) = ended.filter(|count| *count > 0) {
        effects.push(Effect {
            count: Some(count),
            ..effect(EffectCode::ConversationsEnded, Vec::new())
        });
    }
    effects
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::{
        config::Config,
        origin::{AllowedOrigins, SuffixList},
        widget::NewWidget,
    };

    fn widget(domains: &[&str], config: serde_json::Value, version: u128) -> Widget {
        let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001";
        let version = crate::id::AgentVersionId::from_uuid(uuid::Uuid::from_u128(version));
        let new = NewWidget {
            domains: AllowedOrigins::parse(domains, SuffixList::builtin()).expect("valid"),
            config: Config::from_value(config).expect("valid"),
            published: true,
            ..NewWidget::new(
                "acme".parse().expect("a name"),
                id.parse().expect("an id"),
                version,
            )
        };
        new.into_widget(id.parse().expect("an id"), datetime!(2026-01-01 00:00 UTC))
    }

    #[track_caller]
    fn check(
        before: Option<(&Widget, Option<bool>)>,
        after: (&Widget, Option<bool>),
        ended: Option<u64>,
        expected: &[&str],
    ) {
        let moment = |(widget, live)| Moment::noted(widget, live);
        let effects = compare(before.map(moment), moment(after), ended);
        let shown: Vec<String> = effects
            .iter()
            .map(|effect| {
                let count = effect.count.map(|count| format!(" {count}"));
                let words = [vec![effect.code.to_string()], effect.domains.clone()].concat();
                words.join(" ") + &count.unwrap_or_default()
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn effects_say_what_visitors_notice() {
        let old = widget(&["a.example", "b.example"], json!({}), 1);
        let new = widget(
            &["b.example", "c.example"],
            json!({"v1": {"theme": "dark"}}),
            2,
        );
        let (live, not_live, unknown) = (Some(true), Some(false), None);
        check(Some((&old, live)), (&old, live), Some(0), &[]);
        check(
            Some((&old, live)),
            (&new, live),
            Some(3),
            &[
                "domains_added https://c.example",
                "domains_removed https://a.example",
                "version_changed",
                "look_changed",
                "conversations_ended 3",
            ],
        );
        let went_live = ["went_live https://b.example https://c.example"];
        check(Some((&old, not_live)), (&new, live), None, &went_live);
        check(None, (&new, live), None, &went_live);
        let stopped = ["stopped https://a.example https://b.example"];
        check(Some((&old, live)), (&new, not_live), None, &stopped);
        check(Some((&old, not_live)), (&new, not_live), None, &[]);
        check(None, (&new, not_live), None, &[]);
        check(None, (&new, unknown), None, &[]);
        // Nobody knows whether it was live, so that nothing is said about that.
        let changed = [
            "domains_added https://c.example",
            "domains_removed https://a.example",
            "version_changed",
            "look_changed",
        ];
        check(Some((&old, unknown)), (&new, live), None, &changed);
        check(Some((&old, live)), (&new, unknown), None, &changed);
        check(Some((&old, unknown)), (&new, not_live), None, &[]);
        // One that was not published was not live, whatever was noted.
        let draft = Widget {
            published: false,
            ..old.clone()
        };
        check(Some((&draft, unknown)), (&new, live), None, &went_live);
        check(Some((&draft, live)), (&new, live), None, &went_live);
    }

    #[test]
    fn only_what_visitors_get_is_a_look() {
        let empty = widget(&["*"], json!({}), 1);
        for (config, expected) in [
            (json!({"v1": {}}), &[][..]),
            (json!({"v1": {"a_key_of_later": 1}}), &[]),
            (json!({"v1": {"chat": {"title": ""}}}), &[]),
            (json!({"v1": {"chat": {"title": "Hi"}}}), &["look_changed"]),
        ] {
            let other = widget(&["*"], config, 1);
            check(
                Some((&empty, Some(true))),
                (&other, Some(true)),
                None,
                expected,
            );
        }
    }
}
