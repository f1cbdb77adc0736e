//! `web=tcp/443@[::1]:8443` in; the rows that hand those calls to that socket out, and back.

use std::{net::SocketAddrV6, str::FromStr};

use ipnet::Ipv6Net;
use ssa_common::{bits::Words, layout::LOOKUP_ROWS, parse::protocol, rows::LookupRow};

use super::shown::Shown;
use crate::{
    config::{self, Allow, Bounds, Service, WordError},
    failure::{Code, Failure},
    kernel::sockets::Bound,
};

/// What is called of a service, and the socket that is to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// The service's name.
    pub service: String,
    /// The first and the last slice; none: all addresses.
    pub slices: Option<Bounds>,
    /// The port that is called.
    pub port: u16,
    /// Where the socket is bound; its protocol is the one that is called.
    pub to: Bound,
}

impl FromStr for Hand {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        const FORM: WordError = WordError(
            "write SERVICE=tcp/443@[::1]:8443, or SERVICE:0-15=… for some slices: what is called, and where a socket is bound",
        );
        let (whom, rest) = text.split_once('=').ok_or(FORM)?;
        let (call, to) = rest.split_once('@').ok_or(FORM)?;
        let (service, slices) = whom.split_once(':').map_or((whom, None), |(service, slices)| (service, Some(slices)));
        let slices = slices.map(|slices| slices.parse().map_err(|_| FORM)).transpose()?;
        let call: Allow = call.parse().map_err(|_| FORM)?;
        if ![protocol::TCP, protocol::UDP].contains(&call.protocol) {
            return Err(WordError("calls of tcp and of udp can be handed to a socket, and no others"));
        }
        let port = call.port.ok_or(WordError("say which port is called, as in tcp/443"))?;
        let address: SocketAddrV6 =
            to.parse().map_err(|_| WordError("a socket is bound to an address and a port, as in [::1]:8443"))?;
        if service.is_empty() || address.port() == 0 {
            return Err(FORM);
        }
        Ok(Self { service: service.into(), slices, port, to: Bound { protocol: call.protocol, address } })
    }
}

/// Rows in their order, and the sockets that they name by their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handing {
    /// The rows.
    pub rows: Vec<LookupRow>,
    /// Where the sockets are bound.
    pub sockets: Vec<Bound>,
}

impl Handing {
    /// What these say of services.
    ///
    /// # Errors
    /// Where there is no such service or slice, two say something of the same calls, or there are too many.
    pub fn of(services: &[Service], hands: &[Hand]) -> Result<Self, Failure> {
        let mut handing = Self::default();
        for hand in hands {
            let service = named(services, &hand.service)?;
            for prefix in &service.prefixes {
                let (first, last) = range(service, *prefix, hand.slices)?;
                handing.add(first, last, hand.port, hand.to);
            }
        }
        for (place, row) in handing.rows.iter().enumerate() {
            if let Some(other) = handing.rows[..place].iter().find(|other| overlap(row, other)) {
                let [one, other] = [other, row].map(|row| Shown::of(services, row).to_string());
                return Err(invalid(format!("{one} and {other} are about the same calls")));
            }
        }
        if handing.rows.len() > LOOKUP_ROWS as usize {
            return Err(invalid(format!(
                "these take {} rows, one for each prefix, and there are {LOOKUP_ROWS}",
                handing.rows.len()
            )));
        }
        Ok(handing)
    }

    /// What rows say that are in force, without those that are of no service any more.
    pub fn again(services: &[Service], rows: &[LookupRow]) -> Self {
        let mut handing = Self::default();
        for row in rows.iter().filter(|row| Shown::of(services, row).service.is_some()) {
            handing.add(row.first.to_u128(), row.last.to_u128(), row.port, bound(row));
        }
        handing
    }

    fn add(&mut self, first: u128, last: u128, port: u16, to: Bound) {
        let known = self.sockets.iter().position(|socket| *socket == to);
        let place = known.unwrap_or_else(|| {
            self.sockets.push(to);
            self.sockets.len() - 1
        });
        self.rows.push(LookupRow {
            first: Words::from_u128(first),
            last: Words::from_u128(last),
            to: Words::from_u128(to.address.ip().to_bits()),
            socket: u32::try_from(place).unwrap_or(u32::MAX),
            port,
            to_port: to.address.port(),
            protocol: to.protocol,
            ..LookupRow::default()
        });
    }
}

/// Where the socket of a row is bound.
pub fn bound(row: &LookupRow) -> Bound {
    let address = std::net::Ipv6Addr::from_bits(row.to.to_u128());
    Bound { protocol: row.protocol, address: SocketAddrV6::new(address, row.to_port, 0, 0) }
}

/// Whether two rows are about the same calls, and hand them to the same place.
pub fn same(one: &LookupRow, other: &LookupRow) -> bool {
    LookupRow { socket: 0, ..*one } == LookupRow { socket: 0, ..*other }
}

fn overlap(one: &LookupRow, other: &LookupRow) -> bool {
    let range = |row: &LookupRow| (row.first.to_u128(), row.last.to_u128());
    let ((first, last), (begin, end)) = (range(one), range(other));
    (one.protocol, one.port) == (other.protocol, other.port) && first <= end && begin <= last
}

/// The service of this name.
pub fn named<'a>(services: &'a [Service], name: &str) -> Result<&'a Service, Failure> {
    let names = || services.iter().map(|service| service.name.as_str());
    let found = services.iter().find(|service| service.name == name);
    found.ok_or_else(|| Failure::refused(config::unknown(name, names())))
}

fn invalid(message: String) -> Failure {
    Failure::new(Code::Invalid, message)
}

/// The first and the last address of slices of a prefix.
fn range(service: &Service, prefix: Ipv6Net, slices: Option<Bounds>) -> Result<(u128, u128), Failure> {
    let (network, host) = (prefix.network().to_bits(), u128::from(prefix.hostmask()));
    let Some(slices) = slices else { return Ok((network, network | host)) };
    slices.within(service).map_err(Failure::refused)?;
    let shift = slice_shift(service, prefix);
    let begin = |slice: u32| network | u128::from(slice) << shift;
    Ok((begin(slices.first), begin(slices.last) | ((1 << shift) - 1)))
}

/// The bits of an address behind the number of its slice.
pub(super) fn slice_shift(service: &Service, prefix: Ipv6Net) -> u32 {
    (128 - u32::from(prefix.prefix_len())).saturating_sub(service.slice_bits.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    fn services() -> Vec<Service> {
        let text = "version = 1\n[[service]]\nname = \"web\"\nprefixes = [\"2001:db8:a::/48\", \"2001:db8:b::/64\"]\n\
                    rule = \"any:*\"\nslice_bits = 8\n[[service]]\nname = \"dns\"\nprefixes = [\"2001:db8:c::/64\"]\n\
                    rule = \"any:*\"\n";
        parse(Source { path: "test.toml".into(), text: text.into() }).unwrap().config.services
    }

    fn hands(texts: &[&str]) -> Vec<Hand> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn said(handing: &Handing) -> Vec<String> {
        handing.rows.iter().map(|row| Shown::of(&services(), row).to_string()).collect()
    }

    #[test]
    fn a_hand_is_a_row_for_each_prefix() {
        let texts = ["web=tcp/443@[::1]:8443", "dns=tcp/443@[::1]:8444", "dns=udp/53@[::1]:53"];
        let handing = Handing::of(&services(), &hands(&texts)).unwrap();
        let shown = [
            "tcp/443 of 2001:db8:a::/48 to [::1]:8443",
            "tcp/443 of 2001:db8:b::/64 to [::1]:8443",
            "tcp/443 of 2001:db8:c::/64 to [::1]:8444",
            "udp/53 of 2001:db8:c::/64 to [::1]:53",
        ];
        assert_eq!(said(&handing), shown);
        assert_eq!(handing.rows.iter().map(|row| row.socket).collect::<Vec<_>>(), [0, 0, 1, 2]);
        assert_eq!(handing.sockets.len(), 3);
        assert_eq!(Handing::again(&services(), &handing.rows), handing);
    }

    #[test]
    fn slices_are_ranges_of_addresses() {
        let handing =
            Handing::of(&services(), &hands(&["web:1-2=tcp/443@[::1]:1", "web:255=tcp/443@[::1]:2"])).unwrap();
        let range = |row: &LookupRow| [row.first, row.last].map(|words| std::net::Ipv6Addr::from_bits(words.to_u128()));
        assert_eq!(
            range(&handing.rows[0]).map(|address| address.to_string()),
            ["2001:db8:a:100::", "2001:db8:a:2ff:ffff:ffff:ffff:ffff"]
        );
        assert_eq!(
            range(&handing.rows[3]).map(|address| address.to_string()),
            ["2001:db8:b:0:ff00::", "2001:db8:b:0:ffff:ffff:ffff:ffff"]
        );
        assert_eq!(said(&handing)[0], "tcp/443 of 2001:db8:a::/48, slices 1-2, to [::1]:1");
        assert_eq!(said(&handing)[3], "tcp/443 of 2001:db8:b::/64, slices 255-255, to [::1]:2");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "web",
            "web=tcp/443",
            "=tcp/443@[::1]:1",
            "web=tcp@[::1]:1",
            "web=icmpv6@[::1]:1",
            "web=sctp/1@[::1]:1",
            "web=tcp/0@[::1]:1",
            "web=tcp/443@[::1]",
            "web=tcp/443@[::1]:0",
            "web=tcp/443@127.0.0.1:1",
            "web:=tcp/443@[::1]:1",
            "web:2-1=tcp/443@[::1]:1",
            "web:+1=tcp/443@[::1]:1",
        ] {
            assert!(text.parse::<Hand>().is_err(), "{text}");
        }
        for texts in [
            &["nobody=tcp/443@[::1]:1"][..],
            &["web:256=tcp/443@[::1]:1"],
            &["dns:1=tcp/443@[::1]:1"],
            &["web=tcp/443@[::1]:1", "web:3=tcp/443@[::1]:2"],
        ] {
            assert_eq!(Handing::of(&services(), &hands(texts)).unwrap_err().code, Code::Invalid, "{texts:?}");
        }
        assert!(Handing::of(&services(), &hands(&["web:0-2=tcp/443@[::1]:1", "web:3=tcp/443@[::1]:2"])).is_ok());
        let many: Vec<_> = (1..=33).map(|port| format!("web=tcp/{port}@[::1]:1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(
            Handing::of(&services(), &hands(&many)).is_err() && Handing::of(&services(), &hands(&many[1..])).is_ok()
        );
    }
}
