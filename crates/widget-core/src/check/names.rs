//! "Did you mean": the known name that is nearest to a mistyped one.

/// The nearest of `known`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    // Long keys are not mistyped, and computing the distance takes quadratic time.
    if given.len() > 64 {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace(['-', ' ', '_'], "");
    let given = plain(given);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, &plain(name)), *name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).clamp(1, 3))
        .filter(|(distance, _)| *distance < given.chars().count().max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_recognized() {
        let known = &["title", "subtitle", "icon_url", "size", "v1"];
        for (given, meant) in [
            ("titel", Some("title")),
            ("Title", Some("title")),
            ("iconUrl", Some("icon_url")),
            ("icon-url", Some("icon_url")),
            ("sub_title", Some("subtitle")),
            ("sise", Some("size")),
            ("V1", Some("v1")),
            ("color", None),
            ("", None),
            ("z", None),
            ("something else entirely", None),
        ] {
            assert_eq!(nearest(given, known), meant, "{given}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), known), None);
    }
}
