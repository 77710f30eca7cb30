//! The scopes of one API key: what it may do, and what it may give to another.

use serde::{Deserialize, Serialize};

use crate::{Received, Scope};

/// The scopes of an API key, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>")]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Whether a key with these scopes may do what `needed` allows.
    #[must_use]
    pub fn allows(&self, needed: Scope) -> bool {
        self.0.iter().any(|scope| scope.allows(needed))
    }

    /// Whether a key with these scopes may give `others` to a key that it creates, and end a key
    /// that has them.
    ///
    /// # Errors
    /// Those of `others` that these do not allow.
    pub fn grants(&self, others: &Self) -> Result<(), Self> {
        let missing = others.iter().filter(|scope| !self.allows(*scope));
        let missing: Self = missing.collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    }

    /// Each scope, in order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// Whether there are none: such a key may do nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names with `separator` in between.
    #[must_use]
    pub fn join(&self, separator: &str) -> String {
        let names: Vec<&str> = self.0.iter().map(|scope| scope.as_str()).collect();
        names.join(separator)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

/// As an answer has them: a client may be older than the service, and not know all.
impl From<Scopes> for Vec<Received<Scope>> {
    fn from(scopes: Scopes) -> Self {
        scopes.iter().map(Into::into).collect()
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        scopes.into_iter().collect()
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Scopes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scopes".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <Vec<Scope> as schemars::JsonSchema>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_sorted_and_each_is_there_once() {
        let scopes = Scopes::from(vec![
            Scope::AgentsRead,
            Scope::WebWidgetsRead,
            Scope::AgentsRead,
        ]);
        assert_eq!(scopes.join(" "), "web_widgets:read agents:read");
        assert!(Scopes::default().is_empty() && !scopes.is_empty());
    }

    /// A key grants exactly what it may do.
    #[test]
    fn a_scope_grants_what_it_allows() {
        for held in Scope::ALL {
            for wanted in Scope::ALL {
                let granted = Scopes::from(vec![*held]).grants(&Scopes::from(vec![*wanted]));
                assert_eq!(
                    granted.is_ok(),
                    held.allows(*wanted),
                    "{held} grants {wanted}"
                );
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        use Scope::{AgentsManage, AgentsRead, ApiKeysManage, ConversationsRead, WebWidgetsRead};
        let held = Scopes::from(vec![AgentsManage, ApiKeysManage]);
        for (wanted, missing) in [
            (vec![], vec![]),
            (vec![AgentsRead, AgentsManage, ApiKeysManage], vec![]),
            (vec![AgentsRead, WebWidgetsRead], vec![WebWidgetsRead]),
            (
                vec![WebWidgetsRead, ConversationsRead],
                vec![WebWidgetsRead, ConversationsRead],
            ),
        ] {
            let granted = held.grants(&wanted.into());
            assert_eq!(granted.err().unwrap_or_default(), Scopes::from(missing));
        }
    }
}
