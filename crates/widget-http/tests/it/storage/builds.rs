//! Builds of the embed in storage.

use time::Duration;
use widget_http::storage::{BuildKind, BuildName, EmbedBuild, Storage};

use crate::support::START;

pub(crate) async fn builds(storage: &dyn Storage) {
    let loader = EmbedBuild::new(BuildKind::Loader, "loader".into());
    let panel = EmbedBuild::new(BuildKind::Panel, "panel".into());
    for build in [&loader, &panel, &loader] {
        storage.keep_embed_build(build, START).await.expect("works");
    }
    let mut names = storage.list_embed_builds().await.expect("works");
    names.sort_by_key(BuildName::to_string);
    assert_eq!(names, [loader.name().clone(), panel.name().clone()]);

    let find = async |build: &EmbedBuild| {
        let found = storage.find_embed_build(build.name()).await;
        found.expect("works").map(|found| {
            assert_eq!(found.build, *build);
            found.last_seen_at
        })
    };
    assert_eq!(find(&loader).await, Some(START));
    // The same digits of another kind are another build.
    let window = EmbedBuild::new(BuildKind::Window, "loader".into());
    assert_eq!(window.name().hash(), loader.name().hash());
    assert_eq!(find(&window).await, None);

    // Marks never go back.
    let later = START + Duration::DAY;
    let mark = |now| storage.mark_embed_build(loader.name(), now);
    mark(later).await.expect("works");
    mark(START).await.expect("works");
    storage
        .keep_embed_build(&loader, START)
        .await
        .expect("works");
    assert_eq!(find(&loader).await, Some(later));
    assert_eq!(find(&panel).await, Some(START));

    let forget = |before| storage.forget_embed_builds(before);
    assert_eq!(forget(START).await.expect("works"), 0);
    assert_eq!(forget(later).await.expect("works"), 1);
    assert_eq!(find(&panel).await, None);
    assert_eq!(find(&loader).await, Some(later));
    let rest = forget(later + Duration::DAY).await.expect("works");
    assert_eq!(rest, 1);
}
