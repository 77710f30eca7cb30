//! Makes sure that the built embed is there, and lists the migrations, both to be put into the
//! binary.
//!
//! A release without the embed would serve nothing to visitors, so a missing one is an error. A
//! debug build continues: most work on the service needs no embed, and the routes that do say what
//! is missing.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo's variables are never empty"
)]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// The files without which nothing can be served.
const NEEDED: [&str; 3] = ["loader.js", "preview-page.js", "window/.vite/manifest.json"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    check_embed(&root)?;
    let list = [
        list_migrations(&root, "sqlite")?,
        list_migrations(&root, "postgres")?,
    ];
    if list[0].names != list[1].names {
        return Err(format!(
            "migrations/sqlite and migrations/postgres must contain the same files; \
             they contain {:?} and {:?}",
            list[0].names, list[1].names
        )
        .into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?).join("migrations.rs");
    fs::write(out, format!("{}{}", list[0].code, list[1].code))?;
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

fn check_embed(root: &Path) -> io::Result<()> {
    let dist = root.join("../../embed/dist");
    let missing = NEEDED.iter().find(|file| !dist.join(file).is_file());
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if let (true, Some(file)) = (is_release, missing) {
        println!(
            "cargo::error=embed/dist/{file} is missing, and a release carries the embed inside: \
             build both with `cargo xtask build`, or the embed alone with \
             `npm --prefix embed ci && npm --prefix embed run build`"
        );
    }
    println!("cargo::rerun-if-changed=../../embed/dist");
    fs::create_dir_all(&dist)
}

/// The migrations of one database.
struct List {
    /// Names of the files, in the order in which they apply.
    names: Vec<String>,
    /// A constant with all of them.
    code: String,
}

/// Every file of the folder is a migration, so that none can be forgotten.
fn list_migrations(root: &Path, database: &str) -> Result<List, Box<dyn Error>> {
    let folder = root.join("migrations").join(database);
    let mut names = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<String>>>()?;
    names.sort();
    let version = |name: &str| name.split('_').next().map(str::to_owned);
    let next = names.iter().skip(1);
    if let Some((first, second)) =
        (names.iter().zip(next)).find(|(first, second)| version(first) == version(second))
    {
        return Err(format!(
            "migrations/{database}/{first} and {second} must not have the same version; rename the \
             one that is not released"
        )
        .into());
    }
    let mut code = format!(
        "pub(super) const {}: Migrations = Migrations(&[\n",
        database.to_uppercase()
    );
    for name in &names {
        let (version, description) = name
            .strip_suffix(".sql")
            .and_then(|stem| stem.split_once('_'))
            .filter(|(version, _)| version.len() == 14)
            .ok_or_else(|| {
                format!("migrations/{database}/{name} must be named YYYYMMDDhhmmss_name.sql")
            })?;
        let version: i64 = version.parse()?;
        let version = with_separators(version);
        let path = folder.join(name);
        let index = find_index(database, &fs::read_to_string(&path)?)
            .map_err(|fault| format!("migrations/{database}/{name} {fault}"))?;
        let path = path.display().to_string();
        writeln!(
            code,
            "Embedded {{ version: {version}, description: {description:?}, \
             sql: include_str!({path:?}), index: {index} }},"
        )?;
    }
    code.push_str("]);\n");
    Ok(List { names, code })
}

/// The first line of a migration that PostgreSQL executes in no transaction.
const NO_TRANSACTION: &str = "-- no-transaction";

/// The index that a migration builds while the table is in use, as code.
///
/// Such a migration is nothing else, because what fails in no transaction is half done: of an index
/// alone it is known how to start over.
fn find_index(database: &str, sql: &str) -> Result<String, &'static str> {
    const SHAPE: &str = "must have one statement below the line `-- no-transaction`: \
         CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON table (...)";
    if !sql.starts_with(NO_TRANSACTION) {
        let is_misplaced = sql.contains("CONCURRENTLY");
        return (!is_misplaced).then(|| "None".to_owned()).ok_or(SHAPE);
    }
    if database != "postgres" {
        return Err("must not begin with `-- no-transaction`: every migration of SQLite has one");
    }
    let lines = sql.lines().filter(|line| !line.starts_with("--"));
    let statement = lines.collect::<Vec<_>>().join(" ");
    let mut words = statement.split_whitespace();
    let begin = "CREATE INDEX CONCURRENTLY IF NOT EXISTS".split(' ');
    let is_begun = begin.zip(words.by_ref()).all(|(one, other)| one == other);
    let named = (words.next(), words.next(), words.next());
    match named {
        (Some(name), Some("ON"), Some(table))
            if is_begun && statement.matches(';').count() == 1 =>
        {
            Ok(format!(
                "Some(ConcurrentIndex {{ name: {name:?}, table: {table:?} }})"
            ))
        }
        _ => Err(SHAPE),
    }
}

/// The number as Clippy wants it in code: `20_261_124_000_000`.
fn with_separators(number: i64) -> String {
    let digits = number.to_string();
    let (mut text, first) = (String::new(), digits.len() % 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 3 == first {
            text.push('_');
        }
        text.push(digit);
    }
    text
}
