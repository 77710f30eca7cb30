//! The macro in which a record reads like its table in the documentation.
//!
//! It has three forms, one for each shape of a JSON object:
//!
//! 1. `struct Name { … }`: a record, an object that always has the same keys.
//! 2. `enum Name { tag …, … }`: a union, an object of which one key, the *tag*, decides which other
//!    keys it has.
//! 3. `struct Name by tag of part: Union { … } then { … }`: both in one, an object with the keys of
//!    a union and others that it always has.
//!
//! Each form writes the type, and an implementation of [`Record`](super::keys::Record) or
//! [`Union`](super::keys::Union). Their one function of interest, `define`, asks for one key after
//! the other. For `size: u16 = 56 => integer(32, 96)` it contains, in effect:
//!
//! ```text
//! let size = Some(keys.with_default("size", &["The side length."], &integer(32, 96), 56));
//! ```
//!
//! Who is asked answers with the value in a document, or writes the key into a schema. The rules
//! that begin with `@` are steps that the three forms share.

/// Defines a record, a union, or both in one: the type, and how it is read and described.
///
/// A key is `name: type = default => kind`, or `name: type => kind` when it is required. Its doc
/// comment is also its description in the schema. A record has a `Default` when every key has one.
///
/// - `check = f;` names a rule about several keys, `fn(Self, &mut impl Keys) -> Option<Self>`.
/// - `refine_schema = f;` names a function that writes such a rule into the schema.
///
/// In a union, `tag "type": Type,` names the key that decides, and the enum of its values, which is
/// made as well. A variant is `Name = "text"`: alone, with keys of its own in braces, or with a
/// record in parentheses.
///
/// In the third form, the keys before `then` stand before those of the union, the keys after it
/// behind them. The latter may use `tag`, the value of the union's tag.
macro_rules! settings {
    // 1. A record.
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $key_doc:literal])*
                $(#[serde($($serde:tt)*)])?
                pub $key:ident: $type:ty $(= $default:expr)? => $kind:expr,
            )*
        }
        $(check = $check:path;)?
        $(refine_schema = $refine:path;)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize $($(, $derive)*)?)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[doc = $key_doc])*
                $(#[serde($($serde)*)])?
                pub $key: $type,
            )*
        }

        $crate::check::settings::settings!(@default $name $($key [$($default)?])*);

        impl $crate::check::keys::Record for $name {
            const NAME: &'static str = stringify!($name);
            const DOC: &'static [&'static str] = &[$($doc),*];

            fn define(keys: &mut impl $crate::check::keys::Keys) -> Option<Self> {
                $(
                    let $key = $crate::check::settings::settings!(
                        @ask keys, $key, [$($key_doc),*], $kind $(, $default)?
                    );
                )*
                let record = Self { $($key: $key?,)* };
                $crate::check::settings::settings!(@check record, keys $(, $check)?)
            }

            $(
                fn refine_schema(schema: &mut serde_json::Map<String, serde_json::Value>) {
                    $refine(schema);
                }
            )?
        }
    };

    // 2. A union.
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident {
            $(#[doc = $tag_doc:literal])*
            tag $tag:literal: $tag_type:ident,
            $(
                $(#[doc = $variant_doc:literal])*
                $variant:ident = $text:literal
                $(($record:ty))?
                $({
                    $(
                        $(#[doc = $key_doc:literal])*
                        $key:ident: $type:ty $(= $default:expr)? => $kind:expr,
                    )*
                })?,
            )*
        }
    ) => {
        $crate::choice::choices! {
            $(#[doc = $tag_doc])*
            pub enum $tag_type {
                $($(#[doc = $variant_doc])* $variant = $text,)*
            }
        }

        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(tag = $tag)]
        $vis enum $name {
            $(
                $(#[doc = $variant_doc])*
                #[serde(rename = $text)]
                $variant
                $(($record))?
                $({
                    $(
                        $(#[doc = $key_doc])*
                        $key: $type,
                    )*
                })?,
            )*
        }

        impl $crate::check::keys::Union for $name {
            const NAME: &'static str = stringify!($name);
            const DOC: &'static [&'static str] = &[$($doc),*];
            const TAG: &'static str = $tag;
            const TAG_DOC: &'static [&'static str] = &[$($tag_doc),*];
            const VARIANTS: &'static [(Self::Tag, &'static [&'static str])] =
                &[$(($tag_type::$variant, &[$($variant_doc),*]),)*];

            type Tag = $tag_type;

            fn define(
                tag: Option<Self::Tag>,
                keys: &mut impl $crate::check::keys::Keys,
            ) -> Option<Self> {
                match tag? {
                    $(
                        $tag_type::$variant => $crate::check::settings::settings!(
                            @variant keys, $variant
                            $(, ($record))?
                            $(, {
                                $($key [$($key_doc),*] [$kind] [$($default)?])*
                            })?
                        ),
                    )*
                }
            }
        }
    };

    // 3. A record with the keys of a union among its own.
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident by $tag:ident of $part:ident: $union:ty {
            $(
                $(#[doc = $key_doc:literal])*
                pub $key:ident: $type:ty $(= $default:expr)? => $kind:expr,
            )*
        } then {
            $(
                $(#[doc = $last_doc:literal])*
                $(#[serde($($serde:tt)*)])?
                pub $last:ident: $last_type:ty $(= $last_default:expr)? => $last_kind:expr,
            )*
        }
        $(check = $check:path;)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[doc = $key_doc])*
                pub $key: $type,
            )*
            $(
                $(#[doc = $last_doc])*
                $(#[serde($($serde)*)])?
                pub $last: $last_type,
            )*
            /// What depends on the kind.
            #[serde(flatten)]
            pub $part: $union,
        }

        impl $crate::check::keys::Union for $name {
            const NAME: &'static str = stringify!($name);
            const DOC: &'static [&'static str] = &[$($doc),*];
            const TAG: &'static str = <$union as $crate::check::keys::Union>::TAG;
            const TAG_DOC: &'static [&'static str] = <$union as $crate::check::keys::Union>::TAG_DOC;
            const VARIANTS: &'static [(Self::Tag, &'static [&'static str])] =
                <$union as $crate::check::keys::Union>::VARIANTS;

            type Tag = <$union as $crate::check::keys::Union>::Tag;

            fn define(
                tag: Option<Self::Tag>,
                keys: &mut impl $crate::check::keys::Keys,
            ) -> Option<Self> {
                $(
                    let $key = $crate::check::settings::settings!(
                        @ask keys, $key, [$($key_doc),*], $kind $(, $default)?
                    );
                )*
                let $part = <$union as $crate::check::keys::Union>::define(tag, keys);
                let $tag = tag?;
                $(
                    let $last = $crate::check::settings::settings!(
                        @ask keys, $last, [$($last_doc),*], $last_kind $(, $last_default)?
                    );
                )*
                let record = Self {
                    $($key: $key?,)*
                    $($last: $last?,)*
                    $part: $part?,
                };
                $crate::check::settings::settings!(@check record, keys $(, $check)?)
            }
        }
    };

    // The `Default` of a record, if every key has a default.
    (@default $name:ident $($key:ident [$default:expr])*) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }
    };
    (@default $($some_key_is_required:tt)*) => {};

    // Asks for one key: a required one, or one with a default.
    (@ask $keys:ident, $key:ident, [$($doc:literal),*], $kind:expr) => {
        $keys.required(stringify!($key), &[$($doc),*], &$kind)
    };
    (@ask $keys:ident, $key:ident, [$($doc:literal),*], $kind:expr, $default:expr) => {
        Some($keys.with_default(stringify!($key), &[$($doc),*], &$kind, $default))
    };

    // Applies the rule about several keys, if there is one.
    (@check $record:ident, $keys:ident) => {
        Some($record)
    };
    (@check $record:ident, $keys:ident, $check:path) => {
        $check($record, $keys)
    };

    // Makes a variant: without keys, with those of a record, or with keys of its own.
    (@variant $keys:ident, $variant:ident) => {
        Some(Self::$variant)
    };
    (@variant $keys:ident, $variant:ident, ($record:ty)) => {
        <$record as $crate::check::keys::Record>::define($keys).map(Self::$variant)
    };
    (@variant $keys:ident, $variant:ident, {
        $($key:ident [$($doc:literal),*] [$kind:expr] [$($default:expr)?])*
    }) => {{
        $(
            let $key = $crate::check::settings::settings!(
                @ask $keys, $key, [$($doc),*], $kind $(, $default)?
            );
        )*
        Some(Self::$variant { $($key: $key?,)* })
    }};
}

pub(crate) use settings;
