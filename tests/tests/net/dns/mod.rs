//! Services in; what name servers of others make of the records that publish them, and what clients hear, out.

mod asked;
mod expected;
mod live;
mod misbehaving;
mod name_server;
mod publish;
pub mod published;
mod rewrite;
mod secure;
mod serving;
mod update;
