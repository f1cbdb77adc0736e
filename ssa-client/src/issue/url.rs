//! The text of an issuer's URL in; whom to call, and how, out.

use std::net::{IpAddr, Ipv6Addr};

use hyper::Uri;

use super::{IssueError, question::PATH};

/// Where an issuer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Over TLS.
    pub secure: bool,
    pub host: Host,
    pub port: u16,
    /// The host as it stands in the URL, and with a port if there is one.
    pub authority: String,
    /// What stands in front of [`PATH`].
    folder: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(String),
    Address(Ipv6Addr),
}

impl Url {
    /// Reads `http://HOST[:PORT]` or `https://HOST[:PORT]`, with a folder behind it or none.
    pub(super) fn parse(text: &str) -> Result<Self, IssueError> {
        let wrong = |why| IssueError::Url { url: text.to_owned(), why };
        let uri: Uri = text.parse().map_err(|_| wrong("write one such as https://issuer.example:8443"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it begins with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("an issuer has no users: leave out what stands before the @"));
        }
        if uri.query().is_some() {
            return Err(wrong("what is asked for is added to it: leave out what stands behind the ?"));
        }
        let host = authority.host();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let host = match address.parse() {
            Ok(IpAddr::V6(address)) => Host::Address(address),
            Ok(IpAddr::V4(_)) => {
                return Err(wrong("an issuer is called over IPv6, from the source that the address is for"));
            }
            Err(_) if host.is_empty() || host.starts_with('[') => return Err(wrong("it has no host")),
            Err(_) => Host::Name(host.to_owned()),
        };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => Some(if secure { 443 } else { 80 }),
            Some(port) => port.strip_prefix(':').and_then(|port| port.parse().ok()),
            None => None,
        };
        let port = port.filter(|port| *port > 0).ok_or_else(|| wrong("a port is a number from 1 to 65535"))?;
        let folder = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { secure, host, port, authority: authority.to_string(), folder })
    }

    /// The path and the query of a request.
    pub(super) fn target(&self, query: &str) -> String {
        format!("{}{PATH}?{query}", self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_whom_to_call() {
        let url = |text: &str| Url::parse(text).unwrap();
        let here = url("http://[::1]:8080");
        assert_eq!((here.secure, &here.host, here.port), (false, &Host::Address(Ipv6Addr::LOCALHOST), 8080));
        assert_eq!((here.authority.as_str(), here.target("n=1").as_str()), ("[::1]:8080", "/v1/address?n=1"));
        let there = url("https://issuer.example/ssa/");
        assert_eq!((there.secure, &there.host, there.port), (true, &Host::Name("issuer.example".into()), 443));
        assert_eq!(there.target("n=1"), "/ssa/v1/address?n=1");
        assert_eq!(url("http://issuer.example/").port, 80);
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (text, why) in [
            ("", "such as https://"),
            ("issuer.example", "http:// or https://"),
            ("ftp://issuer.example", "http:// or https://"),
            ("http://user:word@issuer.example", "no users"),
            ("http://issuer.example/?service=web", "behind the ?"),
            ("http://192.0.2.1:80", "over IPv6"),
            ("http://issuer.example:0x50", "a port is"),
            ("http://issuer.example:", "a port is"),
            ("http://[::1", ""),
            ("http://:80", ""),
        ] {
            let error = Url::parse(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(why), "{text}: {error}");
        }
    }
}
