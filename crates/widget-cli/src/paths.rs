//! From the arguments of a command (files, folders, patterns, standard input) to the text of each
//! input. Nothing here knows what the text means.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use crate::{
    exit::ExitCode,
    failure::Failure,
    source::{
        fault::{SourceCode, SourceFault},
        input::{Format, Input},
    },
};

/// Maximum size of one input. A page of 200 widgets with the largest configs has less than 14 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where an input is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputPath {
    StandardInput,
    File(PathBuf),
}

/// Why the text of an input is not available.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It cannot be read at all.
    Unreadable(io::Error),
    /// It can be read and is not suitable text.
    Unsuitable(SourceFault),
}

impl InputPath {
    /// The name to show.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::StandardInput => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// Finds the inputs that arguments name: a file, every `.json`, `.yaml` and `.yml` file below a
/// folder, the matches of a pattern such as `shops/*.json`, or standard input for `-`.
pub(crate) fn find_inputs(arguments: &[PathBuf]) -> Result<Vec<InputPath>, Failure> {
    let mut found = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            found.push(InputPath::StandardInput);
            continue;
        }
        match fs::metadata(argument) {
            Ok(metadata) if metadata.is_dir() => {
                let below = walk(argument).map_err(|error| unreadable(argument, &error))?;
                let files = below.files;
                if files.is_empty() {
                    return Err(Failure::unexpected(format_args!(
                        "the folder `{}` contains no .json, .yaml or .yml file",
                        argument.display()
                    )));
                }
                found.extend(files.into_iter().map(InputPath::File));
            }
            Ok(_) => found.push(InputPath::File(argument.clone())),
            Err(error) => match argument.to_str() {
                Some(pattern) if pattern.contains(['*', '?', '[']) => expand(pattern, &mut found)?,
                _ => return Err(unreadable(argument, &error)),
            },
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|origin| seen.insert(origin.name()));
    Ok(found)
}

/// Finds every `.json`, `.yaml` and `.yml` file below a folder, in the order of their names.
pub(crate) fn find_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_folder = fs::metadata(folder)
        .map_err(|error| unreadable(folder, &error))?
        .is_dir();
    if !is_folder {
        return Err(Failure::unexpected(format_args!(
            "`{}` is a file; name the folder",
            folder.display()
        )));
    }
    let below = walk(folder).map_err(|error| unreadable(folder, &error))?;
    // A file that is not seen looks like one that was removed.
    let Some(skipped) = below.skipped.first() else {
        return Ok(below.files);
    };
    let shown = skipped.display();
    if skipped
        .file_name()
        .is_some_and(|name| name.to_str().is_none())
    {
        let failure = format_args!("the name of `{shown}` is not UTF-8");
        return Err(Failure::bad_input(failure).hint("rename it, or remove it"));
    }
    Err(Failure::bad_input(format_args!(
        "`{shown}` is a link to a folder, or not a file that can be read"
    ))
    .hint("replace it with a file or a folder, or remove it; links to files are followed"))
}

/// Finds the one input that an argument names; rejects a folder or a pattern.
pub(crate) fn require_single(argument: &Path) -> Result<InputPath, Failure> {
    if argument.as_os_str() == "-" {
        return Ok(InputPath::StandardInput);
    }
    match fs::metadata(argument) {
        Ok(metadata) if metadata.is_dir() => Err(Failure::unexpected(format_args!(
            "`{}` is a folder; name one file in it",
            argument.display()
        ))),
        Ok(_) => Ok(InputPath::File(argument.to_owned())),
        Err(error) => Err(unreadable(argument, &error)),
    }
}

/// Reads an input as text. Without a format, its name or first character decides.
pub(crate) fn read(origin: &InputPath, format: Option<Format>) -> Result<Input, ReadError> {
    let bytes = match origin {
        InputPath::StandardInput => read_limited(io::stdin().lock()),
        InputPath::File(path) => File::open(path).and_then(read_limited),
    }
    .map_err(ReadError::Unreadable)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > MAX_BYTES {
        return Err(build_unsuitable(
            SourceCode::FileTooLarge,
            format!(
                "the file has more than {} MiB, which is more than any list of widgets",
                MAX_BYTES / 1024 / 1024
            ),
            None,
        ));
    }
    if bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]) {
        return Err(build_unsuitable(
            SourceCode::EncodingInvalid,
            "the text is UTF-16, and must be UTF-8".to_owned(),
            Some("save the file as UTF-8 in your editor".to_owned()),
        ));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
        build_unsuitable(
            SourceCode::EncodingInvalid,
            format!("line {line} contains bytes that are not UTF-8"),
            Some("save the file as UTF-8 in your editor".to_owned()),
        )
    })?;
    let has_mark = text.starts_with('\u{FEFF}');
    if has_mark {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    let format = format.unwrap_or_else(|| guess_format(origin, &text));
    let mut input = Input::new(text, format);
    input.has_mark = has_mark;
    input.is_link = matches!(origin, InputPath::File(path) if is_link(path));
    Ok(input)
}

/// Whether a path is a link to a file; `/dev/stdin` is one that the system makes.
fn is_link(path: &Path) -> bool {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    is_link && path.is_file() && !path.starts_with("/dev") && !path.starts_with("/proc")
}

fn read_limited(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn build_unsuitable(code: SourceCode, detail: String, hint: Option<String>) -> ReadError {
    ReadError::Unsuitable(SourceFault {
        code,
        span: None,
        detail,
        hint,
    })
}

fn guess_format(origin: &InputPath, text: &str) -> Format {
    let extension = match origin {
        InputPath::File(path) => path.extension().and_then(|extension| extension.to_str()),
        InputPath::StandardInput => None,
    };
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => Format::Json,
        Some("yaml" | "yml") => Format::Yaml,
        _ if text.trim_start().starts_with(['{', '[']) => Format::Json,
        _ => Format::Yaml,
    }
}

/// Every file with a known extension below a folder, sorted by name. Hidden files and
/// `node_modules` are left out, and links to folders are not followed.
fn walk(folder: &Path) -> io::Result<Below> {
    let mut pending = vec![folder.to_owned()];
    let mut below = Below::default();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") || name == "node_modules" {
                continue;
            }
            let path = entry.path();
            let path = path.strip_prefix("./").map(Path::to_owned).unwrap_or(path);
            let is_folder = entry.file_type()?.is_dir();
            if name.to_str().is_none() {
                if is_folder || has_known_extension(&path) {
                    below.skipped.push(path);
                }
            } else if is_folder {
                pending.push(path);
            } else if has_known_extension(&path) && path.is_file() {
                below.files.push(path);
            } else if has_known_extension(&path) || path.is_dir() {
                below.skipped.push(path);
            }
        }
    }
    below.files.sort();
    below.skipped.sort();
    Ok(below)
}

/// What is below a folder.
#[derive(Debug, Default)]
struct Below {
    files: Vec<PathBuf>,
    /// Links to folders, names of files that are none, and names that are not UTF-8.
    skipped: Vec<PathBuf>,
}

fn has_known_extension(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| {
            ["json", "yaml", "yml"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
}

fn expand(pattern: &str, found: &mut Vec<InputPath>) -> Result<(), Failure> {
    let paths = glob::glob(pattern).map_err(|error| {
        Failure::unexpected(format_args!("`{pattern}` is not a pattern: {error}"))
    })?;
    let before = found.len();
    for path in paths {
        let path = path.map_err(|error| unreadable(error.path(), error.error()))?;
        if path.is_file() {
            found.push(InputPath::File(path));
        }
    }
    if found.len() == before {
        return Err(
            Failure::unexpected(format_args!("no file matches `{pattern}`"))
                .hint("`*` matches any part of a name, and `**` any folders"),
        );
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    if error.kind() != io::ErrorKind::NotFound {
        return Failure::unexpected(format_args!("cannot read `{shown}`: {error}"));
    }
    let failure = Failure::unexpected(format_args!("there is no file or folder `{shown}`"));
    if let Some(id) = path.to_str().and_then(|text| Uuid::try_parse(text).ok()) {
        return failure.hint(format_args!(
            "this is an id; save the widget first: curl -H \"Authorization: Bearer $KEY\" \
             https://widgets.example/core/web-widgets/{id} > widget.json"
        ));
    }
    match find_similar_name(path) {
        Some(name) => failure.hint(format_args!("did you mean `{}`?", name.display())),
        None => failure,
    }
}

/// A file in the same folder with a similar name.
fn find_similar_name(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?;
    let parent = path.parent()?;
    let folder = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let names = fs::read_dir(folder).ok()?;
    let (likeness, name) = names
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|name| (strsim::normalized_damerau_levenshtein(wanted, &name), name))
        .max_by(|left, right| {
            left.0
                .total_cmp(&right.0)
                .then_with(|| right.1.cmp(&left.1))
        })?;
    (likeness >= 0.6).then(|| parent.join(name))
}

impl ReadError {
    /// A file that cannot be read is not bad input: there is no input.
    pub(crate) fn exit(&self) -> ExitCode {
        match self {
            Self::Unsuitable(_) => ExitCode::No,
            Self::Unreadable(_) => ExitCode::Unexpected,
        }
    }

    /// The error as a fault of the file.
    pub(crate) fn into_fault(self) -> SourceFault {
        match self {
            Self::Unsuitable(fault) => fault,
            Self::Unreadable(error) => SourceFault {
                code: SourceCode::FileUnreadable,
                span: None,
                detail: format!("the file cannot be read: {error}"),
                hint: None,
            },
        }
    }

    /// The error as the failure of a command about this one file.
    pub(crate) fn into_failure(self, name: &str) -> Failure {
        let exit = self.exit();
        let fault = self.into_fault();
        Failure {
            exit,
            hint: fault.hint,
            ..Failure::unexpected(format_args!("`{name}`: {}", fault.detail))
        }
    }
}
