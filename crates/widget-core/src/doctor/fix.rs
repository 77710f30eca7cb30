//! What corrects a page, as a command or a line that can be copied.

use std::fmt;

/// The change that corrects what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Fix {
    /// A command of `widget`, as its arguments.
    Command(Vec<String>),
    /// A line of HTML for the page.
    Line(String),
    /// Anything else, in words.
    Words(String),
}

impl Fix {
    pub(super) fn command<const N: usize>(arguments: [&str; N]) -> Self {
        Self::Command(arguments.map(str::to_owned).to_vec())
    }

    /// The command as it is typed into a shell.
    #[must_use]
    pub fn to_command(&self) -> Option<String> {
        let Self::Command(arguments) = self else {
            return None;
        };
        let quoted = arguments.iter().map(|argument| quote_for_shell(argument));
        Some(format!("widget {}", quoted.collect::<Vec<_>>().join(" ")))
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(_) => formatter.write_str(&self.to_command().unwrap_or_default()),
            Self::Line(line) => write!(formatter, "paste this line into the page: {line}"),
            Self::Words(words) => formatter.write_str(words),
        }
    }
}

/// An argument as it is typed into a shell.
#[must_use]
pub fn quote_for_shell(argument: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if !argument.is_empty() && argument.bytes().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        for (argument, quoted) in [
            ("https://shop.example/", "https://shop.example/"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quote_for_shell(argument), quoted);
        }
    }

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let fix = Fix::command([
            "doctor",
            "https://shop.example/?a=1&b='2'c",
            "--profile",
            "x",
        ]);
        assert_eq!(
            fix.to_string(),
            r"widget doctor 'https://shop.example/?a=1&b='\''2'\''c' --profile x"
        );
        assert_eq!(Fix::Words("a".to_owned()).to_command(), None);
    }
}
