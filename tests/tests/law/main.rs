//! Ring 1, the law on the host: vectors and properties in, agreement out. Needs no privilege.

mod agree;
mod oracle;
mod random;
mod vectors;
