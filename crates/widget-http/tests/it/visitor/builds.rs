//! Builds of the embed of several releases on one database: each node serves what a page may still
//! ask for.

use std::{fs, path::Path};

use futures_util::future::join_all;
use sqlx::Connection as _;
use tempfile::TempDir;
use time::Duration;
use widget_http::{
    background,
    embed_files::EmbedFiles,
    storage::{BuildKind, BuildName, EmbedBuild},
};

use crate::{
    database,
    support::{Answer, LogLines, START, Service},
};

/// What the tests rely on.
const BUILT: &str = "the embed is built: `cargo xtask test embed` builds it";

/// The embed of another release: every file ends differently, and the window's style sheet is only
/// there without compression.
fn other_release() -> (TempDir, EmbedFiles) {
    let dist = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../embed/dist"));
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let copy = |name: &str| {
        let mut bytes = fs::read(dist.join(name)).expect(BUILT);
        bytes.extend(b"\n");
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it is writable");
        fs::write(path, bytes).expect("it is writable");
    };
    for name in [
        "loader.js",
        "loader.pinned.js",
        "panel.js",
        "window/.vite/manifest.json",
    ] {
        copy(name);
    }
    for file in fs::read_dir(dist.join("window/assets")).expect(BUILT) {
        let name = file.expect("it is readable").file_name();
        let name = name.to_str().expect("Vite uses ASCII").to_owned();
        if !name.contains(".css.") {
            copy(&format!("window/assets/{name}"));
        }
    }
    let files = EmbedFiles::Folder(folder.path().to_owned());
    (folder, files)
}

/// Two nodes of different releases that have both started.
async fn two_releases() -> (Service, Service, TempDir) {
    let first = Service::start().await;
    let (folder, embed) = other_release();
    let second = first
        .another_node_with(|settings| settings.embed = embed)
        .await;
    for node in [&first, &second] {
        background::keep_embed_builds(&node.state)
            .await
            .expect("storage works");
    }
    (first, second, folder)
}

async fn ask(service: &Service, path: &str) -> Answer {
    service.call_with(None, "GET", path, None, &[]).await
}

/// Paths of everything that pages of this release ask for under a name that changes.
fn paths(embed: &EmbedFiles) -> Vec<String> {
    let script = |name: BuildName| format!("/public/embed/any/{}.js", name.hash());
    let window = embed.window_files().expect(BUILT);
    let mut paths = vec![
        script(embed.loader_file().expect(BUILT).name),
        script(embed.panel_name().expect(BUILT)),
        format!("/public/{}", window.script),
    ];
    paths.extend(window.styles.iter().map(|style| format!("/public/{style}")));
    paths
}

#[tokio::test]
async fn nodes_of_two_releases_serve_the_builds_of_both() {
    let (first, second, _folder) = two_releases().await;
    let (ours, theirs) = (
        paths(&first.state.settings.embed),
        paths(&second.state.settings.embed),
    );
    for (path, other) in ours.iter().zip(&theirs) {
        assert_ne!(path, other);
        let (here, there) = (ask(&first, path).await, ask(&second, path).await);
        assert_eq!(here.expect(200).text, there.expect(200).text, "{path}");
        for name in [
            "content-type",
            "cache-control",
            "etag",
            "cross-origin-resource-policy",
        ] {
            assert_eq!(here.header(name), there.header(name), "{path}");
        }
        let (here, there) = (ask(&first, other).await, ask(&second, other).await);
        assert_eq!(here.expect(200).text, there.expect(200).text, "{other}");
        let known = [("if-none-match", here.header("etag"))];
        let again = first.call_with(None, "GET", other, None, &known).await;
        again.expect(304);
    }
    // A window is stored as it was built, so that old ones are as small on the way as new ones.
    let script = theirs.iter().find(|path| path.contains("/assets/"));
    let request = http::Request::get(script.expect("there is one").as_str())
        .header("accept-encoding", "br")
        .body(axum::body::Body::empty())
        .expect("a valid request");
    let router = first.router.clone();
    let Ok(compressed) = tower::ServiceExt::oneshot(router, request).await;
    assert_eq!(compressed.headers()["content-encoding"], "br");
    let missing = script.expect("there is one").replace("main", "none");
    ask(&first, &missing).await.problem(404, "not_found");
}

#[tokio::test]
async fn bytes_that_are_not_those_of_their_name_are_never_served() {
    let (first, second, _folder) = two_releases().await;
    let mut connection = database::Connection::connect(first.database().url())
        .await
        .expect("it can be opened");
    let statement = format!("UPDATE embed_builds SET bytes = {}", database::BYTES);
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("it can be executed");
    connection.close().await.expect("it can be closed");
    let log = LogLines::capture();
    let theirs = paths(&second.state.settings.embed);
    for _ in 0..2 {
        for path in &theirs {
            ask(&first, path).await.problem(404, "not_found");
        }
    }
    // One line for each build, not for each request.
    let lines = log.with("a stored row cannot be read");
    assert_eq!(lines.len(), 3, "{lines:?}");
    let panel = second.state.settings.embed.panel_name().expect(BUILT);
    assert!(lines.iter().any(|line| line.contains(panel.hash())));
    for path in paths(&first.state.settings.embed) {
        ask(&first, &path).await.expect(200);
    }
}

#[tokio::test]
async fn invented_names_are_limited() {
    let service = Service::start().await;
    // What cannot be a name is not looked for.
    for name in ["0123.js", "0123456789abcdeX.js", "0123456789abcdef", "x.js"] {
        let path = format!("/public/embed/any/{name}");
        ask(&service, &path).await.problem(404, "not_found");
    }
    // Many at once share their reads of all names; in turn, each would wait for the next one.
    let names: Vec<_> = (0..50_u32)
        .map(|number| format!("/public/embed/any/{number:032x}.js"))
        .collect();
    let answers = join_all(names.iter().map(|path| ask(&service, path))).await;
    for answer in answers {
        answer.problem(404, "not_found");
    }
    // Then the address has to wait.
    let more = (0..20).map(|_| ask(&service, &names[0]));
    let refused = join_all(more).await;
    let refused = refused.iter().filter(|answer| answer.status == 429);
    assert!(refused.count() >= 5);
}

#[tokio::test]
async fn a_build_is_forgotten_400_days_after_its_last_use() {
    let (first, second, _folder) = two_releases().await;
    let path = paths(&second.state.settings.embed)[0].clone();
    let old = EmbedBuild::new(BuildKind::Loader, "nobody uses it".into());
    first
        .storage
        .keep_embed_build(&old, START)
        .await
        .expect("storage works");
    let name = second.state.settings.embed.loader_file().expect(BUILT).name;
    let seen = async || {
        let found = first.storage.find_embed_build(&name).await;
        found
            .expect("storage works")
            .map(|found| found.last_seen_at)
    };
    // Uses within a day of the last one that was noted are not noted.
    ask(&first, &path).await.expect(200);
    assert_eq!(seen().await, Some(START));
    first.clock.advance(Duration::days(300));
    ask(&first, &path).await.expect(200);
    let noted = START + Duration::days(300);
    while seen().await != Some(noted) {
        tokio::task::yield_now().await;
    }
    first.clock.advance(Duration::days(101));
    background::keep_embed_builds(&first.state)
        .await
        .expect("storage works");
    let names = first.storage.list_embed_builds().await.expect("works");
    assert!(!names.contains(old.name()), "{names:?}");
    assert!(names.contains(&name), "{names:?}");
    ask(&first, &path).await.expect(200);
}
