//! Evidence: the very header or tag, cut to a bound, without what may be a secret or personal.

use url::Url;

use super::fix::quote_for_shell;
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

/// A part of a text.
pub(super) fn of_text(text: &str) -> String {
    masked(text)
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
    let (address, query) = text.split_at(find_query(text));
    let query = match query.strip_prefix('?') {
        Some(query) if query.is_empty() || query.starts_with('#') => "?",
        Some(_) => "?…",
        None => "",
    };
    let (scheme, mut rest) = address.split_at(find_authority(address));
    let authority = rest.split(['/', '\\', '#']).next().unwrap_or_default();
    // Only then the first of these characters ends it, whatever a password has in it.
    let is_host = !authority.contains(['@', ':']);
    let whole = rest;
    if is_host {
        rest = rest.split('#').next().unwrap_or_default();
    }
    if let Some(at) = rest.rfind('@')
        && (!is_host || rest[..at].contains(':'))
    {
        rest = &rest[at + 1..];
    }
    let shown = rest.split('#').next().unwrap_or_default();
    let has_fragment = !whole.ends_with(shown);
    format!("{scheme}{shown}{}", if has_fragment { "" } else { query })
}

/// Where the query starts, or the end. A password may have a `?`, too: no port is like it.
fn find_query(text: &str) -> usize {
    let end = |from: usize| text[from..].find('?').map_or(text.len(), |at| from + at);
    let first = end(0);
    let authority = &text[find_authority(&text[..first])..first];
    // A port, or the end of an address in brackets.
    let is_host =
        |text: &str| text.ends_with(']') || text.bytes().all(|byte| byte.is_ascii_digit());
    let has_password = match authority.rsplit_once(':') {
        Some((_, port)) => !authority.contains(['/', '\\', '#', '@']) && !is_host(port),
        None => false,
    };
    match text.rfind('@') {
        Some(at) if has_password && at > first => end(at),
        _ => first,
    }
}

/// Where what follows the scheme and its slashes starts. Without slashes, what is before a colon
/// may be a user.
fn find_authority(address: &str) -> usize {
    let is_slash = |letter: char| matches!(letter, '/' | '\\');
    let is_scheme = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    };
    let start = match address.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && rest.starts_with(is_slash) => scheme.len() + 1,
        _ => 0,
    };
    let rest = &address[start..];
    start + (rest.len() - rest.trim_start_matches(is_slash).len())
}

/// The address of a page for a command that is suggested: `URL` for one that is not shown whole,
/// and would be another page.
///
/// ```
/// use widget_core::doctor::page_argument;
///
/// assert_eq!(page_argument("https://shop.example/cart"), "https://shop.example/cart");
/// assert_eq!(page_argument("https://shop.example/cart?token=secret"), "URL");
/// ```
#[must_use]
pub fn page_argument(page: &str) -> &str {
    if shown_page(page) == page {
        page
    } else {
        "URL"
    }
}

/// The same for a shell.
pub(super) fn argument(url: &Url) -> String {
    quote_for_shell(page_argument(url.as_str()))
}

/// The address or the name at a position of a text, with the name that it is assigned to and the
/// value that is assigned to it. Nothing else of the text: there may be secrets in it.
pub(super) fn around(text: &str, position: usize) -> String {
    /// Longer beginnings are left out, in bytes.
    const MAX_BEFORE: usize = 200;
    let first = floor(text, position.saturating_sub(MAX_BEFORE));
    let last = floor(text, position.saturating_add(MAX_READ).min(text.len()));
    let start = first + text[first..position].trim_end_matches(is_token).len();
    if start == first && first > 0 {
        // It may be the middle of a secret.
        let end = position + value_length(&text[position..last]);
        return masked(&format!("…{}", &text[position..end]));
    }
    let before = &text[first..start];
    let unquoted = before.trim_end_matches(QUOTES);
    let from = find_name(unquoted).unwrap_or(unquoted.len());
    let mut end = position + value_length(&text[position..last]);
    let rest = &text[end..last];
    if let Some(value) = rest.trim_start().strip_prefix(['=', '('])
        && unquoted.len() == before.len()
    {
        let value = value.trim_start();
        let length = value_length(value);
        if length > 0 {
            end = last - value.len() + length;
        }
    }
    masked(&text[first + from..end])
}

/// Quotes of scripts, also those of a text in another text.
const QUOTES: [char; 4] = ['"', '\'', '`', '\\'];

/// Whether a letter is of an address or a name.
fn is_token(letter: char) -> bool {
    letter.is_alphanumeric() || "_$./-:%@\\".contains(letter)
}

/// Where the name begins to which what follows this text is assigned, such as `s.src = `.
fn find_name(text: &str) -> Option<usize> {
    let signed = text.trim_end().strip_suffix(['=', ':', '('])?.trim_end();
    let name = signed.trim_end_matches(QUOTES);
    let is_name = |letter: char| letter.is_alphanumeric() || "_$.-".contains(letter);
    let begin = name.trim_end_matches(is_name);
    (begin.len() < name.len()).then(|| begin.trim_end_matches(QUOTES).len())
}

/// How long the address or the name is with which a text begins, with its quotes and its query.
fn value_length(text: &str) -> usize {
    let rest = text.trim_start_matches(QUOTES).trim_start_matches(is_token);
    let is_end = |letter: char| letter.is_whitespace() || "\"'`<>)".contains(letter);
    let rest = if rest.starts_with(['?', '#']) {
        &rest[rest.find(is_end).unwrap_or(rest.len())..]
    } else {
        rest
    };
    text.len() - rest.trim_start_matches(QUOTES).len()
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

/// `?…` for every query string, `#…` for fragments of addresses, and no user and password.
fn mask_queries(text: &str) -> String {
    let is_end = |character: char| {
        character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | ')' | '`')
    };
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['?', '#']) {
        masked.push_str(&rest[..start]);
        let mark = &rest[start..=start];
        let after = &rest[start + 1..];
        // Elsewhere it is an entity, a selector or the like.
        let is_address = mark == "?"
            || masked.ends_with(|before: char| {
                before.is_ascii_alphanumeric() || matches!(before, '/' | '_' | '-' | '.' | '=')
            });
        let end = match after.find(is_end) {
            _ if !is_address => 0,
            Some(end) => end,
            None => after.len(),
        };
        masked.push_str(mark);
        masked.push_str(if end == 0 { "" } else { "…" });
        rest = &after[end..];
    }
    masked.push_str(rest);
    mask_users(&masked)
}

/// `//…@` for `//user:password@`, also where slashes have a backslash.
fn mask_users(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('/') {
        let slashes = &rest[start..];
        let length = slashes.len() - slashes.trim_start_matches(['/', '\\']).len();
        let (before, after) = rest.split_at(start + length);
        masked.push_str(before);
        rest = after;
        if length > 1 {
            let is_end = |character: char| {
                character.is_whitespace()
                    || matches!(
                        character,
                        '/' | '\\' | '"' | '\'' | '<' | '>' | '`' | ',' | '?' | '#'
                    )
            };
            let authority = rest.split(is_end).next().unwrap_or_default();
            if let Some(at) = authority.rfind('@') {
                masked.push('…');
                rest = &rest[at..];
            }
        }
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
            (
                "<script src=https://ann:secret@shop.example/a.js#token=x>",
                "<script src=https://…@shop.example/a.js#…>",
            ),
            (
                r#"go("https:\/\/ann:secret@shop.example\/#t=x", '#a', "&#39;")"#,
                r#"go("https:\/\/…@shop.example\/#…", '#a', "&#39;")"#,
            ),
            ("a /* @b */ // c@d", "a /* @b */ // c@d"),
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
    fn users_and_passwords_of_pages_are_not_shown() {
        for (typed, shown) in [
            ("ann:secret@shop.example//cart", "shop.example//cart"),
            ("ann:secret@shop.example", "shop.example"),
            ("https:ann:secret@shop.example", "shop.example"),
            ("https:/ann:secret@shop.example/a", "https:/shop.example/a"),
            (r"https:\\ann:secret@shop.example", r"https:\\shop.example"),
            (
                "https://ann:sec/ret@shop.example/a",
                "https://shop.example/a",
            ),
            (
                "https://ann:sec#ret@shop.example/a",
                "https://shop.example/a",
            ),
            (
                "https://ann/x:sec@shop.example?a=b",
                "https://shop.example?…",
            ),
            (
                "https://ann:se?cr?et@shop.example/a?b=c",
                "https://shop.example/a?…",
            ),
            ("ann:se?cret@shop.example", "shop.example"),
            (
                "https://shop.example:8080?mail=a@b.example",
                "https://shop.example:8080?…",
            ),
            (
                "https://[2001:db8::1]?mail=a@b.example",
                "https://[2001:db8::1]?…",
            ),
            ("HTTPS://ann@shop.example/a?", "HTTPS://shop.example/a?"),
            ("//ann:secret@shop.example/a", "//shop.example/a"),
            // Without a password, it is a part of the path, or of the fragment.
            (
                "https://shop.example/@ann/a#b@c",
                "https://shop.example/@ann/a",
            ),
            ("https://shop.example/a#b?c", "https://shop.example/a"),
            ("shop.example:8080/a?b", "shop.example:8080/a?…"),
            ("ä:/ö@ü", "ü"),
            ("", ""),
        ] {
            assert_eq!(shown_page(typed), shown, "{typed}");
        }
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
            "a = 'https://w.example/public/embed/1?…'"
        );
        assert_eq!(around("é/public/embed/", 2), "é/public/embed/");
        for (text, mark, expected) in [
            (
                r#"x={key:'SECRET',mail:"a@b.example",chat:'https://w.example/public/embed/1'};var s"#,
                "/public",
                "chat:'https://w.example/public/embed/1'",
            ),
            (
                r#"{"token":"SECRET","src":"https:\/\/w.example\/embed\/1","mail":"a@b.example"}"#,
                "embed",
                r#""src":"https:\/\/w.example\/embed\/1""#,
            ),
            (
                r#"a="{\"t\":\"SECRET\",\"src\":\"https://w.example/embed/1\"}""#,
                "/embed",
                r#"\"src\":\"https://w.example/embed/1\""#,
            ),
            (
                "document.cookie=\"a=SECRET\"; location.href=\"https://a.example/?i=SECRET\"; SECRET",
                "location",
                "location.href=\"https://a.example/?…\"",
            ),
            (
                "top . location.replace('https://ann:SECRET@a.example/', 'SECRET')",
                "location",
                "location.replace('https://…@a.example/'",
            ),
            ("location = next + 'SECRET'", "location", "location = next"),
            (
                "[{token:'SECRET'}];w[l].push({'gtm.start':1,t:'SECRET'})",
                "'gtm.start'",
                "'gtm.start'",
            ),
            ("f('SECRET','GTM-ABC123');", "GTM-", "'GTM-ABC123'"),
            (
                "self.__next_f.push([1,\"SECRET\"])",
                "self.",
                "self.__next_f.push",
            ),
            (
                "<p>a@b.example &lt;script src=\"https://w.example/embed/1\"> SECRET",
                "/embed",
                "src=\"https://w.example/embed/1\"",
            ),
        ] {
            let at = text.find(mark).expect("it is there");
            assert_eq!(around(text, at), expected, "{text}");
        }
        let long = format!("'{}SECRET/public/embed/1'", "a".repeat(300));
        let at = long.find("/public").expect("it is there");
        assert_eq!(around(&long, at), "…/public/embed/1'");
    }
}
