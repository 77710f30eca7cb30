//! Questions to the person at the terminal, on standard error.

use std::{
    env,
    io::{self, IsTerminal, Read, Write},
};

use secrecy::SecretString;
use widget_core::doctor::quote_for_shell;

use super::Session;
use crate::failure::Failure;

/// The longest key that is read from standard input.
const MAX_KEY_BYTES: u64 = 4096;

/// Whether somebody can answer.
pub(crate) fn has_person() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line of text, after `question` as it is.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    let mut error = io::stderr();
    write!(error, "{question}").and_then(|()| error.flush())?;
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        return Err(Failure::unexpected("the question was not answered"));
    }
    Ok(line.trim().to_owned())
}

/// Asks for a key without showing it, or reads it from standard input when that is no terminal.
pub(crate) fn ask_key(question: &str) -> Result<SecretString, Failure> {
    let key = if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{question}: "))
    } else {
        let mut text = String::new();
        io::stdin()
            .lock()
            .take(MAX_KEY_BYTES)
            .read_to_string(&mut text)
            .map(|_| text)
    };
    let key = key.map_err(|error| {
        Failure::unexpected(format_args!("the key cannot be read: {error}"))
            .hint("`widget login --service URL < FILE` reads the key from a file")
    })?;
    let key = key.trim();
    if key.is_empty() {
        return Err(Failure::unexpected("no key was given")
            .hint("`widget login --service URL < FILE` reads the key from a file"));
    }
    Ok(key.into())
}

/// Asks yes or no; the default is no.
pub(crate) async fn confirm(session: &Session, question: &str) -> Result<bool, Failure> {
    let question = format!("{question} [y/N] ");
    // On another thread, so that Ctrl-C is noticed.
    let answer = tokio::task::spawn_blocking(move || ask(&question));
    let answer = session
        .asking(answer)
        .await
        .map_err(Failure::unexpected)??;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// The command as it was entered, with `--yes`.
pub(crate) fn command_with_yes() -> String {
    let mut words: Vec<String> = env::args_os()
        .skip(1)
        .map(|word| quote_for_shell(&word.to_string_lossy()))
        .collect();
    words.insert(0, "widget".to_owned());
    words.push("--yes".to_owned());
    words.join(" ")
}
