//! A config, and an endpoint to add, to drain or to remove, in; the config with that done out.

use super::{Refusal, refuse, service_mut, valid};
use crate::config::{
    endpoint::known,
    model::{Config, Endpoint},
};

/// Adds an endpoint to the config, and to those of `services` that list their endpoints. Services that list none take
/// all endpoints, whether they are in `services` or not.
///
/// # Errors
/// Where there is no such service, it has no slices, or the endpoint is none that the config can have.
pub fn add_endpoint(config: &Config, endpoint: Endpoint, services: &[String]) -> Result<Config, Refusal> {
    if let Some(other) = config.endpoints.iter().find(|other| other.name == endpoint.name) {
        let message = format!("there is an endpoint named {} already", other.name);
        return refuse(
            message,
            format!("it has the address {}: choose another name, or remove it first", other.address),
        );
    }
    let mut config = config.clone();
    for name in services {
        let service = service_mut(&mut config, name)?;
        if service.slice_bits == 0 {
            let help = "cut its prefixes into slices first, with slice_bits";
            return refuse(format!("the service {name} has no slices that an endpoint could have"), help);
        }
        if let Some(names) = &mut service.endpoints
            && !names.contains(&endpoint.name)
        {
            names.push(endpoint.name.clone());
        }
    }
    config.endpoints.push(endpoint);
    valid(config)
}

/// Lets an endpoint give its slices away, or lets it have some again.
///
/// # Errors
/// Where there is no such endpoint, or a service's slices would be left to nobody.
pub fn set_drain(config: &Config, name: &str, drain: bool) -> Result<Config, Refusal> {
    let mut config = config.clone();
    let place = place(&config, name)?;
    config.endpoints[place].drain = drain;
    valid(config)
}

/// Takes an endpoint out of the config, and what services say of it.
///
/// # Errors
/// Where there is no such endpoint, this host is it, or a service's slices would be left to nobody.
pub fn remove_endpoint(config: &Config, name: &str) -> Result<Config, Refusal> {
    let mut config = config.clone();
    let place = place(&config, name)?;
    if config.host.endpoint.as_deref() == Some(name) {
        let help = "take `endpoint` out of [host] first, or remove the endpoint on another host";
        return refuse(format!("this host is the endpoint {name}"), help);
    }
    for service in &config.services {
        let mut members = config.endpoints_of(service).map(|(_, endpoint)| endpoint.name.as_str());
        if members.next() == Some(name) && members.next().is_none() {
            let message = format!("{name} is the only endpoint of the service {}", service.name);
            return refuse(message, "add another one that takes the slices first");
        }
    }
    config.endpoints.remove(place);
    for service in &mut config.services {
        if let Some(names) = &mut service.endpoints {
            names.retain(|other| other != name);
        }
        service.pinned.retain(|run| run.endpoint != name);
        service.owners.retain(|run| run.endpoint != name);
    }
    valid(config)
}

/// Where in the config an endpoint is.
fn place(config: &Config, name: &str) -> Result<usize, Refusal> {
    config.endpoints.iter().position(|endpoint| endpoint.name == name).map_or_else(
        || {
            let names = config.endpoints.iter().map(|endpoint| endpoint.name.as_str());
            refuse(format!("there is no endpoint named {name}"), known(config.endpoints.len(), names))
        },
        Ok,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::edit::tests::{config, texts};

    fn endpoint(name: &str, address: &str) -> Endpoint {
        let address = address.parse().unwrap();
        Endpoint { name: name.into(), address, weight: 2, domain: None, mac: None, drain: false }
    }

    fn c() -> Endpoint {
        endpoint("c", "2001:db8:e::c")
    }

    fn message(result: Result<Config, Refusal>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn endpoints_come_and_go() {
        let three = add_endpoint(&config(), c(), &["web".into(), "shop".into()]).unwrap();
        assert_eq!(three.endpoints[2], c());
        assert_eq!(three.services[0].endpoints, None);
        assert_eq!(three.services[1].endpoints, Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(remove_endpoint(&three, "c").unwrap(), config());
        let elsewhere = add_endpoint(&config(), c(), &[]).unwrap();
        assert_eq!(elsewhere.services, config().services);
    }

    #[test]
    fn what_is_said_of_an_endpoint_goes_with_it() {
        let one = remove_endpoint(&config(), "a").unwrap();
        assert_eq!(one.endpoints.len(), 1);
        let shop = &one.services[1];
        assert_eq!(shop.endpoints, Some(vec!["b".into()]));
        assert_eq!((texts(&shop.pinned), texts(&shop.owners)), (vec!["6 b".into()], vec!["8-15 b".into()]));
    }

    #[test]
    fn endpoints_that_cannot_be_are_refused() {
        let add = |endpoint, services: &[String]| add_endpoint(&config(), endpoint, services);
        assert!(message(add(endpoint("a", "2001:db8:e::c"), &[])).contains("named a already"));
        assert!(message(add(endpoint("c", "2001:db8:e::a"), &[])).contains("the endpoint a has the address"));
        assert!(message(add(endpoint("c", "2001:db8::c"), &[])).contains("a prefix of the service web"));
        assert!(message(add(endpoint("c", "fe80::c"), &[])).contains("link-local"));
        assert!(message(add(endpoint("c d", "fd00::c"), &[])).contains("cannot be an endpoint's name"));
        assert!(message(add(Endpoint { weight: 0, ..c() }, &[])).contains("`weight` cannot be 0"));
        assert!(add(c(), &["www".into()]).unwrap_err().help.contains("are web, shop, plain"));
        assert!(message(add(c(), &["plain".into()])).contains("plain has no slices"));
    }

    #[test]
    fn somebody_owns_the_slices() {
        let drained = set_drain(&config(), "a", true).unwrap();
        assert!(drained.endpoints[0].drain);
        assert_eq!(set_drain(&drained, "a", false).unwrap(), config());
        assert!(message(set_drain(&drained, "b", true)).contains("every endpoint of the service web is draining"));
        assert!(message(remove_endpoint(&drained, "b")).contains("is draining"));
        assert!(set_drain(&config(), "c", true).unwrap_err().help.contains("the endpoints are a, b"));
        assert!(remove_endpoint(&config(), "c").unwrap_err().help.contains("the endpoints are a, b"));
        let one = remove_endpoint(&config(), "a").unwrap();
        assert!(message(remove_endpoint(&one, "b")).contains("b is the only endpoint of the service web"));
        let mut here = config();
        here.host.endpoint = Some("b".into());
        assert!(message(remove_endpoint(&here, "b")).contains("this host is the endpoint b"));
    }
}
