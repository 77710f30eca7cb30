//! The public suffix list in use: the built-in one, or a newer file.

use std::path::Path;

use widget_core::origin::SuffixList;

use crate::failure::Failure;

/// The list in use.
#[derive(Debug, Default)]
pub(crate) struct Suffixes(Option<SuffixList>);

impl Suffixes {
    /// Reads the file given with `--suffix-list`, if any.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::unexpected(format_args!("cannot read `{shown}`: {error}")))?;
        let list = SuffixList::parse(&text).map_err(|error| {
            Failure::unexpected(format_args!("`{shown}`: {error}")).hint(
                "download https://publicsuffix.org/list/public_suffix_list.dat again, or omit \
                 `--suffix-list` to use the built-in list",
            )
        })?;
        Ok(Self(Some(list)))
    }

    pub(crate) fn list(&self) -> &SuffixList {
        match &self.0 {
            Some(list) => list,
            None => SuffixList::builtin(),
        }
    }
}
