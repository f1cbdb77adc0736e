//! What a person says of a service that is to be called in; the service, and what computes its addresses, out.

use std::{net::Ipv6Addr, path::PathBuf, sync::Arc};

use ssa_client::{
    SelectError, Selector, Service,
    issue::Issuer,
    resolve::{ResolveError, Resolver},
};
use ssa_common::rule::Key;

use super::{
    key_files::KeyFiles,
    keyed,
    resolving::{Resolving, unresolved},
};
use crate::{
    client::hint,
    config, dns,
    failure::{Code, Failure},
};

/// The service that is meant.
#[derive(clap::Args)]
pub(super) struct Target {
    /// The service: its name in DNS, or with --config its name in that file
    #[arg(value_name = "SERVICE")]
    name: String,
    /// Take a service of this config file, with its key files, and ask no DNS
    #[arg(long, value_name = "FILE", conflicts_with_all = ["servers", "require_secure", "trust_anchor", "keys"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyFiles,
    #[command(flatten)]
    resolving: Resolving,
}

impl Target {
    /// Finds the service. Where its rule has a `mac` and no key is named, addresses are asked of the issuer.
    pub(super) async fn find(&self, issuer: Option<&Arc<Issuer>>) -> Result<(Service, Arc<Selector>), Failure> {
        let by = |service: &Service, keys: &[Key]| match issuer {
            Some(issuer) if keys.is_empty() => Selector::with_issuer(service, issuer.clone()),
            _ => Selector::new(service, keys),
        };
        let refused = |error| refused(&self.name, error);
        let Some(path) = &self.config else {
            let resolver = Resolver::new(&self.resolving.options()?).map_err(unresolved)?;
            let service = resolver.resolve_or_addresses(&self.name).await.map_err(nobody)?;
            let selector = by(&service, &self.keys.read()?).map_err(refused)?;
            return Ok((service, Arc::new(selector)));
        };
        let checked = config::read(path)?;
        let service = keyed::service(&checked.config, &self.name)?;
        let selector = match issuer {
            // Whoever asks has no keys, whatever the file names.
            Some(_) => by(&service, &[]).map_err(refused)?,
            None => keyed::selector(&checked.config, &checked.load_keys()?, &self.name)?,
        };
        Ok((service, Arc::new(selector)))
    }

    /// The service as it is called here.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The addresses under which programs know the service that know nothing of rules: those of its name, or of a config's
    /// service the first of its prefixes with 1 as its last bit, which `dns zone` publishes.
    pub(super) async fn anchors(&self, service: &Service) -> Result<Vec<Ipv6Addr>, Failure> {
        if self.config.is_some() {
            return Ok(dns::anchor(&service.prefixes).into_iter().collect());
        }
        let resolver = Resolver::new(&self.resolving.options()?).map_err(unresolved)?;
        let addresses = resolver.addresses(&self.name).await.map_err(unresolved)?;
        if addresses.is_empty() {
            return Err(Failure::new(Code::Failed, format!("{} has no IPv6 address (AAAA) in DNS", self.name))
                .hint("say which address programs call: --anchor ADDRESS"));
        }
        Ok(addresses)
    }
}

/// Nobody to call: a name without a service has no IPv6 address, either.
fn nobody(error: ResolveError) -> Failure {
    match error {
        ResolveError::NoService { .. } => Failure::from(error)
            .hint("it has no IPv6 address (AAAA), either; a service of a config file is found with --config FILE"),
        error => unresolved(error),
    }
}

/// A service whose addresses cannot be computed.
pub(super) fn refused(name: &str, error: SelectError) -> Failure {
    let hint = match &error {
        SelectError::NoKey { .. } => Some("add --key NUMBER:FILE, or ask who has the key: --issuer URL"),
        SelectError::KeyTwice { .. } => Some("name each key once, by its own number"),
        SelectError::Address(error) => hint(*error),
        SelectError::NoPrefix | SelectError::Unfit { .. } | SelectError::Excluded => None,
    };
    let code = if hint.is_some() { Code::Invalid } else { Code::Failed };
    let error = anyhow::Error::new(error).context(format!("no address of {name} can be computed"));
    Failure { code, error, hint: hint.map(str::to_owned) }
}
