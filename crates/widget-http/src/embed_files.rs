//! The built embed inside the binary: the loader script, the panel script that it loads when the
//! window is first opened, and the window's scripts and styles; and builds of other releases, as
//! they are kept in storage.
//!
//! A debug build reads the files each time, so that the embed can be rebuilt while the service
//! runs.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    convert::Infallible,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
    time::SystemTime,
};

use axum::extract::FromRequestParts;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use rust_embed::Embed;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha384};

use crate::{
    storage::{BuildKind, BuildName, EmbedBuild},
    web::etag,
};

pub use self::window_build::WindowBuild;

mod window_build;

#[derive(Embed)]
#[folder = "../../embed/dist"]
struct Dist;

/// The folder of [`Dist`] on the machine that built this.
const DIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../embed/dist");

/// The embed that a service has as its own.
#[derive(Debug, Clone, Default)]
pub enum EmbedFiles {
    /// The one inside the binary.
    #[default]
    BuiltIn,
    /// One in a folder, as another release would have it.
    Folder(PathBuf),
}

/// Name of the loader below `embed/dist`.
const LOADER: &str = "loader.js";

/// Name of the loader that contains the panel script, for pages that pin it.
const PINNED_LOADER: &str = "loader.pinned.js";

/// Name of the panel script below `embed/dist`.
const PANEL: &str = "panel.js";

/// Name of the script of the page that shows a preview below `embed/dist`.
const PREVIEW_PAGE: &str = "preview-page.js";

/// Where Vite puts the window.
const WINDOW: &str = "window";

/// The files of the window below `embed/dist`.
const ASSETS: &str = "window/assets";

/// Start of the source of the entry that the window document loads.
const ENTRY_SOURCE: &str = "src/window/";

/// A file as it is sent; the build may have compressed it already.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes, in `encoding`.
    pub bytes: Bytes,
    /// Value of `Content-Encoding`.
    pub encoding: Option<&'static str>,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// Value of `ETag`, which changes with the bytes.
    pub tag: HeaderValue,
}

impl Asset {
    /// A form of the file at `path`.
    fn new(path: &str, encoding: Option<&'static str>, bytes: Bytes, hash: &[u8; 32]) -> Self {
        Self {
            bytes,
            encoding,
            media_type: media_type(path),
            tag: etag::of_hash(hash),
        }
    }
}

/// The name and hash of the loader that pages pin by an `integrity` attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderFile {
    /// Name that changes with the bytes.
    pub name: BuildName,
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

/// What is appended to the name of a file in each encoding, the best first.
const FORMS: [(&str, Option<&str>); 3] = [(".br", Some("br")), (".gz", Some("gzip")), ("", None)];

impl Accepted {
    /// The names under which a file may be, the best first, with their encodings.
    fn variants(self, path: &str) -> impl Iterator<Item = (String, Option<&'static str>)> {
        let accepted = FORMS
            .into_iter()
            .filter(move |(_, form)| self.allows(*form));
        accepted.map(move |(end, encoding)| (format!("{path}{end}"), encoding))
    }

    /// Whether an encoding, or none, is accepted.
    fn allows(self, encoding: Option<&str>) -> bool {
        match encoding {
            Some("br") => self.brotli,
            Some("gzip") => self.gzip,
            _ => true,
        }
    }

    /// Whether gzip is among them.
    pub(crate) const fn gzip(self) -> bool {
        self.gzip
    }

    /// What a request accepts.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let named = headers.get_all(header::ACCEPT_ENCODING).iter();
        let accepted = named.filter_map(|value| value.to_str().ok().map(Self::parse));
        accepted.fold(Self::default(), |all, named| Self {
            brotli: all.brotli || named.brotli,
            gzip: all.gzip || named.gzip,
        })
    }

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

impl<S: Sync> FromRequestParts<S> for Accepted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl EmbedFiles {
    /// The loader script; `None` when the embed has not been built.
    #[must_use]
    pub fn loader(&self, accepted: Accepted) -> Option<Asset> {
        self.find_asset(LOADER, accepted)
    }

    /// The panel script; `None` when the embed has not been built.
    #[must_use]
    pub fn panel(&self, accepted: Accepted) -> Option<Asset> {
        self.find_asset(PANEL, accepted)
    }

    /// The script that stands in the page of a preview; `None` when the embed has not been built.
    #[must_use]
    pub fn preview_page(&self) -> Option<Bytes> {
        self.read(PREVIEW_PAGE).map(|(bytes, _)| bytes)
    }

    /// The loader that pages pin, which contains the panel script, or the panel script, if this is
    /// its name.
    #[must_use]
    pub fn script(&self, name: &BuildName, accepted: Accepted) -> Option<Asset> {
        let (path, own) = match name.kind() {
            BuildKind::Loader => (PINNED_LOADER, self.loader_file()?.name),
            BuildKind::Panel => (PANEL, self.panel_name()?),
            BuildKind::Window => return None,
        };
        if own == *name {
            self.find_asset(path, accepted)
        } else {
            None
        }
    }

    /// A file of the window of this name, by the name that the document and its modules use.
    #[must_use]
    pub fn window_file(&self, build: &BuildName, file: &str, accepted: Accepted) -> Option<Asset> {
        let is_plain = !file.is_empty()
            && file
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if is_plain && self.window_build()?.name() == build {
            self.find_asset(&format!("{ASSETS}/{file}"), accepted)
        } else {
            None
        }
    }

    /// Name and integrity of the pinned loader; `None` when the embed has not been built.
    #[must_use]
    pub fn loader_file(&self) -> Option<LoaderFile> {
        self.once(&LOADER_FILE, || {
            let (bytes, _) = self.read(PINNED_LOADER)?;
            Some(LoaderFile {
                name: BuildName::of(BuildKind::Loader, &bytes),
                integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(&bytes))),
            })
        })
    }

    /// Name of the panel script, which the loader of the same build contains; `None` when the embed
    /// has not been built.
    #[must_use]
    pub fn panel_name(&self) -> Option<BuildName> {
        self.once(&PANEL_NAME, || {
            let (bytes, _) = self.read(PANEL)?;
            Some(BuildName::of(BuildKind::Panel, &bytes))
        })
    }

    /// What the window document refers to; `None` when the embed has not been built.
    #[must_use]
    pub fn window_files(&self) -> Option<WindowFiles> {
        self.once(&WINDOW_FILES, || {
            let (manifest, _) = self.read(&format!("{WINDOW}/.vite/manifest.json"))?;
            let files = entry_of(&manifest)?;
            let build = self.window_build()?;
            let hash = build.name().hash();
            let inside = |file: String| match file.strip_prefix("assets/") {
                Some(file) => format!("assets/{hash}/{file}"),
                None => file,
            };
            Some(WindowFiles {
                script: inside(files.script),
                styles: files.styles.into_iter().map(inside).collect(),
            })
        })
    }

    /// What other nodes and later releases have to serve, too.
    #[must_use]
    pub fn builds(&self) -> Vec<EmbedBuild> {
        let script = |kind, path| {
            let (bytes, _) = self.read(path)?;
            Some(EmbedBuild::new(kind, bytes))
        };
        let window = self.window_build().map(|window| window.build().clone());
        [
            script(BuildKind::Loader, PINNED_LOADER),
            script(BuildKind::Panel, PANEL),
            window,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// All files of the window; the same value as long as they do not change.
    fn window_build(&self) -> Option<Arc<WindowBuild>> {
        let Some(folder) = self.folder() else {
            return WINDOW_BUILD
                .get_or_init(|| self.pack_window().map(Arc::new))
                .clone();
        };
        let seen = fingerprint(&folder.join(ASSETS)).ok()?;
        let mut packed = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, build)) = packed.get(folder).filter(|(kept, _)| *kept == seen) {
            return Some(Arc::clone(build));
        }
        let build = Arc::new(self.pack_window()?);
        packed.insert(folder.to_owned(), (seen, Arc::clone(&build)));
        Some(build)
    }

    fn pack_window(&self) -> Option<WindowBuild> {
        let names: Vec<String> = match self.folder() {
            Some(folder) => fingerprint(&folder.join(ASSETS))
                .ok()?
                .into_iter()
                .map(|(name, ..)| name)
                .collect(),
            None => Dist::iter()
                .filter_map(|path| Some(path.strip_prefix(ASSETS)?[1..].to_owned()))
                .collect(),
        };
        let files = names.into_iter().map(|name| {
            let (bytes, _) = self.read(&format!("{ASSETS}/{name}"))?;
            Some((name, bytes))
        });
        WindowBuild::pack(&files.collect::<Option<BTreeMap<_, _>>>()?)
    }

    /// Where the files are read from, if not from the binary.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::BuiltIn => cfg!(debug_assertions).then_some(Path::new(DIST)),
        }
    }

    /// A file and its SHA-256.
    fn read(&self, path: &str) -> Option<(Bytes, [u8; 32])> {
        let Some(folder) = self.folder() else {
            let file = Dist::get(path)?;
            let hash = file.metadata.sha256_hash();
            return Some(match file.data {
                Cow::Borrowed(bytes) => (Bytes::from_static(bytes), hash),
                Cow::Owned(bytes) => (Bytes::from(bytes), hash),
            });
        };
        let bytes = fs::read(folder.join(path)).ok()?;
        let hash = Sha256::digest(&bytes).into();
        Some((Bytes::from(bytes), hash))
    }

    fn find_asset(&self, path: &str, accepted: Accepted) -> Option<Asset> {
        if self.folder().is_none() {
            let mut forms = BUILT_IN.get(path)?.iter();
            return forms.find(|form| accepted.allows(form.encoding)).cloned();
        }
        accepted.variants(path).find_map(|(variant, encoding)| {
            let (bytes, hash) = self.read(&variant)?;
            Some(Asset::new(path, encoding, bytes, &hash))
        })
    }

    /// Every file, under its name without an encoding, in all of its forms, the best first.
    fn read_all(&self) -> BTreeMap<String, Vec<Asset>> {
        let mut files: BTreeMap<_, Vec<Asset>> = BTreeMap::new();
        for (end, encoding) in FORMS {
            for variant in Dist::iter() {
                let (Some(path), Some((bytes, hash))) =
                    (variant.strip_suffix(end), self.read(&variant))
                else {
                    continue;
                };
                let asset = Asset::new(path, encoding, bytes, &hash);
                files.entry(path.to_owned()).or_default().push(asset);
            }
        }
        files
    }

    /// Computed once where the files cannot change.
    fn once<T: Clone>(
        &self,
        cell: &OnceLock<Option<T>>,
        compute: impl Fn() -> Option<T>,
    ) -> Option<T> {
        match self.folder() {
            Some(_) => compute(),
            None => cell.get_or_init(compute).clone(),
        }
    }
}

/// The files inside the binary.
static BUILT_IN: LazyLock<BTreeMap<String, Vec<Asset>>> =
    LazyLock::new(|| EmbedFiles::BuiltIn.read_all());
static LOADER_FILE: OnceLock<Option<LoaderFile>> = OnceLock::new();
static PANEL_NAME: OnceLock<Option<BuildName>> = OnceLock::new();
static WINDOW_FILES: OnceLock<Option<WindowFiles>> = OnceLock::new();
static WINDOW_BUILD: OnceLock<Option<Arc<WindowBuild>>> = OnceLock::new();

/// Name, size and time of each file, by which a change is noticed.
type Fingerprint = Vec<(String, u64, SystemTime)>;

/// Windows of folders, so that not every request reads and hashes all files.
static PACKED: Mutex<BTreeMap<PathBuf, (Fingerprint, Arc<WindowBuild>)>> =
    Mutex::new(BTreeMap::new());

fn fingerprint(folder: &Path) -> io::Result<Fingerprint> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, metadata.len(), metadata.modified()?))
        })
        .collect::<io::Result<Fingerprint>>()?;
    files.sort();
    Ok(files)
}

/// A build of another release.
#[derive(Debug, Clone)]
pub enum OldBuild {
    /// A loader or a panel script.
    Script(Asset),
    /// A window.
    Window(Arc<WindowBuild>),
}

impl OldBuild {
    /// Reads what is stored; `None` when it is not a window although it says so.
    #[must_use]
    pub fn read(stored: &EmbedBuild) -> Option<Self> {
        match stored.name().kind() {
            BuildKind::Loader | BuildKind::Panel => {
                let (bytes, hash) = (stored.bytes().clone(), Sha256::digest(stored.bytes()));
                Some(Self::Script(Asset::new(LOADER, None, bytes, &hash.into())))
            }
            BuildKind::Window => Some(Self::Window(Arc::new(WindowBuild::unpack(stored)?))),
        }
    }

    /// The script, if it is one.
    #[must_use]
    pub fn script(self) -> Option<Asset> {
        match self {
            Self::Script(asset) => Some(asset),
            Self::Window(_) => None,
        }
    }

    /// A file of the window, if it is one.
    #[must_use]
    pub fn window_file(&self, file: &str, accepted: Accepted) -> Option<Asset> {
        let Self::Window(window) = self else {
            return None;
        };
        accepted.variants(file).find_map(|(variant, encoding)| {
            let (bytes, hash) = window.file(&variant)?;
            Some(Asset::new(file, encoding, bytes, &hash))
        })
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
            let files = EmbedFiles::BuiltIn;
            let build = files.window_build().map(|build| build.name().clone());
            let build = build.unwrap_or(BuildName::of(BuildKind::Window, b""));
            let found = files.window_file(&build, name, Accepted::default());
            assert!(found.is_none(), "{name}");
        }
    }
}
