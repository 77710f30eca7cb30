//! What is made from an admission is for its widget and its page.

use time::Duration;
use uuid::Uuid;
use widget_core::{
    go_live::PinnedVersion,
    id::{ConversationId, WidgetId},
    mode::Mode,
    serve::{self, Dispatch, DispatchError, DispatchTarget, EmbedTicket, TicketClaims},
    widget::Widget,
};

use crate::support::{at, origin, widget};

#[test]
fn a_ticket_is_for_the_admitted_page() {
    let widget = widget(&["https://shop.example"]);
    let page = origin("https://shop.example");
    let admission = serve::admit(&widget, PinnedVersion::Published, &page).expect("listed");
    let expires_at = at(0) + Duration::seconds(60);
    let ticket = EmbedTicket::new(&admission, Uuid::from_u128(7), expires_at);
    let claims = TicketClaims {
        id: Uuid::from_u128(7),
        widget_id: widget.id,
        origin: page.clone(),
        expires_at,
    };
    assert_eq!(ticket.claims(), &claims);
}

#[test]
fn a_dispatch_is_for_a_conversation_of_the_admitted_page() {
    let widget = widget(&["https://shop.example", "https://other.example"]);
    let page = origin("https://shop.example");
    let admission = serve::admit(&widget, PinnedVersion::Published, &page).expect("listed");
    let target = DispatchTarget {
        conversation_id: ConversationId::from_uuid(Uuid::from_u128(7)),
        widget_id: widget.id,
        origin: &page,
        agent_version_id: widget.agent_version_id,
        agent_name: "helper",
        mode: Mode::Text,
    };

    let started = Dispatch::start(&admission, target).expect("its own conversation");
    assert_eq!(started.conversation_id(), target.conversation_id);
    assert_eq!(started.agent_version_id(), widget.agent_version_id);
    assert_eq!(started.agent_name(), "helper");
    assert!(!started.resumed());

    assert_eq!(started.mode(), Mode::Text);

    let spoken = DispatchTarget {
        mode: Mode::Voice,
        ..target
    };
    let resumed = Dispatch::resume(&admission, spoken).expect("its own conversation");
    assert!(resumed.resumed());
    assert_eq!(resumed.mode(), Mode::Voice);

    let other = origin("https://other.example");
    for (target, error) in [
        (
            DispatchTarget {
                widget_id: WidgetId::from_uuid(Uuid::from_u128(7)),
                ..target
            },
            DispatchError::OtherWidget,
        ),
        (
            DispatchTarget {
                origin: &other,
                ..target
            },
            DispatchError::OtherOrigin,
        ),
    ] {
        assert_eq!(Dispatch::start(&admission, target), Err(error));
        assert_eq!(Dispatch::resume(&admission, target), Err(error));
    }
}

/// A conversation keeps the version with which it began, even when the widget pins another one.
#[test]
fn a_dispatch_keeps_the_version_of_its_conversation() {
    let before = widget(&["https://shop.example"]);
    let page = origin("https://shop.example");
    let now = Widget {
        agent_version_id: "00000000-0000-0000-0000-000000000009"
            .parse()
            .expect("an id"),
        ..before.clone()
    };
    let admission = serve::admit(&now, PinnedVersion::Published, &page).expect("listed");
    let target = DispatchTarget {
        conversation_id: ConversationId::from_uuid(Uuid::from_u128(7)),
        widget_id: before.id,
        origin: &page,
        agent_version_id: before.agent_version_id,
        agent_name: "helper",
        mode: Mode::Text,
    };
    let resumed = Dispatch::resume(&admission, target).expect("its own conversation");
    assert_eq!(resumed.agent_version_id(), before.agent_version_id);
}
