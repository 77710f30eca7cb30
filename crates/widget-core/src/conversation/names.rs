//! The closed sets of names: states, roles, reporters and reasons of an end.

use crate::choice::choices;

choices! {
    /// The four states as they are stored and shown.
    pub enum Status {
        /// The visitor has a token; nobody has joined yet.
        TokenCreated = "token_created",
        /// The visitor has joined; it stays so while they are away and can come back.
        InProgress = "in_progress",
        /// It ended.
        Completed = "completed",
        /// It ended because nobody joined, or not before the budget was used up.
        Failed = "failed",
    }
}

impl Status {
    /// Whether no other state can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::TokenCreated | Self::InProgress => false,
            Self::Completed | Self::Failed => true,
        }
    }
}

choices! {
    /// Who said something.
    pub enum Role {
        /// The person in front of the page.
        Visitor = "visitor",
        /// The agent.
        Agent = "agent",
    }
}

choices! {
    /// Who reported that something was said.
    pub enum Reporter {
        /// The agent's worker, with an API key of its own.
        Agent = "agent",
        /// The visitor's window, which can report anything.
        Visitor = "visitor",
    }
}

choices! {
    /// What ended a conversation.
    pub enum EndReason {
        /// The visitor ended it.
        Visitor = "visitor",
        /// The agent ended it, or somebody else with an API key.
        Agent = "agent",
        /// The visitor stayed away longer than they could resume.
        Idle = "idle",
        /// Nobody said anything for too long.
        Silence = "silence",
        /// It reached the maximum length.
        MaxLength = "max_length",
        /// Nobody joined in time.
        NeverJoined = "never_joined",
        /// The visitor joined after others had used up the budget of the day.
        BudgetUsedUp = "budget_used_up",
    }
}

impl EndReason {
    /// The state that it leads to.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::NeverJoined | Self::BudgetUsedUp => Status::Failed,
            Self::Visitor | Self::Agent | Self::Idle | Self::Silence | Self::MaxLength => {
                Status::Completed
            }
        }
    }
}
