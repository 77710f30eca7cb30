//! Where `serve` finds the agent directory.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use secrecy::SecretString;
use url::Url;
use widget_http::settings::AgentDirectorySettings;

use super::secret::read_secret;

/// The token itself comes from a file.
#[derive(Debug, Args)]
pub(super) struct DirectoryArguments {
    /// The agent directory, a service that says which versions of agents there are, in place of the
    /// registry in the database: `GET URL/agents/AGENT/versions/VERSION`.
    #[arg(
        id = "agent_directory_url",
        long = "agent-directory-url",
        env = "WIDGET_AGENT_DIRECTORY_URL",
        value_name = "URL"
    )]
    url: Option<String>,
    /// File that holds the bearer token for the agent directory.
    #[arg(
        id = "agent_directory_token_file",
        long = "agent-directory-token-file",
        env = "WIDGET_AGENT_DIRECTORY_TOKEN_FILE",
        value_name = "PATH"
    )]
    token_file: Option<PathBuf>,
}

impl DirectoryArguments {
    pub(super) fn settings(&self) -> anyhow::Result<Option<AgentDirectorySettings>> {
        let (text, path) = match (&self.url, &self.token_file) {
            (None, None) => return Ok(None),
            (Some(url), Some(path)) => (url, path),
            (Some(_), None) => bail!(
                "WIDGET_AGENT_DIRECTORY_TOKEN_FILE is missing; set it to the file that holds the \
                 token, or unset WIDGET_AGENT_DIRECTORY_URL"
            ),
            (None, Some(_)) => bail!(
                "WIDGET_AGENT_DIRECTORY_URL is missing; set it, or unset \
                 WIDGET_AGENT_DIRECTORY_TOKEN_FILE"
            ),
        };
        let url = Url::parse(text).context("WIDGET_AGENT_DIRECTORY_URL is not a URL")?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !["http", "https"].contains(&url.scheme()) || !is_plain {
            bail!(
                "WIDGET_AGENT_DIRECTORY_URL must look like `https://agents.example/api`, without \
                 user, query and fragment"
            );
        }
        let token = read_secret(path, "the agent directory's token")?;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(
                "the file of the agent directory's token, {}, must hold one line of printable \
                 ASCII characters without spaces",
                path.display()
            );
        }
        let token = SecretString::from(token);
        Ok(Some(AgentDirectorySettings { url, token }))
    }
}
