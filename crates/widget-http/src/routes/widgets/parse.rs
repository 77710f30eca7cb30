//! What a body says of a widget, by the rules of core.

use serde_json::value::RawValue;
use widget_api::WidgetPatch;
use widget_core::{
    config::Config,
    origin::{AllowedOrigins, SuffixList},
    widget,
};

use crate::{
    state::AppState,
    web::problem::{Problem, domains_invalid},
};

/// What a body changes.
pub(super) fn parse_patch(
    body: &WidgetPatch,
    state: &AppState,
) -> Result<widget::WidgetPatch, Problem> {
    let (domains, config) = parse_documents(
        body.domains.as_deref(),
        body.config.as_deref(),
        &state.suffixes,
    )?;
    Ok(widget::WidgetPatch {
        agent_id: body.agent_id,
        agent_version_id: body.agent_version_id,
        domains,
        published: body.published,
        config,
    })
}

/// The domains and the config of a body; all faults of both are reported at once.
pub(super) fn parse_documents(
    domains: Option<&[String]>,
    config: Option<&RawValue>,
    suffixes: &SuffixList,
) -> Result<(Option<AllowedOrigins>, Option<Config>), Problem> {
    let domains = domains
        .map(|entries| AllowedOrigins::parse(entries, suffixes))
        .transpose();
    let config = config.map(|raw| Config::parse(raw.get())).transpose();
    match (domains, config) {
        (Ok(domains), Ok(config)) => Ok((domains, config)),
        (Err(domains), Ok(_)) => Err(domains_invalid(domains)),
        (Ok(_), Err(config)) => Err(config.into()),
        (Err(domains), Err(config)) => Err(Problem::from(config).with_findings(domains)),
    }
}
