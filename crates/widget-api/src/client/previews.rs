//! The operations for links that show a draft of a widget; each sends the API key.

use reqwest::Method;
use widget_core::id::{PreviewId, WidgetId};

use super::{Client, Error};
use crate::previews::{CreatedPreview, NewPreview, Preview, PreviewDraft};

#[expect(
    clippy::missing_errors_doc,
    reason = "the same for all: see `management.rs`"
)]
impl Client {
    /// The previews of a widget that have not ended, the newest first, without their links.
    pub async fn list_previews(&self, id: WidgetId) -> Result<Vec<Preview>, Error> {
        self.call(
            "listPreviews",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "previews"],
        )
        .json()
        .await
    }

    /// Creates a preview. It is not repeated, because only the first answer has the link.
    pub async fn create_preview(
        &self,
        id: WidgetId,
        body: &NewPreview,
    ) -> Result<CreatedPreview, Error> {
        self.call(
            "createPreview",
            Method::POST,
            &["core", "web-widgets", &id.to_string(), "previews"],
        )
        .body(body)
        .json()
        .await
    }

    /// Replaces the draft of a preview; open pages follow.
    pub async fn replace_preview(
        &self,
        id: WidgetId,
        preview: PreviewId,
        body: &PreviewDraft,
    ) -> Result<Preview, Error> {
        self.call(
            "replacePreview",
            Method::PUT,
            &[
                "core",
                "web-widgets",
                &id.to_string(),
                "previews",
                &preview.to_string(),
            ],
        )
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// Ends a preview, and the conversations that are open there.
    pub async fn end_preview(&self, id: WidgetId, preview: PreviewId) -> Result<(), Error> {
        self.call(
            "endPreview",
            Method::DELETE,
            &[
                "core",
                "web-widgets",
                &id.to_string(),
                "previews",
                &preview.to_string(),
            ],
        )
        .deleted()
        .await
    }
}
