//! A gateway in front of a service: it admits a request by its `Origin` header.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "a program to try out"
)]

use widget_core::{
    finding::Code,
    origin::{AllowedOrigins, Origin, OriginHeaderError, SuffixList},
};

/// The entry that admits the page, or the status and the code to answer with.
fn decide(allowed: &AllowedOrigins, headers: &[&str]) -> Result<String, (u16, Code)> {
    let page = Origin::from_header(headers).map_err(|error| match error {
        OriginHeaderError::Malformed => (400, error.code()),
        _ => (403, error.code()),
    })?;
    let admitted = allowed.admit(&page).ok_or((403, Code::OriginNotListed))?;
    Ok(admitted.entry().to_owned())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Read once at start; a decision is then a few lookups.
    let entries = ["shop.example", "*.shop.example:8443"];
    let allowed = AllowedOrigins::parse(&entries, SuffixList::builtin())?;

    for (headers, expected) in [
        (&["https://shop.example"][..], Ok("https://shop.example")),
        (
            &["https://a.shop.example:8443"],
            Ok("https://*.shop.example:8443"),
        ),
        (
            &["https://other.example"],
            Err((403, Code::OriginNotListed)),
        ),
        (&["https://Shop.example"], Err((400, Code::OriginMalformed))),
        (&["null"], Err((403, Code::OriginOpaque))),
        (&[], Err((403, Code::OriginRequired))),
    ] {
        let decision = decide(&allowed, headers);
        match &decision {
            Ok(entry) => println!("{headers:?} is allowed by `{entry}`"),
            Err((status, code)) => println!("{headers:?} gets {status} {code}"),
        }
        assert_eq!(decision, expected.map(str::to_owned));
    }
    Ok(())
}
