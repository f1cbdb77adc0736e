//! Two looks at the slices in; frames a second of each slice and of each endpoint out.

use std::{collections::BTreeMap, time::Duration};

use super::counted::per_second;

/// What one look at slices and endpoints finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slices {
    /// Of each service, whether it has slices or not.
    pub(super) services: Vec<Cut>,
    /// In the order of the config.
    pub(super) endpoints: Vec<Endpoint>,
}

/// The slices of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cut {
    pub(super) service: String,
    /// How many there are: none where the service has no slices with endpoints.
    pub(super) count: usize,
    /// Runs of slices with one owner, in order.
    pub(super) runs: Vec<Owned>,
    /// Frames of each slice that went on; none where they are not counted.
    pub(super) frames: Option<Vec<u64>>,
}

/// Slices that follow each other and have one owner.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Owned {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) endpoint: Option<String>,
    /// Their previous owner keeps its connections.
    pub(super) handed_over: bool,
}

/// An endpoint of the config.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Endpoint {
    pub(super) name: String,
    pub(super) weight: u32,
    pub(super) drain: bool,
    pub(super) this_host: bool,
}

/// What an endpoint has of one service, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Held {
    pub(super) slices: usize,
    /// Frames a second; none where nobody counts them, or not yet.
    pub(super) frames: Option<f64>,
}

/// A look at the slices, and what moved since the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Sliced {
    at: Duration,
    pub(super) slices: Slices,
    /// Frames a second of each slice, by service as in `slices`; none where they are not known.
    moved: Vec<Option<Vec<f64>>>,
}

impl Sliced {
    /// A look that follows another, or is the first.
    pub(super) fn new(at: Duration, slices: Slices, before: Option<&Self>) -> Self {
        let moved = slices.services.iter().map(|new| {
            let before = before?;
            let old = before.slices.services.iter().find(|old| old.service == new.service)?;
            rates(new.frames.as_ref()?, old.frames.as_ref()?, at.saturating_sub(before.at).as_secs_f64())
        });
        Self { at, moved: moved.collect(), slices }
    }

    /// The services that are wanted: one or all, each with frames a second of its slices.
    pub(super) fn of<'a>(&'a self, service: Option<&'a str>) -> impl Iterator<Item = (&'a Cut, Option<&'a Vec<f64>>)> {
        let all = self.slices.services.iter().zip(self.moved.iter().map(Option::as_ref));
        all.filter(move |(cut, _)| service.is_none_or(|name| name == cut.service))
    }

    /// What each endpoint has of a service, or of all.
    pub(super) fn held(&self, service: Option<&str>) -> BTreeMap<&str, Held> {
        let named = self.slices.endpoints.iter().map(|endpoint| (endpoint.name.as_str(), Held::default()));
        let mut all: BTreeMap<_, _> = named.collect();
        for (cut, moved) in self.of(service) {
            for run in &cut.runs {
                let Some(held) = run.endpoint.as_deref().and_then(|name| all.get_mut(name)) else { continue };
                held.slices += run.last - run.first + 1;
                // Frames of a slice that moved are the new owner's from then on, and no owner has less than none.
                if let Some(moved) = moved {
                    let sum: f64 = moved[run.first..=run.last].iter().sum();
                    held.frames = Some(held.frames.unwrap_or(0.0) + sum);
                }
            }
        }
        all
    }
}

/// Frames a second of each slice; none where they were cut anew, or counted anew.
fn rates(new: &[u64], old: &[u64], seconds: f64) -> Option<Vec<f64>> {
    if new.len() != old.len() {
        return None;
    }
    let moved = new.iter().zip(old).map(|(new, old)| Some(per_second(new.checked_sub(*old)?, seconds)));
    moved.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::samples::slices, *};

    #[test]
    fn frames_are_of_who_owns_the_slice_now() {
        let first = Sliced::new(Duration::ZERO, slices(&["a", "a", "b", "b"], Some(&[10, 10, 10, 10])), None);
        assert_eq!(first.held(None)["a"], Held { slices: 2, frames: None });
        let moved = slices(&["a", "b", "b", "b"], Some(&[12, 14, 16, 10]));
        let second = Sliced::new(Duration::from_secs(2), moved, Some(&first));
        assert_eq!(second.held(Some("web"))["a"], Held { slices: 1, frames: Some(1.0) });
        assert_eq!(second.held(None)["b"], Held { slices: 3, frames: Some(5.0) });
        assert_eq!(second.held(Some("another"))["b"], Held::default());
    }

    #[test]
    fn slices_that_were_cut_or_counted_anew_have_no_rate() {
        let first = Sliced::new(Duration::ZERO, slices(&["a", "a"], Some(&[10, 10])), None);
        for new in [&[10, 9][..], &[99, 99, 99, 99]] {
            let owners = vec!["a"; new.len()];
            let second = Sliced::new(Duration::from_secs(1), slices(&owners, Some(new)), Some(&first));
            assert_eq!(second.held(None)["a"], Held { slices: new.len(), frames: None });
        }
    }
}
