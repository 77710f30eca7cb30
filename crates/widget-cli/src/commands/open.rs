//! `widget open`: a site that shows a widget, in the browser.

use clap::Args;
use serde::Serialize;
use widget_core::{
    id::WidgetId,
    origin::{Entry, SuffixList},
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{self, Session, reference::Reference},
    printer::Printer,
};

pub(crate) const HELP: &str = "\
Opens the first site on the list of domains, or the one that is named. The browser is that of \
$BROWSER, else the system's.

Examples:
  widget open 0197a8b2
  widget open 0197a8b2 https://www.shop.example/cart
  widget open 0197a8b2 --print";

/// Arguments of `open`.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// A page of one of its sites
    #[arg(value_name = "URL")]
    pub(crate) page: Option<String>,
    /// Only print the address
    #[arg(long)]
    pub(crate) print: bool,
}

/// The answer for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OpenedPage"))]
pub(crate) struct OpenedJson<'o> {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    url: &'o str,
    opened: bool,
}

/// Opens a site.
pub(super) fn run(
    arguments: &Open,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let widget = reference.find_widget(session, printer).await?.value;
        let url = match &arguments.page {
            Some(page) => parse_page(page)?,
            None => find_site(&widget.domains).ok_or_else(|| {
                Failure::bad_input(format_args!(
                    "widget {} lists no site that can be opened",
                    widget.id
                ))
                .hint(format_args!(
                    "name a page: `widget open {} https://shop.example/cart`",
                    widget.id
                ))
            })?,
        };
        if !arguments.print {
            browse(&url, session).await?;
        }
        if printer.is_data() {
            printer.data(&OpenedJson {
                widget_id: widget.id,
                url: &url,
                opened: !arguments.print,
            })?;
        } else if arguments.print {
            printer.line(&url)?;
        } else {
            printer.note(format_args!("opened {url}"))?;
        }
        Ok(ExitCode::Yes)
    })
}

/// Opens an address in the browser.
pub(super) async fn browse(url: &str, session: &Session) -> Result<(), Failure> {
    let address = url.to_owned();
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&address));
    let opened = session.away(opened).await.map_err(Failure::unexpected)?;
    opened.map_err(|error| {
        Failure::unexpected(format_args!("no browser can be opened: {error}")).hint(format_args!(
            "open {url} yourself, or set `BROWSER` to the command of a browser"
        ))
    })
}

/// An address of a page; without a scheme it is `https`.
fn parse_page(text: &str) -> Result<String, Failure> {
    let address = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    url::Url::parse(&address)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .map(String::from)
        .ok_or_else(|| {
            Failure::unexpected(format_args!("`{text}` is not the address of a page"))
                .hint("write one such as `https://shop.example/cart`")
        })
}

/// The first site of a list. A pattern names none.
fn find_site(domains: &[String]) -> Option<String> {
    domains
        .iter()
        .find_map(|text| match Entry::parse(text, SuffixList::builtin()) {
            Ok(Entry::Exact(origin)) => Some(format!("{origin}/")),
            _ => None,
        })
}
