//! The operations for an organization's own programs; each sends the API key.
//!
//! Every method fails with an [`Error`] that says which kind of failure it is.

use reqwest::Method;
use widget_core::id::{AgentId, AgentVersionId, ConversationId, ErasureJobId, WidgetId};

use super::{Chunks, Client, ETag, Error, Pages, Tagged};
use crate::{
    NewWidget, WidgetPatch,
    agents::{Agent, AgentVersion, AgentVersionsQuery, AgentsQuery, NewAgent, NewAgentVersion},
    api_keys::{ApiKey, ApiKeysQuery, CreatedApiKey, NewApiKey, Whoami},
    conversations::{Appended, Conversation, ConversationsQuery, NewMessages, Transcript},
    decisions::{ExplainQuery, Explanation, GoLiveReport},
    doctor::{Diagnosis, DoctorRequest},
    erasures::{
        ConversationExport, ErasureJob, ErasureRequest, ExportRequest, Retention, RetentionChange,
    },
    limits::{LimitValues, OwnerLimits},
    refusals::{Refusals, RefusalsQuery},
    revisions::{ChangeEffects, Revision, RevisionsQuery},
    statistics::{Statistics, StatisticsQuery},
    unreadable::{Listed, WidgetRecord},
    widgets::{Brand, BrandRequest, ListedWidget, Snippet, WidgetsQuery, WrittenWidget},
};

#[expect(
    clippy::missing_errors_doc,
    reason = "the same for all: see the top of the file"
)]
impl Client {
    /// Who the caller is, what its key may do, and the version of the service.
    pub async fn whoami(&self) -> Result<Whoami, Error> {
        self.call("whoami", Method::GET, &["core", "whoami"])
            .json()
            .await
    }

    /// The API keys of the organization, the newest first.
    #[must_use]
    pub fn list_api_keys(&self, query: &ApiKeysQuery) -> Pages<'_, ApiKey> {
        self.pages("listApiKeys", &["core", "api-keys"], query)
    }

    /// Creates an API key. It is not repeated, because only the first answer has the secret.
    pub async fn create_api_key(&self, body: &NewApiKey) -> Result<CreatedApiKey, Error> {
        self.call("createApiKey", Method::POST, &["core", "api-keys"])
            .body(body)
            .json()
            .await
    }

    /// Revokes an API key, and the keys that it created.
    pub async fn delete_api_key(&self, key_id: &str) -> Result<(), Error> {
        self.call(
            "deleteApiKey",
            Method::DELETE,
            &["core", "api-keys", key_id],
        )
        .deleted()
        .await
    }

    /// Widgets, the newest first.
    #[must_use]
    pub fn list_web_widgets(&self, query: &WidgetsQuery) -> Pages<'_, WidgetRecord<ListedWidget>> {
        self.pages("listWebWidgets", &["core", "web-widgets"], query)
    }

    /// Creates a widget.
    pub async fn create_web_widget(
        &self,
        body: &NewWidget,
    ) -> Result<Tagged<WrittenWidget>, Error> {
        self.create_web_widget_with_key(body, None).await
    }

    /// Creates a widget once, however often this is called with the same idempotency key within 24
    /// hours.
    pub async fn create_web_widget_with_key(
        &self,
        body: &NewWidget,
        key: Option<&str>,
    ) -> Result<Tagged<WrittenWidget>, Error> {
        let call = self.call("createWebWidget", Method::POST, &["core", "web-widgets"]);
        let call = match key {
            Some(key) => call.idempotency_key(key)?,
            None => call.idempotent(),
        };
        call.body(body).tagged().await
    }

    /// A widget.
    pub async fn get_web_widget(&self, id: WidgetId) -> Result<Tagged<WidgetRecord>, Error> {
        self.call(
            "getWebWidget",
            Method::GET,
            &["core", "web-widgets", &id.to_string()],
        )
        .tagged()
        .await
    }

    /// Changes the fields of a widget that are sent.
    pub async fn update_web_widget(
        &self,
        id: WidgetId,
        etag: Option<&ETag>,
        body: &WidgetPatch,
    ) -> Result<Tagged<WrittenWidget>, Error> {
        self.call(
            "updateWebWidget",
            Method::PUT,
            &["core", "web-widgets", &id.to_string()],
        )
        .if_match(etag)
        .body(body)
        .tagged()
        .await
    }

    /// Deletes a widget. Its conversations stay readable.
    pub async fn delete_web_widget(&self, id: WidgetId, etag: Option<&ETag>) -> Result<(), Error> {
        self.call(
            "deleteWebWidget",
            Method::DELETE,
            &["core", "web-widgets", &id.to_string()],
        )
        .if_match(etag)
        .deleted()
        .await
    }

    /// Brings a deleted widget back.
    pub async fn restore_web_widget(
        &self,
        id: WidgetId,
        etag: Option<&ETag>,
    ) -> Result<Tagged<WidgetRecord<WrittenWidget>>, Error> {
        self.call(
            "restoreWebWidget",
            Method::POST,
            &["core", "web-widgets", &id.to_string(), "restore"],
        )
        .if_match(etag)
        // One that is not deleted stays as it is.
        .repeatable()
        .tagged()
        .await
    }

    /// The history of a widget, the newest first.
    #[must_use]
    pub fn list_revisions(&self, id: WidgetId, query: &RevisionsQuery) -> Pages<'_, Revision> {
        self.pages(
            "listRevisions",
            &["core", "web-widgets", &id.to_string(), "revisions"],
            query,
        )
    }

    /// Makes a revision the current one again, as a new revision.
    pub async fn restore_revision(
        &self,
        id: WidgetId,
        number: i64,
        etag: Option<&ETag>,
    ) -> Result<Tagged<WrittenWidget>, Error> {
        self.call(
            "restoreRevision",
            Method::POST,
            &[
                "core",
                "web-widgets",
                &id.to_string(),
                "revisions",
                &number.to_string(),
                "restore",
            ],
        )
        .if_match(etag)
        .tagged()
        .await
    }

    /// Whether a widget is live, and what keeps it from being so.
    pub async fn get_go_live_report(&self, id: WidgetId) -> Result<GoLiveReport, Error> {
        self.call(
            "getGoLiveReport",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "go-live"],
        )
        .json()
        .await
    }

    /// The decision for a page, step by step.
    pub async fn explain_web_widget(
        &self,
        id: WidgetId,
        query: &ExplainQuery,
    ) -> Result<Explanation, Error> {
        self.call(
            "explainWebWidget",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "explain"],
        )
        .query(query)
        .json()
        .await
    }

    /// The HTML to paste into a page.
    pub async fn get_snippet(&self, id: WidgetId) -> Result<Snippet, Error> {
        self.call(
            "getSnippet",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "snippet"],
        )
        .json()
        .await
    }

    /// What a website shows of its brand; nothing is written.
    pub async fn auto_brand_web_widget(
        &self,
        id: WidgetId,
        body: &BrandRequest,
    ) -> Result<Brand, Error> {
        self.call(
            "autoBrandWebWidget",
            Method::POST,
            &["core", "web-widgets", &id.to_string(), "auto-brand"],
        )
        .reads()
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// What a change would do to visitors now; nothing is written.
    pub async fn preview_effects(
        &self,
        id: WidgetId,
        body: &WidgetPatch,
    ) -> Result<ChangeEffects, Error> {
        self.call(
            "previewEffects",
            Method::POST,
            &["core", "web-widgets", &id.to_string(), "effects"],
        )
        .reads()
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// What keeps a public page from showing the widget, as the service sees the page.
    pub async fn diagnose_page(
        &self,
        id: WidgetId,
        body: &DoctorRequest,
    ) -> Result<Diagnosis, Error> {
        self.call(
            "diagnosePage",
            Method::POST,
            &["core", "web-widgets", &id.to_string(), "doctor"],
        )
        .reads()
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// Numbers about a widget by day or hour.
    pub async fn get_web_widget_statistics(
        &self,
        id: WidgetId,
        query: &StatisticsQuery,
    ) -> Result<Statistics, Error> {
        self.call(
            "getWebWidgetStatistics",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "statistics"],
        )
        .query(query)
        .json()
        .await
    }

    /// The pages on which a widget was refused, the commonest first.
    pub async fn get_web_widget_refusals(
        &self,
        id: WidgetId,
        query: &RefusalsQuery,
    ) -> Result<Refusals, Error> {
        self.call(
            "getWebWidgetRefusals",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "refusals"],
        )
        .query(query)
        .json()
        .await
    }

    /// The limits of a widget.
    pub async fn get_web_widget_limits(&self, id: WidgetId) -> Result<OwnerLimits, Error> {
        self.call(
            "getWebWidgetLimits",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "limits"],
        )
        .json()
        .await
    }

    /// Replaces the limits of a widget.
    pub async fn update_web_widget_limits(
        &self,
        id: WidgetId,
        body: &LimitValues,
    ) -> Result<OwnerLimits, Error> {
        self.call(
            "updateWebWidgetLimits",
            Method::PUT,
            &["core", "web-widgets", &id.to_string(), "limits"],
        )
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// For how long conversations of a widget are kept.
    pub async fn get_web_widget_retention(&self, id: WidgetId) -> Result<Retention, Error> {
        self.call(
            "getWebWidgetRetention",
            Method::GET,
            &["core", "web-widgets", &id.to_string(), "retention"],
        )
        .json()
        .await
    }

    /// Sets for how long conversations of a widget are kept.
    pub async fn set_web_widget_retention(
        &self,
        id: WidgetId,
        body: &RetentionChange,
    ) -> Result<Retention, Error> {
        self.call(
            "setWebWidgetRetention",
            Method::PUT,
            &["core", "web-widgets", &id.to_string(), "retention"],
        )
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// The limits of the organization.
    pub async fn get_organization_limits(&self) -> Result<OwnerLimits, Error> {
        self.call(
            "getOrganizationLimits",
            Method::GET,
            &["core", "organization", "limits"],
        )
        .json()
        .await
    }

    /// Replaces the limits of the organization.
    pub async fn update_organization_limits(
        &self,
        body: &LimitValues,
    ) -> Result<OwnerLimits, Error> {
        self.call(
            "updateOrganizationLimits",
            Method::PUT,
            &["core", "organization", "limits"],
        )
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// For how long conversations of the organization are kept.
    pub async fn get_organization_retention(&self) -> Result<Retention, Error> {
        self.call(
            "getOrganizationRetention",
            Method::GET,
            &["core", "organization", "retention"],
        )
        .json()
        .await
    }

    /// Sets for how long conversations of the organization are kept.
    pub async fn set_organization_retention(
        &self,
        body: &RetentionChange,
    ) -> Result<Retention, Error> {
        self.call(
            "setOrganizationRetention",
            Method::PUT,
            &["core", "organization", "retention"],
        )
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// Agents, the newest first.
    #[must_use]
    pub fn list_agents(&self, query: &AgentsQuery) -> Pages<'_, Listed<Agent>> {
        self.pages("listAgents", &["core", "agents"], query)
    }

    /// Registers an agent.
    pub async fn create_agent(&self, body: &NewAgent) -> Result<Agent, Error> {
        self.call("createAgent", Method::POST, &["core", "agents"])
            .body(body)
            .json()
            .await
    }

    /// An agent.
    pub async fn get_agent(&self, id: AgentId) -> Result<Agent, Error> {
        self.call(
            "getAgent",
            Method::GET,
            &["core", "agents", &id.to_string()],
        )
        .json()
        .await
    }

    /// Deletes an agent that no widget points at.
    pub async fn delete_agent(&self, id: AgentId) -> Result<(), Error> {
        self.call(
            "deleteAgent",
            Method::DELETE,
            &["core", "agents", &id.to_string()],
        )
        .deleted()
        .await
    }

    /// The versions of an agent, the newest first.
    #[must_use]
    pub fn list_agent_versions(
        &self,
        id: AgentId,
        query: &AgentVersionsQuery,
    ) -> Pages<'_, Listed<AgentVersion>> {
        self.pages(
            "listAgentVersions",
            &["core", "agents", &id.to_string(), "versions"],
            query,
        )
    }

    /// Adds a version, as a draft.
    pub async fn create_agent_version(
        &self,
        id: AgentId,
        body: &NewAgentVersion,
    ) -> Result<AgentVersion, Error> {
        self.call(
            "createAgentVersion",
            Method::POST,
            &["core", "agents", &id.to_string(), "versions"],
        )
        .body(body)
        .json()
        .await
    }

    /// Publishes a version; it never changes again.
    pub async fn publish_agent_version(
        &self,
        id: AgentId,
        version_id: AgentVersionId,
    ) -> Result<AgentVersion, Error> {
        self.call(
            "publishAgentVersion",
            Method::POST,
            &[
                "core",
                "agents",
                &id.to_string(),
                "versions",
                &version_id.to_string(),
                "publish",
            ],
        )
        .repeatable()
        .json()
        .await
    }

    /// Conversations, the newest first.
    #[must_use]
    pub fn list_conversations(
        &self,
        query: &ConversationsQuery,
    ) -> Pages<'_, Listed<Conversation>> {
        self.pages("listConversations", &["core", "conversations"], query)
    }

    /// A conversation.
    pub async fn get_conversation(&self, id: ConversationId) -> Result<Conversation, Error> {
        self.call(
            "getConversation",
            Method::GET,
            &["core", "conversations", &id.to_string()],
        )
        .json()
        .await
    }

    /// Erases what was said and sent in a conversation.
    pub async fn erase_conversation(&self, id: ConversationId) -> Result<(), Error> {
        self.call(
            "eraseConversation",
            Method::DELETE,
            &["core", "conversations", &id.to_string()],
        )
        .deleted()
        .await
    }

    /// Ends a conversation; one that has ended stays as it is.
    pub async fn end_conversation(&self, id: ConversationId) -> Result<Conversation, Error> {
        self.call(
            "endConversation",
            Method::POST,
            &["core", "conversations", &id.to_string(), "end"],
        )
        .repeatable()
        .json()
        .await
    }

    /// What was said so far.
    pub async fn get_transcript(&self, id: ConversationId) -> Result<Transcript, Error> {
        self.call(
            "getTranscript",
            Method::GET,
            &["core", "conversations", &id.to_string(), "messages"],
        )
        .json()
        .await
    }

    /// Appends turns; one whose id is known is not added again.
    pub async fn append_messages(
        &self,
        id: ConversationId,
        body: &NewMessages,
    ) -> Result<Appended, Error> {
        self.call(
            "appendMessages",
            Method::POST,
            &["core", "conversations", &id.to_string(), "messages"],
        )
        .repeatable()
        .body(body)
        .json()
        .await
    }

    /// Begins to erase conversations, or to count them.
    pub async fn erase_conversations(&self, body: &ErasureRequest) -> Result<ErasureJob, Error> {
        let call = self.call(
            "eraseConversations",
            Method::POST,
            &["core", "conversations", "erase"],
        );
        let call = if body.dry_run { call.reads() } else { call };
        call.idempotent().body(body).json().await
    }

    /// How far a job has come.
    pub async fn get_erasure_job(&self, id: ErasureJobId) -> Result<ErasureJob, Error> {
        self.call(
            "getErasureJob",
            Method::GET,
            &["core", "erasure-jobs", &id.to_string()],
        )
        .json()
        .await
    }

    /// Everything that is stored about a conversation.
    pub async fn export_conversation(
        &self,
        id: ConversationId,
    ) -> Result<ConversationExport, Error> {
        self.call(
            "exportConversation",
            Method::GET,
            &["core", "conversations", &id.to_string(), "export"],
        )
        .json()
        .await
    }

    /// Everything that is stored about conversations: one [`ConversationExport`] a line, as they
    /// are read. While nothing is found, spaces come before the next line or the end.
    pub async fn export_conversations(&self, body: &ExportRequest) -> Result<Chunks, Error> {
        self.call(
            "exportConversations",
            Method::POST,
            &["core", "conversations", "export"],
        )
        .reads()
        .repeatable()
        .body(body)
        .chunks()
        .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::client::error::in_words;

    /// What browsers, LiveKit and people use, and no program of an organization.
    const LEFT_OUT: [&str; 22] = [
        "createPreviewTicket",
        "endVisitorConversation",
        "getAsset",
        "getDocs",
        "getOpenapi",
        "getPreviewDraft",
        "getPreviewLauncherConfig",
        "getPreviewLoader",
        "getPreviewPage",
        "getPreviewPanel",
        "getPreviewState",
        "getPreviewWindow",
        "getVisitorConversation",
        "getWindow",
        "patchWebWidget",
        "receiveLivekitEvent",
        "reportMessages",
        "reserveVoice",
        "resumeConversation",
        "startConversation",
        "submitFeedback",
        "submitForm",
    ];

    /// It has words, too, for the errors.
    #[test]
    fn every_operation_has_a_method() {
        let document: Value =
            serde_json::from_str(include_str!("../../../../schema/openapi.json")).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let mut missing: Vec<&str> = paths
            .values()
            .flat_map(|path| path.as_object().into_iter().flatten())
            .filter_map(|(_, operation)| operation["operationId"].as_str())
            .filter(|name| {
                let has_words = in_words(name) != *name;
                let call = format!("\"{name}\"");
                let sources = [
                    include_str!("events.rs"),
                    include_str!("management.rs"),
                    include_str!("previews.rs"),
                    include_str!("public.rs"),
                ];
                let has_method = sources.iter().any(|source| {
                    source
                        .split("mod tests")
                        .next()
                        .is_some_and(|code| code.contains(&call))
                });
                !has_method || !has_words
            })
            .collect();
        missing.sort_unstable();
        assert_eq!(missing, LEFT_OUT);
    }
}
