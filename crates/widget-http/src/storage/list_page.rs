//! The position in a list and the length of the part that is read.

/// One page of a list, newest first: at most `limit` items older than `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPage {
    /// Time of creation and id of the last item of the page before.
    pub before: Option<(time::OffsetDateTime, uuid::Uuid)>,
    /// How many at most.
    pub limit: u32,
}
