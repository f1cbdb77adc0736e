//! The client's side of Structured Service Addressing: resolve a name, compute the address to use, connect to it.
//!
//! A [`Service`] is prefixes with a rule: made by hand, or by [`resolve`] from what DNS says. A [`Selector`] computes its
//! addresses, and needs nothing but this crate without its features. [`connect`] calls them. Where the rule takes a key and
//! there is none, an [`issue::Issuer`] is asked.
//!
//! ```
//! use ssa_client::{Selector, Service, record::Record};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let record = Record::parse_value("v=1 rule=src(0):64")?;
//! let service = Service::new("svc.example.com", &["2001:db8:ac10:fe01::/64".parse()?], record);
//! let address = Selector::new(&service, &[])?.address("2001:db8:77:1::5".parse()?, None, 0, 1_700_000_015)?;
//! assert_eq!(address.to_string(), "2001:db8:ac10:fe01:2001:db8:77:1");
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    not(all(feature = "connect", feature = "issue", feature = "resolve")),
    allow(rustdoc::broken_intra_doc_links, reason = "what is left out has no page")
)]
#![forbid(unsafe_code)]

pub mod apl;
#[cfg(feature = "connect")]
pub mod connect;
#[cfg(feature = "issue")]
pub mod issue;
pub mod pow;
pub mod record;
#[cfg(feature = "resolve")]
pub mod resolve;
mod selector;
mod service;
pub mod source;

pub use self::{
    selector::{SelectError, Selector},
    service::Service,
};

/// The programs in docs/clients.md, which a test compiles and runs.
#[cfg(all(doctest, feature = "connect", feature = "resolve"))]
#[doc = include_str!("../../docs/clients.md")]
#[allow(rustdoc::invalid_codeblock_attributes, reason = "what runs its commands reads more of a block's first line")]
struct Document;

/// The program in docs/tokens.md.
#[cfg(all(doctest, feature = "issue", feature = "resolve"))]
#[doc = include_str!("../../docs/tokens.md")]
struct Tokens;
