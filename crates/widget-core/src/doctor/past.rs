//! What the past of a widget says about a page: since when it is no longer for the page, and how
//! often the page was refused.

use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::{
    id::WidgetId,
    origin::{AllowedOrigins, Origin},
};

/// A revision in the history of a widget, as far as it matters to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRevision {
    /// Counts the revisions of the widget from 1.
    pub number: i64,
    /// When it was written; `None` when that cannot be read.
    pub written_at: Option<OffsetDateTime>,
    /// Who wrote it, in words: the name of an API key.
    pub author: String,
    /// Whether the widget was for the page, by [`was_for_page`]; `None` when that cannot be read.
    pub was_for_page: Option<bool>,
}

/// Whether a revision of a widget was for a page: published, and with the page's origin in its
/// list.
#[must_use]
pub fn was_for_page(is_published: bool, domains: &AllowedOrigins, page: &Origin) -> bool {
    is_published && domains.admit(page).is_some()
}

/// Says what the past of a widget says about a page, for
/// [`Question::past`](super::Question::past): how often the page was refused, by the count of each
/// kind of refusal and when the first of it was; and since when the widget is no longer for the
/// page, by its revisions, the newest first. Nothing when no refusal was counted and the widget is
/// for the page, never was, or a revision that matters cannot be read.
///
/// ```
/// use time::macros::datetime;
/// use widget_core::{doctor::{PastRevision, describe_past}, id::WidgetId, origin::Origin};
///
/// let revision = |number, was_for_page| PastRevision {
///     number,
///     written_at: None,
///     author: "ann".to_owned(),
///     was_for_page: Some(was_for_page),
/// };
/// let history = [revision(3, false), revision(2, false), revision(1, true)];
/// let id: WidgetId = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b".parse()?;
/// let page = Origin::parse_page("https://shop.example/cart")?;
/// let counted = [(310, datetime!(2026-01-31 09:30 UTC)), (2, datetime!(2026-01-30 09:30 UTC))];
/// let past = describe_past(counted, &history, id, &page).expect("something");
/// let refused = "312 visits from `https://shop.example` were refused since 2026-01-30 09:30:00Z; ";
/// assert!(past.starts_with(refused) && past.contains("when ann wrote revision 2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn describe_past(
    refused: impl IntoIterator<Item = (u64, OffsetDateTime)>,
    revisions: &[PastRevision],
    id: WidgetId,
    page: &Origin,
) -> Option<String> {
    let past = [
        describe_refusals(refused, page),
        describe_loss(revisions, id, page),
    ];
    let past: Vec<String> = past.into_iter().flatten().collect();
    (!past.is_empty()).then(|| past.join("; "))
}

fn describe_loss(revisions: &[PastRevision], id: WidgetId, page: &Origin) -> Option<String> {
    let lost = find_loss(revisions)?;
    let time = lost.written_at.and_then(show_time);
    Some(format!(
        "it was for `{page}` until {}, when {} wrote revision {}; see `widget history {id}`",
        time.as_deref().unwrap_or("a time that cannot be read"),
        lost.author,
        lost.number
    ))
}

fn describe_refusals(
    counted: impl IntoIterator<Item = (u64, OffsetDateTime)>,
    page: &Origin,
) -> Option<String> {
    let (count, first) = counted
        .into_iter()
        .reduce(|one, other| (one.0.saturating_add(other.0), one.1.min(other.1)))?;
    let visits = if count == 1 {
        "1 visit from".to_owned()
    } else {
        format!("{count} visits from")
    };
    let were = if count == 1 { "was" } else { "were" };
    let since = show_time(first)?;
    (count > 0).then(|| format!("{visits} `{page}` {were} refused since {since}"))
}

/// To the second, in UTC.
fn show_time(time: OffsetDateTime) -> Option<String> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    time.to_offset(UtcOffset::UTC).format(format).ok()
}

/// The revision that took the page away from the widget.
fn find_loss(revisions: &[PastRevision]) -> Option<&PastRevision> {
    let mut pairs = revisions.windows(2);
    let pair = pairs.find(|pair| pair[1].was_for_page != Some(false))?;
    let is_loss = pair[0].was_for_page == Some(false) && pair[1].was_for_page == Some(true);
    is_loss.then_some(&pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_between_two_revisions_that_are_known() {
        let (yes, no, unknown) = (Some(true), Some(false), None);
        for (was_for_page, expected) in [
            (&[no, yes][..], Some(0)),
            (&[no, no, yes, unknown], Some(1)),
            (&[unknown, no, yes], Some(1)),
            (&[yes, yes], None),
            (&[unknown, yes], None),
            (&[no, unknown, yes], None),
            (&[no, unknown, no, yes], None),
            (&[no, no], None),
            (&[no], None),
            (&[], None),
        ] {
            let revisions: Vec<_> = (0..)
                .zip(was_for_page)
                .map(|(number, was_for_page)| PastRevision {
                    number,
                    written_at: None,
                    author: "ann".to_owned(),
                    was_for_page: *was_for_page,
                })
                .collect();
            let found = find_loss(&revisions).map(|lost| lost.number);
            assert_eq!(found, expected, "{was_for_page:?}");
        }
    }
}
