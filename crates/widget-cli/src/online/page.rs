//! The widget that a page shows: fetches the page and reads the snippet out of it.

use reqwest::redirect;
use url::Url;
use widget_core::{
    doctor::{self, quote_for_shell},
    embed::PublicUrl,
    id::WidgetId,
};

use super::{Session, visit::visit};
use crate::failure::Failure;

/// A snippet in a page: which widget of which service.
struct FoundSnippet {
    service: PublicUrl,
    id: WidgetId,
}

/// Fetches a page, without a key, and finds the widget of this session's service in it.
pub(crate) async fn find_widget(session: &Session, page: &Url) -> Result<WidgetId, Failure> {
    let snippets = fetch(session, page).await?;
    let shown = doctor::shown_page(page.as_str());
    let own = session.client.service();
    let ids: Vec<WidgetId> = snippets
        .iter()
        .filter(|snippet| snippet.service == *own)
        .map(|snippet| snippet.id)
        .collect();
    match (&ids[..], snippets.first()) {
        ([id], _) => Ok(*id),
        ([], None) => Err(
            Failure::bad_input(format_args!("`{shown}` has no snippet of a widget")).hint(
                format_args!("a tag manager may add it; {}", other_ways(page)),
            ),
        ),
        ([], Some(other)) => Err(Failure::bad_input(format_args!(
            "`{shown}` shows widget {} of `{}`, and this key is for `{}`",
            other.id,
            other.service.origin(),
            own.origin()
        ))
        .hint("choose a profile of that service with `--profile`")),
        (several, _) => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Failure::bad_input(format_args!(
                "`{shown}` has the snippets of several widgets: {}",
                ids.join(", ")
            ))
            .hint("name one of them by its id"))
        }
    }
}

/// How to find the widgets of a page that does not name one.
fn other_ways(page: &Url) -> String {
    let site = page.origin().ascii_serialization();
    let page = quote_for_shell(doctor::page_argument(page.as_str()));
    format!(
        "`widget list --domain {site}` shows the widgets of this site, and `widget doctor {page}` \
         what is wrong with the page"
    )
}

/// The snippets of a page: `doctor` looks at them more closely.
async fn fetch(session: &Session, page: &Url) -> Result<Vec<FoundSnippet>, Failure> {
    let http = session.page_client(redirect::Policy::none())?;
    let visit = visit(&http, page.clone(), session.deadline()).await;
    let shown = doctor::shown_page(page.as_str());
    if let Some(failure) = &visit.failure {
        return Err(
            Failure::unexpected(format_args!("cannot read `{shown}`: {}", failure.reason))
                .hint(other_ways(page)),
        );
    }
    let snippets = doctor::find_snippets(&visit);
    match visit.page() {
        Some(hop) if hop.status >= 400 && snippets.is_empty() => Err(Failure::unexpected(
            format_args!("`{shown}` answers {}", hop.status),
        )
        .hint(other_ways(page))),
        _ => Ok(snippets
            .into_iter()
            .filter_map(|target| {
                Some(FoundSnippet {
                    service: PublicUrl::try_from(target.service).ok()?,
                    id: target.widget_id?,
                })
            })
            .collect()),
    }
}
