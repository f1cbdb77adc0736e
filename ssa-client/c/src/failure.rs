//! Errors of the library in; a status and a message for C out.

use std::{error::Error, iter};

use client::{SelectError, connect::ConnectError, record::RecordError};
use ssa_common::rule::AddressError;

use crate::border::{Out, catch};

/// The octets of a message, with the NUL at its end.
pub(crate) const ROOM: usize = 512;

/// How a call has ended. The header says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Status {
    Ok = 0,
    Invalid = 1,
    NotUnderstood = 2,
    NoKey = 3,
    NoSuchObject = 4,
    NoAddress = 5,
    Cancelled = 6,
    NoService = 7,
    NoAnswer = 8,
    NotSigned = 9,
    TimedOut = 10,
    NoRoute = 11,
    NotConnected = 12,
    Internal = 13,
}

/// Why there is no result.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) text: String,
}

/// A message, as it crosses.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Message {
    text: [u8; ROOM],
}

/// What a caller is left with where there is no result.
pub(crate) trait Nothing {
    /// The value.
    const NOTHING: Self;
}

impl<T> Nothing for Option<Box<T>> {
    const NOTHING: Self = None;
}

impl Nothing for [u8; 16] {
    const NOTHING: Self = [0; 16];
}

/// A file descriptor.
impl Nothing for i32 {
    const NOTHING: Self = -1;
}

impl Status {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 14] = [
        Self::Ok,
        Self::Invalid,
        Self::NotUnderstood,
        Self::NoKey,
        Self::NoSuchObject,
        Self::NoAddress,
        Self::Cancelled,
        Self::NoService,
        Self::NoAnswer,
        Self::NotSigned,
        Self::TimedOut,
        Self::NoRoute,
        Self::NotConnected,
        Self::Internal,
    ];

    /// In a few words.
    pub(crate) const fn text(self) -> &'static std::ffi::CStr {
        match self {
            Self::Ok => c"done",
            Self::Invalid => c"an argument is not what it should be",
            Self::NotUnderstood => c"the service's records are not understood",
            Self::NoKey => c"the rule needs a key",
            Self::NoSuchObject => c"the rule needs an object, or has no such replica",
            Self::NoAddress => c"the service has no address to use",
            Self::Cancelled => c"the search was given up",
            Self::NoService => c"the name has no rule record",
            Self::NoAnswer => c"DNS does not answer",
            Self::NotSigned => c"the service's records are not signed",
            Self::TimedOut => c"the time is over",
            Self::NoRoute => c"there is no way there",
            Self::NotConnected => c"nobody can be connected to",
            Self::Internal => c"a fault of the library",
        }
    }
}

impl Failure {
    /// One with the causes of an error.
    pub(crate) fn new(status: Status, error: &dyn Error) -> Self {
        let causes = iter::successors(Some(error), |error| (*error).source());
        let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { status, text }
    }

    /// An argument is not what it should be.
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self { status: Status::Invalid, text: text.into() }
    }

    /// An argument is missing.
    pub(crate) fn null(what: &str) -> Self {
        Self::invalid(format!("the {what} is NULL"))
    }

    fn internal() -> Self {
        Self { status: Status::Internal, text: "this is a fault of the library".into() }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::new(Status::NotUnderstood, &error)
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        Self::new(of_selection(&error), &error)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::new(of_connection(&error), &error)
    }
}

fn of_selection(error: &SelectError) -> Status {
    match error {
        SelectError::NoPrefix | SelectError::Excluded => Status::NoAddress,
        SelectError::Unfit { .. } => Status::NotUnderstood,
        SelectError::KeyTwice { .. } => Status::Invalid,
        SelectError::NoKey { .. } | SelectError::Address(AddressError::NoKey) => Status::NoKey,
        SelectError::Address(AddressError::NoObject | AddressError::NoReplica { .. }) => Status::NoSuchObject,
        SelectError::Address(AddressError::Cancelled) => Status::Cancelled,
    }
}

/// Of several candidates, the one that was waited for until the end says most.
fn of_connection(error: &ConnectError) -> Status {
    match error {
        ConnectError::Select(error) => of_selection(error),
        ConnectError::NoRoute { .. } => Status::NoRoute,
        ConnectError::TimedOut { .. } => Status::TimedOut,
        ConnectError::All(errors) => errors.last().map_or(Status::NotConnected, of_connection),
        // Connect, and what other users of the crate have switched on.
        _ => Status::NotConnected,
    }
}

/// Writes what `work` makes to its place, called `what`, and says how it went. A panic is a failure, too.
pub(crate) fn make<T: Nothing>(
    (place, what): (Out<'_, T>, &str),
    message: Out<'_, Message>,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Status {
    let made = if place.is_null() {
        Err(Failure::invalid(format!("there is no place to write the {what} to: the pointer is NULL")))
    } else {
        catch(work).unwrap_or_else(|| Err(Failure::internal()))
    };
    let (value, status, text) = match made {
        Ok(value) => (value, Status::Ok, String::new()),
        Err(failure) => (T::NOTHING, failure.status, failure.text),
    };
    place.write(value);
    message.write(Message::of(&text));
    status
}

impl Message {
    /// A text with NUL behind it, cut between two characters where it has no room.
    fn of(text: &str) -> Self {
        let mut message = Self { text: [0; ROOM] };
        // What C takes for the end is none.
        let text = text.split('\0').next().unwrap_or_default();
        let cut = &text[..text.floor_char_boundary(ROOM - 1)];
        message.text[..cut.len()].copy_from_slice(cut.as_bytes());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_with_nul_and_has_whole_characters() {
        let end = |text: &str| Message::of(text).text.iter().position(|octet| *octet == 0);
        assert_eq!(end(""), Some(0));
        assert_eq!(end(&"x".repeat(ROOM)), Some(ROOM - 1));
        // Two octets each, and an odd number of them has room.
        assert_eq!(end(&"ä".repeat(ROOM)), Some(ROOM - 2));
        assert_eq!(end("one\0two"), Some(3));
    }

    #[test]
    fn statuses_are_in_the_order_of_their_numbers() {
        for (number, status) in (0..).zip(Status::ALL) {
            assert_eq!(status as i32, number, "{status:?}");
        }
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = client::record::Record::parse_value("v=1 rule=src(0):65x").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.status, Status::NotUnderstood);
        assert!(failure.text.starts_with("the rule record has a rule that is not understood: "), "{}", failure.text);
    }
}
