//! Ring 1, the law on the host: vectors and properties in, agreement out. Needs no privilege.

mod agree;
mod bits;
mod destination;
mod forgery;
mod keys;
mod oracle;
mod random;
mod text;
mod vectors;
