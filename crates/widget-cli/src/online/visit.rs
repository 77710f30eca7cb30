//! Fetches a page as core wants to know it. Any address is fetched: this program reaches what its
//! user reaches.

use std::{error::Error as StdError, io};

use reqwest::Client;
use tokio::time::Instant;
use url::Url;
use widget_api::{
    client::{Error, describe_failure, read_failure},
    visit::{PageVisitor, VisitError},
};
use widget_core::doctor::{FailureCause, PageFailure, Visit};

/// Fetches a page until `deadline`. What went wrong is a part of the visit. `http` follows no
/// redirects.
pub(crate) async fn visit(http: &Client, start: Url, deadline: Instant) -> Visit {
    let (mut visit, outcome) = PageVisitor::new(http, &|_| true)
        .visit(start, Some(deadline))
        .await;
    visit.failure = outcome.err().map(|error| failure_of(&error));
    visit
}

fn failure_of(error: &VisitError) -> PageFailure {
    let cause = match error {
        VisitError::Request(error) => {
            return PageFailure {
                reason: reason_of(error),
                cause: cause_of(error),
            };
        }
        VisitError::Redirected(_) => FailureCause::Redirect,
        VisitError::Slow(_) => FailureCause::Timeout,
        VisitError::Compressed(_) => FailureCause::Answer,
        VisitError::Refused(_) | VisitError::TooMany | VisitError::Stopped(_) => {
            FailureCause::Other
        }
    };
    PageFailure {
        reason: error.to_string(),
        cause,
    }
}

fn reason_of(error: &reqwest::Error) -> String {
    let reason = describe_failure(error);
    match read_failure(error) {
        // What the system says is an error of its own.
        Error::Unreachable { .. } if !has_cause::<io::Error>(error) => {
            format!("the proxy does not connect to its host ({reason})")
        }
        Error::Broken { .. } if error.is_request() => format!("it does not answer: {reason}"),
        _ => reason,
    }
}

/// Whether an error of this type is among the causes.
fn has_cause<E: StdError + 'static>(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(known) = cause {
        if known.is::<E>() {
            return true;
        }
        cause = known.source();
    }
    false
}

fn cause_of(error: &reqwest::Error) -> FailureCause {
    match read_failure(error) {
        Error::HostUnknown { .. } => FailureCause::Name,
        Error::Tls { .. } => FailureCause::Certificate,
        Error::Unreachable { .. } => FailureCause::Connection,
        Error::ConnectTimeout { .. } | Error::Timeout { .. } => FailureCause::Timeout,
        // Before the answer begins, nothing is wrong with its encoding.
        Error::Broken { .. } if error.is_request() => FailureCause::Connection,
        Error::Broken { .. } => FailureCause::Answer,
        _ => FailureCause::Other,
    }
}
