//! All files of a window in one piece: they refer to each other, so that no file could be named by
//! the hash of its bytes alone.
//!
//! A piece is the length of its list (four bytes, most significant first), the list of names and
//! lengths as JSON, and the bytes of each file in that order.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::storage::{BuildKind, BuildName, EmbedBuild};

/// A window under its name.
#[derive(Debug)]
pub struct WindowBuild {
    build: EmbedBuild,
    files: BTreeMap<String, (Bytes, [u8; 32])>,
}

impl WindowBuild {
    /// Puts the files into one piece; `None` when that gets too large.
    pub(super) fn pack(files: &BTreeMap<String, Bytes>) -> Option<Self> {
        let list: Vec<(&str, usize)> = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.len()))
            .collect();
        let list = serde_json::to_vec(&list).ok()?;
        let mut piece = u32::try_from(list.len()).ok()?.to_be_bytes().to_vec();
        piece.extend(list);
        for bytes in files.values() {
            piece.extend_from_slice(bytes);
        }
        Self::unpack(&EmbedBuild::new(BuildKind::Window, piece.into()))
    }

    /// Reads a piece; `None` when it is not one.
    pub(super) fn unpack(build: &EmbedBuild) -> Option<Self> {
        let mut rest = build.bytes().clone();
        let mut take = |count: usize| (count <= rest.len()).then(|| rest.split_to(count));
        let length = u32::from_be_bytes(take(4)?.as_ref().try_into().ok()?);
        let list = take(usize::try_from(length).ok()?)?;
        let list: Vec<(String, usize)> = serde_json::from_slice(&list).ok()?;
        let files = list.into_iter().map(|(name, length)| {
            let bytes = take(length)?;
            let hash = Sha256::digest(&bytes).into();
            Some((name, (bytes, hash)))
        });
        Some(Self {
            files: files.collect::<Option<_>>()?,
            build: build.clone(),
        })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &BuildName {
        self.build.name()
    }

    /// It in one piece.
    #[must_use]
    pub const fn build(&self) -> &EmbedBuild {
        &self.build
    }

    /// A file and its SHA-256.
    pub(super) fn file(&self, name: &str) -> Option<(Bytes, [u8; 32])> {
        self.files.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_every_file_and_one_that_is_cut_is_none() {
        let files = [("a.js", "one"), ("b.js", ""), ("c.css", "three")];
        let files = files.map(|(name, text)| (name.to_owned(), Bytes::from(text)));
        let window = WindowBuild::pack(&files.clone().into()).expect("it is small");
        let again = WindowBuild::unpack(window.build()).expect("it is a piece");
        assert_eq!(again.name(), window.name());
        for (name, bytes) in files {
            assert_eq!(again.file(&name).map(|(bytes, _)| bytes), Some(bytes));
        }
        assert_eq!(again.file("d.js"), None);
        let whole = window.build().bytes();
        for length in 0..whole.len() {
            let cut = EmbedBuild::new(BuildKind::Window, whole.slice(..length));
            assert!(WindowBuild::unpack(&cut).is_none(), "{length}");
            assert_ne!(cut.name(), window.name());
        }
    }
}
