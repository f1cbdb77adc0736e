//! What a person says of a service that is to be called in; the service, and what computes its addresses, out.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc};

use ssa_client::{
    SelectError, Selector, Service,
    record::{Objects, Record},
    resolve::{Dnssec, Options, ResolveError, Resolver, TrustAnchors},
};
use ssa_common::rule::Key;

use crate::{
    config::{self, keys},
    failure::{Code, Failure},
};

/// The service that is meant.
#[derive(clap::Args)]
pub(super) struct Target {
    /// The service: its name in DNS, or with --config its name in that file
    #[arg(value_name = "SERVICE")]
    name: String,
    /// Take a service of this config file, with its key files, and ask no DNS
    #[arg(long, value_name = "FILE", conflicts_with_all = ["server", "require_secure", "trust_anchor", "keys"])]
    config: Option<PathBuf>,
    /// A key of the rule's ring: its number and its file; may be given again
    #[arg(long = "key", value_name = "NUMBER:FILE")]
    keys: Vec<NumberedFile>,
    #[command(flatten)]
    dns: Dns,
}

/// Whom to ask in DNS.
#[derive(clap::Args)]
pub(super) struct Dns {
    /// Ask this DNS server, and not those of the system; may be given again
    #[arg(long, value_name = "ADDRESS:PORT")]
    server: Vec<SocketAddr>,
    /// Take only what DNSSEC vouches for
    #[arg(long)]
    require_secure: bool,
    /// The keys that DNSSEC begins with, as DNSKEY records, and not those of the root
    #[arg(long, value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
}

/// A key file with the key's number.
#[derive(Clone, Debug)]
struct NumberedFile {
    number: u32,
    file: PathBuf,
}

impl FromStr for NumberedFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, file) = text.split_once(':').ok_or("write the key's number, a colon and its file")?;
        let number = number.parse().map_err(|_| "the key's number is 0 to 4294967295")?;
        Ok(Self { number, file: file.into() })
    }
}

impl Target {
    /// Finds the service.
    pub(super) async fn find(&self) -> Result<(Service, Arc<Selector>), Failure> {
        let (service, keys) = match &self.config {
            Some(path) => {
                let checked = config::read(path)?;
                let (index, found) = super::service(&checked.config, &self.name)?;
                let rings = checked.load_keys()?;
                let ring = found.rule.key().map_or(&[][..], |ring| rings.ring(index, ring));
                (of_config(found), ring.to_vec())
            }
            None => (self.dns.find(&self.name).await?, self.read_keys()?),
        };
        let selector = Selector::new(&service, &keys).map_err(|error| refused(&self.name, error))?;
        Ok((service, Arc::new(selector)))
    }

    fn read_keys(&self) -> Result<Vec<Key>, Failure> {
        let read = |NumberedFile { number, file }: &NumberedFile| {
            Ok(Key { number: *number, secret: keys::read(file).map_err(Failure::refused)? })
        };
        self.keys.iter().map(read).collect()
    }
}

impl Dns {
    /// A resolver that asks them.
    pub(super) fn resolver(&self) -> Result<Resolver, Failure> {
        let anchors = self.trust_anchor.as_deref().map(|path| {
            TrustAnchors::from_file(path).map_err(|error| {
                let error =
                    anyhow::Error::new(error).context(format!("cannot read trust anchors from {}", path.display()));
                Failure::from(error).code(Code::Invalid).hint("write DNSKEY records, as a zone file has them")
            })
        });
        let anchors = anchors.transpose()?;
        let dnssec = match (self.require_secure, anchors) {
            (true, anchors) => Dnssec::Required(anchors),
            (false, Some(anchors)) => Dnssec::Checked(Some(anchors)),
            (false, None) => Dnssec::Ignored,
        };
        let options = Options { servers: self.server.clone(), dnssec, ..Options::default() };
        Resolver::new(&options).map_err(|error| Failure::from(error).hint("name a DNS server with --server"))
    }

    async fn find(&self, name: &str) -> Result<Service, Failure> {
        self.resolver()?.resolve_or_addresses(name).await.map_err(|error| {
            let hint = match error {
                ResolveError::System(_) => Some("name a DNS server with --server"),
                ResolveError::Name { .. } => Some("write a name such as svc.example.com"),
                ResolveError::NoService { .. } => {
                    Some("it has no address, either; for a service of a file add --config FILE")
                }
                ResolveError::NotAuthenticated { .. } => Some("sign the zone, or go without --require-secure"),
                ResolveError::Refused { .. } => Some("a newer ssa-ctl may understand them"),
                ResolveError::Dns { .. } | ResolveError::NoPrefix { .. } => None,
            };
            let code = if matches!(error, ResolveError::Name { .. }) { Code::Invalid } else { Code::Failed };
            Failure { code, error: error.into(), hint: hint.map(str::to_owned) }
        })
    }
}

/// A service of a config, as its clients know it.
fn of_config(service: &config::Service) -> Service {
    let config::Service { name, prefixes, rule, salt, skew, .. } = service;
    let salt = salt.unwrap_or_default();
    Service::new(name, prefixes, Record { rule: rule.clone(), salt, skew: *skew, objects: Objects::Sha256 })
}

/// A service whose addresses cannot be computed.
pub(super) fn refused(name: &str, error: SelectError) -> Failure {
    let hint = match &error {
        SelectError::NoKey { .. } => Some("add --key NUMBER:FILE"),
        SelectError::Address(error) => super::address::hint(*error),
        SelectError::NoPrefix | SelectError::Unfit { .. } | SelectError::Excluded => None,
    };
    let code = if hint.is_some() { Code::Invalid } else { Code::Failed };
    let error = anyhow::Error::new(error).context(format!("no address of {name} can be computed"));
    Failure { code, error, hint: hint.map(str::to_owned) }
}
