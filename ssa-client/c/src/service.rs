//! Texts in; a service made by hand, and the parts of any, out.

use std::ffi::{CString, c_char};
use std::ptr;

use client::{Service as Inner, record::Record};
use ipnet::Ipv6Net;

use crate::{
    border::{Out, Text, exports},
    failure::{Failure, Message, Nothing, Status, make},
};

/// The version of all that is exported: that of the library's file.
pub(crate) const ABI: u32 = version(env!("SSA_CLIENT_ABI"));

/// The word that a rule record of TXT begins with.
const TXT: &str = "v=ssa1";

/// A service with what C reads of it.
pub(crate) struct Service {
    pub(crate) inner: Inner,
    name: CString,
    rule: CString,
}

/// A prefix, as it crosses.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Prefix {
    address: [u8; 16],
    length: u8,
}

/// A number that the build script has written.
const fn version(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(version) => version,
        Err(_) => panic!("the build script writes a number"),
    }
}

impl Nothing for Prefix {
    const NOTHING: Self = Self { address: [0; 16], length: 0 };
}

impl From<Ipv6Net> for Prefix {
    fn from(net: Ipv6Net) -> Self {
        Self { address: net.network().octets(), length: net.prefix_len() }
    }
}

impl Service {
    /// The same for C.
    pub(crate) fn new(inner: Inner) -> Self {
        // Neither a name from C nor a rule has a NUL.
        let text = |text: String| CString::new(text).unwrap_or_default();
        Self { name: text(inner.name.clone()), rule: text(inner.record.rule.to_string()), inner }
    }

    fn by_hand(name: &str, prefixes: &str, record: &str) -> Result<Self, Failure> {
        let parse = if record.starts_with(TXT) { Record::parse_txt } else { Record::parse_value };
        let mut service = Inner::new(name, &[], parse(record)?);
        for word in prefixes.split_whitespace() {
            let (list, text) = match word.strip_prefix('!') {
                Some(text) => (&mut service.excluded, text),
                None => (&mut service.prefixes, word),
            };
            list.push(prefix(text)?);
        }
        if service.prefixes.is_empty() {
            return Err(Failure::invalid("there is no prefix: give one such as 2001:db8:ac10:fe01::/64"));
        }
        Ok(Self::new(service))
    }
}

fn prefix(text: &str) -> Result<Ipv6Net, Failure> {
    let help = "an IPv6 prefix is written such as 2001:db8:ac10:fe01::/64";
    let net: Ipv6Net = text.parse().map_err(|_| Failure::invalid(format!("`{text}` is no prefix: {help}")))?;
    if net.trunc() == net {
        Ok(net)
    } else {
        Err(Failure::invalid(format!("`{text}` has bits behind its length: {} is meant?", net.trunc())))
    }
}

fn nth(list: impl FnOnce(&Inner) -> &[Ipv6Net], service: Option<&Service>, index: usize) -> Result<Prefix, Failure> {
    let list = list(&service.ok_or_else(|| Failure::null("service"))?.inner);
    let prefix = list.get(index).ok_or_else(|| {
        Failure::invalid(format!(
            "there are {} of these prefixes, counted from 0, and not a number {index}",
            list.len()
        ))
    });
    prefix.copied().map(Prefix::from)
}

exports! {
    fn ssa_service_new(
        name: Text<'_>,
        prefixes: Text<'_>,
        record: Text<'_>,
        service: Out<'_, Option<Box<Service>>>,
        message: Out<'_, Message>,
    ) -> Status {
        make((service, "service"), message, || {
            let (name, prefixes, record) = (name.get("name")?, prefixes.get("prefixes")?, record.get("record")?);
            Service::by_hand(name, prefixes, record).map(|service| Some(Box::new(service)))
        })
    }

    fn ssa_service_free(service: Option<Box<Service>>) -> () {
        drop(service);
    }

    fn ssa_service_name(service: Option<&Service>) -> *const c_char {
        service.map_or(ptr::null(), |service| service.name.as_ptr())
    }

    fn ssa_service_rule(service: Option<&Service>) -> *const c_char {
        service.map_or(ptr::null(), |service| service.rule.as_ptr())
    }

    fn ssa_service_prefix_count(service: Option<&Service>) -> usize {
        service.map_or(0, |service| service.inner.prefixes.len())
    }

    fn ssa_service_prefix(
        service: Option<&Service>,
        index: usize,
        prefix: Out<'_, Prefix>,
        message: Out<'_, Message>,
    ) -> Status {
        make((prefix, "prefix"), message, || nth(|service| &service.prefixes, service, index))
    }

    fn ssa_service_excluded_count(service: Option<&Service>) -> usize {
        service.map_or(0, |service| service.inner.excluded.len())
    }

    fn ssa_service_excluded(
        service: Option<&Service>,
        index: usize,
        prefix: Out<'_, Prefix>,
        message: Out<'_, Message>,
    ) -> Status {
        make((prefix, "prefix"), message, || nth(|service| &service.excluded, service, index))
    }

    fn ssa_service_port(service: Option<&Service>) -> u16 {
        service.and_then(|service| service.inner.port).unwrap_or(0)
    }

    fn ssa_service_ttl(service: Option<&Service>) -> u64 {
        service.map_or(0, |service| service.inner.ttl.as_secs())
    }

    fn ssa_service_authenticated(service: Option<&Service>) -> i32 {
        service.is_some_and(|service| service.inner.authenticated).into()
    }

    fn ssa_status_text(status: i32) -> *const c_char {
        let named = usize::try_from(status).ok().and_then(|number| Status::ALL.get(number));
        named.map_or(ptr::null(), |status| status.text().as_ptr())
    }

    fn ssa_client_abi_version() -> u32 {
        ABI
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORD: &str = "v=1 rule=hash(48):14 any:*";

    fn failure(prefixes: &str, record: &str) -> (Status, String) {
        let failure = Service::by_hand("web", prefixes, record).err().expect("this is no service");
        (failure.status, failure.text)
    }

    #[test]
    fn what_is_no_service_is_said() {
        let (status, text) = failure("2001:db8::1/64", RECORD);
        assert_eq!(
            (status, text.as_str()),
            (Status::Invalid, "`2001:db8::1/64` has bits behind its length: 2001:db8::/64 is meant?")
        );
        for prefixes in
            ["", "2001:db8::", "2001:db8::/129", "10.0.0.0/8", "!2001:db8::/64", "2001:db8::/64,2001:db8:1::/64"]
        {
            assert_eq!(failure(prefixes, RECORD).0, Status::Invalid, "{prefixes}");
        }
        for record in ["", "rule=any:*", "v=2 rule=any:*", "v=ssa2 rule=any:*", "v=1 rule=any:*;", "v=1 rule=all:*"] {
            assert_eq!(failure("2001:db8::/64", record).0, Status::NotUnderstood, "{record}");
        }
    }

    #[test]
    fn a_record_of_txt_is_the_same() {
        let of = |record: &str| Service::by_hand("web", "2001:db8::/64 !2001:db8:0:0:8000::/65", record).unwrap().inner;
        assert_eq!(of(RECORD), of("v=ssa1 rule=hash(48):14 any:*"));
        assert_eq!(of(RECORD).excluded, ["2001:db8:0:0:8000::/65".parse().unwrap()]);
    }

    proptest! {
        /// Texts at random, and those near to what is right.
        #[test]
        fn any_text_is_a_service_or_is_refused(
            prefixes in "([!]?[0-9a-f:]{0,12}(/[0-9]{0,3})? ?){0,4}|\\PC{0,40}|(!?2001:db8::/(3[2-9]|[4-9][0-9]) ?){0,4}",
            record in "v=(1|ssa1|2)( [a-zA-Z]{1,4}=[0-9a-f]{0,3})?( rule=[a-z0-9():*,= ]{0,30})?|\\PC{0,40}|v=1 rule=any:\\*",
        ) {
            match Service::by_hand("web", &prefixes, &record) {
                Ok(service) => {
                    prop_assert!(!service.inner.prefixes.is_empty());
                    let words = service.inner.prefixes.len() + service.inner.excluded.len();
                    prop_assert_eq!(words, prefixes.split_whitespace().count());
                }
                Err(failure) => prop_assert!(!failure.text.is_empty() && failure.status != Status::Ok),
            }
        }
    }
}
