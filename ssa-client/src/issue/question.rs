//! What is asked of an issuer, and what it answers, as clients and issuers both write and read it.

use std::{fmt, net::Ipv6Addr};

use form_urlencoded::{Serializer, parse};
use serde::{Deserialize, Serialize};
use ssa_common::rule::object_id;

/// Where an issuer is asked.
pub const PATH: &str = "/v1/address";
/// Addresses of one answer, at most.
pub const MOST: u32 = 64;
/// Characters of a service's name, at most.
const LONGEST_NAME: usize = 253;

/// What a client asks for: addresses for whom it calls from, and for nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The service's name, as its operator's config has it.
    pub service: String,
    /// The id of the object, if the rule has an `object` field.
    pub object: Option<u128>,
    /// The replica, counted from 0.
    pub replica: u32,
    /// How many addresses, spread over the prefixes in order: 1 to [`MOST`].
    pub count: u32,
}

/// What an issuer answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The service's name, as it was asked for.
    pub service: String,
    /// Whom the addresses are for: who has called.
    pub source: Ipv6Addr,
    /// They take turns over the service's prefixes.
    pub addresses: Vec<Ipv6Addr>,
    /// The Unix second at which they are refused, if there is one.
    pub valid_until: Option<u64>,
    /// Seconds after which to ask again: the epoch may be another then, or the key. 1 or more.
    pub ttl: u32,
}

/// Why a question is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionError {
    /// No service is named.
    NoService,
    /// There is no such parameter.
    Unknown(String),
    /// A parameter is there twice.
    Twice(&'static str),
    /// A parameter cannot be that.
    Wrong {
        /// Its name.
        parameter: &'static str,
        /// What would be right.
        why: String,
    },
}

impl Question {
    /// Reads a URL's query. No parameter says for whom: that is who calls.
    ///
    /// # Errors
    /// Where a parameter is unknown, missing, there twice, or out of its range.
    pub fn parse(query: &str) -> Result<Self, QuestionError> {
        let (mut service, mut object, mut replica, mut count) = (None, None, None, None);
        for (name, value) in parse(query.as_bytes()) {
            match &*name {
                "service" => once("service", &mut service, name_of(&value)?)?,
                "object" => once("object", &mut object, object_of(&value)?)?,
                "replica" => once("replica", &mut replica, number("replica", &value, 0, u32::MAX)?)?,
                "n" => once("n", &mut count, number("n", &value, 1, MOST)?)?,
                _ => return Err(QuestionError::Unknown(name.chars().take(LONGEST_NAME).collect())),
            }
        }
        let service = service.ok_or(QuestionError::NoService)?;
        Ok(Self { service, object, replica: replica.unwrap_or(0), count: count.unwrap_or(1) })
    }

    /// The same as a URL's query.
    pub fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("service", &self.service);
        if let Some(object) = self.object {
            query.append_pair("object", &format!("0x{object:032x}"));
        }
        query.append_pair("replica", &self.replica.to_string()).append_pair("n", &self.count.to_string());
        query.finish()
    }
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), QuestionError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(QuestionError::Twice(name)),
    }
}

fn name_of(text: &str) -> Result<String, QuestionError> {
    let wrong = || QuestionError::Wrong {
        parameter: "service",
        why: format!("write the name of a service, of at most {LONGEST_NAME} characters"),
    };
    if text.is_empty() || text.chars().count() > LONGEST_NAME { Err(wrong()) } else { Ok(text.to_owned()) }
}

fn object_of(text: &str) -> Result<u128, QuestionError> {
    object_id(text).map_err(|why| QuestionError::Wrong { parameter: "object", why })
}

fn number(parameter: &'static str, text: &str, least: u32, most: u32) -> Result<u32, QuestionError> {
    let number = text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let wrong = || QuestionError::Wrong { parameter, why: format!("write a number from {least} to {most}") };
    number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong)
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService => f.write_str("no service is named"),
            Self::Unknown(name) => write!(f, "there is no parameter {name:?}"),
            Self::Twice(name) => write!(f, "the parameter {name} is there twice"),
            Self::Wrong { parameter, why } => write!(f, "the parameter {parameter} is wrong: {why}"),
        }
    }
}

impl std::error::Error for QuestionError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(query: &str) -> String {
        Question::parse(query).unwrap_err().to_string()
    }

    #[test]
    fn a_question_has_a_service_and_what_is_said_besides() {
        let plain = Question { service: "web".into(), object: None, replica: 0, count: 1 };
        assert_eq!(Question::parse("service=web"), Ok(plain.clone()));
        let object = Some(object_id("photos/my cat+1.jpeg").unwrap());
        let more = Question { object, replica: 2, count: 5, ..plain };
        assert_eq!(Question::parse("n=5&replica=2&object=photos%2Fmy+cat%2B1.jpeg&service=%77eb"), Ok(more));
    }

    #[test]
    fn what_is_no_question_is_said() {
        assert_eq!(wrong(""), "no service is named");
        // Nobody gets an address for somebody else.
        assert_eq!(wrong("service=web&source=2001:db8::1"), "there is no parameter \"source\"");
        assert_eq!(wrong("service=web&from=2001:db8::1"), "there is no parameter \"from\"");
        assert_eq!(wrong("service=web&service=www"), "the parameter service is there twice");
        assert_eq!(wrong("service=web&%0a=1"), "there is no parameter \"\\n\"");
        for n in ["0", "65", "-1", "+1", "", "4294967296"] {
            assert_eq!(
                wrong(&format!("service=web&n={}", n.replace('+', "%2B"))),
                "the parameter n is wrong: write a number from 1 to 64"
            );
        }
        assert_eq!(
            wrong("service=web&replica=4294967296"),
            "the parameter replica is wrong: write a number from 0 to 4294967295"
        );
        assert!(wrong("service=web&object=0x12").starts_with("the parameter object is wrong: "));
        assert!(wrong(&format!("service={}", "x".repeat(254))).contains("253"));
    }

    proptest! {
        #[test]
        fn issuers_read_what_clients_write(
            service in "\\PC{1,40}",
            object: Option<u128>,
            replica: u32,
            count in 1..=MOST,
        ) {
            let question = Question { service, object, replica, count };
            prop_assert_eq!(Question::parse(&question.query()), Ok(question));
        }
    }
}
