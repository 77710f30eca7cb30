//! The two gates, the decision to serve, and the record they are about.

use expect_test::expect;
use serde_json::json;
use widget_core::{
    config::Config,
    go_live::{self, PinnedVersion},
    serve,
    widget::{NewWidget, Widget, WidgetPatch},
};

use crate::support::{at, codes, list, origin, widget};

const VERSIONS: [(PinnedVersion, Option<&str>, Option<&str>); 5] = [
    (
        PinnedVersion::AgentMissing,
        Some("agent_not_found"),
        Some("/agent_id"),
    ),
    (
        PinnedVersion::VersionMissing,
        Some("agent_version_not_found"),
        Some("/agent_version_id"),
    ),
    (
        PinnedVersion::OtherAgent,
        Some("agent_version_of_other_agent"),
        Some("/agent_version_id"),
    ),
    (
        PinnedVersion::Draft,
        Some("agent_version_draft"),
        Some("/agent_version_id"),
    ),
    (PinnedVersion::Published, None, None),
];

fn unpublished(entries: &[&str]) -> Widget {
    Widget {
        published: false,
        ..widget(entries)
    }
}

#[test]
fn every_combination_of_gates() {
    for (version, code, pointer) in VERSIONS {
        for published in [true, false] {
            let widget = Widget {
                published,
                ..widget(&["https://shop.example"])
            };
            let mut expected = Vec::new();
            if !published {
                expected.push(("not_published", Some("/published")));
            }
            if let Some(code) = code {
                expected.push((code, pointer));
            }
            match go_live::check(&widget, version) {
                Ok(live) => {
                    assert!(expected.is_empty());
                    assert_eq!(live.widget(), &widget);
                }
                Err(blockers) => {
                    let found: Vec<_> = blockers
                        .iter()
                        .map(|blocker| (blocker.code.as_str(), blocker.pointer.as_deref()))
                        .collect();
                    assert_eq!(found, expected, "{version:?}, published: {published}");
                    assert!(blockers.iter().all(|blocker| blocker.hint.is_some()));
                }
            }
            let report = go_live::report(&widget, version);
            assert_eq!(report.live, expected.is_empty());
            assert_eq!(
                codes(&report.blockers),
                expected.iter().map(|(code, _)| *code).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn blockers_read_well() {
    let report = go_live::report(
        &unpublished(&["https://a.shop.example"]),
        PinnedVersion::Draft,
    );
    let lines: Vec<_> = report.blockers.iter().map(ToString::to_string).collect();
    expect![[r"
        /published: the widget is not published [not_published]
        /agent_version_id: the version `00000000-0000-0000-0000-000000000003` is a draft [agent_version_draft]"]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn warnings_of_the_list_and_of_both_together() {
    let report = go_live::report(
        &widget(&["http://a.shop.example", "https://b.shop.example"]),
        PinnedVersion::Published,
    );
    assert!(report.live);
    let found: Vec<_> = report
        .warnings
        .iter()
        .map(|warning| (warning.code.as_str(), warning.pointer.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("insecure_origin", Some("/domains/0")),
            ("voice_needs_https", Some("/domains/0")),
        ]
    );
    let none = go_live::report(
        &widget(&["https://b.shop.example"]),
        PinnedVersion::Published,
    );
    assert!(none.live);
    assert_eq!((none.blockers, none.warnings), (vec![], vec![]));
}

#[test]
fn text_alone_needs_no_encryption() {
    let config = Config::from_value(json!({"v1": {"modes": {"voice": false}, "color": "red"}}))
        .expect("a config");
    let report = go_live::report(
        &Widget {
            config,
            ..widget(&["http://a.shop.example"])
        },
        PinnedVersion::Published,
    );
    // The config's own warnings are there too.
    assert_eq!(codes(&report.warnings), ["insecure_origin", "key_unknown"]);
}

#[test]
fn an_empty_list_is_a_warning_and_no_blocker() {
    let report = go_live::report(&widget(&[]), PinnedVersion::Published);
    assert!(report.live);
    assert_eq!(codes(&report.warnings), ["no_domains"]);
}

#[test]
fn admission_needs_gates_and_listing() {
    let listed = origin("https://shop.example");
    let unlisted = origin("https://evil.example");
    for (version, code, _) in VERSIONS {
        for published in [true, false] {
            let widget = Widget {
                published,
                ..widget(&["https://shop.example"])
            };
            for page in [&listed, &unlisted] {
                let mut expected = Vec::new();
                if !published {
                    expected.push("not_published");
                }
                expected.extend(code);
                if page == &unlisted {
                    expected.push("origin_not_listed");
                }
                match serve::admit(&widget, version, page) {
                    Ok(admission) => {
                        assert!(expected.is_empty());
                        assert_eq!(admission.widget(), &widget);
                        assert_eq!(admission.origin(), &listed);
                    }
                    Err(refusal) => assert_eq!(codes(&refusal.reasons), expected),
                }
            }
        }
    }
}

#[test]
fn a_refusal_is_one_sentence() {
    let widget = unpublished(&["https://shop.example"]);
    let refusal = serve::admit(
        &widget,
        PinnedVersion::Published,
        &origin("https://evil.example"),
    )
    .expect_err("two reasons");
    assert_eq!(
        refusal.to_string(),
        "/published: the widget is not published [not_published]; /domains: `https://evil.example` is not on the list of domains [origin_not_listed]"
    );
}

#[test]
fn a_new_widget_is_closed() {
    let template = widget(&[]);
    let new = NewWidget::new(
        template.organization_id.clone(),
        template.agent_id,
        template.agent_version_id,
    );
    let made = new.into_widget(template.id, at(5));
    assert!(!made.published);
    assert!(made.domains.is_empty());
    assert_eq!(made.created_at, at(5));
    assert_eq!(made.updated_at, at(5));
    assert_eq!(made.id, template.id);
    assert_eq!(
        codes(&go_live::report(&made, PinnedVersion::Published).blockers),
        ["not_published"]
    );
}

#[test]
fn a_patch_replaces_what_it_names() {
    let before = widget(&["https://a.example"]);
    let after = WidgetPatch {
        published: Some(false),
        domains: Some(list(&["https://b.example"])),
        ..WidgetPatch::default()
    }
    .apply(before.clone(), at(9));
    assert_eq!(
        after,
        Widget {
            published: false,
            domains: list(&["https://b.example"]),
            updated_at: at(9),
            ..before.clone()
        }
    );
    let other = WidgetPatch {
        agent_id: Some("00000000-0000-0000-0000-0000000000aa".parse().expect("id")),
        agent_version_id: Some("00000000-0000-0000-0000-0000000000bb".parse().expect("id")),
        ..WidgetPatch::default()
    }
    .apply(before.clone(), at(9));
    assert_ne!(other.agent_id, before.agent_id);
    assert_ne!(other.agent_version_id, before.agent_version_id);
    assert_eq!(other.domains, before.domains);
    let config = Config::from_value(json!({"v1": {"theme": "dark"}})).expect("a config");
    let themed = WidgetPatch {
        config: Some(config.clone()),
        ..WidgetPatch::default()
    }
    .apply(before, at(9));
    assert_eq!(themed.config, config);
}

#[test]
fn a_patch_that_changes_nothing_leaves_the_time() {
    let before = widget(&["https://a.example"]);
    for patch in [
        WidgetPatch::default(),
        WidgetPatch {
            published: Some(true),
            domains: Some(list(&["a.example"])),
            ..WidgetPatch::default()
        },
    ] {
        assert_eq!(patch.apply(before.clone(), at(9)), before);
    }
}
