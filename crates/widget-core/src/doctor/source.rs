//! What the source of a page has of a snippet that browsers do not find in it.

use url::Url;

use super::evidence;
use super::read_page::Page;
use super::script::PATH;
use crate::id::WidgetId;

/// A place in the source of the page.
pub(super) struct InSource {
    /// What is there.
    pub(super) text: String,
    /// Counts from 1.
    pub(super) line: usize,
    pub(super) evidence: String,
}

/// What is before the id in an address, also with slashes that somebody has encoded.
const PATHS: [&str; 3] = [PATH, "public%2Fembed%2F", "public%2fembed%2f"];

/// Finds the path of a snippet, the id of the widget, or the host of the service.
pub(super) fn find_in_source(page: &Page<'_>) -> Option<InSource> {
    let html = page.question.visit.html();
    let id = page.question.widget_id.map(|id| id.to_string());
    let hosts = page.question.services.iter().filter_map(Url::host_str);
    // On a site that is the service, its name says nothing.
    let hosts = hosts.filter(|host| Some(*host) != page.hop.url.host_str());
    let mut others = id.as_deref().into_iter().chain(hosts);
    let (text, at) = PATHS
        .iter()
        .find_map(|path| Some((*path, find_with_id(&html, path)?)))
        .or_else(|| others.find_map(|text| Some((text, html.find(text)?))))?;
    Some(InSource {
        text: text.to_owned(),
        line: html[..at].matches('\n').count() + 1,
        evidence: evidence::around(&html, at),
    })
}

/// Other vendors have such paths, too, without the id of a widget.
fn find_with_id(html: &str, path: &str) -> Option<usize> {
    /// A longer one is not an id.
    const MAX_ID: usize = 64;
    let mut places = html.match_indices(path).map(|(at, _)| at);
    places.find(|at| {
        let rest = html[at + path.len()..].chars().take(MAX_ID);
        let is_letter = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
        let id: String = rest.take_while(is_letter).collect();
        id.parse::<WidgetId>().is_ok()
    })
}
