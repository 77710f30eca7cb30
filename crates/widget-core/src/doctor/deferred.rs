//! Whether a place of a script is run with the page, or only when somebody calls the function
//! around it. This looks at braces and names; it does not understand the script.

/// The start of a function is looked for so far back, in bytes.
const MAX_BODY: usize = 4096;

/// So many functions around a place are looked at.
const MAX_DEPTH: usize = 4;

/// Events that come from what visitors do.
const ACTIONS: [&str; 16] = [
    "change",
    "click",
    "dblclick",
    "input",
    "keydown",
    "keypress",
    "keyup",
    "mousedown",
    "mouseenter",
    "mouseover",
    "mouseup",
    "pointerdown",
    "pointerup",
    "submit",
    "touchend",
    "touchstart",
];

/// Functions that browsers call by themselves when they load a page.
const OF_BROWSERS: [&str; 4] = [
    "onDOMContentLoaded",
    "onload",
    "onpageshow",
    "onreadystatechange",
];

/// How a function comes to be called.
#[derive(Debug, PartialEq, Eq)]
enum CalledBy<'a> {
    /// By this name.
    Name(&'a str),
    /// It is an argument of a call, or called at once.
    Argument,
}

/// Whether the place is inside of a function that nothing in these scripts calls by itself.
pub(super) fn is_deferred<'a>(
    scripts: &(impl Iterator<Item = &'a String> + Clone),
    text: &str,
    at: usize,
) -> bool {
    let first = at.saturating_sub(MAX_BODY);
    let mut end = at;
    for _ in 0..MAX_DEPTH {
        let Some(open) = find_open(text, first, end, (b'{', b'}')) else {
            return false;
        };
        end = open;
        let Some((called_by, start)) = find_function(text, first, open) else {
            continue;
        };
        if is_on_action(text, start) {
            return true;
        }
        if let CalledBy::Name(name) = called_by
            && !OF_BROWSERS.contains(&name)
            && !is_called(scripts.clone(), name)
        {
            return true;
        }
        end = start;
    }
    false
}

/// The bracket around a position, from `first` on.
fn find_open(text: &str, first: usize, at: usize, (open, close): (u8, u8)) -> Option<usize> {
    let mut depth = 0_usize;
    // A function may begin before what is looked at.
    let bytes = text.as_bytes().get(first..at)?;
    for (index, byte) in bytes.iter().enumerate().rev() {
        if *byte == close {
            depth += 1;
        } else if *byte == open {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some(first + index),
            }
        }
    }
    None
}

/// The function whose body opens at this position: who calls it, and where it begins.
fn find_function(text: &str, first: usize, open: usize) -> Option<(CalledBy<'_>, usize)> {
    let mut head = text[..open].trim_end();
    let is_arrow = head.ends_with("=>");
    head = head.strip_suffix("=>").unwrap_or(head).trim_end();
    let before = if head.ends_with(')') {
        &text[..find_open(
            text,
            first.min(head.len() - 1),
            head.len() - 1,
            (b'(', b')'),
        )?]
    } else if is_arrow {
        &head[..head.len() - last_name(head).len()]
    } else {
        return None;
    };
    let before = before.trim_end();
    if is_arrow {
        let before = before.strip_suffix("async").unwrap_or(before);
        return Some(caller_of(before));
    }
    let name = last_name(before);
    let rest = before[..before.len() - name.len()].trim_end();
    Some(match name {
        "if" | "for" | "while" | "switch" | "catch" | "with" | "" => return None,
        "function" => caller_of(rest.strip_suffix("async").unwrap_or(rest)),
        // `function name(…)`, or a method.
        name => {
            let start = rest.strip_suffix('*').unwrap_or(rest).trim_end();
            let start = start.strip_suffix("function").unwrap_or(start);
            (CalledBy::Name(name), start.len())
        }
    })
}

/// Who calls a function without a name that stands behind this text.
fn caller_of(before: &str) -> (CalledBy<'_>, usize) {
    let before = before.trim_end();
    let assigned = before.strip_suffix(['=', ':']).map(str::trim_end);
    match assigned.map(last_name) {
        Some(name) if !name.is_empty() => (CalledBy::Name(name), before.len()),
        _ => (CalledBy::Argument, before.len()),
    }
}

/// The name at the end of a text, or nothing.
fn last_name(text: &str) -> &str {
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    &text[text.trim_end_matches(is_name).len()..]
}

/// Whether what stands before this position waits for something that visitors do, such as
/// `button.addEventListener('click', `.
fn is_on_action(text: &str, at: usize) -> bool {
    const MAX_STATEMENT: usize = 200;
    let mut start = at.saturating_sub(MAX_STATEMENT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let statement = &text[start..at];
    let begin = statement
        .rfind([';', '\n', '{', '}'])
        .map_or(0, |end| end + 1);
    let statement = statement[begin..].to_ascii_lowercase();
    let mut words = statement.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| ACTIONS.contains(&word.strip_prefix("on").unwrap_or(word)))
}

/// Whether scripts name a function again, other than for what visitors do.
fn is_called<'a>(scripts: impl Iterator<Item = &'a String>, name: &str) -> bool {
    /// More places are not looked at: a name that is so common may be called.
    const MAX_PLACES: usize = 50;
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    let found = scripts.flat_map(|text| text.match_indices(name).map(move |(at, _)| (text, at)));
    let mut looked = 0;
    let whole = found.take(MAX_PLACES).filter(|(text, at)| {
        looked += 1;
        let (before, after) = (&text[..*at], &text[at + name.len()..]);
        !before.ends_with(is_name) && !after.starts_with(is_name) && !is_on_action(text, *at)
    });
    let places = whole.count();
    // The first is where it gets its name.
    places > 1 || looked == MAX_PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_nothing_calls_are_not_run() {
        let check = |text: &str| {
            let scripts = [text.to_owned()];
            let at = text.find("location").expect("it is there");
            is_deferred(&scripts.iter(), text, at)
        };
        for text in [
            "function go(){window.location.href='/a'}",
            "async function go (a, b) { if (a) { location = '/a' } }",
            "const go = () => { location = '/a' }",
            "const go = event => { location = '/a' }",
            "window.go = function () { location = '/a' }; var x = { going: 1 }",
            "var shop = { go: function () { location = '/a' } }",
            "var shop = { go() { location = '/a' } }",
            "b.addEventListener('click', function () { location = '/a' })",
            "b.addEventListener('click', () => { location = '/a' })",
            "$('form').on('submit', function () { location = '/a' })",
            "b.onclick = function () { location = '/a' }",
            "function onBuy() { location = '/a' }",
            "function go() { location = '/a' } b.onclick = go",
            "(function () { function go() { location = '/a' } })()",
        ] {
            assert!(check(text), "{text}");
        }
        for text in [
            "location = '/a'",
            "if (x) { location = '/a' }",
            "try { for (;;) { location = '/a' } } catch (e) {}",
            "setTimeout(function () { location = '/a' }, 0)",
            "setTimeout(() => { location = '/a' }, 0)",
            "(function () { location = '/a' })()",
            "(() => { location = '/a' })()",
            "!function () { location = '/a' }()",
            "window.onload = function () { location = '/a' }",
            "addEventListener('load', () => { location = '/a' })",
            "document.onreadystatechange = function () { location = '/a' }",
            "Object.keys(x).forEach(function () { location = '/a' })",
            "monkey(function () { location = '/a' })",
            "function go() { location = '/a' } go()",
            "function go() { location = '/a' }\nsetTimeout(go, 100)",
            "function a() {} location = '/a'",
            "}}}) => { location",
        ] {
            assert!(!check(text), "{text}");
        }
    }

    #[test]
    fn a_function_may_begin_before_what_is_looked_at() {
        for filler in MAX_BODY - 40..MAX_BODY + 40 {
            let filler = "x;".repeat(filler / 2);
            let text = format!("setTimeout(function(){{{filler}location='/a'}})");
            let at = text.find("location").expect("it is there");
            assert!(!is_deferred(&[text.clone()].iter(), &text, at));
        }
    }

    #[test]
    fn a_name_that_is_common_may_be_called() {
        let text = format!("function a(){{location='/a'}}{}a()", "var data;".repeat(60));
        let at = text.find("location").expect("it is there");
        assert!(!is_deferred(&[text.clone()].iter(), &text, at));
    }
}
