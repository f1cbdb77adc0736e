//! The name of a service in; the service, or that there is none and which there are, out.

use super::{
    model::{Config, Service},
    refusal::Refusal,
};

impl Config {
    /// The service of this name, with its place in the config.
    pub fn service(&self, name: &str) -> Option<(usize, &Service)> {
        self.services.iter().enumerate().find(|(_, service)| service.name == name)
    }

    /// The same.
    ///
    /// # Errors
    /// Where there is none; which there are.
    pub fn named(&self, name: &str) -> Result<(usize, &Service), Refusal> {
        self.service(name).ok_or_else(|| unknown(name, self.services.iter().map(|service| service.name.as_str())))
    }

    /// The same config, which says of no slice whose it is.
    #[must_use]
    pub fn without_owners(mut self) -> Self {
        self.services.iter_mut().for_each(|service| service.owners.clear());
        self
    }
}

/// A service of this name is one of these.
///
/// # Errors
/// Where it is none; which there are.
pub fn known<'a>(name: &str, services: impl IntoIterator<Item = &'a str>) -> Result<(), Refusal> {
    let services: Vec<_> = services.into_iter().collect();
    if services.contains(&name) { Ok(()) } else { Err(unknown(name, services)) }
}

/// There is no service of this name, but those of others.
pub fn unknown<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Refusal {
    let others: Vec<_> = others.into_iter().collect();
    Refusal {
        message: format!("there is no service named {name}"),
        help: format!("the services are {}", others.join(", ")),
    }
}
