//! The rules of embeddable agent widgets.
//!
//! A *web widget* is a chat-and-voice bubble that an organization puts on its sites.
//! This crate holds every rule about it, once: which sites may show it, when it goes live, what its
//! config may contain, how a conversation begins and ends, what browsers get.
//! A service, a command-line tool or a test asks it and repeats none of it.
//!
//! # From the record to the page
//!
//! Load a record, pass it through both gates, decide about a page, and hand out what the page
//! needs:
//!
//! ```
//! use widget_core::{config::Config, embed, go_live::PinnedVersion, serve};
//! use widget_core::{origin::{AllowedOrigins, Origin, SuffixList}, widget::NewWidget};
//! # use time::macros::datetime;
//! # let organization = "acme".parse()?;
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let now = datetime!(2026-01-01 00:00 UTC);
//! # let public_url = "https://widgets.example".parse()?;
//!
//! let widget = NewWidget {
//!     domains: AllowedOrigins::parse(&["shop.example", "*.shop.example"], SuffixList::builtin())?,
//!     config: Config::parse(r#"{"v1": {"chat": {"title": "Ask the shop"}}}"#)?,
//!     published: true,
//!     ..NewWidget::new(organization, agent, version)
//! }.into_widget(id, now);
//!
//! // `PinnedVersion` is what your storage knows; the page is in the `Origin` header.
//! let page = Origin::from_header(["https://shop.example"])?;
//! let admission = serve::admit(&widget, PinnedVersion::Published, &page)?;
//! assert_eq!(admission.origin(), &page);
//! println!("{}", embed::snippet(&public_url, widget.id));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! When the answer is no, [`explain::explain`] says why, step by step, with the entry that comes
//! nearest and the one change that helps.
//!
//! # What holds everywhere
//!
//! - **Pure.** No clock, randomness, files, environment, network, threads or logging: the time and
//!   new ids are arguments, so that a test can freeze them.
//! - **Parsed once.** [`origin::Origin`], [`origin::AllowedOrigins`], [`config::Config`] and the
//!   ids have private fields and one way in; a value that exists is a valid one.
//! - **Proof, not `bool`.** [`go_live::LiveWidget`], [`origin::AdmittedOrigin`] and
//!   [`serve::Admission`] can only be made by the check that they stand for; what hands out a
//!   ticket or a token needs one.
//! - **Everything at once.** Faults, blockers and warnings are collected as
//!   [`finding::Finding`]s, each with a stable code, a JSON Pointer, a sentence and advice.
//! - **No panic** on any input.
//!
//! # Programs to start from
//!
//! In `examples/`, each a page long: `gateway` admits requests by their origin, `nightly_linter`
//! reports on a table of configs, `migration_tool` brings them to the newest version,
//! `form_endpoint` checks what visitors send, `conversation_life` goes from the first join to the
//! feedback, `brand_of_a_page` puts a site's name and colors into a config.
//!
//! # Where to read on
//!
//! [`widget`] is the record; [`origin`], [`config`] and [`form`] are its parts, [`agent`] names who
//! answers; [`go_live`],
//! [`serve`] and [`explain`] decide; [`embed`] and [`conversation`] are what follows.
//!
//! [`brand`] and [`color`] give a widget the look of a site. The JSON Schema of a config is
//! [`config::json_schema`]. With the feature `serde`, off by default, the public types implement
//! `Serialize` and `Deserialize`; reading goes through the same parsers as everything else.
//!
//! With the feature `doctor`, also off by default because it brings a matcher of security policies,
//! the module `doctor` says what is wrong with a widget on a page that was fetched.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;

/// The crates whose types stand in this crate's signatures.
pub use {serde_json, time, url, uuid};

// Each uses only those above it.
mod text;

pub mod choice;

pub mod finding;

pub mod json;

pub mod id;

pub mod origin;

mod check;

pub mod color;

pub mod mode;

pub mod form;

pub mod config;

pub mod brand;

#[cfg(feature = "serde")]
pub mod rfc3339;

pub mod stored_time;

pub mod api_key;

pub mod agent;

pub mod widget;

pub mod unreadable;

pub mod go_live;

pub mod agent_directory;

pub mod listing;

pub mod effects;

pub mod serve;

pub mod embed;

pub mod explain;

#[cfg(feature = "doctor")]
pub mod doctor;

pub mod conversation;

pub mod statistics;

#[cfg(feature = "serde")]
pub mod seed;

#[cfg(feature = "serde")]
mod serde_impls;
