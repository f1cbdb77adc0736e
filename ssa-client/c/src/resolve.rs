//! Name servers and a name in; the service that DNS says is there, within a time, out.

use std::{path::Path, time::Duration};

use client::resolve::{Dnssec, Options, ResolveError, Resolver as Inner, server, trust_anchors};
use ssa_common::quote::Quoted;
use tokio::{runtime::Runtime, time::timeout};

use crate::{
    border::{Out, Text, exports},
    connect::runtime,
    failure::{Failure, Message, Status, make},
    service::Service,
};

/// A resolver, and what it waits with.
pub(crate) struct Resolver {
    inner: Inner,
    runtime: Runtime,
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        let status = match &error {
            ResolveError::System(_) | ResolveError::Dns { .. } => Status::NoAnswer,
            ResolveError::Name { .. } => Status::Invalid,
            ResolveError::NoService { .. } => Status::NoService,
            ResolveError::NoPrefix { .. } => Status::NoAddress,
            ResolveError::Refused { .. } => Status::NotUnderstood,
            ResolveError::NotAuthenticated { .. } => Status::NotSigned,
        };
        Self::new(status, &error)
    }
}

fn dnssec(number: u32, anchors: Option<&str>) -> Result<Dnssec, Failure> {
    let read = |path: &str| {
        trust_anchors(Path::new(path)).map_err(|error| {
            let Failure { text, .. } = Failure::new(Status::Invalid, &error);
            Failure::invalid(format!("{path} has no trust anchors that can be read: {text}"))
        })
    };
    let anchors = anchors.map(read).transpose()?;
    match number {
        0 if anchors.is_some() => {
            Err(Failure::invalid("there are trust anchors, and signatures are not to be checked"))
        }
        0 => Ok(Dnssec::Ignored),
        1 => Ok(Dnssec::Checked(anchors)),
        2 => Ok(Dnssec::Required(anchors)),
        other => Err(Failure::invalid(format!("{other} says nothing of signatures: 0, 1 and 2 do"))),
    }
}

fn options(servers: Option<&str>, number: u32, anchors: Option<&str>) -> Result<Options, Failure> {
    let server =
        |text: &str| server(text).map_err(|help| Failure::invalid(format!("`{text}` is no name server: give {help}")));
    let servers =
        servers.map(|texts| texts.split_whitespace().map(server).collect::<Result<Vec<_>, _>>()).transpose()?;
    if servers.as_ref().is_some_and(Vec::is_empty) {
        return Err(Failure::invalid("the servers are none: NULL means those of the system"));
    }
    Ok(Options { servers: servers.unwrap_or_default(), dnssec: dnssec(number, anchors)?, ..Options::default() })
}

impl Resolver {
    fn new(options: &Options) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let inner = runtime.block_on(async { Inner::new(options) })?;
        Ok(Self { inner, runtime })
    }

    fn resolve(&self, name: &str, longest: Duration) -> Result<Service, Failure> {
        let late = |_| Failure {
            status: Status::TimedOut,
            text: format!("no answer from DNS about {} within {} s", Quoted(name), longest.as_secs_f32()),
        };
        let found = self.runtime.block_on(async { timeout(longest, self.inner.resolve(name)).await });
        Ok(Service::new(found.map_err(late)??))
    }
}

exports! {
    fn ssa_resolver_new(
        servers: Text<'_>,
        dnssec: u32,
        anchors: Text<'_>,
        resolver: Out<'_, Option<Box<Resolver>>>,
        message: Out<'_, Message>,
    ) -> Status {
        make((resolver, "resolver"), message, || {
            let options = options(servers.optional("list of servers")?, dnssec, anchors.optional("path")?)?;
            Ok(Some(Box::new(Resolver::new(&options)?)))
        })
    }

    fn ssa_resolver_free(resolver: Option<Box<Resolver>>) -> () {
        drop(resolver);
    }

    fn ssa_resolve(
        resolver: Option<&Resolver>,
        name: Text<'_>,
        timeout: u32,
        service: Out<'_, Option<Box<Service>>>,
        message: Out<'_, Message>,
    ) -> Status {
        make((service, "service"), message, || {
            let resolver = resolver.ok_or_else(|| Failure::null("resolver"))?;
            let longest = Duration::from_millis(timeout.into());
            resolver.resolve(name.get("name")?, longest).map(|service| Some(Box::new(service)))
        })
    }
}
