//! The operations that anybody may use, such as visitors' browsers and load balancers. None of them
//! sends the API key.
//!
//! Every method fails with an [`Error`] that says which kind of failure it is.

use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue, ORIGIN},
};
use serde_json::Value;
use widget_core::{id::WidgetId, origin::Origin};

use super::{
    Client, Error,
    request::{Answer, Call, read},
};
use crate::{
    health::{Health, Readiness},
    visitors::{EmbedTicket, Empty, Launcher},
};

/// What a page of this origin gets.
#[derive(Debug)]
pub struct PublicAnswer<T> {
    /// The answer.
    pub value: T,
    /// Its headers, such as `Date` and those of CORS.
    pub headers: HeaderMap,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "the same for all: see the top of the file"
)]
impl Client {
    /// What the loader draws on a page of this origin.
    pub async fn get_launcher_config(
        &self,
        id: WidgetId,
        origin: &Origin,
    ) -> Result<PublicAnswer<Launcher<Value>>, Error> {
        let segments = ["core", "public", "web-widgets", &id.to_string()];
        let call = self.public_call("getLauncherConfig", Method::GET, &segments);
        let answer = from(call, origin).send().await?;
        Ok(PublicAnswer {
            value: read(
                &answer,
                self.service().origin().to_string(),
                "getLauncherConfig",
            )?,
            headers: answer.headers,
        })
    }

    /// A ticket for a page of this origin. An unused one expires by itself.
    pub async fn create_embed_ticket(
        &self,
        id: WidgetId,
        origin: &Origin,
    ) -> Result<EmbedTicket, Error> {
        let segments = [
            "core",
            "public",
            "web-widgets",
            &id.to_string(),
            "embed-tickets",
        ];
        let call = self.public_call("createEmbedTicket", Method::POST, &segments);
        from(call, origin).reads().body(&Empty {}).json().await
    }

    /// The script of a widget, which pages load.
    pub async fn get_loader(&self, id: WidgetId) -> Result<PublicAnswer<Vec<u8>>, Error> {
        let segments = ["public", "embed", &id.to_string()];
        let call = self.public_call("getLoader", Method::GET, &segments);
        call.send().await.map(Into::into)
    }

    /// The script with this file name, which pages load by its hash.
    pub async fn get_pinned_loader(
        &self,
        id: WidgetId,
        file: &str,
    ) -> Result<PublicAnswer<Vec<u8>>, Error> {
        let segments = ["public", "embed", &id.to_string(), file];
        let call = self.public_call("getPinnedLoader", Method::GET, &segments);
        call.send().await.map(Into::into)
    }

    /// Whether the process answers.
    pub async fn get_health(&self) -> Result<Health, Error> {
        let call = self.public_call("getHealth", Method::GET, &["healthz"]);
        call.json().await
    }

    /// Whether this node can serve visitors. One that cannot is [`Error::Unavailable`].
    pub async fn get_readiness(&self) -> Result<Readiness, Error> {
        let call = self.public_call("getReadiness", Method::GET, &["readyz"]);
        call.json().await
    }
}

impl From<Answer> for PublicAnswer<Vec<u8>> {
    fn from(answer: Answer) -> Self {
        Self {
            value: answer.body,
            headers: answer.headers,
        }
    }
}

/// Sends the request as a page of this origin does.
fn from(call: Call, origin: &Origin) -> Call {
    let value =
        HeaderValue::from_str(origin.as_str()).expect("an origin is ASCII without line ends");
    call.header(ORIGIN, value)
}
