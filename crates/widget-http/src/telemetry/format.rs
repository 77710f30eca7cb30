//! How a log line looks: what happened, and to which request.

use std::fmt;

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Writer},
    },
    registry::LookupSpan,
};

use super::context::{REQUEST, RequestContext};
use crate::web::caller::AddressPrefix;

/// The form of the log.
#[derive(Debug)]
pub struct LogFormat(Form);

#[derive(Debug)]
enum Form {
    Json,
    Text(Format<Full>),
}

impl LogFormat {
    /// One JSON object a line.
    #[must_use]
    pub fn json() -> Self {
        Self(Form::Json)
    }

    /// For people, in color or not.
    #[must_use]
    pub fn text(color: bool) -> Self {
        let format = Format::default().with_target(false).with_ansi(color);
        Self(Form::Text(format))
    }
}

impl<S, N> FormatEvent<S, N> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut request = Vec::new();
        // Most lines are those of a request.
        let _ = REQUEST.try_with(|context| request = fields_of(context));
        match &self.0 {
            Form::Json => write_json(writer, event, request),
            Form::Text(format) => {
                let mut line = String::new();
                format.format_event(context, Writer::new(&mut line), event)?;
                writer.write_str(line.trim_end_matches('\n'))?;
                for (name, value) in request {
                    write!(writer, " {name}={value}")?;
                }
                writer.write_char('\n')
            }
        }
    }
}

/// What every line of a request says about it.
fn fields_of(request: &RequestContext) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("request.id", request.id().to_owned()),
        ("http.method", request.method.to_string()),
        ("http.route", request.route.template().to_string()),
        ("caller.prefix", AddressPrefix::to_log(request.caller)),
    ];
    let widget = request.widget.get().map(|widget| &widget.stored.widget);
    if let Some(widget) = widget {
        fields.push(("widget.id", widget.id.to_string()));
    }
    let organization = request.organization.get();
    let organization = organization.or(widget.map(|widget| &widget.organization_id));
    if let Some(organization) = organization {
        fields.push(("organization.id", organization.to_string()));
    }
    fields
}

fn write_json(
    mut writer: Writer<'_>,
    event: &Event<'_>,
    request: Vec<(&'static str, String)>,
) -> fmt::Result {
    let mut line = Map::new();
    let now = OffsetDateTime::now_utc().format(&Rfc3339);
    line.insert("timestamp".into(), now.unwrap_or_default().into());
    let metadata = event.metadata();
    line.insert("level".into(), metadata.level().as_str().into());
    event.record(&mut Fields(&mut line));
    line.insert("target".into(), metadata.target().into());
    for (name, value) in request {
        line.entry(name).or_insert(value.into());
    }
    let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
    writeln!(writer, "{line}")
}

/// Collects the fields of an event.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}
