//! Budgets of a day: what is reserved, extended and settled, case by case and at random.

use std::collections::BTreeMap;

use proptest::prelude::*;
use time::{Duration, OffsetDateTime, macros::datetime};
use widget_core::conversation::{
    EndReason, Lifecycle, LifecycleLimits, Presence, State, Status,
    budget::{
        Audio, BudgetError, Budgets, Call, CallStep, Day, DayBudget, DayUse, LimitError,
        LimitFault, LimitName, Limits, Owner, RESERVED_SECONDS, Reservation, used_seconds,
    },
};

const START: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

fn at(seconds: i64) -> OffsetDateTime {
    START + Duration::seconds(seconds)
}

#[test]
fn limits_stay_below_the_ceilings_of_the_operator() {
    use LimitFault::{OverCeiling, TooSmall};
    use LimitName::{ConversationsPerDay, NewPerMinute, OpenConversations, VoiceMinutesPerDay};
    let limits = |name, value| {
        let mut limits = Limits::default();
        match name {
            ConversationsPerDay => limits.conversations_per_day = value,
            VoiceMinutesPerDay => limits.voice_minutes_per_day = value,
            OpenConversations => limits.open_conversations = value,
            NewPerMinute => limits.new_per_minute = value,
        }
        limits
    };
    let small = |min, or_zero| Some(TooSmall { min, or_zero });
    for (name, value, ceiling, fault, applies) in [
        (ConversationsPerDay, Some(7), None, None, Some(7)),
        (ConversationsPerDay, Some(7), Some(7), None, Some(7)),
        (
            ConversationsPerDay,
            Some(8),
            Some(7),
            Some(OverCeiling { ceiling: 7 }),
            Some(7),
        ),
        (ConversationsPerDay, Some(0), Some(7), None, Some(0)),
        (ConversationsPerDay, None, Some(7), None, Some(7)),
        (ConversationsPerDay, None, None, None, None),
        (VoiceMinutesPerDay, Some(0), None, None, Some(0)),
        (VoiceMinutesPerDay, Some(1), None, small(5, true), Some(1)),
        (VoiceMinutesPerDay, Some(4), None, small(5, true), Some(4)),
        (VoiceMinutesPerDay, Some(5), None, None, Some(5)),
        (
            VoiceMinutesPerDay,
            Some(6),
            Some(5),
            Some(OverCeiling { ceiling: 5 }),
            Some(5),
        ),
        (OpenConversations, Some(0), Some(500), None, Some(0)),
        (
            OpenConversations,
            Some(501),
            Some(500),
            Some(OverCeiling { ceiling: 500 }),
            Some(500),
        ),
        (NewPerMinute, Some(0), None, small(1, false), Some(0)),
        (NewPerMinute, Some(1), None, None, Some(1)),
        (
            NewPerMinute,
            Some(u32::MAX),
            Some(600),
            Some(OverCeiling { ceiling: 600 }),
            Some(600),
        ),
    ] {
        let (limits, ceilings) = (limits(name, value), limits(name, ceiling));
        let expected = match (value, fault) {
            (Some(value), Some(fault)) => Err(vec![LimitError { name, value, fault }]),
            _ => Ok(()),
        };
        assert_eq!(
            limits.check(&ceilings),
            expected,
            "{name} {value:?} {ceiling:?}"
        );
        assert_eq!(
            limits.under(&ceilings).get(name),
            applies,
            "{name} {value:?} {ceiling:?}"
        );
    }
}

#[test]
fn every_limit_that_cannot_be_set_is_named_with_both_numbers() {
    let limits = Limits {
        conversations_per_day: Some(500),
        voice_minutes_per_day: Some(3),
        open_conversations: Some(9),
        new_per_minute: Some(0),
    };
    let ceilings = Limits {
        conversations_per_day: Some(300),
        ..Limits::default()
    };
    let faults = limits.check(&ceilings).expect_err("three are wrong");
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "`500` is over what the operator of the service allows; use `300` or less",
            "`3` allows nothing; use `0` for none, or `5` or more",
            "`0` allows nothing; use `1` or more",
        ]
    );
}

#[test]
fn the_lower_one_of_a_limit_and_a_budget_applies() {
    let mut operator = Budgets::default();
    operator.open_on_widget = 50;
    operator.organization_day.conversations = Some(100);
    let organization = Limits {
        conversations_per_day: Some(200),
        voice_minutes_per_day: Some(60),
        open_conversations: Some(70),
        new_per_minute: Some(5),
    };
    let widget = Limits {
        conversations_per_day: Some(10),
        open_conversations: Some(60),
        ..Limits::default()
    };
    let budgets = operator.with_limits(&organization, &widget);
    assert_eq!(budgets.open_on_widget, 50);
    assert_eq!(budgets.open_in_organization, Some(70));
    let day = |conversations, voice_minutes| DayBudget {
        conversations,
        voice_minutes,
    };
    assert_eq!(budgets.day(Owner::Organization), day(Some(100), Some(60)));
    assert_eq!(budgets.day(Owner::Widget), day(Some(10), None));
    assert!(budgets.limit_voice() && !operator.limit_voice());
    let ceilings = operator.ceilings(Owner::Widget, Some(600));
    assert_eq!(ceilings.open_conversations, Some(50));
    assert_eq!(ceilings.new_per_minute, Some(600));
    let ceilings = operator.ceilings(Owner::Organization, None);
    assert_eq!(
        (ceilings.open_conversations, ceilings.conversations_per_day),
        (None, Some(100))
    );
}

#[test]
fn a_day_is_one_in_utc() {
    let day = Day::of(datetime!(2026-01-01 01:30 +2));
    assert_eq!(day, Day::of(datetime!(2025-12-31 00:00 UTC)));
    assert_eq!(day.starts_at(), datetime!(2025-12-31 00:00 UTC));
    assert_eq!(day.ends_at(), datetime!(2026-01-01 00:00 UTC));
    assert_eq!(Day::from_number(day.number()), day);
    assert_eq!(Day::of(datetime!(1969-12-31 23:59 UTC)).number(), -1);
    assert_eq!(
        Day::from_number(i64::MAX).starts_at(),
        OffsetDateTime::UNIX_EPOCH
    );
}

#[test]
fn a_conversation_counts_when_somebody_joins_it_and_once() {
    use Reservation::{Reserved, Returned, Used};
    let limits = LifecycleLimits::default();
    let waiting = Lifecycle::created(START);
    let joined = waiting.joined(at(1));
    let failed = waiting.settle(Presence::Absent, at(180), &limits);
    for (before, lifecycle, after) in [
        (Reserved, waiting, Reserved),
        (Reserved, joined, Used),
        (Reserved, joined.end(at(2), EndReason::Agent, &limits), Used),
        (Reserved, failed, Returned),
        (
            Reserved,
            waiting.end(at(2), EndReason::Visitor, &limits),
            Returned,
        ),
        (Used, joined, Used),
        (Used, failed, Used),
        (Returned, joined, Returned),
    ] {
        assert_eq!(before.follow(&lifecycle), after, "{before} {lifecycle:?}");
    }
    assert_eq!([Reserved.used(), Used.used(), Returned.used()], [0, 1, 0]);
}

#[test]
fn a_call_follows_its_conversation() {
    let limits = LifecycleLimits::default();
    let waiting = Lifecycle::created(START);
    let joined = waiting.joined(at(10));
    let running = |quiet_since| Call::Running {
        until: at(310),
        quiet_since,
    };
    let ended = |lifecycle: Lifecycle| lifecycle.end(at(100), EndReason::Visitor, &limits);
    for (call, lifecycle, step) in [
        (Call::Waiting, waiting, CallStep::Keep(Call::Waiting)),
        (Call::Waiting, joined, CallStep::Begin(at(10))),
        (Call::Waiting, ended(waiting), CallStep::Settle(None)),
        (running(None), joined, CallStep::Keep(running(None))),
        (
            running(None),
            joined.left(at(50)),
            CallStep::Keep(running(Some(at(50)))),
        ),
        (
            running(Some(at(20))),
            joined.left(at(50)),
            CallStep::Keep(running(Some(at(20)))),
        ),
        (
            running(None),
            ended(joined),
            CallStep::Settle(Some(at(100))),
        ),
        (
            running(Some(at(20))),
            ended(joined),
            CallStep::Settle(Some(at(20))),
        ),
        (
            running(Some(at(200))),
            ended(joined),
            CallStep::Settle(Some(at(100))),
        ),
    ] {
        assert_eq!(call.follow(&lifecycle), step, "{call:?} {lifecycle:?}");
    }
    assert_eq!(Call::reserved(&waiting, at(5)), Call::Waiting);
    assert_eq!(Call::reserved(&joined, at(10)), running(None));
    assert_eq!(running(None).stop(at(20)), CallStep::Settle(Some(at(20))));
}

#[test]
fn a_call_is_extended_while_the_voice_is_there() {
    use Audio::{Absent, Published, Unknown};
    let running = |quiet_since| Call::Running {
        until: at(300),
        quiet_since: Option::map(quiet_since, at),
    };
    let keep = |quiet_since| CallStep::Keep(running(quiet_since));
    let settle = |seconds| CallStep::Settle(Some(at(seconds)));
    for (quiet, audio, now, step) in [
        (None, Published, 239, keep(None)),
        (None, Published, 240, CallStep::Extend),
        (None, Published, 900, CallStep::Extend),
        (None, Unknown, 239, keep(None)),
        (None, Unknown, 240, CallStep::Extend),
        (None, Absent, 100, keep(Some(100))),
        (None, Absent, 299, keep(Some(299))),
        (None, Absent, 300, settle(300)),
        (Some(50), Published, 110, keep(None)),
        (Some(50), Published, 250, CallStep::Extend),
        (Some(50), Absent, 109, keep(Some(50))),
        (Some(50), Absent, 110, settle(50)),
        (Some(50), Unknown, 109, keep(Some(50))),
        (Some(50), Unknown, 110, settle(50)),
    ] {
        let found = running(quiet).check(audio, true, at(now));
        assert_eq!(found, step, "{quiet:?} {audio:?} {now}");
    }
    // Nobody's voice is limited anymore: what was reserved is used, and nothing follows.
    assert_eq!(running(None).check(Published, false, at(299)), keep(None));
    assert_eq!(running(None).check(Published, false, at(300)), settle(300));
    assert_eq!(
        Call::Waiting.check(Absent, true, at(900)),
        CallStep::Keep(Call::Waiting)
    );

    let twice = running(None).extended();
    assert_eq!(
        twice,
        Call::Running {
            until: at(600),
            quiet_since: None
        }
    );
    assert_eq!(running(None).refused(at(299)), keep(None));
    assert_eq!(running(None).refused(at(300)), CallStep::Remove(at(300)));
    for (quiet, now, due) in [
        (None, 0, 240),
        (None, 240, 300),
        (None, 900, 300),
        (Some(10), 20, 70),
        (Some(270), 280, 300),
    ] {
        assert_eq!(
            running(quiet).check_at(at(now)),
            Some(at(due)),
            "{quiet:?} {now}"
        );
    }
    assert_eq!(Call::Waiting.check_at(START), None);
    assert_eq!(running(None).heard(false, at(9)), running(Some(9)));
    assert_eq!(running(Some(5)).heard(false, at(9)), running(Some(5)));
    assert_eq!(running(Some(5)).heard(true, at(9)), running(None));
}

/// One step of a day with conversations.
#[derive(Debug, Clone)]
enum Step {
    Start { voice: bool },
    Join(usize),
    Fail(usize),
    End(usize),
    Speak(usize),
    Listen(usize, bool),
    Look(usize, bool),
    Pass(i64),
    Limit { conversations: u32, voice: u32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = || 0_usize..40;
    prop::collection::vec(
        prop_oneof![
            4 => any::<bool>().prop_map(|voice| Step::Start { voice }),
            3 => which().prop_map(Step::Join),
            1 => which().prop_map(Step::Fail),
            1 => which().prop_map(Step::End),
            2 => which().prop_map(Step::Speak),
            2 => (which(), any::<bool>()).prop_map(|(one, is)| Step::Listen(one, is)),
            4 => (which(), any::<bool>()).prop_map(|(one, is)| Step::Look(one, is)),
            4 => (0_i64..40_000).prop_map(Step::Pass),
            1 => (0_u32..12, 0_u32..60)
                .prop_map(|(conversations, voice)| Step::Limit { conversations, voice }),
        ],
        0..120,
    )
}

/// A conversation with what it has reserved.
struct One {
    lifecycle: Lifecycle,
    day: Day,
    reservation: Reservation,
    call: Option<Call>,
    /// The day and the start of each reservation of voice.
    voice: Vec<(Day, Option<OffsetDateTime>)>,
}

/// What storage does with the rules, for one owner.
#[derive(Default)]
struct Ledger {
    conversations: BTreeMap<Day, DayUse>,
    voice: BTreeMap<Day, DayUse>,
    budget: DayBudget,
}

impl Ledger {
    /// What waits to be joined reserves no minutes.
    fn start(&mut self, day: Day, voice: bool) -> bool {
        let max = self.budget.max();
        let conversations = self.conversations.entry(day).or_default();
        let minutes = self.voice.entry(day).or_default();
        let has_minutes = minutes.reserve(RESERVED_SECONDS, max.voice_seconds);
        if !conversations.may_start(max.conversations) || (voice && has_minutes.is_none()) {
            return false;
        }
        conversations.reserved += 1;
        true
    }

    fn has_minutes(&mut self, day: Day) -> Option<DayUse> {
        let max = self.budget.max().voice_seconds;
        let next = self
            .voice
            .entry(day)
            .or_default()
            .reserve(RESERVED_SECONDS, max);
        assert!(next.is_none_or(|next| next.used + next.reserved <= max));
        next
    }

    fn reserve_minutes(&mut self, day: Day) -> bool {
        let next = self.has_minutes(day);
        self.voice.extend(next.map(|next| (day, next)));
        next.is_some()
    }

    fn settle_voice(&mut self, one: &mut One, stopped_at: Option<OffsetDateTime>) {
        one.call = None;
        for (day, starts_at) in one.voice.drain(..) {
            if starts_at.is_none() {
                continue;
            }
            let voice = self.voice.get_mut(&day).expect("it was reserved there");
            *voice = voice.settle(RESERVED_SECONDS, used_seconds(starts_at, stopped_at));
        }
    }

    fn apply(&mut self, one: &mut One, step: CallStep, now: OffsetDateTime) {
        match step {
            CallStep::Keep(call) => one.call = Some(call),
            CallStep::Begin(joined_at) => {
                if self.reserve_minutes(one.voice[0].0) {
                    one.call = Some(Call::running_from(joined_at));
                    one.voice[0].1 = Some(joined_at);
                } else {
                    one.call = None;
                    one.voice.clear();
                }
            }
            CallStep::Settle(stopped_at) => self.settle_voice(one, stopped_at),
            CallStep::Remove(until) => self.settle_voice(one, Some(until)),
            CallStep::Extend => {
                let call = one.call.expect("it runs");
                let Call::Running { until, .. } = call else {
                    panic!("only a call that runs is extended")
                };
                if self.reserve_minutes(Day::of(now)) {
                    one.voice.push((Day::of(now), Some(until)));
                    one.call = Some(call.extended());
                } else {
                    self.apply(one, call.refused(now), now);
                }
            }
        }
    }

    fn change(&mut self, one: &mut One, mut lifecycle: Lifecycle, now: OffsetDateTime) {
        let is_first_join = one.reservation == Reservation::Reserved
            && matches!(lifecycle.state(), State::InProgress { .. });
        let (day, max) = (
            self.conversations[&one.day],
            self.budget.max().conversations,
        );
        if is_first_join {
            match day.join(max) {
                Some(next) => assert!(next.used <= max),
                None => lifecycle = lifecycle.refuse_join(),
            }
        }
        one.lifecycle = lifecycle;
        let after = one.reservation.follow(&lifecycle);
        if after != one.reservation {
            one.reservation = after;
            let day = self
                .conversations
                .get_mut(&one.day)
                .expect("it was reserved there");
            *day = day.settle(1, after.used());
        }
        if let Some(call) = one.call {
            self.apply(one, call.follow(&lifecycle), now);
        }
    }
}

#[test]
fn who_joins_when_the_budget_is_used_up_was_never_there() {
    use Reservation::{Reserved, Returned};
    let limits = LifecycleLimits::default();
    let refused = Lifecycle::created(START).joined(at(3)).refuse_join();
    assert_eq!(refused.status(), Status::Failed);
    assert_eq!(refused.end_reason(), Some(EndReason::BudgetUsedUp));
    assert_eq!(
        (refused.ended_at(), refused.activity()),
        (Some(at(3)), None)
    );
    assert!(refused.resume(at(4), &limits).is_err());
    assert_eq!(Reserved.follow(&refused), Returned);
    assert_eq!(
        Lifecycle::from_row(refused.to_row()),
        Ok(refused),
        "as it is stored"
    );
    // It happens with the first join only.
    let ended = refused.end(at(5), EndReason::Visitor, &limits);
    for other in [Lifecycle::created(START), ended] {
        assert_eq!(other.refuse_join(), other);
    }
}

/// Only an owner whose own budget is used up is named.
#[test]
fn who_joins_too_late_is_answered_what_one_is_who_starts_then() {
    let budgets = |widget, organization| {
        let mut budgets = Budgets::default();
        budgets.widget_day.conversations = widget;
        budgets.organization_day.conversations = organization;
        budgets
    };
    for (of_widget, of_organization, named) in [
        ((None, 9), (None, 9), None),
        ((None, 9), (Some(7), 7), Some((Owner::Organization, 7))),
        ((Some(5), 5), (Some(7), 6), Some((Owner::Widget, 5))),
        ((Some(5), 4), (Some(7), 7), Some((Owner::Organization, 7))),
        ((Some(5), 6), (Some(7), 7), Some((Owner::Organization, 7))),
        // The limits were raised since.
        ((Some(5), 4), (Some(7), 6), None),
        ((Some(0), 0), (None, 0), Some((Owner::Widget, 0))),
    ] {
        let budgets = budgets(of_widget.0, of_organization.0);
        let conversations = |owner| DayUse {
            used: match owner {
                Owner::Widget => of_widget.1,
                Owner::Organization => of_organization.1,
            },
            // What waits to be joined keeps no other visitor out.
            reserved: 100,
        };
        let expected = named.map(|(owner, max)| BudgetError::DayUsedUp {
            owner,
            max,
            resets_in: Duration::hours(12),
        });
        let found = budgets.joined_too_late(at(3), START, conversations);
        assert_eq!(found, expected, "{of_widget:?}, {of_organization:?}");
        let tomorrow = budgets.joined_too_late(at(3), at(86_400), conversations);
        assert_eq!(tomorrow, None);
    }
}

proptest! {
    #[test]
    fn what_waits_to_be_joined_keeps_nobody_out(
        used in 0_i64..50, waiting in 0_i64..1_000_000, max in 0_i64..50,
    ) {
        let (alone, day) = (DayUse { used, reserved: 1 }, DayUse { used, reserved: 1 + waiting });
        prop_assert_eq!(day.may_start(max), used < max);
        prop_assert_eq!(day.join(max).is_some(), alone.join(max).is_some());
        if let Some(joined) = day.join(max) {
            prop_assert_eq!(joined, DayUse { used: used + 1, reserved: waiting });
            prop_assert!(joined.used <= max);
        }
    }

    #[test]
    fn nothing_exceeds_its_budget_and_nothing_leaks(steps in steps()) {
        let limits = LifecycleLimits::default();
        let (mut ledger, mut all, mut now) = (Ledger::default(), Vec::<One>::new(), START);
        ledger.budget = DayBudget { conversations: Some(9), voice_minutes: Some(30) };
        for step in steps {
            match step {
                Step::Start { voice } => {
                    if ledger.start(Day::of(now), voice) {
                        let lifecycle = Lifecycle::created(now);
                        all.push(One {
                            lifecycle,
                            day: Day::of(now),
                            reservation: Reservation::Reserved,
                            call: voice.then(|| Call::reserved(&lifecycle, now)),
                            voice: if voice { vec![(Day::of(now), None)] } else { Vec::new() },
                        });
                    }
                }
                Step::Pass(milliseconds) => now += Duration::milliseconds(milliseconds * 10),
                Step::Limit { conversations, voice } => ledger.budget = DayBudget {
                    conversations: Some(conversations),
                    voice_minutes: Some(voice),
                },
                Step::Join(number) => if let Some(one) = all.get_mut(number) {
                    let next = one.lifecycle.joined(now);
                    ledger.change(one, next, now);
                },
                Step::Fail(number) => if let Some(one) = all.get_mut(number) {
                    let next = one.lifecycle.settle(Presence::Absent, now, &limits);
                    ledger.change(one, next, now);
                },
                Step::End(number) => if let Some(one) = all.get_mut(number) {
                    let next = one.lifecycle.end(now, EndReason::Visitor, &limits);
                    ledger.change(one, next, now);
                },
                Step::Speak(number) => if let Some(one) = all.get_mut(number) {
                    let is_open = one.lifecycle.require_open(now, &limits).is_ok();
                    let day = Day::of(now);
                    let may_speak = is_open && one.call.is_none();
                    if may_speak && ledger.has_minutes(day).is_some() {
                        if !one.lifecycle.is_unjoined() {
                            ledger.reserve_minutes(day);
                        }
                        let call = Call::reserved(&one.lifecycle, now);
                        let starts_at = (call != Call::Waiting).then_some(now);
                        one.call = Some(call);
                        one.voice.push((Day::of(now), starts_at));
                    }
                },
                Step::Listen(number, is_published) => if let Some(one) = all.get_mut(number) {
                    one.call = one.call.map(|call| call.heard(is_published, now));
                },
                Step::Look(number, is_published) => if let Some(one) = all.get_mut(number)
                    && let Some(call) = one.call
                {
                    let audio = if is_published { Audio::Published } else { Audio::Absent };
                    ledger.apply(one, call.check(audio, true, now), now);
                },
            }
            for use_of_day in ledger.conversations.values().chain(ledger.voice.values()) {
                prop_assert!(use_of_day.used >= 0 && use_of_day.reserved >= 0);
            }
            let waiting = all.iter().filter(|one| one.reservation == Reservation::Reserved);
            let reserved: i64 = ledger.conversations.values().map(|day| day.reserved).sum();
            prop_assert_eq!(reserved, i64::try_from(waiting.count()).expect("few"));
            let calls: usize = all
                .iter()
                .map(|one| one.voice.iter().filter(|(_, starts_at)| starts_at.is_some()).count())
                .sum();
            let reserved: i64 = ledger.voice.values().map(|day| day.reserved).sum();
            prop_assert_eq!(reserved, i64::try_from(calls).expect("few") * RESERVED_SECONDS);
        }
        // In the end the limits end every conversation, and nothing stays reserved.
        now += Duration::days(2);
        for one in &mut all {
            let next = one.lifecycle.settle(Presence::Absent, now, &limits);
            ledger.change(one, next, now);
            prop_assert!(!one.lifecycle.is_open() && one.call.is_none());
        }
        for use_of_day in ledger.conversations.values().chain(ledger.voice.values()) {
            prop_assert_eq!(use_of_day.reserved, 0);
        }
        let joined = all.iter().filter(|one| one.lifecycle.activity().is_some()).count();
        let used: i64 = ledger.conversations.values().map(|day| day.used).sum();
        prop_assert_eq!(used, i64::try_from(joined).expect("few"));
    }
}
