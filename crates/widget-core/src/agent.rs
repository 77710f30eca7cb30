//! Agents: what they and their versions may be called, and which versions are published.
//!
//! The registry itself is the caller's; here are the rules about its entries.
//!
//! ```
//! use widget_core::agent;
//!
//! assert_eq!(agent::parse_name("  Front desk ").as_deref(), Ok("Front desk"));
//! let error = agent::parse_name("   ").expect_err("nothing but white space");
//! assert_eq!(error.code(), widget_core::finding::Code::ValueInvalid);
//! ```

use crate::{
    choice::choices,
    finding::Code,
    text::{is_invisible, is_joiner},
};

choices! {
    /// Whether a version of an agent is published.
    pub enum VersionStatus {
        /// Not published yet.
        Draft = "draft",
        /// Published, so that it never changes.
        Published = "published",
    }
}

impl VersionStatus {
    /// The status of a version that was published at this time, or never.
    #[must_use]
    pub const fn of<T: Copy>(published_at: Option<T>) -> Self {
        match published_at {
            None => Self::Draft,
            Some(_) => Self::Published,
        }
    }
}

/// How many agents an organization may have: people choose among them.
pub const MAX_AGENTS: i64 = 1000;

/// How many versions an agent may have: one each day for more than twenty years.
pub const MAX_VERSIONS: i64 = 10_000;

/// How many widgets an organization may have: one for each site of a large platform.
pub const MAX_WIDGETS: i64 = 10_000;

/// The registry is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFull {
    /// The organization has [`MAX_AGENTS`].
    #[error("the organization has {MAX_AGENTS} agents, the maximum; delete one first")]
    Agents,
    /// The agent has [`MAX_VERSIONS`].
    #[error("the agent has {MAX_VERSIONS} versions, the maximum; create another agent")]
    Versions,
    /// The organization has [`MAX_WIDGETS`].
    #[error("the organization has {MAX_WIDGETS} widgets, the maximum; delete one first")]
    Widgets,
}

/// Whether an organization that has `count` widgets may have another.
///
/// # Errors
///
/// [`RegistryFull::Widgets`]
pub const fn require_widget_capacity(count: i64) -> Result<(), RegistryFull> {
    if count >= MAX_WIDGETS {
        return Err(RegistryFull::Widgets);
    }
    Ok(())
}

/// Whether an organization that has `count` agents may have another.
///
/// # Errors
///
/// [`RegistryFull::Agents`]
pub const fn require_agent_capacity(count: i64) -> Result<(), RegistryFull> {
    if count >= MAX_AGENTS {
        return Err(RegistryFull::Agents);
    }
    Ok(())
}

/// Whether a version may have this number; the first of an agent has 1.
///
/// # Errors
///
/// [`RegistryFull::Versions`]
pub const fn require_version_capacity(number: i64) -> Result<(), RegistryFull> {
    if number > MAX_VERSIONS {
        return Err(RegistryFull::Versions);
    }
    Ok(())
}

/// The longest name, in characters: a line on a wide screen.
pub const MAX_NAME_CHARACTERS: usize = 200;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty, or longer than [`MAX_NAME_CHARACTERS`].
    #[error(
        "this has {characters} characters; 1 to {MAX_NAME_CHARACTERS} without control characters \
         are allowed"
    )]
    Length {
        /// How many characters it has, without outer white space.
        characters: usize,
    },
    /// It contains a control character, such as a line break.
    #[error(
        "this contains a control character; 1 to {MAX_NAME_CHARACTERS} characters without control \
         characters are allowed"
    )]
    Control,
    /// It contains a character that cannot be seen, such as one that reverses the text after it.
    #[error(
        "this contains the invisible character U+{:04X}; leave it out", u32::from(*.character)
    )]
    Invisible {
        /// That character.
        character: char,
    },
    /// It has no character that can be seen by itself.
    #[error(
        "this contains nothing that can be seen; 1 to {MAX_NAME_CHARACTERS} characters are allowed"
    )]
    Blank,
}

impl NameError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Length { .. } | Self::Control | Self::Invisible { .. } | Self::Blank => {
                Code::ValueInvalid
            }
        }
    }
}

/// The name of an agent or an API key, the label of a version, or the name under which a worker
/// registers: as it is stored, without outer white space.
///
/// # Errors
///
/// [`NameError`] when it is empty, too long, or contains a character that cannot be seen.
pub fn parse_name(text: &str) -> Result<String, NameError> {
    let name = text.trim();
    let characters = name.chars().count();
    if !(1..=MAX_NAME_CHARACTERS).contains(&characters) {
        return Err(NameError::Length { characters });
    }
    if name.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    if let Some(character) = name.chars().find(|character| is_invisible(*character)) {
        return Err(NameError::Invisible { character });
    }
    if name.chars().all(is_joiner) {
        return Err(NameError::Blank);
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        let (longest, too_long) = ("ü".repeat(200), "ü".repeat(201));
        let length = |characters| Err(NameError::Length { characters });
        for (text, expected) in [
            ("a", Ok("a")),
            (" Front desk\n", Ok("Front desk")),
            (&longest, Ok(&*longest)),
            ("", length(0)),
            (" \t ", length(0)),
            (&too_long, length(201)),
            ("a\u{7}b", Err(NameError::Control)),
            ("a\nb", Err(NameError::Control)),
            // Letters of other scripts, some of which need joiners, and emoji.
            ("נציג 7", Ok("נציג 7")),
            ("می\u{200c}خواهم", Ok("می\u{200c}خواهم")),
            ("👩\u{200d}💻 ❤\u{fe0f}", Ok("👩\u{200d}💻 ❤\u{fe0f}")),
            ("\u{200d}\u{fe0f}", Err(NameError::Blank)),
        ] {
            assert_eq!(parse_name(text).as_deref(), expected.as_deref(), "{text:?}");
        }
    }

    #[test]
    fn names_have_no_invisible_characters() {
        for character in
            "\u{AD}\u{61C}\u{200B}\u{200E}\u{200F}\u{202A}\u{202E}\u{2028}\u{2029}\u{2060}\
                          \u{2066}\u{2069}\u{206F}\u{3164}\u{FEFF}\u{FFF9}\u{E0041}"
                .chars()
        {
            let name = format!("a{character}b");
            assert_eq!(parse_name(&name), Err(NameError::Invisible { character }));
        }
        let error = parse_name("agent\u{202E}nimda").expect_err("it reverses what follows");
        assert_eq!(
            error.to_string(),
            "this contains the invisible character U+202E; leave it out"
        );
    }
}
