//! Rules about the text of files.

use std::path::Path;

use crate::{files, none, read};

/// Words that this project does not use, and what it says instead. Names made of several words
/// (`snake_case`, `camelCase`) are split before the search.
const WORDS: &[(&str, &str)] = &[
    ("behaviour", "behavior"),
    ("behaviours", "behaviors"),
    ("can't", "cannot"),
    ("cancelled", "canceled"),
    ("colour", "color"),
    ("colours", "colors"),
    ("dismantle", "clean up"),
    ("honour", "follow"),
    ("hush", "stop_publishing"),
    ("LEAST", "MIN_…"),
    ("licence", "license"),
    ("MOST", "MAX_…"),
    ("patience", "timeout"),
    ("stranger", "another page, an unknown caller"),
    ("strangers", "other pages, unknown callers"),
    ("surroundings", "dependencies"),
    ("tell", "say, report, return"),
    ("telling", "saying, reporting, returning"),
    ("tells", "says, reports, returns"),
    ("told", "said, reported, returned"),
];

/// The same for two words that follow each other.
const PHRASES: &[([&str; 2], &str)] = &[
    (["go", "on"], "continue"),
    (["goes", "on"], "continues"),
    (["going", "on"], "continuing, open, running"),
    (["went", "on"], "continued"),
];

/// What visitors and agents say in examples and tests, and what is in files that do not change
/// anymore.
const SPEECH: &[&str] = &[
    "Tell me about",
    "Please tell us",
    "Or just go on asking",
    "another node may go on with it then",
];

/// An error in a log line has its causes, each once: `with_causes` writes them.
#[test]
fn logged_errors_have_their_causes() {
    let faults: Vec<_> = files()
        .iter()
        .filter(|path| path.starts_with("crates/widget-http/src"))
        .filter(|path| read(path).is_some_and(|text| text.contains("error = %")))
        .map(|path| format!("{}: `error = %` leaves the causes out", path.display()))
        .collect();
    none("errors that are logged without their causes", &faults);
}

/// What was built by an earlier release, and is kept as it was.
const BUILT: &str = "fixtures/embed";

/// Who opens a file learns first why it exists.
#[test]
fn every_source_file_opens_with_a_comment() {
    let faults: Vec<_> = files()
        .iter()
        .filter(|path| !path.starts_with(BUILT))
        .filter_map(|path| {
            let text = read(path)?;
            let openings: &[&str] = match path.extension()?.to_str()? {
                "rs" => &["//!"],
                "ts" | "tsx" | "js" | "mjs" | "css" => &["/**", "/*", "//"],
                "py" => &["\"\"\"", "#"],
                "sql" => &["--"],
                "sh" => &["#"],
                _ => return None,
            };
            let body = match text.strip_prefix("#!") {
                Some(script) if !script.starts_with('[') => {
                    script.split_once('\n').map_or("", |(_, rest)| rest)
                }
                _ => &text,
            };
            (!openings
                .iter()
                .any(|opening| body.trim_start().starts_with(opening)))
            .then(|| format!("{}: opens with none of {openings:?}", path.display()))
        })
        .collect();
    none("files that do not say why they exist", &faults);
}

/// One module layout: `name.rs` beside `name/`.
#[test]
fn no_module_is_called_mod() {
    let faults: Vec<_> = files()
        .iter()
        .filter(|path| path.ends_with("mod.rs"))
        .map(|path| format!("{}: move it to `<folder>.rs`", path.display()))
        .collect();
    none("modules of another layout", &faults);
}

/// The formatters hold code to 100 columns, but leave comments as they are.
#[test]
fn comments_have_100_columns() {
    let mut faults = Vec::new();
    for path in files() {
        let markers: &[&str] = match path.extension().and_then(|kind| kind.to_str()) {
            Some("rs") => &["//"],
            Some("ts" | "tsx" | "js" | "css") => &["//", "/*", "*"],
            Some("py" | "toml" | "yml" | "sh") => &["#"],
            _ => continue,
        };
        let text = read(&path).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            // Addresses and orders to a linter cannot be broken.
            if columns > 100
                && markers
                    .iter()
                    .any(|marker| line.trim_start().starts_with(marker))
                && !["https://", "biome-ignore"]
                    .iter()
                    .any(|word| line.contains(word))
            {
                faults.push(format!(
                    "{}:{}: {columns} columns",
                    path.display(),
                    number + 1
                ));
            }
        }
    }
    none("comments that are too wide", &faults);
}

/// One language for names, messages, comments and docs, so that a search finds everything.
#[test]
fn words_are_those_of_the_project() {
    let mut faults = Vec::new();
    for path in files() {
        let kind = path.extension().and_then(|kind| kind.to_str());
        let is_text = matches!(
            kind,
            Some("rs" | "ts" | "tsx" | "css" | "py" | "sql" | "md" | "toml")
        );
        // The rule has to name the words, and catalogs speak to visitors.
        let is_exempt = path.ends_with("tidy/text.rs") || path.starts_with("embed/src/window/i18n");
        if !is_text || is_exempt {
            continue;
        }
        let text = read(&path).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let line = SPEECH
                .iter()
                .fold(line.to_owned(), |line, speech| line.replace(speech, ""));
            let words = words(&line);
            for pair in words.windows(2) {
                let known = PHRASES.iter().find(|(known, _)| {
                    known
                        .iter()
                        .zip(pair)
                        .all(|(one, other)| one.eq_ignore_ascii_case(other))
                });
                if let Some((known, instead)) = known {
                    let place = format!("{}:{}", path.display(), number + 1);
                    faults.push(format!("{place}: `{}`: write {instead}", known.join(" ")));
                }
            }
            for word in words {
                // The words in capitals are prefixes of constants, and good English otherwise.
                let known = WORDS.iter().find(|(known, _)| {
                    *known == word || (!is_upper(known) && known.eq_ignore_ascii_case(word))
                });
                if let Some((_, instead)) = known {
                    let place = format!("{}:{}", path.display(), number + 1);
                    faults.push(format!("{place}: `{word}`: write {instead}"));
                }
            }
        }
    }
    none("words of another language", &faults);
}

/// The words of a line; a name in `camelCase` is several.
fn words(line: &str) -> Vec<&str> {
    let names = line.split(|letter: char| !(letter.is_alphanumeric() || letter == '\''));
    let mut words = Vec::new();
    for name in names {
        let mut start = 0;
        for (at, pair) in name.as_bytes().windows(2).enumerate() {
            if pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase() {
                words.push(&name[start..=at]);
                start = at + 1;
            }
        }
        words.push(name[start..].trim_matches('\''));
    }
    words
}

fn is_upper(word: &str) -> bool {
    word.chars().all(char::is_uppercase)
}

/// The README, the manifest and the file that `rustup` reads name the same compiler.
#[test]
fn one_release_of_rust_is_named() {
    let text = |path: &str| read(Path::new(path)).expect(path);
    let manifest = text("Cargo.toml");
    let release = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .expect("the workspace has a rust-version");
    let pinned = format!("channel = \"{release}.0\"\n");
    assert!(
        text("rust-toolchain.toml").contains(&pinned),
        "not {pinned}"
    );
    let named = format!("Rust {release}");
    assert!(text("README.md").contains(&named), "README.md: not {named}");
}

/// A path of somebody's machine means nothing to others.
#[test]
fn no_file_names_a_path_of_one_machine() {
    // Put together here, or this file would name them itself.
    let prefixes = ["home", "Users", "root", "work"].map(|folder| format!("/{folder}/"));
    let faults: Vec<_> = files()
        .iter()
        .filter_map(|path| Some((path, read(path)?)))
        .flat_map(|(path, text)| {
            let named: Vec<_> = text
                .lines()
                .enumerate()
                .filter(|(_, line)| prefixes.iter().any(|prefix| names(line, prefix)))
                .map(|(number, line)| format!("{}:{}: {}", path.display(), number + 1, line.trim()))
                .collect();
            named
        })
        .collect();
    none("paths of one machine", &faults);
}

/// Text files end with a line break and have no spaces at the end of lines, so that differences
/// show only changes.
#[test]
fn text_is_clean() {
    let faults: Vec<_> = files()
        .iter()
        .filter(|path| {
            path.extension().is_some_and(|extension| {
                ["rs", "ts", "tsx", "py", "toml", "sql"]
                    .iter()
                    .any(|known| extension == *known)
            })
        })
        .filter_map(|path| Some((path, read(path)?)))
        .filter_map(|(path, text)| {
            let trailing = text.lines().position(|line| line.ends_with([' ', '\t']));
            match trailing {
                Some(line) => Some(format!("{}:{}: space at the end", path.display(), line + 1)),
                None if !text.is_empty() && !text.ends_with('\n') => {
                    Some(format!("{}: no line break at the end", path.display()))
                }
                None => None,
            }
        })
        .collect();
    none("untidy text", &faults);
}

/// Whether a line names a path below the prefix, as a path of its own and not as part of an
/// address.
fn names(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(start, _)| {
        line[..start]
            .chars()
            .next_back()
            .is_none_or(|before| before.is_whitespace() || "\"'`(=:,".contains(before))
    })
}
