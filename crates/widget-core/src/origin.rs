//! Which sites may show a widget: normalizing the entries of its list, reading the origin of a
//! request, and deciding between the two.
//!
//! An origin is a tuple of scheme, host and port (RFC 6454).
//! Everything here is parsed once into such tuples and compared as a whole: no prefix, suffix or
//! pattern is ever looked for in a text that came from outside.
//! A URL parser alone is not enough, because browsers and the `frame-ancestors` directive are
//! stricter than the URL Standard: see [`EntryFault`] for what is refused and why.
//!
//! ```
//! use widget_core::origin::{AllowedOrigins, Origin, SuffixList};
//!
//! let allowed = AllowedOrigins::parse(&["shop.example", "https://*.shop.example"], SuffixList::builtin())?;
//! assert_eq!(allowed.entries(), ["https://shop.example", "https://*.shop.example"]);
//!
//! let page = Origin::from_header([b"https://m.shop.example"])?;
//! let admitted = allowed.admit(&page).expect("covered by the pattern");
//! assert_eq!(admitted.entry(), "https://*.shop.example");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// In the order of their dependencies: each uses only those before it.
mod fault;
mod host;
mod tuple;

mod request;
mod suffix;

mod entry;
mod warning;

mod allowed;

pub use allowed::{AdmittedOrigin, AllowedOrigins};
pub use entry::{Entry, OriginPattern};
pub use fault::{EntryError, EntryFault};
pub(crate) use host::{Unnameable, is_loopback, to_unicode};
pub use request::{OriginError, OriginHeaderError};
pub use suffix::{SuffixList, SuffixListError};
pub use tuple::{Origin, Scheme};
