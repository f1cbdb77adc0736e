//! A reading in; families of samples out, and those as text for Prometheus or as JSON. Nothing here opens anything.

pub mod catalog;
mod endpoints;
mod family;
mod host;
mod json;
mod text;
mod traffic;

pub use self::{
    family::{Description, Family, Kind, Value},
    json::object,
    text::{Format, text},
};
use crate::observe::reading::Reading;

/// All that is said of a reading, in the order of the catalog. A family without samples is left out.
pub fn families(reading: &Reading) -> Vec<Family> {
    let all = [traffic::families(reading), host::families(reading), endpoints::families(reading)];
    all.into_iter().flatten().filter(|family| !family.samples.is_empty()).collect()
}

#[cfg(test)]
mod tests;
