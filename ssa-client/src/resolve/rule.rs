//! SVCB or TXT records in; the rule record among them out, or why all that are there are refused. Pure.

use hickory_resolver::proto::rr::{
    Name, RData,
    rdata::svcb::{SVCB, SvcParamKey, SvcParamValue},
};

use super::Refused;
use crate::record::{KEY, Record, RecordError};

/// A rule, and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub record: Record,
    pub port: Option<u16>,
}

/// Where SVCB records lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To another name, where the records of the service are.
    Alias(Name),
    /// To a rule.
    Found(Found),
    /// Nowhere: no record has a rule.
    Nothing,
}

/// The best record that is understood (RFC 9460 §3): one that is not, such as of a later version, may stand beside it.
pub(super) fn by_svcb(data: &[RData]) -> Result<Step, Refused> {
    let mut records: Vec<_> =
        data.iter().filter_map(|data| if let RData::SVCB(svcb) = data { Some(svcb) } else { None }).collect();
    records.sort_by_key(|svcb| svcb.svc_priority);
    // Among others, an alias is the only one to be followed (§2.4.2).
    if let Some(alias) = records.first().filter(|svcb| svcb.svc_priority == 0) {
        return Ok(if alias.target_name.is_root() {
            Step::Nothing
        } else {
            Step::Alias(alias.target_name.to_lowercase())
        });
    }
    let mut refused = None;
    for found in records.into_iter().filter_map(rule_of) {
        match found {
            Ok(found) => return Ok(Step::Found(found)),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    refused.map_or(Ok(Step::Nothing), Err)
}

/// The rule of the TXT records, if one of them has any.
pub(super) fn by_txt(data: &[RData]) -> Result<Option<Record>, Refused> {
    let (mut found, mut refused) = (None, None);
    for data in data {
        let RData::TXT(txt) = data else { continue };
        // Our text is ASCII, and whose octets are not is somebody else's.
        let octets: Vec<u8> = txt.txt_data.iter().flatten().copied().collect();
        let Ok(text) = String::from_utf8(octets) else { continue };
        match Record::parse_txt(&text) {
            Ok(record) if found.as_ref().is_some_and(|found| *found != record) => return Err(Refused::Ambiguous),
            Ok(record) => found = Some(record),
            Err(RecordError::NotOurs) => {}
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match (found, refused) {
        (None, Some(error)) => Err(error.into()),
        (found, _) => Ok(found),
    }
}

/// The rule of one record; none if it has none and is somebody else's.
fn rule_of(svcb: &SVCB) -> Option<Result<Found, Refused>> {
    let value = |key: SvcParamKey| svcb.svc_params.iter().find(|(other, _)| *other == key).map(|(_, value)| value);
    let Some(SvcParamValue::Unknown(octets)) = value(SvcParamKey::from(KEY)) else { return None };
    if let Some(SvcParamValue::Mandatory(mandatory)) = value(SvcParamKey::Mandatory) {
        let is_known = |key: SvcParamKey| matches!(key, SvcParamKey::Port) || u16::from(key) == KEY;
        if let Some(unknown) = mandatory.0.iter().find(|key| !is_known(**key) || value(**key).is_none()) {
            return Some(Err(Refused::Mandatory((*unknown).into())));
        }
    }
    let port = value(SvcParamKey::Port)
        .and_then(|value| if let SvcParamValue::Port(port) = value { Some(*port) } else { None })
        // Nobody can be called there.
        .filter(|port| *port != 0);
    let record = Record::parse_value(&String::from_utf8_lossy(&octets.0));
    Some(record.map(|record| Found { record, port }).map_err(Refused::from))
}
