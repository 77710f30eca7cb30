//! `widget origins`: lists of allowed sites, without a widget.

use std::io::{self, BufRead};

use serde::Serialize;
use widget_core::{
    finding::{Code, Finding, Findings},
    origin::{AllowedOrigins, Entry, Origin},
};

use crate::{
    cli::{OriginsNormalize, OriginsTest},
    exit::ExitCode,
    failure::Failure,
    printer::{BOLD, GREEN, Printer, RED, count, hint_line, printable},
    suffixes::Suffixes,
};

/// The answer for one page as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TestedPage"))]
pub(crate) struct TestJson<'t> {
    page: &'t str,
    origin: Option<&'t str>,
    admitted: bool,
    /// The entry that allows the page.
    entry: Option<&'t str>,
    #[cfg_attr(test, schemars(with = "widget_api::schema::FieldCode"))]
    code: Code,
    detail: String,
}

/// The answer for one entry as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "NormalizedEntry"))]
pub(crate) struct NormalizedJson<'t> {
    entry: &'t str,
    canonical: Option<String>,
    errors: Vec<FaultJson>,
}

/// Why an entry is rejected.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "EntryFault"))]
pub(crate) struct FaultJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::FieldCode"))]
    code: Code,
    detail: String,
    hint: Option<String>,
}

impl From<&Finding> for FaultJson {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.code,
            detail: finding.detail.clone(),
            hint: finding.hint.clone(),
        }
    }
}

/// Tests whether the entries allow each page.
pub(super) fn test(arguments: &OriginsTest, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
    let allowed = match AllowedOrigins::parse(&arguments.allow, suffixes.list()) {
        Ok(allowed) => allowed,
        Err(error) => {
            return print_rejected_list(&arguments.allow, &error, printer);
        }
    };
    let mut all = true;
    for page in &arguments.page {
        let origin = Origin::parse_page(page);
        let (admitted, code, detail) = match &origin {
            Err(error) => (None, error.code(), error.to_string()),
            Ok(origin) => match allowed.admit(origin) {
                Some(admitted) => (
                    Some(admitted.entry()),
                    Code::OriginListed,
                    format!("`{origin}` is allowed by `{}`", admitted.entry()),
                ),
                None => (
                    None,
                    Code::OriginNotListed,
                    format!("no entry allows `{origin}`"),
                ),
            },
        };
        all &= admitted.is_some();
        if printer.is_data() {
            printer.data(&TestJson {
                page,
                origin: origin.as_ref().ok().map(Origin::as_str),
                admitted: admitted.is_some(),
                entry: admitted,
                code,
                detail,
            })?;
        } else {
            let mark = if admitted.is_some() {
                format!("{GREEN}✓{GREEN:#}")
            } else {
                format!("{RED}✗{RED:#}")
            };
            printer.line(format_args!("{mark} {}", printable(&detail)))?;
        }
    }
    if !printer.is_data() {
        for warning in allowed.warnings() {
            printer.warning(&warning.detail, warning.hint.as_deref())?;
        }
    }
    Ok(ExitCode::from_answer(all))
}

/// A list that is rejected, entry by entry; too long a list is a fault of no single entry.
fn print_rejected_list(
    entries: &[String],
    findings: &Findings,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let mut shown = false;
    for (position, entry) in entries.iter().enumerate() {
        let place = format!("/domains/{position}");
        let of_entry: Vec<_> = findings
            .iter()
            .filter(|finding| finding.pointer.as_ref() == Some(&place))
            .cloned()
            .collect();
        if of_entry.is_empty() {
            continue;
        }
        if shown && !printer.is_data() {
            printer.error("")?;
        }
        print_rejected(entry, &of_entry, printer)?;
        shown = true;
    }
    if findings.omitted() > 0 && !printer.is_data() {
        let more = count(findings.omitted(), "more error", "more errors");
        printer.error(format_args!("\nand {more}"))?;
    }
    if shown {
        Ok(ExitCode::No)
    } else {
        Err(Failure::bad_input(findings))
    }
}

/// Shows entries in the form in which they are stored.
pub(super) fn normalize(
    arguments: &OriginsNormalize,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
    let mut all = true;
    if arguments.entries.is_empty() {
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| {
                Failure::unexpected(format_args!("cannot read standard input: {error}"))
            })?;
            if !line.trim().is_empty() {
                all &= normalize_one(&line, &suffixes, printer)?;
            }
        }
    } else {
        for entry in &arguments.entries {
            all &= normalize_one(entry, &suffixes, printer)?;
        }
    }
    Ok(ExitCode::from_answer(all))
}

fn normalize_one(entry: &str, suffixes: &Suffixes, printer: &mut Printer) -> Result<bool, Failure> {
    let parsed = Entry::parse(entry, suffixes.list());
    if printer.is_data() {
        let findings = parsed.as_ref().err().map(|error| error.findings(""));
        printer.data(&NormalizedJson {
            entry,
            canonical: parsed.as_ref().ok().map(Entry::to_text),
            errors: findings.iter().flatten().map(FaultJson::from).collect(),
        })?;
        return Ok(parsed.is_ok());
    }
    match parsed {
        Ok(entry) => printer.line(entry.to_text())?,
        Err(error) => {
            print_rejected(entry, &error.findings(""), printer)?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Shows why an entry is rejected.
fn print_rejected(entry: &str, findings: &[Finding], printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(&NormalizedJson {
            entry,
            canonical: None,
            errors: findings.iter().map(FaultJson::from).collect(),
        });
    }
    for (position, finding) in findings.iter().enumerate() {
        if position > 0 {
            printer.error("")?;
        }
        printer.error(format_args!(
            "{RED}error[{}]{RED:#}: {}\n--> {BOLD}{}{BOLD:#}",
            finding.code,
            printable(&finding.detail),
            printable(entry)
        ))?;
        if let Some(hint) = &finding.hint {
            printer.error(format_args!("\n{}", hint_line(hint)))?;
        }
    }
    Ok(())
}
