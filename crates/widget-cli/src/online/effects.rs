//! What a change of a widget does to visitors, one sentence each. The service decides what it does.

use widget_api::{
    ProblemCode, Widget, WidgetPatch,
    client::Error,
    revisions::{ChangeEffects, Effect},
};
use widget_core::{effects::EffectCode, id::WidgetId};

use super::Session;
use crate::{failure::Failure, printer::count};

/// What is said of a change without effects.
const NOTHING: &str = "visitors notice nothing of it";

/// What visitors notice of a change from one state of a widget to another.
pub(crate) async fn find_effects(
    before: &Widget,
    after: &Widget,
    session: &Session,
) -> Result<Vec<String>, Failure> {
    let config = serde_json::value::to_raw_value(&after.config).map_err(Failure::unexpected)?;
    let patch = WidgetPatch {
        agent_id: Some(after.agent_id),
        agent_version_id: Some(after.agent_version_id),
        domains: Some(after.domains.clone()),
        published: Some(after.published),
        config: Some(config),
    };
    let nothing = if before.published || after.published {
        NOTHING
    } else {
        "the widget is not published, so visitors see nothing of it"
    };
    find(before.id, &patch, nothing, session).await
}

/// What visitors notice when a widget is no longer shown.
pub(crate) async fn find_end(id: WidgetId, session: &Session) -> Result<Vec<String>, Failure> {
    let patch = WidgetPatch {
        published: Some(false),
        ..WidgetPatch::default()
    };
    find(id, &patch, NOTHING, session).await
}

async fn find(
    id: WidgetId,
    patch: &WidgetPatch,
    nothing: &str,
    session: &Session,
) -> Result<Vec<String>, Failure> {
    match session.client.preview_effects(id, patch).await {
        Ok(ChangeEffects { effects, .. }) if effects.is_empty() => Ok(vec![nothing.to_owned()]),
        Ok(found) => Ok(found.effects.iter().map(expected).collect()),
        // Nobody can say it of a widget that is not readable, and an older service does not.
        Err(Error::OperationMissing { .. }) => Ok(vec![
            "what it does to visitors is not known; the service is older than this program"
                .to_owned(),
        ]),
        Err(error) if error.code() == Some(ProblemCode::RecordUnreadable) => Ok(vec![
            "what it does to visitors is not known; the service cannot read the widget".to_owned(),
        ]),
        Err(error) => Err(error.into()),
    }
}

/// What a change will do.
fn expected(effect: &Effect) -> String {
    let sites = |adjective| sites(&effect.domains, adjective);
    match effect.code.known() {
        Some(EffectCode::WentLive) => {
            format!("visitors of {} see it within 5 s", sites("listed "))
        }
        Some(EffectCode::Stopped) => "visitors stop seeing it within 5 s".to_owned(),
        Some(EffectCode::DomainsAdded) => {
            format!("visitors of {} see it within 5 s", sites("more "))
        }
        Some(EffectCode::DomainsRemoved) => {
            format!("visitors of {} stop seeing it within 5 s", sites(""))
        }
        Some(EffectCode::VersionChanged) => {
            "new conversations use this version; open ones keep theirs".to_owned()
        }
        Some(EffectCode::LookChanged) => {
            "visitors see the change on the next page that they load".to_owned()
        }
        Some(EffectCode::ConversationsEnded) => match effect.count {
            Some(1) => "1 conversation is open there; it ends".to_owned(),
            Some(number) => format!("{} are open there; they end", conversations(number)),
            None => "conversations that are open there end".to_owned(),
        },
        None => format!("`{}`, which this program does not know", effect.code),
    }
}

/// What a change of the history has done.
pub(crate) fn noted(effect: &Effect) -> String {
    let sites = |adjective| sites(&effect.domains, adjective);
    match effect.code.known() {
        Some(EffectCode::WentLive) => format!("{} showed it", sites("")),
        Some(EffectCode::Stopped) => "no site showed it anymore".to_owned(),
        Some(EffectCode::DomainsAdded) => format!("{} showed it", sites("more ")),
        Some(EffectCode::DomainsRemoved) => format!("{} no longer showed it", sites("")),
        Some(EffectCode::VersionChanged) => "new conversations used this version".to_owned(),
        Some(EffectCode::LookChanged) => "visitors saw the change".to_owned(),
        Some(EffectCode::ConversationsEnded) => match effect.count {
            Some(number) => format!("{} ended", conversations(number)),
            None => "conversations ended".to_owned(),
        },
        None => format!("`{}`, which this program does not know", effect.code),
    }
}

/// How many sites entries are, such as `2 more sites`. A pattern is not one site, and is said by
/// itself. `adjective` ends with a space, or is empty.
pub(crate) fn sites(entries: &[String], adjective: &str) -> String {
    let (patterns, sites): (Vec<&String>, Vec<&String>) =
        entries.iter().partition(|entry| entry.contains('*'));
    if patterns.iter().any(|pattern| *pattern == "*") {
        return "every site".to_owned();
    }
    let counted = count(
        sites.len(),
        &format!("{adjective}site"),
        &format!("{adjective}sites"),
    );
    let matching = match &patterns[..] {
        [] => return counted,
        [only] => format!("every site that matches `{only}`"),
        several => format!("every site that matches one of {} patterns", several.len()),
    };
    if sites.is_empty() {
        matching
    } else {
        format!("{counted} and {matching}")
    }
}

fn conversations(number: u64) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    count(number, "conversation", "conversations")
}

#[cfg(test)]
mod tests {
    use super::sites;

    #[test]
    fn a_pattern_is_not_one_site() {
        let shown = |entries: &[&str]| {
            let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
            sites(&entries, "more ")
        };
        assert_eq!(shown(&["https://a.example"]), "1 more site");
        assert_eq!(
            shown(&["https://a.example", "https://b.example"]),
            "2 more sites"
        );
        assert_eq!(
            shown(&["https://*.a.example"]),
            "every site that matches `https://*.a.example`"
        );
        assert_eq!(
            shown(&[
                "https://*.a.example",
                "https://*.b.example",
                "https://c.example"
            ]),
            "1 more site and every site that matches one of 2 patterns"
        );
        assert_eq!(shown(&["*"]), "every site");
    }
}
