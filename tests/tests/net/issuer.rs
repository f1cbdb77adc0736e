//! A site in; an issuer on its host, what it says to whom, and certificates for it, out.

use std::{
    fs,
    net::{Ipv6Addr, SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

use crate::{
    listener::{Answer, Listener, answer, request},
    site::{HOST, Site},
};

/// Starts an issuer where the clients of a site reach it.
pub fn issuer(site: &Site, more: &[&str]) -> Listener {
    Listener::of(site.host.ssa_ctl(&site.pins).args(["issue", "--listen", &format!("[{HOST}]:0")]).args(more))
}

/// What it says to a client that calls from this address.
pub fn ask(site: &Site, listener: &Listener, source: &str, query: &str) -> Answer {
    let source: Ipv6Addr = source.parse().unwrap();
    let stream = site.client.enter(|| from(source, listener.address)).unwrap();
    answer(stream, &request("GET", &format!("/v1/address?{query}"), ""))
}

/// The first address that it gives.
pub fn address(answer: &Answer) -> Ipv6Addr {
    assert_eq!(answer.status, 200, "{answer:?}");
    let object: Value = serde_json::from_str(&answer.body).unwrap();
    object["addresses"][0].as_str().unwrap().parse().unwrap()
}

/// A connection from an address of this namespace.
pub fn from(source: Ipv6Addr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v6().unwrap();
        socket.bind((source, 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

/// A root, and a certificate of the host that it has signed, as files.
pub struct Certificates {
    pub root: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// Makes them; what had the label before is replaced.
    pub fn new(site: &Site, label: &str) -> Self {
        let mut root = CertificateParams::new([]).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let pair = KeyPair::generate().unwrap();
        let host = CertificateParams::new([HOST.to_owned()]).unwrap().signed_by(&pair, &root).unwrap();
        let key = site.file(&format!("{label}.key.pem"), &pair.serialize_pem());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            root: site.file(&format!("{label}.root.pem"), &root.pem()),
            certificate: site.file(&format!("{label}.pem"), &host.pem()),
            key,
        }
    }

    /// The arguments for an issuer.
    pub fn arguments(&self) -> [&str; 4] {
        ["--tls-cert", self.certificate.to_str().unwrap(), "--tls-key", self.key.to_str().unwrap()]
    }
}
