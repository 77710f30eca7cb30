//! Previews as visitors see them: the token of a link, and the draft that it opens. Nothing of them
//! is kept in memory, so that another draft and an early end are seen at once on every node.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use widget_core::{
    config::Current,
    origin::Origin,
    serve::{self, PreviewGrant, Refusal},
};

use super::public_widgets::{AdmittedWidget, Rendered};
use crate::{
    storage::{DirectoryVersion, StoredPreview},
    system::{RandomError, RandomSource},
};

/// The token of a link: 128 random bits, which are in no log and in no record.
pub struct PreviewToken(String);

impl PreviewToken {
    const BYTES: usize = 16;

    /// A new token.
    ///
    /// # Errors
    /// When `random` has nothing to give.
    pub fn generate(random: &dyn RandomSource) -> Result<Self, RandomError> {
        let mut bytes = [0; Self::BYTES];
        random.fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What a path has in its place. Any text has a hash, so that one that is malformed costs as
    /// much as one that is unknown.
    #[must_use]
    pub const fn shown(text: String) -> Self {
        Self(text)
    }

    /// What is stored of it: no guess succeeds, so that a plain SHA-256 is enough.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The token itself, for its link alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PreviewToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PreviewToken(…)")
    }
}

/// A draft as one visitor gets it.
#[derive(Debug)]
pub struct PreviewedWidget {
    /// The preview.
    pub stored: StoredPreview,
    rendered: Rendered,
}

impl From<StoredPreview> for PreviewedWidget {
    fn from(stored: StoredPreview) -> Self {
        Self {
            stored,
            rendered: Rendered::default(),
        }
    }
}

impl PreviewedWidget {
    /// The config of the draft.
    #[must_use]
    pub fn config(&self) -> &Current {
        self.stored.preview.draft().config.current()
    }

    /// Admits a page of the service itself at `own`, which shows the preview; `directory` is what
    /// the agent directory says of the draft's version, if there is one.
    ///
    /// # Errors
    /// [`Refusal`] for a page of another origin.
    pub fn admit<'a>(
        &'a self,
        grant: PreviewGrant<'a>,
        own: &Origin,
        origin: &'a Origin,
        directory: Option<DirectoryVersion>,
    ) -> Result<AdmittedWidget<'a>, Refusal> {
        let admission = serve::admit_preview(grant, own, origin)?;
        let name = self.stored.livekit_agent_name.as_deref();
        Ok(AdmittedWidget::new(
            &self.rendered,
            admission,
            name,
            directory,
        ))
    }
}
