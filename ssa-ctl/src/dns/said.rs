//! `VALUE` for all services or `SERVICE=VALUE` for one, in; the value of a service, or that nothing is said, out.

use std::str::FromStr;

use crate::config::{self, Config, Refusal};

/// Something that is said of all services, or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// Of which. None: of all.
    pub service: Option<String>,
    /// What.
    pub value: T,
}

impl<T: FromStr> FromStr for Said<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let (service, value) = match text.split_once('=') {
            Some((service, value)) => (Some(service.to_owned()), value),
            None => (None, text),
        };
        Ok(Self { service, value: value.parse()? })
    }
}

/// What is said of a service: what is said of it by name, else of all.
pub(super) fn of<'a, T>(said: &'a [Said<T>], service: &str) -> Option<&'a T> {
    let by_name = said.iter().find(|said| said.service.as_deref() == Some(service));
    by_name.or_else(|| said.iter().find(|said| said.service.is_none())).map(|said| &said.value)
}

/// An option says one thing of a service at most, and one of all, and the services are there.
pub(super) fn once<T>(option: &str, said: &[Said<T>], config: &Config) -> Result<(), Refusal> {
    known(said, config)?;
    let is_again = |(index, again): (usize, &Said<T>)| said[..index].iter().any(|one| one.service == again.service);
    match said.iter().enumerate().find(|numbered| is_again(*numbered)) {
        None => Ok(()),
        Some((_, again)) => {
            let service = again.service.as_deref().unwrap_or("all services");
            let message = format!("{option} says two things of {service}");
            Err(Refusal { message, help: "say one; what is said of a service goes before what is said of all".into() })
        }
    }
}

/// All services that something is said of are there.
pub(super) fn known<T>(said: &[Said<T>], config: &Config) -> Result<(), Refusal> {
    let names = || config.services.iter().map(|service| service.name.as_str());
    said.iter().filter_map(|said| said.service.as_deref()).try_for_each(|name| config::known(name, names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_one_goes_before_what_is_said_of_all() {
        let said: Vec<Said<u16>> = ["1", "web=2"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!((of(&said, "web"), of(&said, "other")), (Some(&2), Some(&1)));
        assert_eq!(of(&said[1..], "other"), None);
        assert!("web=x".parse::<Said<u16>>().is_err());
    }
}
