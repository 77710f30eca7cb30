//! What failed at the service, as one sentence with what to do, and the exit code.

use std::env;

use widget_api::{
    FieldError, ProblemCode,
    client::{CertificateFault, Error, Refusal},
};

use crate::{failure::Failure, printer::printable};

/// The operation with which `widget whoami` asks: a hint to it would lead back to where it failed.
const WHOAMI: &str = "whoami";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => from_refusal(&refusal),
            Error::OutcomeUnknown {
                operation,
                path,
                source,
            } => from_unknown(&how_to_look(operation, &path), *source),
            error => from_fault(&error),
        }
    }
}

/// What a change of which it is not known whether it was made says: what happened to its answer,
/// and how to find out.
fn from_unknown(look: &str, source: Error) -> Failure {
    let source = Failure::from(source);
    let hint = match &source.hint {
        Some(hint) => format!("{look}; {hint}"),
        None => look.to_owned(),
    };
    Failure {
        message: format!("{}; the change may have been made", source.message),
        ..source
    }
    .hint(hint)
}

/// How to find out whether a change was made: by what it was about, which is in the path.
fn how_to_look(operation: &str, path: &str) -> String {
    let shows = |command: &str| format!("`widget {command}` shows whether it was made");
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match segments[..] {
        ["core", "web-widgets"] => shows("list"),
        // Of a widget that is deleted there is no history to see.
        ["core", "web-widgets", id, ..]
            if matches!(operation, "deleteWebWidget" | "restoreWebWidget") =>
        {
            shows(&format!("show {id}"))
        }
        ["core", "web-widgets", id, "previews", ..] => shows(&format!("preview {id} --list")),
        ["core", "web-widgets", id, ..] => shows(&format!("history {id}")),
        ["core", "agents", id, ..] => shows(&format!("agents versions {id}")),
        ["core", "agents"] => shows("agents list"),
        ["core", "conversations", "erase"] => {
            "enter the command again: what was erased stays erased".to_owned()
        }
        ["core", "conversations", id, ..] => shows(&format!("conversations show {id}")),
        _ => "look at what it is about before you enter the command again".to_owned(),
    }
}

/// Both releases are named, if the service says its own.
fn of_release(operation: &str, failure: Failure) -> Failure {
    Failure {
        is_of_release: operation != WHOAMI,
        ..failure
    }
}

/// What there is instead of an answer of the service.
fn from_fault(error: &Error) -> Failure {
    let failure = Failure::unexpected(error);
    match error {
        Error::KeyMalformed => failure.hint("`widget login` asks for a key"),
        Error::CertificatesInvalid => {
            failure.hint("`--ca-file` is a file with certificates in PEM format")
        }
        Error::ConnectTimeout { .. } => failure.hint(format_args!(
            "{}; wait longer with `--timeout SECONDS`",
            connection_hint(error)
        )),
        Error::HostUnknown { .. } | Error::Unreachable { .. } | Error::Broken { .. } => {
            failure.hint(connection_hint(error))
        }
        Error::Tls { .. } => match error.certificate_fault() {
            Some(CertificateFault::Time) => {
                failure.hint("its operator can renew it; check the clock of this machine, too")
            }
            Some(CertificateFault::Name) => {
                failure.hint("`widget login` with the name that the certificate is for")
            }
            Some(_) => failure.hint(
                "if it is self-signed or of your own authority, name the certificate with \
                 `--ca-file FILE`",
            ),
            None => failure.hint("check that the service speaks TLS at this address"),
        },
        Error::Timeout { .. } => failure.hint("wait longer with `--timeout SECONDS`"),
        Error::Redirected { .. } => {
            failure.hint("`widget login` with the address to which it redirects")
        }
        Error::OtherService { .. } => failure.hint(
            "check the address of the service; `widget login` asks for it, and \
             `WIDGET_SERVICE` comes before that",
        ),
        Error::AnswerForeign { operation, .. } => failure.hint(match *operation {
            WHOAMI => {
                "check the address and the port of the service, or ask its operator which \
                 release runs there"
            }
            _ => {
                "check the address and the port of the service; `widget whoami` shows what \
                 answers there"
            }
        }),
        Error::OperationMissing { operation, .. } => of_release(
            operation,
            failure.hint(match *operation {
                WHOAMI => "ask its operator which release runs there",
                _ => "`widget whoami` shows its version; its operator can update it",
            }),
        ),
        // A key that is missing is of an older service, and one of another shape of a newer.
        Error::AnswerUnreadable { operation, .. } => of_release(
            operation,
            failure.hint(match *operation {
                WHOAMI => {
                    "the service is of another release than this program: ask its operator which \
                     one runs there; `widget --version` shows that of this program"
                }
                _ => {
                    "the service is of another release than this program: `widget whoami` shows \
                     its version, `widget --version` that of this program"
                }
            }),
        ),
        Error::Unavailable { .. } => match error.retry_after() {
            Some(after) => failure.hint(format_args!("try again in {} s", after.as_secs().max(1))),
            None => failure.hint("try again in a minute"),
        },
        _ => failure,
    }
}

/// Permission and failures of the service are no answer (2); everything else is: the input is bad,
/// or there is no such thing (1).
fn from_refusal(refusal: &Refusal) -> Failure {
    let Refusal {
        problem,
        retry_after,
    } = refusal;
    let mut message = match problem.code.known() {
        // The service says it to programmers.
        Some(ProblemCode::ApiKeyInvalid) => "the service does not accept the API key".to_owned(),
        _ => printable(&problem.detail).into_owned(),
    };
    match &problem.errors[..] {
        [] => {}
        // What it is about is in the sentence.
        [only] if problem.errors_total.is_none() => {
            message = printable(&in_words(only)).into_owned();
        }
        several => {
            message.clear();
            message.push_str("the service does not accept this");
            for error in several {
                message.extend(["\n  ", &printable(&in_words(error))]);
            }
        }
    }
    if let Some(total) = problem.errors_total {
        message.extend(["\n  … ", &total.to_string(), " in total"]);
    }
    let cannot = matches!(problem.status, 401 | 403 | 429) || problem.status >= 500;
    let failure = if cannot {
        Failure::unexpected(message)
    } else {
        Failure::bad_input(message)
    };
    let hint = problem.errors.iter().find_map(|error| error.hint.as_ref());
    match (problem.code.known(), hint, retry_after) {
        (Some(ProblemCode::ApiKeyInvalid | ProblemCode::ApiKeyRequired), ..) => failure
            .hint("it may be of another service, expired or revoked; `widget login` asks for one"),
        (Some(ProblemCode::InsufficientScope), ..) => {
            failure.hint("`widget whoami` shows what the key may do")
        }
        (_, Some(hint), _) => failure.hint(printable(hint)),
        (_, _, Some(after)) => {
            failure.hint(format_args!("try again in {} s", after.as_secs().max(1)))
        }
        _ if problem.status >= 500 => failure.hint(format_args!(
            "the service's log says more about the request `{}`",
            problem.request_id
        )),
        _ => failure,
    }
}

/// What is wrong with one value. Pointers are those of a widget, as in `widget set`; those of other
/// bodies mean nothing to whoever entered options.
fn in_words(error: &FieldError) -> String {
    const OF_A_WIDGET: [&str; 5] = [
        "/agent_id",
        "/agent_version_id",
        "/domains",
        "/published",
        "/config",
    ];
    let pointer = &error.pointer;
    if OF_A_WIDGET.iter().any(|known| pointer.starts_with(known)) {
        format!("{pointer}: {}", error.detail)
    } else {
        error.detail.clone()
    }
}

/// Names the proxy of the environment when the request went through it.
fn connection_hint(error: &Error) -> String {
    let is_used = |name: &str| match error {
        // Only the host that is connected to is looked up.
        Error::HostUnknown { host, .. } => {
            env::var(name).is_ok_and(|proxy| proxy.contains(host.as_str()))
        }
        Error::Unreachable { service, .. }
        | Error::ConnectTimeout { service, .. }
        | Error::Broken { service, .. } => {
            let is_secure = service.starts_with("https:");
            let of_scheme = if is_secure {
                "https_proxy"
            } else {
                "http_proxy"
            };
            let is_set = env::var_os(name).is_some_and(|value| !value.is_empty());
            is_set && [of_scheme, "all_proxy"].contains(&name.to_ascii_lowercase().as_str())
        }
        _ => false,
    };
    let proxy = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .into_iter()
    .find(|name| is_used(name));
    match proxy {
        Some(name) => format!(
            "check the address of the service and that it runs; requests go through the proxy in \
             `{name}`, unless `NO_PROXY` names the service"
        ),
        None => "check the address of the service, and that it runs".to_owned(),
    }
}
