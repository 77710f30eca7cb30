//! The row of a widget. One query reads it together with what the gates need to know; each write of
//! it is kept as a revision.

use sqlx::Executor;
use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    agent::VersionStatus,
    config::Config,
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, SuffixList},
    unreadable::{UnreadableWidget, WidgetRecord},
    widget::Widget,
};

use super::{Backend, Database, Row, Transaction, row::Columns};
use crate::storage::{
    deleted_widgets::DeletedWidget,
    error::StoreError,
    table::{shared_columns, table},
    widgets::{Author, NotedEffects, PinNames, StoredWidget, WidgetRevision, WriteWidgetError},
};

/// What is the same in a widget and in each of its revisions, as far as it can be read.
pub(super) struct Record {
    agent_id: Option<AgentId>,
    agent_version_id: Option<AgentVersionId>,
    domains: Option<AllowedOrigins>,
    published: Option<bool>,
    config: Option<Config>,
}

/// What of a widget is not in [`Record`].
struct Head {
    id: WidgetId,
    organization_id: Option<OrganizationId>,
    created_at: Option<OffsetDateTime>,
    updated_at: Option<OffsetDateTime>,
}

impl Record {
    /// The widget, or what of it can be read; the latter is reported.
    fn with(self, head: Head, row: &Columns<'_>, backend: &Backend) -> WidgetRecord {
        let record = WidgetRecord::from_parts(UnreadableWidget {
            id: head.id,
            organization_id: head.organization_id,
            agent_id: self.agent_id,
            agent_version_id: self.agent_version_id,
            domains: self.domains,
            published: self.published,
            config: self.config,
            created_at: head.created_at,
            updated_at: head.updated_at,
            unreadable: row.take_unreadable(),
        });
        if let WidgetRecord::Unreadable(widget) = &record {
            let cause = widget.blockers().into_iter().map(|fault| fault.to_string());
            let cause = cause.collect::<Vec<_>>().join("; ");
            backend
                .unreadable()
                .note(row.table(), &head.id.to_string(), &cause);
        }
        record
    }
}

shared_columns! {
    $ record_columns, read_record(backend: &Backend);
    agent_id: noted_id(AgentId::from_uuid),
    agent_version_id: noted_id(AgentVersionId::from_uuid),
    domains: noted_parsed(|text| read_domains(text, backend.suffixes())),
    published: noted(),
    config: noted_parsed(Config::parse),
    => |row| -> Record {
        Ok(Record { agent_id, agent_version_id, domains, published, config })
    }
}

table! {
    widget_columns, read_widget(backend: &Backend) from "web_widgets" by "id";
    id = "w.id": id(WidgetId::from_uuid),
    organization_id = "w.organization_id": noted_parsed(str::parse),
    created_at = "w.created_at": noted_time(),
    updated_at = "w.updated_at": noted_time(),
    revision = "w.revision": noted(),
    known_agent_id = "a.id": get(),
    version_agent_id = "v.agent_id": get(),
    version_published_at = "v.published_at": get(),
    livekit_agent_name = "v.livekit_agent_name": get(),
    agent_name = "a.name": name(),
    version_number = "v.number": shown_number(),
    version_label = "v.label": name(),
    => |row| -> StoredWidget<WidgetRecord> {
        let record = read_record(&row, backend)?;
        let (known, version): (Option<Uuid>, Option<Uuid>) = (known_agent_id, version_agent_id);
        // Whether the version is published does not depend on a time that can be read.
        let published_at: Option<i64> = version_published_at;
        let status = VersionStatus::of(published_at);
        let version = version.map(|agent| (AgentId::from_uuid(agent), status));
        let pinned = record.agent_id.map_or(PinnedVersion::AgentMissing, |agent| {
            PinnedVersion::found(agent, known.is_some(), version)
        });
        let head = Head { id, organization_id, created_at, updated_at };
        Ok(StoredWidget {
            widget: record.with(head, &row, backend),
            revision: revision.unwrap_or_default(),
            pinned,
            livekit_agent_name,
            names: PinNames {
                agent: agent_name,
                version: version_number,
                label: version_label,
            },
        })
    }
}

table! {
    revision_columns, read_revision(backend: &Backend) from "web_widget_revisions" by "id";
    id = "w.id": id(WidgetId::from_uuid),
    organization_id = "w.organization_id": noted_parsed(str::parse),
    created_at = "w.created_at": noted_time(),
    number = "r.number": get(),
    api_key_id = "r.api_key_id": get(),
    api_key_name = "k.name": name(),
    restored_from = "r.restored_from": get(),
    updated_at = "r.created_at": noted_time(),
    live_before = "r.live_before": shown_flag(),
    live_after = "r.live_after": shown_flag(),
    conversations_open = "r.conversations_open": shown_number(),
    conversations_ended = "r.conversations_ended": shown_number(),
    => |row| -> WidgetRevision {
        let record = read_record(&row, backend)?;
        let head = Head { id, organization_id, created_at, updated_at };
        Ok(WidgetRevision {
            number,
            api_key_id,
            api_key_name,
            restored_from,
            created_at: updated_at,
            widget: record.with(head, &row, backend),
            noted: NotedEffects {
                live_before,
                live_after,
                conversations_open,
                conversations_ended,
            },
        })
    }
}

table! {
    deleted_columns, read_deleted(backend: &Backend) from "deleted_web_widgets" by "id";
    id = "w.id": id(WidgetId::from_uuid),
    organization_id = "w.organization_id": noted_parsed(str::parse),
    created_at = "w.created_at": noted_time(),
    updated_at = "w.updated_at": noted_time(),
    revision = "w.revision": noted(),
    deleted_at = "w.deleted_at": noted_time(),
    deleted_by = "w.deleted_by": get(),
    deleted_by_name = "k.name": name(),
    => |row| -> DeletedWidget {
        let record = read_record(&row, backend)?;
        let head = Head { id, organization_id, created_at, updated_at };
        Ok(DeletedWidget {
            widget: record.with(head, &row, backend),
            revision: revision.unwrap_or_default(),
            deleted_at,
            deleted_by,
            deleted_by_name,
        })
    }
}

/// A widget with the version that it pins.
macro_rules! select_widget {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            record_columns!("w"),
            ", ",
            widget_columns!(),
            " FROM web_widgets w
             LEFT JOIN agents a ON a.organization_id = w.organization_id AND a.id = w.agent_id
             LEFT JOIN agent_versions v ON v.organization_id = w.organization_id AND v.id = w.agent_version_id ",
            $rest
        )
    };
}

/// A deleted widget.
macro_rules! select_deleted {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            record_columns!("w"),
            ", ",
            deleted_columns!(),
            " FROM deleted_web_widgets w LEFT JOIN api_keys k ON k.id = w.deleted_by ",
            $rest
        )
    };
}

/// The bytes of the documents of a widget or a revision.
macro_rules! select_size {
    ($table:literal) => {
        concat!(
            "SELECT CAST(OCTET_LENGTH(",
            $table,
            ".config) + OCTET_LENGTH(",
            $table,
            ".domains) AS BIGINT)"
        )
    };
}

pub(super) use {
    deleted_columns, record_columns, revision_columns, select_deleted, select_size, select_widget,
    widget_columns,
};

/// A widget of any organization.
pub(super) async fn find_any_widget<'c>(
    database: impl Executor<'c, Database = Database>,
    id: WidgetId,
    backend: &Backend,
) -> Result<Option<StoredWidget<WidgetRecord>>, StoreError> {
    let row = sqlx::query(select_widget!("WHERE w.id = $1"))
        .bind(id.as_uuid())
        .fetch_optional(database)
        .await?;
    row.as_ref()
        .map(|row| read_widget(row, backend))
        .transpose()
}

/// Whether the registry has what a widget points at.
pub(super) struct Pin {
    missing_agent: Option<AgentId>,
    missing_version: Option<AgentVersionId>,
}

impl Pin {
    /// The foreign keys only say that one of the two is missing.
    pub(super) async fn find(
        transaction: &mut Transaction,
        organization: &OrganizationId,
        agent: AgentId,
        version: AgentVersionId,
    ) -> Result<Self, StoreError> {
        let found_agent: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM agents WHERE organization_id = $1 AND id = $2")
                .bind(organization.as_str())
                .bind(agent.as_uuid())
                .fetch_optional(&mut *transaction)
                .await?;
        let found_version: Option<i32> = sqlx::query_scalar(
            "SELECT 1 FROM agent_versions WHERE organization_id = $1 AND id = $2",
        )
        .bind(organization.as_str())
        .bind(version.as_uuid())
        .fetch_optional(&mut *transaction)
        .await?;
        Ok(Self {
            missing_agent: found_agent.is_none().then_some(agent),
            missing_version: found_version.is_none().then_some(version),
        })
    }

    /// Whether it has both.
    pub(super) const fn is_registered(&self) -> bool {
        self.missing_agent.is_none() && self.missing_version.is_none()
    }

    pub(super) fn require(&self) -> Result<(), WriteWidgetError> {
        if self.is_registered() {
            return Ok(());
        }
        Err(WriteWidgetError::Dangling {
            agent: self.missing_agent,
            version: self.missing_version,
        })
    }
}

/// Writes the revision of a write and reads what it wrote.
pub(super) async fn finish_write(
    transaction: &mut Transaction,
    id: WidgetId,
    author: Author<'_>,
    backend: &Backend,
) -> Result<StoredWidget<WidgetRecord>, StoreError> {
    sqlx::query(concat!(
        "INSERT INTO web_widget_revisions
             (web_widget_id, number, api_key_id, restored_from, created_at, ",
        record_columns!(),
        ")
         SELECT id, revision, $2, $3, updated_at, ",
        record_columns!(),
        " FROM web_widgets WHERE id = $1"
    ))
    .bind(id.as_uuid())
    .bind(author.api_key_id)
    .bind(author.restored_from)
    .execute(&mut *transaction)
    .await?;
    let row = sqlx::query(select_widget!("WHERE w.id = $1"))
        .bind(id.as_uuid())
        .fetch_one(&mut *transaction)
        .await?;
    read_widget(&row, backend)
}

/// Notes in the newest revision of a widget what its write did to visitors.
pub(super) async fn note_effects(
    transaction: &mut Transaction,
    stored: &StoredWidget,
    noted: NotedEffects,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE web_widget_revisions
         SET live_before = $3, live_after = $4, conversations_open = $5, conversations_ended = $6
         WHERE web_widget_id = $1 AND number = $2",
    )
    .bind(stored.widget.id.as_uuid())
    .bind(stored.revision)
    .bind(noted.live_before)
    .bind(noted.live_after)
    .bind(noted.conversations_open)
    .bind(noted.conversations_ended)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) fn domains_text(widget: &Widget) -> Result<String, StoreError> {
    serde_json::to_string(widget.domains.entries())
        .map_err(|error| StoreError::corrupt("web_widgets", &widget.id, "domains", &error))
}

fn read_domains(text: &str, suffixes: &SuffixList) -> Result<AllowedOrigins, serde_json::Error> {
    let entries: Vec<String> = serde_json::from_str(text)?;
    Ok(AllowedOrigins::load(&entries, suffixes))
}
