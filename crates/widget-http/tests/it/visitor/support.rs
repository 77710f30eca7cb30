//! A visitor of one widget: its page's loader, and its window.

use serde_json::{Value, json};
use widget_http::settings::{LiveKitSettings, Settings};

use crate::support::{Answer, Service, id};

/// Origin of the page that embeds the widget.
pub(crate) const SHOP: &str = "https://shop.example";
/// Origin of the service, and so of the window.
pub(crate) const OWN: &str = "https://widgets.example";
/// Name and secret of LiveKit's key.
pub(crate) const LIVEKIT_KEY: &str = "devkey";
pub(crate) const LIVEKIT_SECRET: &str = "secret-secret-secret-secret-secret-32";

/// Settings with a LiveKit that nobody listens as.
pub(crate) fn with_livekit(settings: &mut Settings) {
    settings.livekit = Some(LiveKitSettings {
        url: "ws://127.0.0.1:9".parse().expect("a valid URL"),
        public_url: "wss://livekit.example".parse().expect("a valid URL"),
        api_key: LIVEKIT_KEY.to_owned(),
        api_secret: LIVEKIT_SECRET.into(),
    });
}

/// A conversation as its window knows it.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) room: String,
    pub(crate) body: Value,
}

impl From<Value> for Started {
    fn from(body: Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a string of the answer").to_owned();
        Self {
            id: id(&body["conversation"]),
            token: text(&body["conversation_token"]),
            room: text(&body["room_name"]),
            body,
        }
    }
}

/// A visitor of one widget.
pub(crate) struct Visitor<'a> {
    pub(crate) service: &'a Service,
    pub(crate) widget: Value,
}

impl<'a> Visitor<'a> {
    /// A visitor of a live widget with this config.
    pub(crate) async fn of(service: &'a Service, config: Value) -> Self {
        let domains = [SHOP, "https://other.example"];
        let widget = service
            .widget(json!({"config": config, "domains": domains}))
            .await;
        Self { service, widget }
    }

    /// The same visitor, whose requests reach another node.
    pub(crate) fn on<'b>(&self, service: &'b Service) -> Visitor<'b> {
        let widget = self.widget.clone();
        Visitor { service, widget }
    }

    /// Path below the widget's public address.
    pub(crate) fn path(&self, tail: &str) -> String {
        format!("/core/public/web-widgets/{}{tail}", id(&self.widget))
    }

    /// A request of the window.
    pub(crate) async fn window(&self, tail: &str, token: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("origin", OWN), ("authorization", authorization.as_str())];
        self.service
            .call_with(
                None,
                "POST",
                &self.path(tail),
                Some(&body.to_string()),
                &headers,
            )
            .await
    }

    /// What the window reads of a conversation.
    pub(crate) async fn read(&self, started: &Started) -> Answer {
        let path = self.path(&format!("/conversations/{}", started.id));
        self.service
            .call_with(Some(&started.token), "GET", &path, None, &[])
            .await
    }

    /// The start of a conversation through a proxy that names this address as the visitor's.
    pub(crate) async fn try_start_from(&self, address: &str) -> Answer {
        let call = async |tail: &str, body: &str, headers: &[(&str, &str)]| {
            let forwarded = [("x-forwarded-for", address)];
            let headers = [&forwarded, headers].concat();
            let path = self.path(tail);
            self.service
                .call_with(None, "POST", &path, Some(body), &headers)
                .await
        };
        let ticket = call("/embed-tickets", "{}", &[("origin", SHOP)]).await;
        let ticket = ticket.json(201)["ticket"].clone();
        let authorization = format!("Bearer {}", ticket.as_str().expect("a string"));
        let headers = [("origin", OWN), ("authorization", authorization.as_str())];
        call("/conversations", "{}", &headers).await
    }

    pub(crate) async fn ask_for_ticket(&self, origin: &str) -> Answer {
        let path = self.path("/embed-tickets");
        self.service
            .call_with(None, "POST", &path, Some("{}"), &[("origin", origin)])
            .await
    }

    pub(crate) async fn ticket_from(&self, origin: &str) -> String {
        let body = self.ask_for_ticket(origin).await.json(201);
        body["ticket"].as_str().expect("a string").to_owned()
    }

    pub(crate) async fn ticket(&self) -> String {
        self.ticket_from(SHOP).await
    }

    pub(crate) async fn try_start(&self, body: Value) -> Answer {
        let ticket = self.ticket().await;
        self.window("/conversations", &ticket, body).await
    }

    pub(crate) async fn start(&self) -> Started {
        self.try_start(json!({})).await.json(201).into()
    }

    pub(crate) async fn try_resume(&self, started: &Started) -> Answer {
        let ticket = self.ticket().await;
        let tail = format!("/conversations/{}/resume", started.id);
        self.window(&tail, &started.token, json!({"ticket": ticket}))
            .await
    }

    pub(crate) async fn resume(&self, started: &Started) -> Started {
        self.try_resume(started).await.json(200).into()
    }

    pub(crate) async fn end(&self, started: &Started) -> Answer {
        self.window(
            &format!("/conversations/{}/end", started.id),
            &started.token,
            json!({}),
        )
        .await
    }
}
