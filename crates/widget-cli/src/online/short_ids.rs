//! Beginnings of ids that name one thing, for lists.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use widget_api::client::Error;
use widget_core::id::IdPrefix;

/// The shortest beginning of an id that is shown: ids of the same minute share their first eight.
const MIN_SHOWN: usize = 8;

/// The shortest beginning of each id that no other of them has, of eight characters or more.
pub(crate) fn short_ids(ids: &[String]) -> Vec<String> {
    shorten(ids, ids)
}

/// The shortest beginning of each id that none of `all` has, of eight characters or more.
fn shorten(ids: &[String], all: &[String]) -> Vec<String> {
    let sorted: BTreeSet<&str> = all.iter().chain(ids).map(String::as_str).collect();
    let common = |left: &str, right: &str| {
        left.bytes()
            .zip(right.bytes())
            .take_while(|(left, right)| left == right)
            .count()
    };
    ids.iter()
        .map(|id| {
            let before = sorted.range(..id.as_str()).next_back();
            let after = sorted.range(id.as_str()..).nth(1);
            let neighbors = before.into_iter().chain(after);
            let shared = neighbors.map(|other| common(id, other)).max().unwrap_or(0);
            let mut length = (shared + 1).max(MIN_SHOWN);
            if id.as_bytes().get(length - 1) == Some(&b'-') {
                length += 1;
            }
            id.get(..length).unwrap_or(id).to_owned()
        })
        .collect()
}

/// The ids of a list that has only a part of what the service has, as people are shown them. The
/// service is asked which others begin so; of a long list whole ids are shown instead.
pub(crate) async fn short_ids_of_part(
    ids: &[String],
    list: impl AsyncFn(IdPrefix, usize) -> Result<Vec<String>, Error>,
) -> Vec<String> {
    /// How many different beginnings are asked for, several at a time.
    const MAX_ASKED: usize = 20;
    const AT_ONCE: usize = 4;
    /// How many ids with one beginning are looked at.
    const MAX_NEIGHBORS: usize = 1000;
    let beginnings: BTreeSet<&str> = ids.iter().filter_map(|id| id.get(..MIN_SHOWN)).collect();
    if beginnings.len() > MAX_ASKED {
        return ids.to_vec();
    }
    let list = &list;
    let asked: Result<Vec<Vec<String>>, Error> = stream::iter(beginnings)
        .map(|beginning| async move {
            match beginning.parse() {
                Ok(prefix) => list(prefix, MAX_NEIGHBORS).await,
                Err(_) => Ok(Vec::new()),
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await;
    match asked {
        Ok(found) if found.iter().all(|found| found.len() < MAX_NEIGHBORS) => {
            shorten(ids, &found.concat())
        }
        // Whole ids are right in any case.
        _ => ids.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";

    #[test]
    fn ids_are_whole_where_others_are_not_known() {
        let of_minute = |minute: usize| format!("{minute:08x}-6c1e-7d3f-8a4b-5c6d7e8f9a0b");
        let show = |ids: Vec<String>, is_answered: bool| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let shown =
                runtime
                    .expect("a runtime")
                    .block_on(short_ids_of_part(&ids, async |prefix, _| {
                        if is_answered {
                            Ok(vec![format!("{prefix}-6c1f-7d3f-8a4b-5c6d7e8f9a0b")])
                        } else {
                            Err(Error::KeyMalformed)
                        }
                    }));
            (ids, shown)
        };
        let (_, shown) = show(vec![of_minute(1), of_minute(2)], true);
        assert_eq!(shown, ["00000001-6c1e", "00000002-6c1e"]);
        let (ids, shown) = show(vec![of_minute(1)], false);
        assert_eq!(ids, shown);
        let (ids, shown) = show((0..30).map(of_minute).collect(), true);
        assert_eq!(ids, shown);
    }

    #[test]
    fn short_ids_are_unambiguous() {
        let ids = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).into()).collect() };
        let short = |list: &[&str]| short_ids(&ids(list)).join(" ");
        assert_eq!(short(&[ID]), "0197a8b2");
        assert_eq!(
            short(&["0197a8b2-6c1e-7d3f", "0197a8b2-7c1e-7d3f", "11111111-0"]),
            "0197a8b2-6 0197a8b2-7 11111111"
        );
        let (part, all) = (
            ids(&["0197a8b2-6c1e-7d3f"]),
            ids(&["0197a8b2-6c1e-7d3f", "0197a8b2-6c2e-7d3f"]),
        );
        assert_eq!(shorten(&part, &all), ["0197a8b2-6c1"]);
    }
}
