//! Scopes: what an API key may do.

use crate::words::words;

words! {
    /// What an API key may do.
    pub enum Scope {
        /// Read widgets.
        WebWidgetsRead = "web_widgets:read",
        /// Write widgets; implies reading them.
        WebWidgetsManage = "web_widgets:manage",
        /// Read agents and versions.
        AgentsRead = "agents:read",
        /// Write agents and versions; implies reading them.
        AgentsManage = "agents:manage",
        /// List, create and delete API keys.
        ApiKeysManage = "api_keys:manage",
        /// Read conversations without their transcript.
        ConversationsRead = "conversations:read",
        /// Read conversations with transcript and custom metadata; implies reading them.
        ConversationsReadSensitive = "conversations:read_sensitive",
        /// Append messages, end conversations.
        ConversationsWrite = "conversations:write",
        /// Erase and export conversations, set how long they are kept; implies the other scopes of
        /// conversations.
        ConversationsManage = "conversations:manage",
        /// Set the limits of the organization and of its widgets.
        LimitsManage = "limits:manage",
    }
}

impl Scope {
    /// Whether a key with this scope may do what `needed` allows.
    #[must_use]
    pub fn allows(self, needed: Self) -> bool {
        self == needed
            || matches!(
                (self, needed),
                (Self::WebWidgetsManage, Self::WebWidgetsRead)
                    | (Self::AgentsManage, Self::AgentsRead)
                    | (Self::ConversationsReadSensitive, Self::ConversationsRead)
                    | (
                        Self::ConversationsManage,
                        Self::ConversationsRead
                            | Self::ConversationsReadSensitive
                            | Self::ConversationsWrite,
                    )
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
        }
        let error = "widgets".parse::<Scope>().expect_err("not a scope");
        assert!(
            error
                .to_string()
                .starts_with("`widgets` must be one of `web_widgets:read`, `web_w")
        );
    }

    #[test]
    fn some_scopes_imply_others() {
        let implied: Vec<(Scope, Scope)> = Scope::ALL
            .iter()
            .flat_map(|scope| Scope::ALL.iter().map(move |needed| (*scope, *needed)))
            .filter(|(scope, needed)| scope != needed && scope.allows(*needed))
            .collect();
        let expected = [
            (Scope::WebWidgetsManage, Scope::WebWidgetsRead),
            (Scope::AgentsManage, Scope::AgentsRead),
            (Scope::ConversationsReadSensitive, Scope::ConversationsRead),
            (Scope::ConversationsManage, Scope::ConversationsRead),
            (
                Scope::ConversationsManage,
                Scope::ConversationsReadSensitive,
            ),
            (Scope::ConversationsManage, Scope::ConversationsWrite),
        ];
        assert_eq!(implied, expected);
    }
}
