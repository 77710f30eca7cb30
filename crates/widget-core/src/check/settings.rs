//! The macro in which a record of settings reads like its table in the documentation.

/// Defines a record in which every key has a default: the struct, its `Default`, and how it is
/// read and described. Each key is written `name: type = default => kind`, and its doc comment is
/// also its description in the schema.
macro_rules! settings {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $key_doc:literal])*
                pub $key:ident: $type:ty = $default:expr => $kind:expr,
            )*
        }
        $(refine_schema = $refine:path;)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        $vis struct $name {
            $(
                $(#[doc = $key_doc])*
                pub $key: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        impl $crate::check::Record for $name {
            const NAME: &'static str = stringify!($name);
            const DOC: &'static [&'static str] = &[$($doc),*];

            fn define(keys: &mut $crate::check::Keys<'_>) -> Option<Self> {
                Some(Self {
                    $($key: keys.optional(stringify!($key), &[$($key_doc),*], &$kind, $default),)*
                })
            }

            $(
                fn refine_schema(schema: &mut serde_json::Map<String, serde_json::Value>) {
                    $refine(schema);
                }
            )?
        }
    };
}

pub(crate) use settings;
