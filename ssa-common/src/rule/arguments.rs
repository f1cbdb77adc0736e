//! The bracket of a field in; its arguments, each checked, out.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{fmt, ops::Range, str::FromStr};

use super::{
    model::{Copied, Period},
    text::RuleError,
};
use crate::{layout::NAME, quote::Quoted};

/// A stretch of the rule's text that knows where it stands.
#[derive(Clone)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Piece<'a> {
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    pub(super) fn error(&self, message: impl Into<String>, help: impl Into<String>) -> RuleError {
        RuleError::new(self.span(), message, help)
    }

    pub(super) fn split(&self, by: char) -> impl Iterator<Item = Self> + use<'a> {
        let mut at = self.at;
        self.text.split(by).map(move |text| {
            let piece = Self { text, at };
            at += text.len() + by.len_utf8();
            piece
        })
    }

    pub(super) fn parts(&self, index: usize) -> (Self, Self) {
        let (before, after) = self.text.split_at(index);
        (Self { text: before, at: self.at }, Self { text: &after[1..], at: self.at + index + 1 })
    }
}

/// The arguments of one field: positional ones first, then `NAME=VALUE` and flags in any order.
pub(super) struct Arguments<'a> {
    field: Piece<'a>,
    left: Vec<Piece<'a>>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(field: Piece<'a>, mut left: Vec<Piece<'a>>) -> Self {
        left.reverse();
        Self { field, left }
    }

    fn positional(&mut self, what: &str, form: &str) -> Result<Piece<'a>, RuleError> {
        self.left
            .pop()
            .ok_or_else(|| self.field.error(format!("{} lacks {what}", self.field.text), format!("{what} is {form}")))
    }

    fn named(&mut self, name: &str) -> Option<Piece<'a>> {
        let index = self
            .left
            .iter()
            .rposition(|piece| piece.text.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))?;
        Some(self.left.remove(index).parts(name.len()).1)
    }

    fn flag(&mut self, name: &str) -> bool {
        let index = self.left.iter().rposition(|piece| piece.text == name);
        index.map(|index| self.left.remove(index)).is_some()
    }

    pub(super) fn number<N>(&mut self, what: &str, low: N, high: N) -> Result<N, RuleError>
    where
        N: Copy + FromStr + PartialOrd + fmt::Display,
    {
        let form = format!("a number from {low} to {high}");
        let piece = self.positional(what, &form)?;
        number(&piece, what, &low, &high, &form)
    }

    pub(super) fn hexadecimal(&mut self) -> Result<u128, RuleError> {
        let form = "a hexadecimal number such as 0xbeef, up to 128 bits";
        let piece = self.positional("V, the value", form)?;
        piece
            .text
            .strip_prefix("0x")
            .filter(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()))
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .ok_or_else(|| piece.error(format!("`{}` is not a value", Quoted(piece.text)), format!("write {form}")))
    }

    pub(super) fn copied(&mut self) -> Result<Copied, RuleError> {
        let offset = self.number("O, the first bit", 0, 127)?;
        Ok(Copied { offset, reverse: self.flag("rev"), invert: self.flag("inv") })
    }

    pub(super) fn key(&mut self) -> Result<String, RuleError> {
        let form = "name the key ring, as in mac(64,key=k1):64";
        let piece = self.named("key").ok_or_else(|| self.field.error("mac lacks key=NAME", form))?;
        let good = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        if matches!(piece.text.len(), 1..=NAME) && piece.text.bytes().all(good) {
            return Ok(piece.text.to_owned());
        }
        Err(piece.error(
            format!("`{}` is not a key's name", Quoted(piece.text)),
            "a name has 1 to 63 letters, digits, hyphens and underscores",
        ))
    }

    pub(super) fn zeros(&mut self) -> Result<u8, RuleError> {
        let form = "a number from 1 to 40";
        let piece = self.named("zeros").ok_or_else(|| {
            self.field.error("pow lacks zeros=Z", "say how many zero bits the proof has, as in zeros=18")
        })?;
        number(&piece, "Z, the zero bits", &1, &40, form)
    }

    pub(super) fn period(&mut self) -> Result<Option<Period>, RuleError> {
        let Some(piece) = self.named("period") else { return Ok(None) };
        let unit = match piece.text.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            _ => 0,
        };
        let digits = &piece.text[..piece.text.len() - usize::from(unit != 0)];
        let digits = if digits.bytes().all(|octet| octet.is_ascii_digit()) { digits } else { "" };
        match digits.parse::<u32>().ok().and_then(|count| count.checked_mul(unit)) {
            Some(seconds) if seconds > 0 => Ok(Some(Period(seconds))),
            _ => Err(piece.error(
                format!("`{}` is not a period", Quoted(piece.text)),
                "a period is at least one second and at most 2^32 - 1, written 30s, 5m or 1h",
            )),
        }
    }

    pub(super) fn end(mut self) -> Result<(), RuleError> {
        match self.left.pop() {
            None => Ok(()),
            Some(piece) => {
                let help = match self.field.text {
                    "any" | "keyid" => "it takes no arguments",
                    "const" => "it takes one value, as in const(0xbeef):16",
                    "src" | "object" => "after the first bit come rev and inv, each at most once",
                    "mac" => "it takes P, key=NAME and period=DUR, each once",
                    "pow" => "it takes P, zeros=Z and period=DUR, each once",
                    _ => "it takes one number",
                };
                Err(piece.error(format!("{} does not take `{}`", self.field.text, Quoted(piece.text)), help))
            }
        }
    }
}

fn number<N>(piece: &Piece<'_>, what: &str, low: &N, high: &N, form: &str) -> Result<N, RuleError>
where
    N: FromStr + PartialOrd,
{
    let digits = piece.text.bytes().all(|octet| octet.is_ascii_digit());
    match piece.text.parse::<N>() {
        Ok(value) if digits && *low <= value && value <= *high => Ok(value),
        _ => Err(piece.error(format!("`{}` cannot be {what}", Quoted(piece.text)), format!("it is {form}"))),
    }
}
