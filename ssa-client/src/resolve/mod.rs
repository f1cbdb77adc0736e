//! A name in; the service that DNS says is there, its prefixes and its rule, out (DESIGN §7).
//!
//! The rule is in an SVCB record at `_ssa.NAME`, or in a TXT record there; the prefixes are in APL records there, or at the
//! name itself.

mod anchors;
mod answers;
mod error;
mod kept;
mod name;
mod rule;
mod server;

use std::{
    fmt,
    net::{Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use hickory_resolver::{
    ResolverBuilder, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::{Name, RData, RecordType},
};

pub use self::{
    anchors::{AnchorsError, trust_anchors},
    error::{Cause, Refused, ResolveError},
    server::server,
};
pub use hickory_resolver::proto::dnssec::TrustAnchors;

use self::{
    answers::{Answers, ask, list, word},
    kept::Kept,
    name::{absolute, label, shown},
    rule::{Step, by_svcb, by_txt},
};
use crate::{
    Service,
    apl::{self, Unusable},
};

/// Names that are followed from one to the next: by then they run in a circle.
const MOST_ALIASES: usize = 8;

/// Whom to ask, and what to believe.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name servers, recursive or authoritative for all that is asked. Empty: those of the system.
    pub servers: Vec<SocketAddr>,
    /// How long each try of a question may take.
    pub timeout: Duration,
    /// Whether signatures are checked.
    pub dnssec: Dnssec,
}

/// Whether signatures of DNS are checked.
#[derive(Clone, Default)]
pub enum Dnssec {
    /// No: a service is never authenticated.
    #[default]
    Ignored,
    /// Where a zone is signed they must be right; whether it is, [`Service::authenticated`] says.
    Checked(Option<TrustAnchors>),
    /// All that is used must be signed, up to these keys, or those of the root.
    Required(Option<TrustAnchors>),
}

/// A service, and the records that it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The service.
    pub service: Service,
    /// Where its rule stands.
    pub rule: Origin,
    /// Where its prefixes stand.
    pub prefixes: Origin,
    /// Prefixes beside them which no service can have, and which are not used.
    pub unused: Vec<Unusable>,
}

/// Records of one type at one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name, absolute.
    pub name: String,
    /// Their type, as zone files have it.
    pub kind: String,
}

/// Finds services.
pub struct Resolver {
    dns: TokioResolver,
    requires: bool,
    kept: Kept,
}

impl Default for Options {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout: Duration::from_secs(3), dnssec: Dnssec::default() }
    }
}

impl Resolver {
    /// A resolver, for use in a tokio runtime.
    ///
    /// # Errors
    /// Where the system says no name servers.
    pub fn new(options: &Options) -> Result<Self, ResolveError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if options.servers.is_empty() {
            TokioResolver::builder(provider).map_err(ResolveError::system)?
        } else {
            let servers = options.servers.iter().map(asked).collect();
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), provider)
        };
        let to = builder.options_mut();
        to.timeout = options.timeout;
        to.try_tcp_on_error = true;
        // Services are kept, for as long as all of their records and their rule say.
        to.cache_size = 0;
        let builder = options.dnssec.require(builder);
        let requires = matches!(options.dnssec, Dnssec::Required(_));
        Ok(Self { dns: builder.build().map_err(ResolveError::system)?, requires, kept: Kept::default() })
    }

    /// The service at a name, which is taken as absolute. Kept for as long as it says.
    ///
    /// # Errors
    /// [`ResolveError::NoService`] where the name has no rule record: its addresses are good as they are. Others where
    /// DNS does not answer, or what it says is not understood or not trusted.
    pub async fn resolve(&self, name: &str) -> Result<Service, ResolveError> {
        let owner = absolute(name)?;
        if let Some(service) = self.kept.get(&owner, Instant::now()) {
            return Ok(service);
        }
        let service = self.find(name, owner.clone()).await?.service;
        self.kept.put(owner, service.clone(), Instant::now());
        Ok(service)
    }

    /// The same, asked anew, and where it came from.
    ///
    /// # Errors
    /// As of [`Self::resolve`].
    pub async fn look(&self, name: &str) -> Result<Seen, ResolveError> {
        self.find(name, absolute(name)?).await
    }

    /// The service at a name; where the name has no rule record, one of its addresses, as a client that knows nothing of
    /// rules would call them.
    ///
    /// # Errors
    /// Those of [`resolve`](Self::resolve), but [`ResolveError::NoService`] only where there is no IPv6 address, either.
    pub async fn resolve_or_addresses(&self, name: &str) -> Result<Service, ResolveError> {
        let none = match self.resolve(name).await {
            Err(none @ ResolveError::NoService { .. }) => none,
            other => return other,
        };
        let Answers { data, ttl, authenticated } = self.ask(&absolute(name)?, RecordType::AAAA).await?;
        let service = Service::of_addresses(name, &aaaa(&data)).ok_or(none)?;
        Ok(Service { ttl, authenticated, ..service })
    }

    /// The addresses of a name, as a client that knows nothing of rules finds them.
    ///
    /// # Errors
    /// Where DNS does not answer, or what it says is not trusted.
    pub async fn addresses(&self, name: &str) -> Result<Vec<Ipv6Addr>, ResolveError> {
        Ok(aaaa(&self.ask(&absolute(name)?, RecordType::AAAA).await?.data))
    }

    async fn find(&self, name: &str, owner: Name) -> Result<Seen, ResolveError> {
        let mut below = label(&owner)?;
        let mut used = Answers::default();
        let mut named = owner.clone();
        for _ in 0..MOST_ALIASES {
            let svcb = self.ask(&below, RecordType::SVCB).await?;
            used.add(&svcb);
            match by_svcb(&svcb.data).map_err(|refused| ResolveError::refused(&below, refused))? {
                Step::Alias(target) => (below, named) = (target.clone(), target),
                Step::Found(found) => {
                    let rule = Origin::of(&below, RecordType::SVCB);
                    return self.with_prefixes(name, &named, &below, (found, rule), used).await;
                }
                Step::Nothing => {
                    let txt = self.ask(&below, RecordType::TXT).await?;
                    let found = by_txt(&txt.data).map_err(|refused| ResolveError::refused(&below, refused))?;
                    let Some(record) = found else { return Err(ResolveError::NoService { name: name.to_owned() }) };
                    used.add(&txt);
                    let found = (rule::Found { record, port: None }, Origin::of(&below, RecordType::TXT));
                    return self.with_prefixes(name, &named, &below, found, used).await;
                }
            }
        }
        Err(ResolveError::refused(&below, Refused::Circle))
    }

    /// The prefixes to a rule, below the name, or at the name itself.
    async fn with_prefixes(
        &self,
        name: &str,
        named: &Name,
        below: &Name,
        (found, rule): (rule::Found, Origin),
        mut used: Answers,
    ) -> Result<Seen, ResolveError> {
        let (mut at, mut lists) = (below, self.ask(below, list()).await?);
        if lists.data.is_empty() && named != below {
            (at, lists) = (named, self.ask(named, list()).await?);
        }
        used.add(&lists);
        let mut items = Vec::new();
        for data in &lists.data {
            // A list without items is something else here.
            let RData::Unknown { rdata, .. } = data else { continue };
            items.extend(apl::decode(&rdata.anything).map_err(|error| ResolveError::refused(at, error.into()))?);
        }
        let mut service = Service::from_items(name, &items, found.record);
        let unused: Vec<_> = items.iter().filter_map(|item| item.prefix()?.err()).collect();
        if service.prefixes.is_empty() {
            return Err(ResolveError::NoPrefix { name: name.to_owned(), unused });
        }
        service.port = found.port;
        service.ttl = service.record.longest_ttl().map_or(used.ttl, |longest| longest.min(used.ttl));
        service.authenticated = used.authenticated;
        Ok(Seen { service, rule, prefixes: Origin::of(at, list()), unused })
    }

    /// The answers to a question; an error where they are not trusted as they must be.
    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Answers, ResolveError> {
        let answers = ask(&self.dns, name, kind).await?;
        if self.requires && !answers.data.is_empty() && !answers.authenticated {
            return Err(ResolveError::NotAuthenticated { name: shown(name), kind: word(kind) });
        }
        Ok(answers)
    }
}

impl Origin {
    fn of(name: &Name, kind: RecordType) -> Self {
        Self { name: shown(name), kind: word(kind) }
    }
}

impl Dnssec {
    fn require(&self, builder: ResolverBuilder<TokioRuntimeProvider>) -> ResolverBuilder<TokioRuntimeProvider> {
        match self {
            Self::Ignored => builder,
            Self::Checked(anchors) | Self::Required(anchors) => {
                builder.with_trust_anchor(Arc::new(anchors.clone().unwrap_or_default()))
            }
        }
    }
}

fn asked(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

fn aaaa(data: &[RData]) -> Vec<Ipv6Addr> {
    data.iter().filter_map(|data| if let RData::AAAA(address) = data { Some(address.0) } else { None }).collect()
}

impl fmt::Debug for Dnssec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ignored => "Ignored",
            Self::Checked(_) => "Checked",
            Self::Required(_) => "Required",
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("requires", &self.requires).finish_non_exhaustive()
    }
}
