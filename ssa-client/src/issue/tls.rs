//! Certificates in; TLS to an issuer that has one of them, or one that they have signed, out.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, IpAddr, ServerName, pem::PemObject as _},
        version::TLS13,
    },
};

use super::{IssueError, url::Host};

/// Who is believed to say who an issuer is.
#[derive(Clone)]
pub struct Roots(TlsConnector);

impl Roots {
    /// The certificates of a PEM text, and no others: not those of the system.
    ///
    /// # Errors
    /// Where there are none, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, IssueError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| IssueError::Roots("its certificates are no PEM text"))?;
            store.add(certificate).map_err(|_| IssueError::Roots("one of its certificates cannot be read"))?;
        }
        if store.is_empty() {
            return Err(IssueError::Roots("there is no certificate in the PEM text"));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_protocol_versions(&[&TLS13]);
        let config = config.map_err(|_| IssueError::Roots("this build has no TLS 1.3"))?;
        let mut config = config.with_root_certificates(store).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// TLS with the host of this name.
    pub(super) async fn connect(&self, host: &Host, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = match host {
            Host::Address(address) => ServerName::IpAddress(IpAddr::from(std::net::IpAddr::from(*address))),
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
        };
        self.0.connect(name, stream).await
    }
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roots").finish_non_exhaustive()
    }
}
