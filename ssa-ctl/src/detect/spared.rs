//! Prefixes that are never blocked, each with why, in; whether another touches one of them, out.

use ipnet::Ipv6Net;

use crate::{config::Refusal, sources};

/// Prefixes that are never blocked.
#[derive(Clone, Debug, Default)]
pub struct Spared(Vec<(Ipv6Net, String)>);

impl Spared {
    /// Adds one, and why.
    pub fn add(&mut self, prefix: Ipv6Net, why: impl Into<String>) {
        self.0.push((prefix.trunc(), why.into()));
    }

    /// Adds what a user says: a prefix, or an address.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn say(&mut self, text: &str) -> Result<(), Refusal> {
        let prefix = sources::parse(text)?;
        self.add(prefix, format!("--never {prefix}"));
        Ok(())
    }

    /// Adds what a file says: a prefix or an address a line, and behind `#` or `;` what nobody reads.
    ///
    /// # Errors
    /// The first line that is wrong, or more prefixes than can be blocked.
    pub fn say_all(&mut self, text: &str) -> Result<(), Refusal> {
        for (number, said, _) in sources::lines(text) {
            if self.0.len() == sources::MOST {
                return Err(sources::too_many());
            }
            self.say(said).map_err(|refusal| Refusal {
                message: format!("line {number}: {}", refusal.message),
                help: refusal.help,
            })?;
        }
        Ok(())
    }

    /// Why a prefix is not blocked: it covers one of these, or one covers it.
    pub fn why(&self, prefix: Ipv6Net) -> Option<&str> {
        let touches = |(other, _): &&(Ipv6Net, String)| other.contains(&prefix) || prefix.contains(other);
        self.0.iter().find(touches).map(|(_, why)| why.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_spared_by_what_it_covers_and_by_what_covers_it() {
        let mut spared = Spared::default();
        spared.say_all("# ours\n2001:db8:1::/48 ; the office\n\n2001:db8:2::7\n").unwrap();
        let why = |text: &str| spared.why(text.parse().unwrap());
        assert_eq!(why("2001:db8:1:2::/64"), Some("--never 2001:db8:1::/48"));
        assert_eq!(why("2001:db8:1::/48"), Some("--never 2001:db8:1::/48"));
        assert_eq!(why("2001:db8:2::/48"), Some("--never 2001:db8:2::7/128"));
        assert_eq!((why("2001:db8:3::/48"), why("2001:db8:2:1::/64")), (None, None));
    }

    #[test]
    fn what_is_no_prefix_is_told_with_its_line() {
        for (text, message, help) in [
            ("2001:db8::/32\nweb", "line 2: `web` is not a prefix", "2001:db8:77::/48"),
            ("192.0.2.0/24", "line 1: `192.0.2.0/24` is IPv4", "IPv6"),
            ("\n\n2001:db8::1/64", "line 3: `2001:db8::1/64` has bits set", "write 2001:db8::/64"),
        ] {
            let refusal = Spared::default().say_all(text).unwrap_err();
            assert!(refusal.message.starts_with(message) && refusal.help.contains(help), "{refusal}");
        }
    }
}
