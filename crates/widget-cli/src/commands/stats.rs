//! `widget stats` and `widget refusals`: numbers about a widget, and where it was not shown.

use clap::Args;
use time::OffsetDateTime;
use widget_api::{
    Timestamp,
    refusals::{Refusals as RefusalsBody, RefusalsQuery},
    statistics::{EndedConversations, FirstAnswers, Numbers, Statistics, StatisticsQuery},
};
use widget_core::{
    id::WidgetId,
    statistics::{Interval, RangeError, RangeFault, StatisticsRange, refusals_since},
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{self, advice, reference::Reference, since},
    printer::{BOLD, Printer, count, grouped, printable},
    table::Column,
};

pub(crate) const STATS_HELP: &str = "\
Days and hours are those of UTC. What happens in a conversation counts at the time at which it \
began. Conversations of previews do not count.

Examples:
  widget stats 0197a8b2 --since 7d
  widget stats https://shop.example/cart --since 24h --hourly --output json";

pub(crate) const REFUSALS_HELP: &str = "\
`widget doctor` says what to change about one of the pages.

Examples:
  widget refusals 0197a8b2
  widget refusals 0197a8b2 --since 30d --output json";

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// The beginning, such as `7d` ago [default: a week ago, or a day with --hourly]
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(crate) since: Option<Timestamp>,
    /// The end [default: now]
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(crate) until: Option<Timestamp>,
    /// One line for each hour instead of each day
    #[arg(long)]
    pub(crate) hourly: bool,
}

/// Arguments of `refusals`.
#[derive(Debug, Args)]
pub(crate) struct Refusals {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// The first day, such as `30d` ago [default: six days ago]
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(crate) since: Option<Timestamp>,
}

/// Shows numbers about a widget.
pub(super) fn stats(
    arguments: &Stats,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    let interval = if arguments.hourly {
        Interval::Hour
    } else {
        Interval::Day
    };
    let (from, to) = (arguments.since, arguments.until);
    let now = OffsetDateTime::now_utc();
    StatisticsRange::new(from.map(Into::into), to.map(Into::into), interval, now)
        .map_err(|error| out_of_range(error, to))?;
    let query = StatisticsQuery {
        from,
        to,
        interval: Some(interval),
    };
    online::run(&global.service, printer, async |session, printer| {
        let id = reference.find_id(session, printer).await?;
        let found = session.client.get_web_widget_statistics(id, &query).await?;
        if printer.is_data() {
            printer.data(&found)?;
        } else {
            show_statistics(&found, printer)?;
        }
        Ok(ExitCode::Yes)
    })
}

/// What is wrong with the times that were entered, of which `until` is the second.
fn out_of_range(error: RangeError, until: Option<Timestamp>) -> Failure {
    Failure::unexpected(match (error.fault, until) {
        (RangeFault::TooLong(days), None) => {
            format!("`--since` can be at most {days} days ago")
        }
        (RangeFault::TooLong(days), Some(_)) => {
            format!("`--since` can be at most {days} days before `--until`")
        }
        (RangeFault::Reversed, _) => "`--since` must be earlier than `--until`".to_owned(),
        (RangeFault::Future, _) => "`--since` is in the future".to_owned(),
    })
}

fn show_statistics(found: &Statistics, printer: &mut Printer) -> Result<(), Failure> {
    let label = |at: Timestamp| {
        let time = super::time(at);
        let length = match found.interval {
            Interval::Day => "2026-01-31".len(),
            Interval::Hour => "2026-01-31 09:00".len(),
        };
        time.get(..length).unwrap_or(&time).to_owned()
    };
    let points = found
        .points
        .iter()
        .map(|point| row(label(point.starts_at), &point.numbers));
    let total = row("total".to_owned(), &found.total);
    let columns = [
        Column::whole(match found.interval {
            Interval::Day => "DAY",
            Interval::Hour => "HOUR",
        }),
        Column::whole("SHOWN"),
        Column::whole("OPENED").or_left_out(4),
        Column::whole("STARTED"),
        Column::whole("ANSWERED"),
        Column::whole("MESSAGES").or_left_out(5),
        Column::whole("VOICE").or_left_out(3),
        Column::whole("RATING").or_left_out(2),
        Column::whole("REFUSED").or_left_out(1),
    ];
    printer.table(columns, points.chain([total]))?;
    let total = &found.total;
    let refusals = total.refusals.iter();
    let refusals = refusals.map(|refusal| (advice::words(&refusal.code), refusal.count));
    let lines = [
        ("ended", list(ended(&total.conversations_ended))),
        ("first answer", first_answer(&total.first_answers)),
        ("refused", list(refusals)),
    ];
    for (name, text) in lines {
        if let Some(text) = text {
            printer.line(format_args!("{BOLD}{name}{BOLD:#}: {}", printable(&text)))?;
        }
    }
    Ok(())
}

fn row(label: String, numbers: &Numbers) -> [String; 9] {
    let started = numbers.conversations_started;
    let messages = numbers.messages;
    let refused: u64 = numbers.refusals.iter().map(|refusal| refusal.count).sum();
    [
        label,
        number(numbers.launchers_shown),
        number(numbers.windows_opened),
        number(started.text + started.voice),
        number(numbers.conversations_answered),
        number(messages.visitor + messages.agent),
        duration(numbers.voice_seconds),
        rating(numbers),
        number(refused),
    ]
}

fn number(number: u64) -> String {
    grouped(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Minutes and seconds, such as `3m07s`.
fn duration(seconds: u64) -> String {
    format!("{}m{:02}s", seconds / 60, seconds % 60)
}

/// The mean of the ratings to a tenth; empty without any.
fn rating(numbers: &Numbers) -> String {
    let ratings = &numbers.feedback.ratings;
    let given: u64 = ratings.iter().map(|rating| rating.count).sum();
    let stars = ratings
        .iter()
        .map(|rating| u64::from(rating.rating) * rating.count);
    let tenths = (stars.sum::<u64>() * 10 + given / 2).checked_div(given);
    tenths.map_or_else(String::new, |tenths| {
        format!("{}.{}", tenths / 10, tenths % 10)
    })
}

fn ended(ended: &EndedConversations) -> impl Iterator<Item = (String, u64)> {
    [
        ("by the visitor", ended.visitor),
        ("by the agent", ended.agent),
        ("visitor away", ended.idle),
        ("silence", ended.silence),
        ("maximum length", ended.max_length),
        ("never joined", ended.never_joined),
        ("budget used up", ended.budget_used_up),
    ]
    .into_iter()
    .map(|(name, number)| (name.to_owned(), number))
}

/// `12 silence, 3 never joined`, without what did not happen; `None` when nothing did.
fn list(counts: impl IntoIterator<Item = (String, u64)>) -> Option<String> {
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{} {name}", number(count)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn first_answer(answers: &FirstAnswers) -> Option<String> {
    let within = |seconds: Option<u32>| match seconds {
        Some(seconds) => format!("within {seconds} s"),
        None => "later than 900 s".to_owned(),
    };
    (!answers.counts.is_empty()).then(|| {
        format!(
            "half {}, 90 % {}",
            within(answers.p50_seconds),
            within(answers.p90_seconds)
        )
    })
}

/// Shows the pages on which a widget was refused.
pub(super) fn refusals(
    arguments: &Refusals,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    let since = arguments.since;
    refusals_since(since.map(Into::into), OffsetDateTime::now_utc())
        .map_err(|error| out_of_range(error, None))?;
    let query = RefusalsQuery { since };
    online::run(&global.service, printer, async |session, printer| {
        let id = reference.find_id(session, printer).await?;
        let found = session.client.get_web_widget_refusals(id, &query).await?;
        if printer.is_data() {
            printer.data(&found)?;
        } else {
            show_refusals(id, &found, printer)?;
        }
        Ok(ExitCode::Yes)
    })
}

fn show_refusals(id: WidgetId, found: &RefusalsBody, printer: &mut Printer) -> Result<(), Failure> {
    let since = super::time(found.since);
    if found.total == 0 {
        return printer.note(format_args!("no visit was refused since {since}"));
    }
    let rows = found.refusals.iter().map(|refusal| {
        let origin = refusal.origin.as_ref().map(ToString::to_string);
        [
            origin.unwrap_or_else(|| "(none that is valid)".to_owned()),
            advice::words(&refusal.code),
            match refusal.uncertain {
                0 => number(refusal.count),
                more => format!(
                    "{} to {}",
                    number(refusal.count),
                    number(refusal.count + more)
                ),
            },
            super::time(refusal.first_at),
            super::time(refusal.last_at),
        ]
    });
    let columns = [
        Column::cut("ORIGIN"),
        Column::cut("REASON"),
        Column::whole("VISITS"),
        Column::whole("FIRST").or_left_out(2),
        Column::whole("LAST").or_left_out(1),
    ];
    printer.table(columns, rows)?;
    let total = usize::try_from(found.total).unwrap_or(usize::MAX);
    let visits = count(total, "visit was", "visits were");
    let others = match found.others {
        0 => String::new(),
        others => format!(", {} of them for other pages or reasons", number(others)),
    };
    printer.note(format_args!("{visits} refused since {since}{others}"))?;
    let commonest = found
        .refusals
        .iter()
        .find_map(|refusal| refusal.origin.as_ref());
    match commonest {
        Some(origin) => printer.note(format_args!(
            "`widget doctor {id} --page {origin}` says what to change"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use widget_api::statistics::{FeedbackCounts, RatingCount};

    use super::*;

    #[test]
    fn ratings_have_a_mean() {
        let rating_of = |counts: &[(u8, u64)]| {
            let ratings = counts.iter().map(|(rating, count)| RatingCount {
                rating: *rating,
                count: *count,
            });
            rating(&Numbers {
                feedback: FeedbackCounts {
                    submitted: 1,
                    ratings: ratings.collect(),
                },
                ..Numbers::default()
            })
        };
        assert_eq!(rating_of(&[]), "");
        assert_eq!(rating_of(&[(5, 2), (4, 1)]), "4.7");
        assert_eq!(rating_of(&[(1, 1)]), "1.0");
    }

    #[test]
    fn counts_are_listed_without_zeros() {
        let counts = |counts: &[(&str, u64)]| {
            list(
                counts
                    .iter()
                    .map(|(name, count)| ((*name).to_owned(), *count)),
            )
        };
        assert_eq!(
            counts(&[("a", 1200), ("b", 0), ("c", 1)]),
            Some("1,200 a, 1 c".to_owned())
        );
        assert_eq!(counts(&[("a", 0)]), None);
    }
}
