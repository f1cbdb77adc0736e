//! Arguments in; whom commands ask about names, and what they believe, out.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use ssa_client::resolve::{Dnssec, Options, ResolveError, server, trust_anchors};

use crate::failure::{Code, Failure};

/// Whom to ask about names, and what to believe.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Resolving {
    /// Ask this name server, recursive or authoritative, such as `::1`, `::1#5353` or `[::1]:5353`, and not those
    /// of the system; may be given several times
    #[arg(long = "server", value_name = "ADDRESS[#PORT]", value_parser = server)]
    servers: Vec<SocketAddr>,
    /// Refuse what is not signed, up to the keys of the root or those of --trust-anchor
    #[arg(long)]
    require_secure: bool,
    /// Check signatures up to the DNSKEY records in this file, and not up to the keys of the root
    #[arg(long, value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
}

impl Resolving {
    /// The same for a resolver.
    ///
    /// # Errors
    /// Where the trust anchors cannot be read, or there are none.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let anchors = self.trust_anchor.as_deref().map(|path| {
            let anchors = trust_anchors(path);
            let anchors = anchors.with_context(|| format!("{} has no trust anchors that can be read", path.display()));
            anchors.map_err(|error| {
                let help = "give a file with a line `ZONE TTL IN DNSKEY 257 3 ALGORITHM KEY` for each key";
                Failure::from(error).code(Code::Invalid).hint(help)
            })
        });
        let anchors = anchors.transpose()?;
        let dnssec = match anchors {
            _ if self.require_secure => Dnssec::Required(anchors),
            Some(_) => Dnssec::Checked(anchors),
            None => Dnssec::Ignored,
        };
        Ok(Options { servers: self.servers.clone(), dnssec, ..Options::default() })
    }

    /// The servers that are named.
    pub(super) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// Whether signatures are checked.
    pub(super) const fn is_checked(&self) -> bool {
        self.require_secure || self.trust_anchor.is_some()
    }
}

/// No service was found, and what would be right.
pub(super) fn unresolved(error: ResolveError) -> Failure {
    let code = if matches!(error, ResolveError::Name { .. }) { Code::Invalid } else { Code::Failed };
    let hint = match &error {
        ResolveError::System(_) => "name a server with --server",
        ResolveError::Name { .. } => "write a name such as svc.example.com",
        ResolveError::Dns { .. } => "is the server there, does it answer for this name, and are its signatures right?",
        ResolveError::NoService { .. } => "its AAAA records are all there is: use them as they are",
        ResolveError::NoPrefix { .. } => "its operator publishes no prefix now: try another name, or later",
        ResolveError::Refused { .. } => "a record that is not understood is not followed: is this program too old?",
        ResolveError::NotAuthenticated { .. } => "sign the zone, or name its keys with --trust-anchor",
    };
    Failure::from(error).code(code).hint(hint)
}
