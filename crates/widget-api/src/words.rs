//! The macro for a closed set of words of the API: core's names, with an order and a schema.

/// Defines an enum whose variants have a text in the API.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident { $($variants:tt)* }
    ) => {
        widget_core::choices! {
            $(#[doc = $doc])*
            #[derive(PartialOrd, Ord)]
            pub enum $name { $($variants)* }
        }

        // Derived, each variant would be a schema of its own, which generators of clients turn into
        // as many types.
        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc),*).trim(),
                    "type": "string",
                    "enum": Self::ALL,
                })
            }
        }
    };
}

pub(crate) use words;
