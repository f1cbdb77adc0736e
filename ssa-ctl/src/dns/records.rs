//! Records of ours: what they hold in; zone text, generic text (RFC 3597) and data for a server out.

use std::{fmt, net::Ipv6Addr};

use hickory_proto::{
    ProtoError,
    rr::{
        Name, RData, RecordType,
        rdata::{
            AAAA, NULL, SVCB, TXT,
            svcb::{Mandatory, SvcParamKey, SvcParamValue, Unknown},
        },
    },
    serialize::binary::{BinEncodable, BinEncoder},
};
use ssa_client::{
    apl::{self, Item, List},
    record::KEY,
};

/// Octets of a string in a TXT record.
const STRING: usize = 255;
/// The priority of the SVCB record: any but 0, which would make it an alias.
const PRIORITY: u16 = 1;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub name: Name,
    /// Seconds for which it may be kept.
    pub ttl: u32,
    /// What it holds.
    pub data: Data,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address for clients that know nothing of rules.
    Aaaa(Ipv6Addr),
    /// Prefixes (RFC 3123).
    Apl(Vec<Item>),
    /// The rule, in ASCII (RFC 9460).
    Svcb {
        /// The service's own name.
        target: Name,
        /// Its port.
        port: Option<u16>,
        /// The rule record.
        value: String,
    },
    /// The rule, in ASCII, for hosts of DNS without SVCB.
    Txt(String),
}

impl Data {
    /// The name of its type.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Aaaa(_) => "AAAA",
            Self::Apl(_) => "APL",
            Self::Svcb { .. } => "SVCB",
            Self::Txt(_) => "TXT",
        }
    }

    /// The number of its type, where servers may not know its name.
    const fn number(&self) -> Option<u16> {
        match self {
            Self::Apl(_) => Some(apl::TYPE),
            Self::Svcb { .. } => Some(64),
            Self::Aaaa(_) | Self::Txt(_) => None,
        }
    }

    /// The data as our server has it.
    pub fn rdata(&self) -> RData {
        match self {
            Self::Aaaa(address) => RData::AAAA(AAAA(*address)),
            Self::Apl(items) => {
                let octets = apl::encode(items);
                // The library has a form of its own for no octets.
                let rdata = if octets.is_empty() { NULL::new() } else { NULL::with(octets) };
                RData::Unknown { code: RecordType::from(apl::TYPE), rdata }
            }
            Self::Svcb { target, port, value } => {
                let key = SvcParamKey::Key(KEY);
                // In the order of the keys' numbers.
                let mandatory = (SvcParamKey::Mandatory, SvcParamValue::Mandatory(Mandatory(vec![key])));
                let port = port.map(|port| (SvcParamKey::Port, SvcParamValue::Port(port)));
                let rule = (key, SvcParamValue::Unknown(Unknown(value.clone().into_bytes())));
                let parameters = [Some(mandatory), port, Some(rule)].into_iter().flatten().collect();
                RData::SVCB(SVCB::new(PRIORITY, target.clone(), parameters))
            }
            Self::Txt(text) => RData::TXT(TXT::from_bytes(strings(text).collect())),
        }
    }

    /// The data as octets.
    ///
    /// # Errors
    /// Where it has more than 65,535 of them.
    pub fn octets(&self) -> Result<Vec<u8>, ProtoError> {
        let mut octets = Vec::new();
        self.rdata().emit(&mut BinEncoder::new(&mut octets))?;
        Ok(octets)
    }
}

/// The strings of a TXT record. The text is ASCII, so that it may be cut anywhere.
fn strings(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().chunks(STRING)
}

impl fmt::Display for Data {
    /// As zone files have it. Between quotes no character of a rule record would have to be escaped, but PowerDNS (4.7)
    /// takes parentheses in a parameter for those that join lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aaaa(address) => address.fmt(f),
            Self::Apl(items) => List(items.clone()).fmt(f),
            Self::Svcb { target, port, value } => {
                write!(f, "{PRIORITY} {target} mandatory=key{KEY}")?;
                port.map_or(Ok(()), |port| write!(f, " port={port}"))?;
                write!(f, " key{KEY}=\"{}\"", value.replace('(', r"\(").replace(')', r"\)"))
            }
            Self::Txt(text) => {
                for (index, string) in strings(text).enumerate() {
                    let blank = if index == 0 { "" } else { " " };
                    write!(f, "{blank}\"{}\"", String::from_utf8_lossy(string))?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Entry {
    /// A line of a zone file, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, ttl, data } = self;
        write!(f, "{name} {ttl} IN {} {data}", data.kind())
    }
}

impl Entry {
    /// A line of a zone file for servers that know neither APL nor SVCB (RFC 3597 §5), without its end.
    ///
    /// # Errors
    /// As of [`Data::octets`].
    pub fn generic(&self) -> Result<String, ProtoError> {
        let Some(number) = self.data.number() else { return Ok(self.to_string()) };
        let octets = self.data.octets()?;
        let digits = octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
        Ok(format!("{} {} IN TYPE{number} \\# {} {digits}", self.name, self.ttl, octets.len()).trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::serialize::binary::{BinDecoder, Restrict};

    use super::{super::zone, *};

    fn entry(data: Data) -> Entry {
        Entry { name: zone("a.example").unwrap(), ttl: 60, data }
    }

    #[test]
    fn generic_text_has_the_octets() {
        let apl = entry(Data::Apl("2:2001:db8::/32".parse::<List>().unwrap().0));
        assert_eq!(apl.generic().unwrap(), "a.example. 60 IN TYPE42 \\# 8 0002200420010db8");
        let svcb = Data::Svcb { target: zone("a.example").unwrap(), port: Some(443), value: "v=1 rule=any:*".into() };
        let octets = [
            "0001",
            "01610765",
            "78616d706c6500",
            "00000002ff78",
            "0003000201bb",
            "ff78000e",
            "763d312072756c653d616e793a2a",
        ];
        let octets = octets.concat();
        let expected = format!("a.example. 60 IN TYPE64 \\# {} {octets}", octets.len() / 2);
        assert_eq!(entry(svcb).generic().unwrap(), expected);
        let aaaa = entry(Data::Aaaa(Ipv6Addr::LOCALHOST));
        assert_eq!(aaaa.generic().unwrap(), aaaa.to_string());
    }

    #[test]
    fn an_empty_list_has_no_octets() {
        assert_eq!(entry(Data::Apl(Vec::new())).generic().unwrap(), "a.example. 60 IN TYPE42 \\# 0");
    }

    #[test]
    fn long_texts_are_cut_into_strings() {
        let text = "x".repeat(600);
        let txt = Data::Txt(text.clone());
        assert_eq!(txt.to_string(), format!("\"{0}\" \"{0}\" \"{1}\"", "x".repeat(255), "x".repeat(90)));
        let octets = txt.octets().unwrap();
        assert_eq!((octets.len(), octets[0], octets[256], octets[512]), (603, 255, 255, 90));
    }

    #[test]
    fn data_for_our_server_says_the_same() {
        let items: List = "2:2001:db8::/32 !2:2001:db8:1::/48".parse().unwrap();
        let target = zone("a.example").unwrap();
        for data in [
            Data::Aaaa(Ipv6Addr::LOCALHOST),
            Data::Apl(items.0),
            Data::Svcb { target, port: None, value: "v=1 rule=any:*".into() },
            Data::Txt("v=ssa1 rule=any:*".into()),
        ] {
            let (rdata, octets) = (data.rdata(), data.octets().unwrap());
            let length = Restrict::new(u16::try_from(octets.len()).unwrap());
            let read = RData::read(&mut BinDecoder::new(&octets), rdata.record_type(), length).unwrap();
            assert_eq!(read, rdata);
        }
    }
}
