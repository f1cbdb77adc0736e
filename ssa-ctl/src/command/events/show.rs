//! An event in; a line for people or an object of JSON out.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::{config::Allow, observe::events::Event};

/// One line: when, service, reason, treatment, interface, from where to where, by what, how long.
pub(super) fn line(event: &Event) -> String {
    let service = event.service.as_deref().unwrap_or("-");
    let (reason, treatment) = (event.reason.name(), event.treatment.name());
    let would_drop = if event.would_drop { " (would drop)" } else { "" };
    let mut line = format!("{} {service} {reason} {treatment}{would_drop} {}", utc(event.time), event.interface);
    match event.ends() {
        None => line += " -",
        Some(ends) => {
            let _ = write!(line, " {} → {}", ends.source, ends.destination);
            if let Some(protocol) = ends.protocol {
                let _ = write!(line, " {}", Allow { protocol, port: None });
            }
            if let Some((source, destination)) = ends.ports {
                let _ = write!(line, " {source} → {destination}");
            }
        }
    }
    let _ = write!(line, " {} octets", event.octets);
    line
}

/// The event as JSON has it.
pub(super) fn object(event: &Event) -> Value {
    let ends = event.ends();
    let ports = ends.and_then(|ends| ends.ports);
    let head = event.head.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    });
    json!({
        "time": event.time.as_secs_f64(),
        "service": event.service,
        "reason": event.reason.name(),
        "treatment": event.treatment.name(),
        "would_drop": event.would_drop,
        "interface": event.interface,
        "queue": event.queue,
        "source": ends.map(|ends| ends.source),
        "destination": ends.map(|ends| ends.destination),
        "protocol": ends.and_then(|ends| ends.protocol),
        "source_port": ports.map(|(source, _)| source),
        "destination_port": ports.map(|(_, destination)| destination),
        "octets": event.octets,
        "captured": event.head.len(),
        "head": head,
        "generation": event.generation,
    })
}

/// So many events, in words.
pub(super) fn events(count: u64) -> String {
    format!("{count} event{}", if count == 1 { "" } else { "s" })
}

/// What nobody has read, in words.
pub(super) fn overwritten(count: u64) -> String {
    let was = if count == 1 { "was overwritten before it was" } else { "were overwritten before they were" };
    format!("{} {was} read", events(count))
}

/// Date and time of day (RFC 3339), with milliseconds.
fn utc(since_1970: Duration) -> String {
    let (days, second) = (since_1970.as_secs() / 86_400, since_1970.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let milli = since_1970.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{milli:03}Z", second % 60)
}

/// The date so many days after the first of 1970: years begin in March, so that the leap day is their last.
const fn date(days: u64) -> (u64, u64, u64) {
    // From the first of March in the year 0, in cycles of 400 years.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months have 153 days, from March on.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use ssa_common::verdict::{Reason, Treatment};

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // As GNU date says.
        let said =
            [0, 951_782_399, 951_782_400, 951_868_800, 1_700_000_000, 4_107_542_400].map(Duration::from_secs).map(utc);
        let expected = [
            "1970-01-01T00:00:00.000Z",
            "2000-02-28T23:59:59.000Z",
            "2000-02-29T00:00:00.000Z",
            "2000-03-01T00:00:00.000Z",
            "2023-11-14T22:13:20.000Z",
            "2100-03-01T00:00:00.000Z",
        ];
        assert_eq!(said, expected);
        assert_eq!(utc(Duration::from_millis(86_399_999)), "1970-01-01T23:59:59.999Z");
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let event = Event {
            time: Duration::from_millis(1500),
            service: None,
            reason: Reason::Malformed,
            treatment: Treatment::Drop,
            would_drop: false,
            interface: "eth0".into(),
            queue: 0,
            cpu: 0,
            generation: 1,
            octets: 15,
            head: vec![0xab; 15],
        };
        assert_eq!(line(&event), "1970-01-01T00:00:01.500Z - malformed drop eth0 - 15 octets");
        let object = object(&event);
        assert!(object["service"].is_null() && object["source"].is_null() && object["source_port"].is_null());
        assert_eq!((&object["captured"], &object["time"]), (&json!(15), &json!(1.5)));
        assert_eq!(object["head"], "ab".repeat(15));
        assert_eq!(
            [overwritten(1), overwritten(12)],
            ["1 event was overwritten before it was read", "12 events were overwritten before they were read",]
        );
    }
}
