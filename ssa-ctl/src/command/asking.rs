//! Arguments in; the issuer that is asked for addresses, where the key is not here, out.

use std::{path::PathBuf, sync::Arc};

use ssa_client::issue::{IssueError, Issuer, Roots};

use super::pem;
use crate::failure::{Code, Failure};

/// Who is asked for addresses of a rule with a `mac`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Asking {
    /// Ask this issuer for addresses where the rule has a `mac`, instead of having its key: `http://HOST:PORT` or
    /// `https://HOST:PORT`
    #[arg(long, value_name = "URL", conflicts_with = "keys")]
    issuer: Option<String>,
    /// The certificates that an issuer with TLS is known by, in PEM
    #[arg(long, value_name = "FILE", requires = "issuer")]
    issuer_ca: Option<PathBuf>,
    /// What the issuer calls the service; the first label of its name, if not given
    #[arg(long, value_name = "SERVICE", requires = "issuer")]
    issuer_service: Option<String>,
}

impl Asking {
    /// The issuer, for a service of this name. Nobody is called yet.
    pub(super) fn issuer(&self, service: &str) -> Result<Option<Arc<Issuer>>, Failure> {
        let Some(url) = &self.issuer else { return Ok(None) };
        let roots = self.issuer_ca.as_ref().map(|path| {
            Roots::from_pem(&pem::read(path)?).map_err(|error| {
                let error = anyhow::Error::new(error).context(format!("{} has no certificates", path.display()));
                Failure::from(error).code(Code::Invalid).hint(pem::FORM)
            })
        });
        let first = service.split('.').next().unwrap_or(service);
        let service = self.issuer_service.as_deref().unwrap_or(first);
        let issuer = Issuer::new(url, service, roots.transpose()?).map_err(|error| {
            let hint = match &error {
                IssueError::Roots(_) if self.issuer_ca.is_some() => "leave --issuer-ca away, or write https://",
                IssueError::Roots(_) => "add --issuer-ca FILE",
                _ => "write a URL such as https://issuer.example:8443",
            };
            Failure::from(error).code(Code::Invalid).hint(hint)
        })?;
        Ok(Some(Arc::new(issuer)))
    }
}
