//! Reading what holds a list of allowed origins: it needs a suffix list, which is an argument.
//!
//! ```
//! use serde::de::DeserializeSeed;
//! use widget_core::{origin::SuffixList, seed::WithSuffixes, widget::WidgetPatch};
//!
//! let mut json = serde_json::Deserializer::from_str(r#"{"domains": ["Shop.example"]}"#);
//! let seed = WithSuffixes::<WidgetPatch>::new(SuffixList::builtin());
//! let patch = seed.deserialize(&mut json)?;
//! assert_eq!(patch.domains.expect("sent").entries(), ["https://shop.example"]);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{fmt, marker::PhantomData};

use crate::origin::SuffixList;

/// A `DeserializeSeed` for [`AllowedOrigins`], [`Entry`], [`Widget`], [`NewWidget`] and
/// [`WidgetPatch`].
///
/// What an owner sends (all but `Widget`) is read by
/// [`AllowedOrigins::parse`], which refuses a bad entry. A stored [`Widget`] is read by
/// [`AllowedOrigins::load`]: its list was accepted once, maybe with an older suffix list, and a
/// record that exists must stay readable.
///
/// [`AllowedOrigins`]: crate::origin::AllowedOrigins
/// [`AllowedOrigins::parse`]: crate::origin::AllowedOrigins::parse
/// [`AllowedOrigins::load`]: crate::origin::AllowedOrigins::load
/// [`Entry`]: crate::origin::Entry
/// [`Widget`]: crate::widget::Widget
/// [`NewWidget`]: crate::widget::NewWidget
/// [`WidgetPatch`]: crate::widget::WidgetPatch
pub struct WithSuffixes<'a, T> {
    pub(crate) suffixes: &'a SuffixList,
    value: PhantomData<fn() -> T>,
}

impl<'a, T> WithSuffixes<'a, T> {
    /// Reads a `T` with this list.
    #[must_use]
    pub const fn new(suffixes: &'a SuffixList) -> Self {
        Self {
            suffixes,
            value: PhantomData,
        }
    }
}

impl<T> Clone for WithSuffixes<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for WithSuffixes<'_, T> {}

impl<T> fmt::Debug for WithSuffixes<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("WithSuffixes")
            .field(self.suffixes)
            .finish()
    }
}
