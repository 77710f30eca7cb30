//! Whether another conversation may start.

use time::{Duration, OffsetDateTime};

use super::{
    day::{Amounts, Day, DayBudget, DayUse, rest_of_day},
    limits::{Limits, Owner, lower},
};

/// How many conversations there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budgets {
    /// Those on a widget that were joined and have not ended.
    pub open_on_widget: u32,
    /// Those that were started from one [`StartRange::Address`] and wait to be joined.
    pub unjoined_per_address: u32,
    /// Those that were started from one [`StartRange::Network`] and wait to be joined.
    pub unjoined_per_network: u32,
    /// Those in an organization that were joined and have not ended; `None` for any number.
    pub open_in_organization: Option<u32>,
    /// What an organization may use on one day.
    pub organization_day: DayBudget,
    /// What a widget may use on one day.
    pub widget_day: DayBudget,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            open_on_widget: 500,
            unjoined_per_address: 20,
            unjoined_per_network: 60,
            open_in_organization: None,
            organization_day: DayBudget {
                conversations: None,
                voice_minutes: None,
            },
            widget_day: DayBudget {
                conversations: None,
                voice_minutes: None,
            },
        }
    }
}

/// How much of the addresses of the Internet counts as one place where conversations are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRange {
    /// An IPv4 address, or the IPv6 /64 that one subscriber usually has.
    Address,
    /// An IPv6 /48, the largest network that one subscriber usually gets; IPv4 has none.
    Network,
}

/// The conversations that were started from one place and wait to be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unjoined {
    /// How many there are.
    pub count: i64,
    /// When the first of them fails if nobody joins it; `None` when there are none.
    pub first_fails_at: Option<OffsetDateTime>,
}

/// No other conversation may start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The widget has as many open conversations as it may.
    #[error("too many conversations are open on this widget; try again a little later")]
    WidgetBusy {
        /// How many may be open.
        max: u32,
    },
    /// The organization has as many open conversations as it may.
    #[error("too many conversations are open in this organization; try again a little later")]
    OrganizationBusy {
        /// How many may be open.
        max: u32,
    },
    /// As many were started as may be on this day.
    #[error("the number of conversations allowed per day is used up; try again tomorrow")]
    DayUsedUp {
        /// Whose budget it is.
        owner: Owner,
        /// How many may be started on one day.
        max: u32,
        /// How long this day lasts from now.
        resets_in: Duration,
    },
    /// The minutes of voice of this day are used up, or reserved for running calls.
    #[error(
        "the minutes of voice allowed per day are used up; continue in writing, or try again \
         tomorrow"
    )]
    VoiceUsedUp {
        /// Whose budget it is.
        owner: Owner,
        /// How many minutes may be used on one day.
        max: u32,
        /// How long this day lasts from now.
        resets_in: Duration,
    },
    /// As many as may be were started from here and wait to be joined.
    #[error(
        "{max} conversations that were started from {} wait to be joined; join one of them, or try \
         again a little later",
        .range.as_words()
    )]
    TooManyUnjoined {
        /// What counts as here.
        range: StartRange,
        /// How many may wait.
        max: u32,
        /// How long it takes until the first of them fails.
        resets_in: Duration,
    },
    /// As many were started by the link of a preview as may be on this day.
    #[error(
        "this preview allows {max} conversations a day, and they are used up; try again tomorrow"
    )]
    PreviewUsedUp {
        /// How many may be started on one day.
        max: u32,
        /// How long this day lasts from now.
        resets_in: Duration,
    },
    /// As many conversations of the link of a preview are open as may be.
    #[error("{max} conversations of this preview are open; end one of them first")]
    PreviewBusy {
        /// How many may be open.
        max: u32,
    },
}

impl StartRange {
    const fn as_words(self) -> &'static str {
        match self {
            Self::Address => "this address",
            Self::Network => "this network",
        }
    }
}

impl Budgets {
    /// Whether an owner with `open` conversations that were joined may have another one.
    ///
    /// # Errors
    ///
    /// [`BudgetError::WidgetBusy`] or [`BudgetError::OrganizationBusy`] when it has as many as it
    /// may.
    pub fn require_open(&self, owner: Owner, open: i64) -> Result<(), BudgetError> {
        match owner {
            Owner::Widget if open >= i64::from(self.open_on_widget) => {
                let max = self.open_on_widget;
                Err(BudgetError::WidgetBusy { max })
            }
            Owner::Organization => match self.open_in_organization {
                Some(max) if open >= i64::from(max) => Err(BudgetError::OrganizationBusy { max }),
                _ => Ok(()),
            },
            Owner::Widget => Ok(()),
        }
    }

    /// Whether another conversation may start, or wait on, at a place where `unjoined` others were
    /// started.
    ///
    /// # Errors
    ///
    /// [`BudgetError::TooManyUnjoined`] when as many wait there as may.
    pub fn require_unjoined(
        &self,
        range: StartRange,
        unjoined: Unjoined,
        now: OffsetDateTime,
    ) -> Result<(), BudgetError> {
        let max = match range {
            StartRange::Address => self.unjoined_per_address,
            StartRange::Network => self.unjoined_per_network,
        };
        if unjoined.count >= i64::from(max) {
            let first = unjoined.first_fails_at.unwrap_or(now);
            return Err(BudgetError::TooManyUnjoined {
                range,
                max,
                resets_in: (first - now).max(Duration::ZERO),
            });
        }
        Ok(())
    }

    /// Why an owner's day does not have what is needed. A start without a place in the budget
    /// needs no minutes, so that it is named first.
    #[must_use]
    pub fn used_up(
        &self,
        owner: Owner,
        conversations: DayUse,
        needed: Amounts,
        now: OffsetDateTime,
    ) -> BudgetError {
        let budget = self.day(owner);
        let resets_in = rest_of_day(now);
        let has_place = conversations.may_start(budget.max().conversations);
        match (budget.conversations, budget.voice_minutes) {
            (_, Some(max)) if has_place || needed.conversations == 0 => BudgetError::VoiceUsedUp {
                owner,
                max,
                resets_in,
            },
            (max, _) => BudgetError::DayUsedUp {
                owner,
                max: max.unwrap_or(0),
                resets_in,
            },
        }
    }
}

impl Budgets {
    /// What a visitor is answered whose conversation ended at `ended_at` because the budget was
    /// used up before they joined it; `None` on another day, and when no budget is used up anymore:
    /// then a new one may start. `conversations` is what each owner has used on the day of `now`.
    #[must_use]
    pub fn joined_too_late(
        &self,
        ended_at: OffsetDateTime,
        now: OffsetDateTime,
        conversations: impl Fn(Owner) -> DayUse,
    ) -> Option<BudgetError> {
        if Day::of(ended_at) != Day::of(now) {
            return None;
        }
        // In the order in which a start looks at them.
        Owner::ALL.iter().find_map(|owner| {
            let max = self.day(*owner).conversations?;
            let is_used_up = !conversations(*owner).may_start(max.into());
            is_used_up.then_some(BudgetError::DayUsedUp {
                owner: *owner,
                max,
                resets_in: rest_of_day(now),
            })
        })
    }

    /// The budget of an owner.
    #[must_use]
    pub const fn day(&self, owner: Owner) -> DayBudget {
        match owner {
            Owner::Organization => self.organization_day,
            Owner::Widget => self.widget_day,
        }
    }

    /// Whether anybody's voice is limited: only then calls are counted.
    #[must_use]
    pub const fn limit_voice(&self) -> bool {
        self.organization_day.voice_minutes.is_some() || self.widget_day.voice_minutes.is_some()
    }
}

impl Budgets {
    /// The same for a conversation of a preview, which counts to no day and so is not limited by
    /// one.
    #[must_use]
    pub fn of_preview(self) -> Self {
        Self {
            organization_day: DayBudget::default(),
            widget_day: DayBudget::default(),
            ..self
        }
    }

    /// What remains of the operator's budgets under the limits that keys have set.
    #[must_use]
    pub fn with_limits(self, organization: &Limits, widget: &Limits) -> Self {
        let lower_day = |limits: &Limits, budget: DayBudget| DayBudget {
            conversations: lower(limits.conversations_per_day, budget.conversations),
            voice_minutes: lower(limits.voice_minutes_per_day, budget.voice_minutes),
        };
        Self {
            open_on_widget: widget
                .open_conversations
                .map_or(self.open_on_widget, |open| open.min(self.open_on_widget)),
            open_in_organization: lower(organization.open_conversations, self.open_in_organization),
            organization_day: lower_day(organization, self.organization_day),
            widget_day: lower_day(widget, self.widget_day),
            ..self
        }
    }

    /// The most that keys may set for an owner; `new_per_minute` is a rate and no budget.
    #[must_use]
    pub const fn ceilings(&self, owner: Owner, new_per_minute: Option<u32>) -> Limits {
        let day = self.day(owner);
        Limits {
            conversations_per_day: day.conversations,
            voice_minutes_per_day: day.voice_minutes,
            open_conversations: match owner {
                Owner::Organization => self.open_in_organization,
                Owner::Widget => Some(self.open_on_widget),
            },
            new_per_minute,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_budget_is_used_up_by_its_last_conversation() {
        for (max, open, fits) in [(2, 0, true), (2, 1, true), (2, 2, false), (2, 3, false)] {
            let budgets = Budgets {
                open_on_widget: max,
                open_in_organization: Some(max),
                ..Budgets::default()
            };
            for (owner, error) in [
                (Owner::Widget, BudgetError::WidgetBusy { max }),
                (Owner::Organization, BudgetError::OrganizationBusy { max }),
            ] {
                let expected = if fits { Ok(()) } else { Err(error) };
                assert_eq!(budgets.require_open(owner, open), expected, "{max}, {open}");
            }
        }
        let any = Budgets::default().require_open(Owner::Organization, i64::MAX);
        assert_eq!(any, Ok(()));
    }

    #[test]
    fn what_is_missing_is_named() {
        // It is 20 minutes past midnight in UTC.
        let now = datetime!(2026-01-01 02:20 +2);
        let (owner, resets_in) = (Owner::Widget, Duration::minutes(23 * 60 + 40));
        let budgets = Budgets {
            widget_day: DayBudget {
                conversations: Some(5),
                voice_minutes: Some(10),
            },
            ..Budgets::default()
        };
        let conversations = BudgetError::DayUsedUp {
            owner,
            max: 5,
            resets_in,
        };
        let voice = BudgetError::VoiceUsedUp {
            owner,
            max: 10,
            resets_in,
        };
        for (used, needed, expected) in [
            (5, (1, 0), conversations),
            (5, (1, 300), conversations),
            (4, (1, 300), voice),
            (5, (0, 300), voice),
        ] {
            let needed = Amounts {
                conversations: needed.0,
                voice_seconds: needed.1,
            };
            let used = DayUse { used, reserved: 0 };
            assert_eq!(budgets.used_up(owner, used, needed, now), expected);
        }
    }

    #[test]
    fn what_waits_to_be_joined_is_bounded_where_it_was_started() {
        use StartRange::{Address, Network};
        let now = datetime!(2026-01-01 12:00 UTC);
        let in_seconds = |seconds| Some(now + Duration::seconds(seconds));
        for (range, count, first_fails_at, expected) in [
            (Address, 0, None, None),
            (Address, 19, in_seconds(170), None),
            (Address, 20, in_seconds(170), Some((20, 170))),
            (Address, 21, in_seconds(0), Some((20, 0))),
            (Address, 20, in_seconds(-5), Some((20, 0))),
            (Network, 20, in_seconds(170), None),
            (Network, 59, in_seconds(170), None),
            (Network, 60, in_seconds(1), Some((60, 1))),
        ] {
            let unjoined = Unjoined {
                count,
                first_fails_at,
            };
            let expected = expected.map(|(max, seconds)| BudgetError::TooManyUnjoined {
                range,
                max,
                resets_in: Duration::seconds(seconds),
            });
            assert_eq!(
                Budgets::default()
                    .require_unjoined(range, unjoined, now)
                    .err(),
                expected,
                "{range:?}, {count}"
            );
        }
        // Nothing may wait: nobody can start.
        let none = Budgets {
            unjoined_per_address: 0,
            ..Budgets::default()
        };
        let unjoined = Unjoined {
            count: 0,
            first_fails_at: None,
        };
        let error = none
            .require_unjoined(Address, unjoined, now)
            .expect_err("none may");
        assert_eq!(
            error.to_string(),
            "0 conversations that were started from this address wait to be joined; join one of them, \
             or try again a little later"
        );
    }
}
