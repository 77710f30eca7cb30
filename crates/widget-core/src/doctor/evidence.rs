//! Evidence: the very header or tag, cut to a bound, without what may be a secret or personal.

use url::Url;

use super::script::PATH;

/// Longer evidence is cut, in characters.
const MAX_EVIDENCE: usize = 240;

/// More of a text is not looked at, in bytes; what is shown is shorter.
const MAX_READ: usize = 4096;

/// A tag as the page has it, without values of nonces and of `data-context`, and without query
/// strings.
pub(super) fn of_tag(tag: &str) -> String {
    /// What a tag is looked for in, in characters.
    const START: usize = 60;
    let text = &tag[..floor(tag, MAX_READ.min(tag.len()))];
    let line = mask_queries(&mask_values(text));
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    // The address of a snippet decides, wherever it is in the tag.
    let address = line.find(PATH).map(|at| line[..at].chars().count());
    match address {
        Some(at) if at + PATH.len() + 40 > MAX_EVIDENCE => {
            let start: String = line.chars().take(START).collect();
            let from = at.saturating_sub(MAX_EVIDENCE / 3);
            let rest: String = line.chars().skip(from.max(START)).collect();
            cut(&format!("{start}… {rest}"))
        }
        _ => cut(&line),
    }
}

/// A header, by its name and the part that matters.
pub(super) fn of_header(name: &str, value: &str) -> String {
    masked(&format!("{name}: {value}"))
}

/// An address without credentials, query and fragment.
pub(super) fn of_url(url: &Url) -> String {
    let mut shown = url.clone();
    // They fail on addresses that have neither.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    let had_query = shown.query().is_some();
    shown.set_query(None);
    cut(&format!("{shown}{}", if had_query { "?…" } else { "" }))
}

/// An address as somebody typed it, without what may be a secret: a user and a password, the values
/// of the query, and the fragment.
///
/// ```
/// use widget_core::doctor::shown_page;
///
/// let typed = "https://ann:secret@shop.example/cart?token=secret#secret";
/// assert_eq!(shown_page(typed), "https://shop.example/cart?…");
/// ```
#[must_use]
pub fn shown_page(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (address, query) = match text.split_once('?') {
        Some((address, "")) => (address, "?"),
        Some((address, _)) => (address, "?…"),
        None => (text, ""),
    };
    let start = address.find("//").map_or(0, |at| at + 2);
    let (scheme, rest) = address.split_at(start);
    let end = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}{host}{path}{query}")
}

/// The line of a text around a position.
pub(super) fn around(text: &str, position: usize) -> String {
    const BEFORE: usize = 100;
    let start = floor(text, position.saturating_sub(BEFORE));
    let line = text[start..position]
        .rfind('\n')
        .map_or(start, |at| start + at + 1);
    let last = floor(text, position.saturating_add(MAX_READ).min(text.len()));
    let end = text[position..last]
        .find('\n')
        .map_or(last, |at| position + at);
    // The beginning may be the middle of a secret, so it is masked with what is before it.
    let mut part = text[line..end].trim().to_owned();
    if line == start && start > 0 {
        part = match part.find([' ', '"', '\'', '<', '(', '=']) {
            Some(at) => format!("…{}", &part[at..]),
            None => part,
        };
    }
    masked(&part)
}

fn masked(text: &str) -> String {
    let text = &text[..floor(text, MAX_READ.min(text.len()))];
    cut(&mask_queries(&mask_values(text)))
}

/// The last boundary of a character that is not behind `index`.
pub(super) fn floor(text: &str, mut index: usize) -> usize {
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_EVIDENCE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// `?…` for every query string.
fn mask_queries(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('?') {
        masked.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let end = after
            .find(|character: char| {
                character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | ')' | '`')
            })
            .unwrap_or(after.len());
        masked.push_str(if end == 0 { "?" } else { "?…" });
        rest = &after[end..];
    }
    masked.push_str(rest);
    masked
}

/// Names whose values are masked: a nonce is a secret, and what a page says of its visitor is
/// personal. The first two are attributes, the others are in scripts.
const MASKED: [&str; 4] = ["nonce", "data-context", "dataset.context", "setcontext"];

/// `nonce="…"`, `'nonce-…'` and `data-context='…'`.
fn mask_values(text: &str) -> String {
    // As long as the text, so that positions are those of the text.
    let lower = text.to_ascii_lowercase();
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    while let Some((name, start)) = find_masked(&lower, done) {
        let value = &text[start..];
        masked.push_str(&text[done..start]);
        let quote = value
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\'' | '`'));
        let inner = quote.map_or(value, |quote| &value[quote.len_utf8()..]);
        let end = match (quote, name) {
            (Some(quote), _) => find_unescaped(inner, quote),
            (None, "nonce") => inner.find(|character: char| {
                character.is_whitespace() || matches!(character, '\'' | '>' | ';' | ',')
            }),
            (None, "data-context") if !value.starts_with('\\') => {
                inner.find(|character: char| character.is_whitespace() || character == '>')
            }
            // Where an expression ends is not known.
            (None, _) => None,
        };
        masked.extend(quote);
        masked.push('…');
        done = text.len() - inner.len() + end.unwrap_or(inner.len());
    }
    masked.push_str(&text[done..]);
    masked
}

/// A quote without a backslash before it; in HTML there are no such backslashes.
fn find_unescaped(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let is_end = character == quote && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

/// The next of these names, and where its value starts.
fn find_masked(lower: &str, mut from: usize) -> Option<(&'static str, usize)> {
    loop {
        let rest = &lower[from..];
        let found = MASKED
            .iter()
            .filter_map(|name| Some((rest.find(name)?, *name)));
        let (at, name) = found.min()?;
        let after = from + at + name.len();
        let rest = &lower[after..];
        if name == "nonce" && rest.starts_with('-') {
            return Some((name, after + 1));
        }
        // In scripts: `setAttribute('data-context', '…')`, and with backslashes in other texts.
        let unescaped = rest.trim_start_matches('\\');
        let closed = unescaped.strip_prefix(['"', '\'', '`']);
        let rest = closed.unwrap_or(rest).trim_start();
        let signs: &[char] = match (name, closed) {
            ("setcontext", _) => &['('],
            (_, Some(_)) => &['=', ':', ','],
            (_, None) => &['=', ':'],
        };
        if let Some(value) = rest.strip_prefix(signs) {
            return Some((name, lower.len() - value.trim_start().len()));
        }
        from = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_length_is_bounded() {
        for (tag, expected) in [
            (
                r#"<script nonce="abc" src='/a?token=x&b=c' async>"#,
                r#"<script nonce="…" src='/a?…' async>"#,
            ),
            ("<script nonce=abc src=/a?b>", "<script nonce=… src=/a?…>"),
            ("<script NONCE = 'abc'>", "<script NONCE = '…'>"),
            ("<script\n  async\n>", "<script async >"),
            (
                r#"<script data-context='{"email":"a@b.example"}' async>"#,
                "<script data-context='…' async>",
            ),
            (
                "<script data-context = \"{&quot;name&quot;:&quot;Ann&quot;}\">",
                "<script data-context = \"…\">",
            ),
            (
                "s.setAttribute('data-context', '{\"name\":\"Ann\"}'); s.src",
                "s.setAttribute('data-context', '…'); s.src",
            ),
            (
                "<script data-context={\"name\":\"Ann,O'Neill\"} async>",
                "<script data-context=… async>",
            ),
            (
                r#"\"data-context\":\"{\\\"name\\\":\\\"Ann\\\"}\"}"#,
                r#"\"data-context\":…"#,
            ),
            (
                r#"push(["x",{"data-context":"{\"name\":\"Ann\"}"}])"#,
                r#"push(["x",{"data-context":"…"}])"#,
            ),
            (
                "s.dataset.context = JSON.stringify({name: 'Ann'})",
                "s.dataset.context = …",
            ),
            (
                "WebWidget.setContext({name: 'Ann'})",
                "WebWidget.setContext(…",
            ),
        ] {
            assert_eq!(of_tag(tag), expected);
        }
        assert_eq!(
            of_header(
                "Content-Security-Policy",
                "script-src 'nonce-a' 'self' 'nonce-b'"
            ),
            "Content-Security-Policy: script-src 'nonce-…' 'self' 'nonce-…'"
        );
        let long = of_tag(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), MAX_EVIDENCE + 1);
        let url = Url::parse("https://u:p@shop.example/a?session=1#x").expect("a URL");
        assert_eq!(of_url(&url), "https://shop.example/a?…");
    }

    #[test]
    fn a_text_is_cut_around_what_matters() {
        let text = format!(
            "{} let a = 'https://w.example/public/embed/1?x=2';\nb",
            "x".repeat(400)
        );
        let position = text.find("/public").expect("it is there");
        assert_eq!(
            around(&text, position),
            "… let a = 'https://w.example/public/embed/1?…';"
        );
        assert_eq!(around("é/public/embed/", 2), "é/public/embed/");
    }
}
