//! Dictionaries of structured fields (RFC 9651), as far as policies use them. Browsers ignore a
//! header with one fault in it as a whole, so every fault counts.

/// A value; of others than these nothing is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Token(String),
    Text(String),
    Other,
}

/// The items of a member: one, or those of a list.
pub(super) type Member = (String, Vec<Item>);

/// The members of a dictionary in their order, of which the last of a name counts; nothing when the
/// text is not one.
pub(super) fn parse_dictionary(text: &str) -> Option<Vec<Member>> {
    let mut parser = Parser {
        rest: text.trim_matches(' ').as_bytes(),
    };
    let mut members: Vec<Member> = Vec::new();
    while !parser.rest.is_empty() {
        let name = parser.key()?;
        let items = if parser.take(b'=') {
            parser.items()?
        } else {
            vec![Item::Other]
        };
        parser.parameters()?;
        members.push((name, items));
        parser.skip(b" \t");
        if parser.rest.is_empty() {
            break;
        }
        if !parser.take(b',') {
            return None;
        }
        parser.skip(b" \t");
        // A comma at the end is a fault.
        if parser.rest.is_empty() {
            return None;
        }
    }
    Some(members)
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.rest.first() == Some(&byte);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    fn skip(&mut self, bytes: &[u8]) {
        self.run(|byte| bytes.contains(&byte));
    }

    fn run(&mut self, accept: impl Fn(u8) -> bool) -> String {
        let end = self.rest.iter().position(|byte| !accept(*byte));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        String::from_utf8_lossy(taken).into_owned()
    }

    fn key(&mut self) -> Option<String> {
        let first = self.rest.first()?;
        if !(first.is_ascii_lowercase() || *first == b'*') {
            return None;
        }
        Some(self.run(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
        }))
    }

    fn items(&mut self) -> Option<Vec<Item>> {
        if !self.take(b'(') {
            return Some(vec![self.item()?]);
        }
        let mut items = Vec::new();
        loop {
            self.skip(b" ");
            if self.take(b')') {
                return Some(items);
            }
            items.push(self.item()?);
            self.parameters()?;
            if !matches!(self.rest.first(), Some(b' ' | b')')) {
                return None;
            }
        }
    }

    fn parameters(&mut self) -> Option<()> {
        while self.take(b';') {
            self.skip(b" ");
            self.key()?;
            if self.take(b'=') {
                self.item()?;
            }
        }
        Some(())
    }

    fn item(&mut self) -> Option<Item> {
        match self.rest.first()? {
            b'"' => self.text().map(Item::Text),
            b'%' => {
                self.take(b'%');
                self.text().map(|_| Item::Other)
            }
            b':' => {
                self.take(b':');
                self.run(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
                self.take(b':').then_some(Item::Other)
            }
            b'?' => {
                self.take(b'?');
                (self.take(b'0') || self.take(b'1')).then_some(Item::Other)
            }
            byte if byte.is_ascii_digit() || b"-@".contains(byte) => {
                self.take(b'@');
                self.take(b'-');
                let digits = self.run(|byte| byte.is_ascii_digit() || byte == b'.');
                let is_number = digits.starts_with(|letter: char| letter.is_ascii_digit())
                    && !digits.ends_with('.')
                    && digits.matches('.').count() <= 1;
                is_number.then_some(Item::Other)
            }
            byte if byte.is_ascii_alphabetic() || *byte == b'*' => {
                Some(Item::Token(self.run(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
                })))
            }
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.take(b'"');
        let mut text = String::new();
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'"' => return Some(text),
                b'\\' => {
                    let (escaped, rest) = self.rest.split_first()?;
                    if !b"\"\\".contains(escaped) {
                        return None;
                    }
                    self.rest = rest;
                    text.push(char::from(*escaped));
                }
                b' '..=b'~' => text.push(char::from(*first)),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_read_strictly() {
        for (text, names) in [
            ("", ""),
            ("a", "a"),
            (
                " a=(), b=1;x=\"y\",  c=(self \"https://a.example\" *)",
                "a b c",
            ),
            ("a=?1, b=:YQ==:, c=-1.5, d=@1, e=%\"x\"", "a b c d e"),
            ("a=1, b=2, a=3", "a b a"),
            ("a=(https://a.example:8443)", "a"),
        ] {
            let found = parse_dictionary(text).expect(text);
            let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found.join(" "), names, "{text}");
        }
        for text in [
            "a=(),",
            "a=() b=()",
            "A=()",
            "a 'none'",
            "a=('self')",
            "a='self'",
            "a=(",
            "a=(\"x\"\"y\")",
            "a=\"x",
            "a=\"\\x\"",
            "a; b=()",
            "a=1.",
            "a=é",
        ] {
            assert_eq!(parse_dictionary(text), None, "{text}");
        }
    }
}
