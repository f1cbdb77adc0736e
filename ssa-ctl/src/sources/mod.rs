//! Source prefixes as people write them, one or a file of them, in; prefixes, or what is wrong with the text, out.

mod file;
mod prefix;

pub use self::{
    file::{MOST, lines, read, too_many},
    prefix::{cut, is_ipv4, parse},
};
