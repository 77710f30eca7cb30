//! Text of the document as HTML.

use std::fmt;

use askama::filters::{Escaper as _, Html as Escape};

/// HTML that may be put into the page as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// A link to a named schema.
    pub(super) fn link_to_body(name: &str) -> Self {
        let name = escape(name);
        Self(format!("<a href=\"#{name}\">{name}</a>"))
    }

    /// Several pieces with text between them.
    pub(super) fn join(pieces: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let pieces: Vec<String> = pieces.into_iter().map(|piece| piece.0).collect();
        Self(pieces.join(&escape(between)))
    }

    /// Text before it.
    pub(super) fn after(self, text: &str) -> Self {
        Self(escape(text) + &self.0)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    Escape
        .write_escaped_str(&mut escaped, text)
        .expect("writing to a string never fails");
    escaped
}

/// A sentence, in which code stands between backticks.
pub(super) fn inline(text: &str) -> Html {
    let mut html = String::new();
    for (number, piece) in text.split('`').enumerate() {
        let is_code = number % 2 == 1;
        html += if is_code { "<code>" } else { "" };
        html += &escape(piece);
        html += if is_code { "</code>" } else { "" };
    }
    Html(html)
}

/// A piece of code.
pub(super) fn code(text: &str) -> Html {
    Html(format!("<code>{}</code>", escape(text)))
}

/// A path that may be broken after each slash.
pub(super) fn path(path: &str) -> Html {
    Html(escape(path).replace('/', "/<wbr>"))
}

/// The name of a group as part of an address.
pub(super) fn slug(name: &str) -> String {
    format!("group-{}", name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let html = |html: Html| html.to_string();
        assert_eq!(
            html(inline("a `b<c>` & <script>")),
            "a <code>b&#60;c&#62;</code> &#38; &#60;script&#62;"
        );
        assert_eq!(html(path("/a/{b}")), "/<wbr>a/<wbr>{b}");
        assert_eq!(
            html(Html::link_to_body("A\"")),
            "<a href=\"#A&#34;\">A&#34;</a>"
        );
    }
}
