//! Widgets for visitors, read from memory: nearly every public request asks for one, and few of
//! them ever change.
//!
//! What is answered is at most [`STALENESS`] old, and on the node that made a change it is never
//! old, so that closing a widget stops new conversations. Ids that name nothing are remembered too,
//! within the same bounded memory.

use std::{
    borrow::Cow,
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::HeaderValue;
use time::{Duration, OffsetDateTime};
use widget_core::{
    config::values::Direction,
    id::WidgetId,
    origin::Origin,
    serve::{self, Admission, Refusal},
};

use super::read_cache::{ReadCache, Reading};
use crate::{
    metrics::{LabelValue, Snapshot},
    storage::{DirectoryVersion, PinNames, Storage, StoreError, StoredWidget},
};

/// How long another node's change may go unnoticed.
pub const STALENESS: Duration = Duration::seconds(5);

/// How many widgets the cache is sized for.
const EXPECTED_WIDGETS: usize = 10_000;

/// Memory for all of them, in bytes, by an upper bound of what each holds.
const CAPACITY: u64 = 96 << 20;

/// The cache's own bookkeeping of one entry, with its key and the allocations around it.
const BOOKKEEPING: usize = 256;

/// The launcher's config as it is sent, beside what is written in the document as well.
const LAUNCHER: usize = 2048;

/// What the window's document says of a config that sets nothing, with every default and every
/// derived color, in bytes.
const WINDOW: usize = 2560;

/// Bytes that are added where one of a config cannot stand inside the window's document.
const ESCAPED: usize = 5;

/// Widgets by id, as visitors may see them.
#[derive(Debug)]
pub struct PublicWidgets {
    cache: ReadCache<WidgetId, Entry>,
    changes: AtomicU64,
}

/// A widget with what is computed from it once and sent to many.
#[derive(Debug)]
pub struct PublicWidget {
    /// The record as far as it is served, and what the gates need to know.
    pub stored: StoredWidget,
    rendered: Rendered,
}

/// What is computed from a widget once and sent to many.
#[derive(Debug, Default)]
pub struct Rendered {
    launcher: OnceLock<Launcher>,
    window: OnceLock<WindowTexts>,
}

/// The launcher's config as it is sent.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// JSON.
    pub body: Bytes,
    /// Changes with the body.
    pub etag: HeaderValue,
}

/// What the window's document says of its widget, the same on every page.
#[derive(Debug, Clone)]
pub struct WindowTexts {
    /// The language of the document.
    pub language: Box<str>,
    /// The direction in which that is written.
    pub direction: Direction,
    /// The title of the document.
    pub title: Box<str>,
    /// The config as JSON, which may stand inside a script element.
    pub config: Box<str>,
}

impl PublicWidget {
    fn new(stored: StoredWidget) -> Self {
        let stored = StoredWidget {
            widget: stored.widget.into_served(),
            names: PinNames::default(),
            ..stored
        };
        Self {
            stored,
            rendered: Rendered::default(),
        }
    }

    /// An upper bound of the memory that it holds, in bytes, with what is computed from it, which
    /// may be built later.
    fn weight(&self) -> usize {
        let StoredWidget {
            widget,
            livekit_agent_name,
            ..
        } = &self.stored;
        let name = livekit_agent_name.as_ref().map_or(0, String::capacity);
        let computed = self.launcher_bytes() + self.window_bytes();
        size_of::<Self>() + widget.heap_bytes() + name + computed
    }

    /// An upper bound of the bytes of the launcher's config.
    fn launcher_bytes(&self) -> usize {
        LAUNCHER + self.stored.widget.config.as_json().len()
    }

    /// An upper bound of the bytes of what the window's document says.
    fn window_bytes(&self) -> usize {
        let config = self.stored.widget.config.as_json();
        let escaped = config.bytes().filter(|byte| b"<>&".contains(byte)).count();
        WINDOW + config.len() + ESCAPED * escaped
    }

    /// Decides whether the widget serves a page of `origin` now; `directory` is what the agent
    /// directory says of its version, if there is one.
    ///
    /// # Errors
    /// Every reason why it does not.
    pub fn admit<'a>(
        &'a self,
        origin: &'a Origin,
        directory: Option<DirectoryVersion>,
    ) -> Result<AdmittedWidget<'a>, Refusal> {
        let stored = &self.stored;
        let pinned = directory.as_ref().map(|version| version.pinned);
        let admission = serve::admit(&stored.widget, pinned.unwrap_or(stored.pinned), origin)?;
        let name = stored.livekit_agent_name.as_deref();
        Ok(AdmittedWidget::new(
            &self.rendered,
            admission,
            name,
            directory,
        ))
    }
}

/// A widget with its own admission of a page, so that what is kept for it is given to no page that
/// only another widget admits.
#[derive(Debug, Clone)]
pub struct AdmittedWidget<'a> {
    rendered: &'a Rendered,
    livekit_agent_name: Option<Cow<'a, str>>,
    admission: Admission<'a>,
}

impl<'a> AdmittedWidget<'a> {
    /// `name` is that of the workers in the registry; what the agent directory says comes first.
    pub(super) fn new(
        rendered: &'a Rendered,
        admission: Admission<'a>,
        name: Option<&'a str>,
        directory: Option<DirectoryVersion>,
    ) -> Self {
        Self {
            rendered,
            livekit_agent_name: match directory {
                None => name.map(Cow::Borrowed),
                Some(version) => version.livekit_agent_name.map(Cow::Owned),
            },
            admission,
        }
    }

    /// The launcher's config, built by `build` on the first request.
    pub fn launcher(&self, build: impl FnOnce(&Admission<'_>) -> Launcher) -> &'a Launcher {
        self.rendered
            .launcher
            .get_or_init(|| build(&self.admission))
    }

    /// What the window's document says of the widget, built by `build` on the first request.
    pub fn window(&self, build: impl FnOnce(&Admission<'_>) -> WindowTexts) -> &'a WindowTexts {
        self.rendered.window.get_or_init(|| build(&self.admission))
    }

    /// The name under which the workers of the pinned version are registered.
    #[must_use]
    pub fn livekit_agent_name(&self) -> Option<&str> {
        self.livekit_agent_name.as_deref()
    }
}

impl<'a> Deref for AdmittedWidget<'a> {
    type Target = Admission<'a>;

    fn deref(&self) -> &Admission<'a> {
        &self.admission
    }
}

#[derive(Debug, Clone)]
struct Entry {
    widget: Option<Arc<PublicWidget>>,
    read_at: OffsetDateTime,
}

impl Default for PublicWidgets {
    fn default() -> Self {
        Self {
            cache: ReadCache::new(EXPECTED_WIDGETS, CAPACITY),
            changes: AtomicU64::new(0),
        }
    }
}

impl PublicWidgets {
    /// The widget, `None` when there is none; of many requests at once, one reads storage.
    ///
    /// # Errors
    /// When it has to be read and storage fails.
    pub async fn find(
        &self,
        storage: &dyn Storage,
        id: WidgetId,
        now: OffsetDateTime,
    ) -> Result<Option<Arc<PublicWidget>>, StoreError> {
        if let Some(entry) = self.cache.get(&id)
            && entry.is_fresh(now)
        {
            self.cache.count_hit();
            return Ok(entry.widget);
        }
        let read = async {
            let changes = self.changes.load(Ordering::Acquire);
            let found = storage.find_public_widget(id).await?;
            // To visitors there is no widget that cannot be read; its operator knows of it.
            let readable = found.and_then(|stored| stored.readable().ok());
            let entry = Entry::new(readable, now);
            let is_current = self.changes.load(Ordering::Acquire) == changes;
            Ok(Reading {
                weight: is_current.then(|| entry.weight()),
                value: entry,
            })
        };
        let is_fresh = |entry: &Entry| entry.is_fresh(now);
        let entry = self.cache.read(&id, is_fresh, read).await?;
        Ok(entry.widget)
    }

    /// An upper bound of the memory of all entries, in bytes.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.cache.weight()
    }

    pub(crate) fn write_metrics(&self, snapshot: &mut Snapshot, name: &LabelValue) {
        self.cache.write_metrics(snapshot, name);
    }

    /// Forgets a widget that was changed here.
    pub fn forget(&self, id: WidgetId) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.cache.remove(&id);
    }

    /// Forgets all, when something was changed that many widgets may point at.
    pub fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.cache.clear();
    }
}

impl Entry {
    fn new(widget: Option<StoredWidget>, now: OffsetDateTime) -> Self {
        Self {
            widget: widget.map(PublicWidget::new).map(Arc::new),
            read_at: now,
        }
    }

    /// An upper bound of the memory that it holds, in bytes.
    fn weight(&self) -> u64 {
        let held = self.widget.as_deref().map_or(0, PublicWidget::weight);
        u64::try_from(BOOKKEEPING + held).unwrap_or(u64::MAX)
    }

    /// A clock that was set back makes everything stale, rather than current for too long.
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        (now - self.read_at).abs() < STALENESS
    }
}
