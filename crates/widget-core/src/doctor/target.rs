//! Which widget of which service a page has to show.

use std::collections::BTreeSet;

use url::Url;

use super::framed::FramedSnippet;
use super::page::PageTags;
use super::question::{Target, is_same_service};
use super::snippet::{SnippetTag, Snippets, State};
use crate::id::WidgetId;

pub(super) fn is_known(services: &[Url], service: &Url) -> bool {
    services.iter().any(|known| is_same_service(known, service))
}

pub(super) fn choose_target(
    tags: &PageTags,
    snippets: &Snippets,
    framed: &[FramedSnippet],
    services: &[Url],
    expected: Option<WidgetId>,
) -> Option<Target> {
    let rank = |tag: &SnippetTag| match tag.state {
        State::Live { .. } => 0,
        State::Delayed { .. } => 1,
        State::Inert { .. } => 2,
    };
    // A copy does not say which service it is of.
    let mut in_tags: Vec<&SnippetTag> = snippets
        .tags
        .iter()
        .filter(|tag| !tag.address.is_cached() || is_known(services, &tag.address.service))
        .collect();
    in_tags.sort_by_key(|tag| rank(tag));
    let tagged = in_tags
        .into_iter()
        .map(|tag| (&tag.address, tag.script.has("src")));
    let hidden = snippets.hidden.iter().map(|found| (&found.address, false));
    let scripted = snippets
        .scripted
        .iter()
        .filter_map(|(address, _)| address.as_ref());
    let texts = snippets
        .texts
        .iter()
        .filter_map(|text| text.address.as_ref());
    let framed = framed.iter().map(|framed| &framed.address);
    let others = framed
        .chain(scripted)
        .chain(texts)
        .map(|address| (address, false));
    let mut found: Vec<(Url, Option<WidgetId>, Option<Url>)> = tagged
        .chain(hidden)
        .chain(others)
        .map(|(address, has_script)| {
            let script = has_script.then(|| address.url.clone());
            (address.service.clone(), address.widget_id(), script)
        })
        .collect();
    let copied = snippets.copied.iter().map(|tag| (&tag.id, &tag.service));
    let named = tags
        .named
        .iter()
        .map(|element| (&element.id, &element.service));
    for (id, service) in copied.chain(named) {
        if let Some(service) = service.as_deref().and_then(read_service) {
            found.push((service, id.parse().ok(), None));
        }
    }
    // What is not an id is a placeholder, or is not a snippet at all.
    let is_expected = |id: &Option<WidgetId>| match expected {
        Some(_) => *id == expected,
        None => id.is_some(),
    };
    let best = found
        .iter()
        .find(|(service, id, _)| is_known(services, service) && is_expected(id))
        .or_else(|| found.iter().find(|(_, id, _)| is_expected(id)))
        .or_else(|| {
            found
                .iter()
                .find(|(service, ..)| is_known(services, service))
        })
        .or(found.first());
    let wanted = services.first();
    match best {
        Some((service, id, script)) => {
            let is_right = wanted.is_none() || is_known(services, service);
            let right = wanted.filter(|_| !is_right).unwrap_or(service);
            Some(Target {
                service: right.clone(),
                widget_id: expected.or(*id),
                script: script
                    .clone()
                    .filter(|_| is_right && (expected.is_none() || is_expected(id))),
            })
        }
        None => wanted.map(|service| Target {
            service: service.clone(),
            widget_id: expected,
            script: None,
        }),
    }
}

/// The widgets that the page names, where a browser or a script of the page gets to see them.
pub(super) fn find_named(tags: &PageTags, snippets: &Snippets) -> Vec<Target> {
    let addressed = snippets.tags.iter().map(|tag| &tag.address);
    let scripted = snippets.scripted.iter();
    let scripted = scripted.filter_map(|(address, _)| address.as_ref());
    let addressed = addressed.chain(scripted).map(|address| Target {
        service: address.service.clone(),
        widget_id: address.widget_id(),
        script: Some(address.url.clone()),
    });
    let copied = snippets.copied.iter().map(|tag| (&tag.id, &tag.service));
    let elements = tags.named.iter();
    let elements = elements.map(|element| (&element.id, &element.service));
    let named = copied.chain(elements).filter_map(|(id, service)| {
        Some(Target {
            service: read_service(service.as_deref()?)?,
            widget_id: id.parse().ok(),
            script: None,
        })
    });
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for target in addressed.chain(named) {
        let service = target.service.as_str().trim_end_matches('/').to_owned();
        if seen.insert((service, target.widget_id)) {
            found.push(target);
        }
    }
    found
}

/// The address in `data-service`.
pub(super) fn read_service(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let path = format!("{}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}
