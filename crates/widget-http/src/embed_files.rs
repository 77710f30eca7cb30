//! The built embed inside the binary: the loader script, the panel script that it loads when the
//! window is first opened, and the window's scripts and styles.
//!
//! A debug build reads the files each time, so that the embed can be rebuilt while the service
//! runs.

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use rust_embed::Embed;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha384};

use crate::web::etag::short_hash;

#[derive(Embed)]
#[folder = "../../embed/dist"]
struct Dist;

/// Name of the loader below `embed/dist`.
const LOADER: &str = "loader.js";

/// Name of the loader that contains the panel script, for pages that pin it.
const PINNED_LOADER: &str = "loader.pinned.js";

/// Name of the panel script below `embed/dist`.
const PANEL: &str = "panel.js";

/// Where Vite puts the window.
const WINDOW: &str = "window";

/// Start of the source of the entry that the window document loads.
const ENTRY_SOURCE: &str = "src/window/";

/// A file as it is sent; the build may have compressed it already.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes, in `encoding`.
    pub bytes: Cow<'static, [u8]>,
    /// Value of `Content-Encoding`.
    pub encoding: Option<&'static str>,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// Hash of the bytes, for `ETag`.
    pub hash: [u8; 32],
}

/// The name and hash of the loader that pages pin by an `integrity` attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderFile {
    /// Name that changes with the bytes, `<hash>.js`.
    pub file_name: String,
    /// Value of the `integrity` attribute.
    pub integrity: String,
}

/// What the window document refers to, relative to `/public/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowFiles {
    /// The module that starts the window.
    pub script: String,
    /// Its style sheets.
    pub styles: Vec<String>,
}

/// Encodings that a client accepts, from its `Accept-Encoding`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    brotli: bool,
    gzip: bool,
}

impl Accepted {
    /// Reads the header; an encoding that is refused (`q=0`) or not named is not accepted.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let mut accepted = Self::default();
        for item in header.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts
                .filter_map(|part| part.strip_prefix("q="))
                .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
            if !refused {
                accepted.brotli |= name.eq_ignore_ascii_case("br");
                accepted.gzip |= name.eq_ignore_ascii_case("gzip");
            }
        }
        accepted
    }
}

/// The loader script; `None` when the embed has not been built.
#[must_use]
pub fn loader(accepted: Accepted) -> Option<Asset> {
    find_asset(LOADER, accepted)
}

/// The loader that pages pin, which contains the panel script; `None` when the embed has not been
/// built.
#[must_use]
pub fn pinned_loader(accepted: Accepted) -> Option<Asset> {
    find_asset(PINNED_LOADER, accepted)
}

/// The panel script; `None` when the embed has not been built.
#[must_use]
pub fn panel(accepted: Accepted) -> Option<Asset> {
    find_asset(PANEL, accepted)
}

/// A file of the window, by the name that the document and its modules use.
#[must_use]
pub fn window_file(name: &str, accepted: Accepted) -> Option<Asset> {
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if plain {
        find_asset(&format!("{WINDOW}/assets/{name}"), accepted)
    } else {
        None
    }
}

/// Name and integrity of the pinned loader; `None` when the embed has not been built.
#[must_use]
pub fn loader_file() -> Option<LoaderFile> {
    once(&LOADER_FILE, || {
        let file = Dist::get(PINNED_LOADER)?;
        Some(LoaderFile {
            file_name: format!("{}.js", short_hash(&Sha256::digest(&file.data).into())),
            integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(&file.data))),
        })
    })
}

/// Name of the panel script, which the loader of the same build contains; `None` when the embed has
/// not been built.
#[must_use]
pub fn panel_name() -> Option<String> {
    once(&PANEL_NAME, || {
        let file = Dist::get(PANEL)?;
        let hash = short_hash(&Sha256::digest(&file.data).into());
        Some(format!("{}.js", hash.get(..16)?))
    })
}

/// What the window document refers to; `None` when the embed has not been built.
#[must_use]
pub fn window_files() -> Option<WindowFiles> {
    once(&WINDOW_FILES, || {
        let manifest = Dist::get(&format!("{WINDOW}/.vite/manifest.json"))?;
        entry_of(&manifest.data)
    })
}

static LOADER_FILE: OnceLock<Option<LoaderFile>> = OnceLock::new();
static PANEL_NAME: OnceLock<Option<String>> = OnceLock::new();
static WINDOW_FILES: OnceLock<Option<WindowFiles>> = OnceLock::new();

/// Computed once in a release, where the files cannot change.
fn once<T: Clone>(cell: &OnceLock<Option<T>>, compute: impl Fn() -> Option<T>) -> Option<T> {
    if cfg!(debug_assertions) {
        compute()
    } else {
        cell.get_or_init(compute).clone()
    }
}

/// One chunk of Vite's manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    file: String,
    #[serde(default)]
    is_entry: bool,
    #[serde(default)]
    css: Vec<String>,
    #[serde(default)]
    imports: Vec<String>,
}

/// The entry with the style sheets of everything that it imports at once.
fn entry_of(manifest: &[u8]) -> Option<WindowFiles> {
    let chunks: BTreeMap<String, Chunk> = serde_json::from_slice(manifest).ok()?;
    let (first, entry) = chunks
        .iter()
        .find(|(source, chunk)| chunk.is_entry && source.starts_with(ENTRY_SOURCE))?;
    let mut styles = Vec::new();
    let mut seen = vec![first.as_str()];
    let mut next = 0;
    while let Some(source) = seen.get(next) {
        next += 1;
        let Some(chunk) = chunks.get(*source) else {
            continue;
        };
        for style in &chunk.css {
            if !styles.contains(style) {
                styles.push(style.clone());
            }
        }
        for import in &chunk.imports {
            if !seen.contains(&import.as_str()) {
                seen.push(import);
            }
        }
    }
    Some(WindowFiles {
        script: entry.file.clone(),
        styles,
    })
}

fn find_asset(path: &str, accepted: Accepted) -> Option<Asset> {
    let variants = [
        accepted.brotli.then(|| (format!("{path}.br"), Some("br"))),
        accepted.gzip.then(|| (format!("{path}.gz"), Some("gzip"))),
        Some((path.to_owned(), None)),
    ];
    let (file, encoding) = variants
        .into_iter()
        .flatten()
        .find_map(|(path, encoding)| Some((Dist::get(&path)?, encoding)))?;
    Some(Asset {
        hash: file.metadata.sha256_hash(),
        bytes: file.data,
        encoding,
        media_type: media_type(path),
    })
}

/// What Vite can put into the folder; anything else is bytes that no browser interprets.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_entry_and_its_styles_from_the_manifest() {
        let manifest = br#"{
            "_shared-1.js": {"file": "assets/shared-1.js", "css": ["assets/shared.css"]},
            "src/other.ts": {"file": "assets/other.js", "isEntry": true},
            "src/window/main.tsx": {"file": "assets/main-2.js", "isEntry": true, "src": "src/window/main.tsx",
                "imports": ["_shared-1.js", "gone.js"], "dynamicImports": ["lazy.js"], "css": ["assets/main.css"]}
        }"#;
        let files = entry_of(manifest).expect("has an entry");
        assert_eq!(files.script, "assets/main-2.js");
        assert_eq!(files.styles, ["assets/main.css", "assets/shared.css"]);
        assert_eq!(entry_of(b"{}"), None);
        assert_eq!(entry_of(b"no JSON"), None);
    }

    #[test]
    fn only_named_encodings_are_accepted() {
        let accepted = Accepted::parse("gzip, deflate, br;q=0.5");
        assert_eq!(
            accepted,
            Accepted {
                brotli: true,
                gzip: true
            }
        );
        assert_eq!(
            Accepted::parse("br;q=0, gzip;q=0.000, identity"),
            Accepted::default()
        );
        assert_eq!(Accepted::parse(""), Accepted::default());
    }

    #[test]
    fn names_outside_of_the_folder_find_nothing() {
        for name in [
            "../../loader.js",
            "..%2f",
            "",
            "a/b.js",
            ".vite/manifest.json",
        ] {
            assert!(window_file(name, Accepted::default()).is_none(), "{name}");
        }
    }
}
