//! Asks a service what visitors may ask: never with a key, and whichever service a page names.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, Response, header};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use url::Url;
use widget_core::{
    doctor::{Answer, LauncherAnswer, ScriptAnswer, ServiceAnswers, Target},
    id::WidgetId,
    origin::Origin,
};

use crate::online::visit::cause;

/// Longer answers are cut, in bytes.
const MAX_BYTES: usize = 2 << 20;

/// Asks for everything that a page would load.
pub(super) async fn ask_service(
    http: &Client,
    target: &Target,
    origin: &Origin,
    known_hashes: Vec<String>,
) -> ServiceAnswers {
    let id = target.widget_id;
    let address = |path: String| target.service.join(&path);
    let script = match (&target.script, id) {
        (Some(script), _) => Some(script.clone()),
        (None, Some(id)) => address(format!("public/embed/{id}")).ok(),
        (None, None) => None,
    };
    let mut answers = ServiceAnswers {
        known_hashes,
        ..ServiceAnswers::default()
    };
    if let Some(script) = script {
        (answers.script, answers.clock_difference) = ask_for_script(http, script).await;
    }
    let Some(id) = id else {
        return answers;
    };
    if let Ok(url) = address(format!("core/public/web-widgets/{id}")) {
        answers.launcher = ask_for_launcher(http, url, origin).await;
    }
    if let Ok(url) = window_address(target, id, origin) {
        (answers.window, answers.livekit) = ask_for_window(http, url).await;
    }
    answers
}

fn window_address(target: &Target, id: WidgetId, origin: &Origin) -> Result<Url, url::ParseError> {
    let mut url = target.service.join(&format!("public/widget/{id}"))?;
    url.query_pairs_mut().append_pair("o", origin.as_str());
    Ok(url)
}

async fn ask_for_script(http: &Client, url: Url) -> (Answer<ScriptAnswer>, Option<time::Duration>) {
    let response = match http.get(url).send().await {
        Ok(response) => response,
        Err(error) => return (Answer::Failed(cause(&error)), None),
    };
    let difference = response
        .headers()
        .get(header::DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok())
        .map(|date| date - OffsetDateTime::now_utc());
    let status = response.status().as_u16();
    let answer = match read(response).await {
        Ok(bytes) => Answer::Given(ScriptAnswer {
            status,
            hashes: vec![
                format!("sha256-{}", STANDARD.encode(Sha256::digest(&bytes))),
                format!("sha384-{}", STANDARD.encode(Sha384::digest(&bytes))),
                format!("sha512-{}", STANDARD.encode(Sha512::digest(&bytes))),
            ],
        }),
        Err(reason) => Answer::Failed(reason),
    };
    (answer, difference)
}

async fn ask_for_launcher(http: &Client, url: Url, origin: &Origin) -> Answer<LauncherAnswer> {
    let request = http.get(url).header(header::ORIGIN, origin.as_str());
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Answer::Failed(cause(&error)),
    };
    let status = response.status();
    let allows = response
        .headers()
        .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let body = match read(response).await {
        Ok(bytes) => serde_json::from_slice::<Value>(&bytes).ok(),
        Err(reason) => return Answer::Failed(reason),
    };
    let Some(body) = body else {
        return Answer::Failed(format!("it answers {status} without JSON"));
    };
    if !allows {
        return Answer::Failed(format!(
            "it answers {status} without `Access-Control-Allow-Origin`, so that browsers refuse \
             the answer"
        ));
    }
    if status.is_success() {
        let icon = body
            .pointer("/config/trigger/icon_url")
            .and_then(Value::as_str);
        return Answer::Given(LauncherAnswer::Shown {
            icon_url: icon.and_then(|icon| icon.parse().ok()),
        });
    }
    match body.get("code").and_then(Value::as_str) {
        Some(code) if !status.is_server_error() => {
            Answer::Given(LauncherAnswer::Refused(code.to_owned()))
        }
        _ => Answer::Failed(format!("it answers {status}")),
    }
}

/// The headers of the window, and whether the LiveKit that they name answers.
async fn ask_for_window(http: &Client, url: Url) -> (Answer<Vec<(String, String)>>, Answer<()>) {
    let response = match http.get(url).send().await {
        Ok(response) if response.status().is_success() => response,
        // A refusal has no headers for a page.
        Ok(_) => return (Answer::NotAsked, Answer::NotAsked),
        Err(error) => return (Answer::Failed(cause(&error)), Answer::NotAsked),
    };
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let policy = headers
        .iter()
        .find(|(name, _)| name == "content-security-policy");
    let livekit = policy.and_then(|(_, policy)| {
        let directive = policy
            .split(';')
            .find_map(|directive| directive.trim().strip_prefix("connect-src "))?;
        directive.split_ascii_whitespace().find_map(|source| {
            Url::parse(source)
                .ok()
                .filter(|url| url.scheme().starts_with("http"))
        })
    });
    let livekit = match livekit {
        None => Answer::NotAsked,
        Some(livekit) => match http.get(livekit.clone()).send().await {
            Ok(response) if response.status().is_server_error() => Answer::Failed(format!(
                "{} answers {}",
                livekit.origin().ascii_serialization(),
                response.status()
            )),
            Ok(_) => Answer::Given(()),
            Err(error) => Answer::Failed(format!(
                "{}: {}",
                livekit.origin().ascii_serialization(),
                cause(&error)
            )),
        },
    };
    (Answer::Given(headers), livekit)
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BYTES
        && let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
