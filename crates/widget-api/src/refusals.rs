//! Bodies of `/core/web-widgets/{id}/refusals`.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use widget_core::{
    conversation::budget::Day,
    finding::Code,
    origin::Origin,
    statistics::{Listed, RefusedPage, Sketch},
};

#[cfg(feature = "schemars")]
use crate::schema;
use crate::{Received, Timestamp};

/// Since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefusalsQuery {
    /// A time of the first day in UTC that is shown, at most 400 days ago; the default is six days
    /// ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Pages on which the widget was not shown, or its window did not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Refusals {
    /// When the first day begins that is shown.
    pub since: Timestamp,
    /// How many visits were refused.
    pub total: u64,
    /// The commonest ones, at most 100, the commonest first. Whatever was refused more often than
    /// in one of a hundred cases is among them.
    pub refusals: Vec<PageRefusals>,
    /// How many of all are not in this list.
    pub others: u64,
}

/// Refusals of pages of one origin for one reason. Paths of pages and addresses of visitors are not
/// kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PageRefusals {
    /// The origin; absent for all requests that named no valid one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub origin: Option<Origin>,
    /// The first reason.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// How many there were for certain.
    pub count: u64,
    /// How many more there may have been, which are among the others; 0 while there are no others.
    pub uncertain: u64,
    /// When the first of them was.
    pub first_at: Timestamp,
    /// When the last of them was.
    pub last_at: Timestamp,
}

impl Refusals {
    /// What was refused since a day.
    #[must_use]
    pub fn new(since: Day, refusals: &Sketch<RefusedPage>) -> Self {
        Self {
            since: since.starts_at().into(),
            total: refusals.total(),
            refusals: refusals.listed().into_iter().map(Into::into).collect(),
            others: refusals.others(),
        }
    }

    /// Those of one page: how many for each reason, and when the first of them was.
    pub fn of_page<'a>(
        &'a self,
        page: &'a Origin,
    ) -> impl Iterator<Item = (u64, OffsetDateTime)> + 'a {
        let refused = self.refusals.iter();
        let of_page = refused.filter(move |refused| refused.origin.as_ref() == Some(page));
        of_page.map(|refused| (refused.count, refused.first_at.into()))
    }
}

impl From<&Listed<RefusedPage>> for PageRefusals {
    fn from(listed: &Listed<RefusedPage>) -> Self {
        Self {
            origin: listed.key.origin.clone(),
            code: listed.key.code.into(),
            count: listed.count,
            uncertain: listed.uncertain,
            first_at: listed.first_at.into(),
            last_at: listed.last_at.into(),
        }
    }
}
