//! Services in; the records that publish them (DESIGN §7), as text for servers of others and as data for ours, out. Pure.

mod catalog;
mod names;
mod publish;
mod records;
mod said;
mod text;

pub use self::{
    catalog::catalog,
    names::{below, zone},
    publish::{Maybe, Published, Publishing, anchor, publish, record},
    records::{Data, Entry},
    said::Said,
    text::Format,
};
