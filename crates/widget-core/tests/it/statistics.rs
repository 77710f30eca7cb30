//! Numbers about a widget: names of counters, what a conversation counts as, ranges, and the bounds
//! of the sketch of refusals, for every stream and in every order of merging.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use time::{Duration, OffsetDateTime, macros::datetime};
use widget_core::{
    conversation::{EndReason, Mode, budget::Day},
    finding::Code,
    statistics::{
        ConversationFacts, Counter, FIRST_ANSWER_SECONDS, Interval, Listed, MAX_LISTED, MAX_RATING,
        MAX_REFUSAL_DAYS, Numbers, RangeError, RangeFault, Sketch, StatisticsRange, refusals_since,
    },
};

const NOW: OffsetDateTime = datetime!(2026-01-31 09:30 UTC);

/// Every counter there is.
fn counters() -> Vec<Counter> {
    let mut all = vec![
        Counter::LaunchersShown,
        Counter::WindowsOpened,
        Counter::StartedText,
        Counter::StartedVoice,
        Counter::Answered,
        Counter::VoiceSeconds,
        Counter::VisitorMessages,
        Counter::AgentMessages,
        Counter::Feedback,
    ];
    all.extend((0..=FIRST_ANSWER_SECONDS.len()).map(Counter::FirstAnswer));
    all.extend(EndReason::ALL.iter().copied().map(Counter::Ended));
    all.extend((1..=MAX_RATING).map(Counter::Rating));
    all.extend(Code::ALL.iter().copied().map(Counter::Refused));
    all
}

#[test]
fn each_counter_has_a_name_and_a_number_of_its_own() {
    let mut names = HashSet::new();
    let mut numbers = Numbers::default();
    for (amount, counter) in (1..).zip(counters()) {
        let name = counter.to_string();
        assert_eq!(name.parse(), Ok(counter), "{name}");
        assert!(names.insert(name));
        numbers.add(counter, amount);
    }
    for (amount, counter) in (1..).zip(counters()) {
        assert_eq!(numbers.of(counter), amount, "{counter}");
    }
    for unknown in [
        "",
        "ended",
        "ended/",
        "rating/0",
        "rating/11",
        "first_answer/4",
        "refused/none",
        "Answered",
    ] {
        assert!(unknown.parse::<Counter>().is_err(), "{unknown}");
    }
}

#[test]
fn a_first_answer_counts_at_its_bound() {
    for (milliseconds, place) in [
        (-5_000, 0),
        (0, 0),
        (1_000, 0),
        (1_001, 1),
        (5_000, 3),
        (900_000, 11),
        (900_001, 12),
    ] {
        let counter = Counter::first_answer(Duration::milliseconds(milliseconds));
        assert_eq!(counter, Counter::FirstAnswer(place), "{milliseconds}");
    }
}

#[test]
fn percentiles_are_bounds_that_hold() {
    #[track_caller]
    fn check(seconds: &[i64], percent: u8, expected: Option<u32>) {
        let mut numbers = Numbers::default();
        for seconds in seconds {
            numbers.add(Counter::first_answer(Duration::seconds(*seconds)), 1);
        }
        assert_eq!(numbers.first_answers().percentile(percent), expected);
    }
    check(&[], 50, None);
    check(&[1], 0, Some(1));
    check(&[1], 100, Some(1));
    check(&[1, 100], 50, Some(1));
    check(&[1, 100], 51, Some(120));
    check(&[1, 1, 901], 90, None);
}

#[test]
fn a_conversation_counts_as_what_is_known_of_it() {
    let facts = ConversationFacts {
        mode: Mode::Voice,
        joined_at: Some(NOW),
        answered_at: Some(NOW + Duration::seconds(4)),
        visitor_messages: 3,
        agent_messages: 2,
        voice: Duration::milliseconds(61_900),
        end_reason: Some(EndReason::Silence),
    };
    let mut expected = vec![
        (Counter::StartedVoice, 1),
        (Counter::VoiceSeconds, 61),
        (Counter::VisitorMessages, 3),
        (Counter::AgentMessages, 2),
        (Counter::Answered, 1),
        (Counter::FirstAnswer(3), 1),
        (Counter::Ended(EndReason::Silence), 1),
    ];
    assert_eq!(facts.counts(), expected);
    let silent = ConversationFacts {
        mode: Mode::Text,
        joined_at: None,
        answered_at: None,
        visitor_messages: 0,
        agent_messages: 0,
        voice: Duration::seconds(-1),
        end_reason: None,
    };
    expected = vec![(Counter::StartedText, 1)];
    assert_eq!(silent.counts(), expected);
}

#[test]
fn a_range_is_whole_points_that_are_not_of_the_future() {
    let range = |from: Option<_>, to: Option<_>, interval| {
        StatisticsRange::new(from, to, interval, NOW).map(|range| (range.from(), range.to()))
    };
    let midnight = datetime!(2026-01-31 0:00 UTC);
    let (hours, days) = (Interval::Hour, Interval::Day);
    assert_eq!(
        range(None, None, days),
        Ok((midnight - Duration::days(6), midnight + Duration::DAY))
    );
    let next_hour = datetime!(2026-01-31 10:00 UTC);
    assert_eq!(
        range(None, None, hours),
        Ok((next_hour - Duration::DAY, next_hour))
    );
    assert_eq!(
        range(Some(midnight), Some(NOW), hours),
        Ok((midnight, next_hour))
    );
    assert_eq!(
        range(Some(midnight - Duration::NANOSECOND), Some(midnight), hours),
        Ok((midnight - Duration::HOUR, midnight)),
        "an end at a full hour adds none"
    );
    assert_eq!(
        range(Some(NOW), Some(datetime!(9999-12-31 23:59:59 UTC)), hours),
        Ok((next_hour - Duration::HOUR, next_hour))
    );
    let epoch = OffsetDateTime::UNIX_EPOCH;
    assert_eq!(
        range(None, Some(datetime!(0000-01-01 0:00 UTC)), days),
        Ok((epoch, epoch + Duration::DAY)),
        "nothing was counted before 1970"
    );
    let fault = |fault| {
        Err(RangeError {
            name: "from",
            fault,
        })
    };
    assert_eq!(
        range(Some(NOW), Some(NOW), days),
        fault(RangeFault::Reversed)
    );
    let later = NOW + Duration::SECOND;
    assert_eq!(range(Some(later), None, days), fault(RangeFault::Future));
    for (interval, longest) in [(days, 400), (hours, 31)] {
        let end = interval.start_of(interval.point_of(NOW) + 1);
        let longest_from = NOW - Duration::days(longest);
        let first = interval.start_of(interval.point_of(longest_from));
        for to in [None, Some(NOW), Some(NOW + Duration::days(9))] {
            let found = range(Some(longest_from), to, interval);
            assert_eq!(found, Ok((first, end)));
        }
        let too_long = fault(RangeFault::TooLong(longest));
        let longer = longest_from - Duration::NANOSECOND;
        assert_eq!(range(Some(longer), None, interval), too_long);
        assert_eq!(
            range(Some(datetime!(-9999-01-01 0:00 UTC)), None, interval),
            too_long
        );
    }
}

#[test]
fn refusals_are_shown_from_a_day_on() {
    let today = Day::of(NOW);
    assert_eq!(refusals_since(None, NOW), Ok(today.before(6)));
    assert_eq!(refusals_since(Some(NOW), NOW), Ok(today));
    let oldest = NOW - Duration::days(MAX_REFUSAL_DAYS);
    assert_eq!(refusals_since(Some(oldest), NOW), Ok(Day::of(oldest)));
    for (since, fault) in [
        (NOW + Duration::SECOND, RangeFault::Future),
        (
            oldest - Duration::SECOND,
            RangeFault::TooLong(MAX_REFUSAL_DAYS),
        ),
    ] {
        let error = refusals_since(Some(since), NOW).expect_err("not a day to ask for");
        assert_eq!(error.fault, fault);
        assert_eq!(error.code(), Code::ValueOutOfRange);
    }
}

/// Streams of nodes: few keys that are common, many that are rare.
fn streams() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let key = prop_oneof![3 => 0_u32..10, 2 => 0_u32..150, 3 => 0_u32..5_000];
    prop::collection::vec(prop::collection::vec(key, 0..900), 1..6)
}

fn count_all(streams: &[Vec<u32>]) -> BTreeMap<u32, u64> {
    let mut counted = BTreeMap::new();
    for key in streams.iter().flatten() {
        *counted.entry(*key).or_default() += 1;
    }
    counted
}

fn at(second: usize) -> OffsetDateTime {
    NOW + Duration::seconds(i64::try_from(second).expect("short streams"))
}

fn sketch_of(stream: &[u32]) -> Sketch<u32> {
    let mut sketch = Sketch::default();
    for (second, key) in stream.iter().enumerate() {
        sketch.count(*key, at(second));
    }
    sketch
}

fn check(sketch: &Sketch<u32>, counted: &BTreeMap<u32, u64>) -> Result<(), TestCaseError> {
    let all: u64 = counted.values().sum();
    let bound = all / u64::try_from(MAX_LISTED).expect("small");
    prop_assert_eq!(sketch.total(), all);
    let listed = sketch.listed();
    prop_assert!(listed.len() <= MAX_LISTED);
    prop_assert!(
        sketch.threshold() <= bound,
        "{} > {bound}",
        sketch.threshold()
    );
    let mut keys = HashSet::new();
    for Listed {
        key,
        count,
        uncertain,
        ..
    } in &listed
    {
        prop_assert!(keys.insert(*key), "{key} is listed twice");
        let exact = counted[key];
        prop_assert!(*count <= exact && exact <= count + uncertain, "{key}");
        prop_assert!(*uncertain <= bound, "{key}");
    }
    for (key, exact) in counted {
        prop_assert!(keys.contains(key) || *exact <= sketch.threshold(), "{key}");
    }
    let counts: Vec<u64> = listed.iter().map(|listed| listed.count).collect();
    prop_assert!(counts.is_sorted_by(|one, next| one >= next));
    Ok(())
}

proptest! {
    #[test]
    fn a_sketch_keeps_its_bounds_however_it_is_merged(
        streams in streams(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let counted = count_all(&streams);
        let mut sketches: Vec<_> = streams.iter().map(|stream| sketch_of(stream)).collect();
        for (sketch, stream) in sketches.iter().zip(&streams) {
            check(sketch, &count_all(std::slice::from_ref(stream)))?;
        }
        let mut order = order.into_iter();
        while sketches.len() > 1 {
            let mut next = || {
                let index = order.next().map_or(0, |index| index.index(sketches.len()));
                sketches.swap_remove(index)
            };
            let mut one = next();
            let other = next();
            one.merge(other);
            sketches.push(one);
        }
        check(&sketches[0], &counted)?;
    }

    #[test]
    fn a_stored_sketch_counts_on(stream in streams()) {
        let mut sketch = Sketch::default();
        for part in &stream {
            let listed = sketch.listed().into_iter().cloned().collect();
            sketch = Sketch::from_parts(listed, sketch.others(), sketch.threshold());
            for key in part {
                sketch.count(*key, NOW);
            }
        }
        check(&sketch, &count_all(&stream))?;
    }

    #[test]
    fn below_the_bound_everything_is_exact(
        streams in prop::collection::vec(prop::collection::vec(0_u32..100, 0..300), 1..4),
    ) {
        let mut sum = Sketch::default();
        for stream in &streams {
            sum.merge(sketch_of(stream));
        }
        let counted = count_all(&streams);
        prop_assert_eq!((sum.others(), sum.threshold()), (0, 0));
        let listed = sum.listed().into_iter().map(|listed| (listed.key, listed.count));
        prop_assert_eq!(listed.collect::<BTreeMap<_, _>>(), counted);
        for Listed { key, first_at, last_at, uncertain, .. } in sum.listed() {
            let seconds = streams.iter().flat_map(|stream| {
                stream.iter().enumerate().filter(|(_, other)| *other == key)
            });
            let seconds: Vec<usize> = seconds.map(|(second, _)| second).collect();
            prop_assert_eq!(*uncertain, 0);
            prop_assert_eq!(Some(*first_at), seconds.iter().min().map(|second| at(*second)));
            prop_assert_eq!(Some(*last_at), seconds.iter().max().map(|second| at(*second)));
        }
    }

    #[test]
    fn what_is_not_listed_on_purpose_raises_the_bound_by_as_much(
        stream in prop::collection::vec((0_u32..300, any::<bool>()), 0..900),
    ) {
        let (mut sketch, mut counted) = (Sketch::default(), BTreeMap::<u32, u64>::new());
        let mut dropped = 0;
        for (key, is_listed) in stream {
            *counted.entry(key).or_default() += 1;
            if is_listed {
                let before = sketch.listed_count();
                let is_more = sketch.count(key, NOW);
                prop_assert_eq!(sketch.listed_count(), before + usize::from(is_more));
            } else {
                let others = sketch.others();
                sketch.count_unlisted(&key, NOW);
                dropped += sketch.others() - others;
            }
        }
        let all: u64 = counted.values().sum();
        prop_assert_eq!(sketch.total(), all);
        prop_assert!(sketch.threshold() <= all / 100 + dropped);
        for Listed { key, count, uncertain, .. } in sketch.listed() {
            prop_assert!(*count <= counted[key] && counted[key] <= count + uncertain, "{key}");
        }
        let keys: HashSet<u32> = sketch.listed().iter().map(|listed| listed.key).collect();
        for (key, exact) in counted {
            prop_assert!(keys.contains(&key) || exact <= sketch.threshold(), "{key}");
        }
    }
}
