//! The address of the service in an argument.

use widget_core::embed::PublicUrl;

use crate::failure::Failure;

/// Reads the value of `--service`.
pub(crate) fn parse_service_url(text: &str) -> Result<PublicUrl, Failure> {
    parse_address("--service", text)
}

/// Reads the address of a service out of `source`. Without a scheme it is `https`, as for pages.
pub(crate) fn parse_address(source: &str, text: &str) -> Result<PublicUrl, Failure> {
    let text = text.trim();
    let parsed = if text.contains("://") {
        text.parse()
    } else {
        format!("https://{text}").parse::<PublicUrl>()
    };
    parsed.map_err(|error| {
        Failure::unexpected(format_args!("`{source}`: {error}")).hint(
            "use the address under which browsers reach the service, which is its \
             `WIDGET_PUBLIC_URL`",
        )
    })
}
