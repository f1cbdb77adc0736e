//! Files of a certificate and of its key in; what speaks TLS by them out.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context as _;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        version::TLS13,
    },
};

use super::super::pem;
use crate::{
    config::private,
    failure::{Code, Failure},
};

/// TLS 1.3 by this certificate. Links to the files are followed: who renews certificates makes them.
pub(super) fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, Failure> {
    let invalid = |error: anyhow::Error, hint: &str| Failure::from(error).code(Code::Invalid).hint(hint);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem::read(certificates)?).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.with_context(|| format!("{} has no certificates", certificates.display()));
    let chain = chain.map_err(|error| invalid(error, pem::FORM))?;

    // What a link leads to is looked at as if it had been named.
    let file = fs::canonicalize(key).unwrap_or_else(|_| key.to_owned());
    let octets = private::read(&file, pem::MOST, "name the certificate's private key").map_err(Failure::refused)?;
    // The parser's error could have a part of the key in it.
    let secret = PrivateKeyDer::from_pem_slice(&octets).ok();
    let secret = secret.with_context(|| format!("{} has no private key", key.display()));
    let secret = secret.map_err(|error| invalid(error, "name a PEM file, with a line BEGIN PRIVATE KEY in it"))?;

    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(&[&TLS13])?.with_no_client_auth().with_single_cert(chain, secret);
    let config = config.with_context(|| format!("{} is no key to {}", key.display(), certificates.display()));
    let mut config = config.map_err(|error| invalid(error, "name a certificate with its own key"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
