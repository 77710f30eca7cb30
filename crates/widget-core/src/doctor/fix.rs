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

/// An argument as it is typed into a shell of the system that this program is built for.
#[must_use]
pub fn quote_for_shell(argument: &str) -> String {
    if cfg!(windows) {
        quote_for_windows(argument)
    } else {
        quote_for_posix(argument)
    }
}

fn is_plain(argument: &str, punctuation: &[u8]) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || punctuation.contains(&byte);
    !argument.is_empty() && argument.bytes().all(is_plain)
}

fn quote_for_posix(argument: &str) -> String {
    if is_plain(argument, b"-_./:=@%+,") {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// `cmd` has no single quotes. Programs read a backslash as itself, except before a quote.
fn quote_for_windows(argument: &str) -> String {
    if is_plain(argument, br"-_./:=@+\") {
        return argument.to_owned();
    }
    let mut quoted = String::from('"');
    let mut backslashes = 0;
    for character in argument.chars() {
        match character {
            '\\' => backslashes += 1,
            '"' => {
                quoted.push_str(&r"\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(character);
    }
    quoted.push_str(&r"\".repeat(backslashes));
    quoted.push('"');
    quoted
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
            ("100%,", "100%,"),
        ] {
            assert_eq!(quote_for_posix(argument), quoted);
        }
    }

    #[test]
    fn arguments_are_quoted_for_windows() {
        for (argument, quoted) in [
            ("https://shop.example/", "https://shop.example/"),
            (r"C:\Users\ann\widget.yaml", r"C:\Users\ann\widget.yaml"),
            (
                r"C:\Users\Ann B\widget.yaml",
                r#""C:\Users\Ann B\widget.yaml""#,
            ),
            (r"C:\Ann B\", r#""C:\Ann B\\""#),
            (r#"a\"b"#, r#""a\\\"b""#),
            ("it's", r#""it's""#),
            ("100%", r#""100%""#),
            ("", r#""""#),
        ] {
            assert_eq!(quote_for_windows(argument), quoted);
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
