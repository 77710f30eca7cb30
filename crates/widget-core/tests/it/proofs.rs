//! What is made from an admission is for its widget and its page.

use time::Duration;
use uuid::Uuid;
use widget_core::{
    go_live::PinnedVersion,
    id::{ConversationId, PreviewId, WidgetId},
    mode::Mode,
    serve::{
        self, Dispatch, DispatchError, DispatchTarget, EmbedTicket, Preview, PreviewProof,
        TicketClaims,
    },
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
        preview_id: None,
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
        preview_id: None,
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
        (
            DispatchTarget {
                preview_id: Some(PreviewId::from_uuid(Uuid::from_u128(7))),
                ..target
            },
            DispatchError::OtherPreview,
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
        preview_id: None,
        origin: &page,
        agent_version_id: before.agent_version_id,
        agent_name: "helper",
        mode: Mode::Text,
    };
    let resumed = Dispatch::resume(&admission, target).expect("its own conversation");
    assert_eq!(resumed.agent_version_id(), before.agent_version_id);
}

/// A preview whose token has the hash of sevens, and which lasts an hour.
fn preview_of(draft: &Widget, number: u128) -> Preview {
    let id = PreviewId::from_uuid(Uuid::from_u128(number));
    let expires_at = at(0) + Duration::HOUR;
    Preview::new(id, draft.clone(), [7; 32], expires_at)
}

#[test]
fn a_preview_opens_by_its_token_until_it_ends() {
    let preview = preview_of(&widget(&["https://shop.example"]), 1);
    let token = PreviewProof::Token(&[7; 32]);
    let almost = preview.expires_at() - Duration::nanoseconds(1);
    assert!(preview.open(token, at(0)).is_some());
    assert!(preview.open(token, almost).is_some());
    assert!(preview.open(token, preview.expires_at()).is_none());
    assert!(preview.open(PreviewProof::Token(&[8; 32]), at(0)).is_none());
}

#[test]
fn only_a_grant_admits_to_a_draft() {
    let preview = preview_of(&widget(&["https://shop.example"]), 1);
    let (own, page) = (
        origin("https://widgets.example"),
        origin("https://shop.example"),
    );
    // The gates refuse a draft on each page, whatever the widget itself allows.
    for page in [&own, &page] {
        let refused = serve::admit(preview.draft(), PinnedVersion::Published, page);
        let reasons = refused.expect_err("a draft is closed").reasons;
        assert_eq!(reasons.len(), 2, "{reasons}");
    }
    let grant = preview
        .open(PreviewProof::Token(&[7; 32]), at(0))
        .expect("the link is good");
    assert!(serve::admit_preview(grant, &own, &page).is_err());
    let admission = serve::admit_preview(grant, &own, &own).expect("a page of the service");
    assert_eq!(admission.preview_id(), Some(preview.id()));
    assert_eq!(admission.widget(), preview.draft());
}

#[test]
fn what_a_preview_allows_is_for_itself() {
    let shown = widget(&["https://widgets.example"]);
    let own = origin("https://widgets.example");
    let [first, second] = [1, 2].map(|number| preview_of(&shown, number));
    let ticket_of = |preview: &Preview| {
        let grant = preview.open(PreviewProof::Token(&[7; 32]), at(0));
        let grant = grant.expect("the link is good");
        let admission = serve::admit_preview(grant, &own, &own).expect("a page of the service");
        EmbedTicket::new(&admission, Uuid::from_u128(7), at(0))
    };
    let public = serve::admit(&shown, PinnedVersion::Published, &own).expect("listed");
    let public_ticket = EmbedTicket::new(&public, Uuid::from_u128(8), at(0));
    let (ticket, other) = (ticket_of(&first), ticket_of(&second));
    for (claims, opens) in [
        (ticket.claims(), true),
        (other.claims(), false),
        (public_ticket.claims(), false),
    ] {
        let opened = first.open(PreviewProof::Ticket(claims), at(0));
        assert_eq!(opened.is_some(), opens, "{claims:?}");
    }
    let of_other_widget = TicketClaims {
        widget_id: WidgetId::from_uuid(Uuid::from_u128(9)),
        ..ticket.claims().clone()
    };
    assert!(
        first
            .open(PreviewProof::Ticket(&of_other_widget), at(0))
            .is_none()
    );
    let late = first.expires_at();
    assert!(
        first
            .open(PreviewProof::Ticket(ticket.claims()), late)
            .is_none()
    );

    // A conversation stays where it began.
    let target = |preview_id| DispatchTarget {
        conversation_id: ConversationId::from_uuid(Uuid::from_u128(7)),
        widget_id: shown.id,
        preview_id,
        origin: &own,
        agent_version_id: shown.agent_version_id,
        agent_name: "helper",
        mode: Mode::Text,
    };
    let grant = first.open(PreviewProof::Token(&[7; 32]), at(0));
    let grant = grant.expect("the link is good");
    let admission = serve::admit_preview(grant, &own, &own).expect("a page of the service");
    assert!(Dispatch::resume(&admission, target(Some(first.id()))).is_ok());
    for elsewhere in [None, Some(second.id())] {
        let refused = Dispatch::resume(&admission, target(elsewhere));
        assert_eq!(refused, Err(DispatchError::OtherPreview));
    }
    let refused = Dispatch::resume(&public, target(Some(first.id())));
    assert_eq!(refused, Err(DispatchError::OtherPreview));
}

#[test]
fn a_preview_lasts_a_minute_to_thirty_days() {
    let lasts = |seconds| serve::preview_expiry(seconds, at(0)).map(|end| end - at(0));
    assert_eq!(lasts(None), Ok(Duration::DAY));
    assert_eq!(lasts(Some(60)), Ok(Duration::MINUTE));
    assert_eq!(lasts(Some(2_592_000)), Ok(Duration::days(30)));
    for seconds in [0, 59, 2_592_001, u32::MAX] {
        let refused = lasts(Some(seconds)).expect_err("too short or too long");
        let found = format!("`{seconds}` seconds");
        assert!(refused.to_string().contains(&found), "{refused}");
    }
    assert!(serve::require_preview_capacity(49).is_ok());
    assert!(serve::require_preview_capacity(50).is_err());
}

#[test]
fn an_address_is_shown_without_the_token() {
    for (address, expected) in [
        (
            "https://w.example/public/preview/AbC-_9",
            "https://w.example/public/preview/",
        ),
        (
            "https://w.example/public/preview/AbC?x=1#y",
            "https://w.example/public/preview/?x=1#y",
        ),
        (
            "https://w.example/public/preview/AbC/state",
            "https://w.example/public/preview//state",
        ),
        ("https://shop.example/cart", "https://shop.example/cart"),
        ("", ""),
    ] {
        assert_eq!(serve::without_preview_token(address), expected);
    }
}
