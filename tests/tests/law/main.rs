//! Ring 1, the law on the host: vectors and properties in, agreement out. Needs no privilege.

mod agree;
mod anchors;
mod bits;
mod blocks;
mod c;
mod destination;
mod document;
mod epochs;
mod fair;
mod forgery;
mod frames;
mod keys;
mod low;
mod noise;
mod oracle;
mod random;
mod selector;
mod shares;
mod sieve;
mod slices;
mod tables;
mod text;
mod vectors;
