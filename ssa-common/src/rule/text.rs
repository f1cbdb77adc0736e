//! Rule text in; a rule, or every fault of it with its place and what would be right, out.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::{fmt, ops::Range, str::FromStr};

use super::{
    model::{Copied, Field, Kind, Period, Rule, Width},
    place,
};
use crate::layout::{FIELDS, HASHED, NAME};

/// One fault of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Where, in octets of the rule's text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl RuleError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into() }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl core::error::Error for RuleError {}

/// A stretch of the rule's text that knows where it stands.
#[derive(Clone)]
struct Piece<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Piece<'a> {
    fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    fn error(&self, message: impl Into<String>, help: impl Into<String>) -> RuleError {
        RuleError::new(self.span(), message, help)
    }

    fn split(&self, by: char) -> impl Iterator<Item = Self> + use<'a> {
        let mut at = self.at;
        self.text.split(by).map(move |text| {
            let piece = Self { text, at };
            at += text.len() + by.len_utf8();
            piece
        })
    }

    fn parts(&self, index: usize) -> (Self, Self) {
        let (before, after) = self.text.split_at(index);
        (Self { text: before, at: self.at }, Self { text: &after[1..], at: self.at + index + 1 })
    }
}

const KINDS: &str = "the kinds are any, const, src, object, hash, mac, pow, replica, keyid";

impl Rule {
    /// Parses a rule's text.
    ///
    /// # Errors
    /// Every fault that can be told without a prefix, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let whole = Piece { text, at: 0 };
        if text.is_empty() {
            return Err(vec![whole.error("the rule is empty", "write at least one field, such as any:*")]);
        }
        let mut errors = Vec::new();
        let mut fields = Vec::new();
        for piece in whole.split(' ') {
            match field(&piece) {
                Ok(field) => fields.push(field),
                Err(error) => errors.push(error),
            }
        }
        let rule = Self { fields };
        errors.extend(together(&rule));
        errors.extend(rule.fields.iter().filter_map(|field| match field.width {
            Width::Bits(width) => place::fits(field, width).err(),
            Width::Rest => None,
        }));
        errors.sort_by_key(|error| error.span.start);
        if errors.is_empty() { Ok(rule) } else { Err(errors) }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    /// Parses a rule's text, with the first of its faults.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(text).map_err(|mut errors| errors.swap_remove(0))
    }
}

/// The faults of fields that are right each by itself.
fn together(rule: &Rule) -> Vec<RuleError> {
    let mut errors = Vec::new();
    let mut at_most = |limit: usize, what: &str, help: &str, counts: &dyn Fn(&Field) -> bool| {
        if let Some(field) = rule.fields.iter().filter(|field| counts(field)).nth(limit) {
            errors.push(RuleError::new(field.span.clone(), format!("more than {what}"), help));
        }
    };
    at_most(FIELDS, "8 fields", "a rule has 1 to 8 fields; merge neighbours of one kind", &|_| true);
    at_most(HASHED, "2 hashed fields", "a rule has at most 2 of hash, mac and pow", &|f| f.kind.letter().is_some());
    at_most(1, "one mac", "a rule has at most one mac field", &|f| matches!(f.kind, Kind::Mac { .. }));
    at_most(1, "one keyid", "a rule has at most one keyid field", &|f| f.kind == Kind::KeyId);
    at_most(1, "one field of width *", "give all fields but one a number of bits", &|f| f.width == Width::Rest);
    if rule.mac().is_none()
        && let Some(field) = rule.fields.iter().find(|field| field.kind == Kind::KeyId)
    {
        let help = "add a mac field whose key it numbers, or use any";
        errors.push(RuleError::new(field.span.clone(), "keyid without a mac", help));
    }
    errors
}

fn field(piece: &Piece<'_>) -> Result<Field, RuleError> {
    let form = "a field is KIND:WIDTH or KIND(ARGUMENTS):WIDTH, and one space stands between two fields";
    if piece.text.is_empty() {
        let at = piece.at.saturating_sub(1);
        return Err(RuleError::new(at..at + 1, "a space too many", form));
    }
    let Some(colon) = piece.text.rfind(':') else {
        return Err(piece.error(format!("field `{}` has no width", piece.text), form));
    };
    let (head, width) = piece.parts(colon);
    let (name, arguments) = match head.text.find('(') {
        None => (head, None),
        Some(open) if head.text.ends_with(')') => {
            let (name, mut rest) = head.parts(open);
            rest.text = &rest.text[..rest.text.len() - 1];
            (name, Some(rest))
        }
        Some(_) => return Err(head.error(format!("`{}` has no closing bracket", head.text), form)),
    };
    let arguments = arguments.map(|inside| inside.split(',').collect::<Vec<_>>()).unwrap_or_default();
    Ok(Field { kind: kind(&name, Arguments::new(name.clone(), arguments))?, width: parse_width(&width)?, span: piece.span() })
}

fn parse_width(piece: &Piece<'_>) -> Result<Width, RuleError> {
    if piece.text == "*" {
        return Ok(Width::Rest);
    }
    let short = matches!(piece.text.len(), 1..=3) && piece.text.bytes().all(|octet| octet.is_ascii_digit());
    match piece.text.parse() {
        Ok(bits @ 1..=112) if short => Ok(Width::Bits(bits)),
        _ => Err(piece.error(
            format!("`{}` is not a width", piece.text),
            "a width is 1 to 112 bits, or * for what the other fields leave",
        )),
    }
}

fn kind(name: &Piece<'_>, mut arguments: Arguments<'_>) -> Result<Kind, RuleError> {
    let kind = match name.text {
        "any" => Kind::Any,
        "const" => Kind::Const(arguments.hexadecimal()?),
        "src" => Kind::Src(arguments.copied()?),
        "object" => Kind::Object(arguments.copied()?),
        "hash" => Kind::Hash { source_bits: arguments.number("P, the source bits", 1, 128)? },
        "mac" => Kind::Mac {
            source_bits: arguments.number("P, the source bits", 1, 128)?,
            key: arguments.key()?,
            period: arguments.period()?,
        },
        "pow" => Kind::Pow {
            source_bits: arguments.number("P, the source bits", 1, 64)?,
            zeros: arguments.zeros()?,
            period: arguments.period()?,
        },
        "replica" => Kind::Replica { count: arguments.number("K, the replicas", 1, u32::MAX)? },
        "keyid" => Kind::KeyId,
        other => return Err(name.error(format!("`{other}` is not a kind of field"), KINDS)),
    };
    arguments.end()?;
    Ok(kind)
}

/// The arguments of one field: positional ones first, then `NAME=VALUE` and flags in any order.
struct Arguments<'a> {
    field: Piece<'a>,
    left: Vec<Piece<'a>>,
}

impl<'a> Arguments<'a> {
    fn new(field: Piece<'a>, mut left: Vec<Piece<'a>>) -> Self {
        left.reverse();
        Self { field, left }
    }

    fn positional(&mut self, what: &str, form: &str) -> Result<Piece<'a>, RuleError> {
        self.left.pop().ok_or_else(|| {
            self.field.error(format!("{} lacks {what}", self.field.text), format!("{what} is {form}"))
        })
    }

    fn named(&mut self, name: &str) -> Option<Piece<'a>> {
        let index = self.left.iter().rposition(|piece| {
            piece.text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
        })?;
        Some(self.left.remove(index).parts(name.len()).1)
    }

    fn flag(&mut self, name: &str) -> bool {
        let index = self.left.iter().rposition(|piece| piece.text == name);
        index.map(|index| self.left.remove(index)).is_some()
    }

    fn number<N>(&mut self, what: &str, low: N, high: N) -> Result<N, RuleError>
    where
        N: FromStr + PartialOrd + fmt::Display,
    {
        let form = format!("a number from {low} to {high}");
        let piece = self.positional(what, &form)?;
        number(&piece, what, &low, &high, &form)
    }

    fn hexadecimal(&mut self) -> Result<u128, RuleError> {
        let form = "a hexadecimal number such as 0xbeef, up to 128 bits";
        let piece = self.positional("V, the value", form)?;
        piece
            .text
            .strip_prefix("0x")
            .filter(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()))
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .ok_or_else(|| piece.error(format!("`{}` is not a value", piece.text), format!("write {form}")))
    }

    fn copied(&mut self) -> Result<Copied, RuleError> {
        let offset = self.number("O, the first bit", 0, 127)?;
        Ok(Copied { offset, reverse: self.flag("rev"), invert: self.flag("inv") })
    }

    fn key(&mut self) -> Result<String, RuleError> {
        let form = "name the key ring, as in mac(64,key=k1):64";
        let piece = self.named("key").ok_or_else(|| self.field.error("mac lacks key=NAME", form))?;
        let good = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        if matches!(piece.text.len(), 1..=NAME) && piece.text.bytes().all(good) {
            return Ok(piece.text.to_owned());
        }
        Err(piece.error(
            format!("`{}` is not a key's name", piece.text),
            "a name has 1 to 63 letters, digits, hyphens and underscores",
        ))
    }

    fn zeros(&mut self) -> Result<u8, RuleError> {
        let form = "a number from 1 to 40";
        let piece = self.named("zeros").ok_or_else(|| {
            self.field.error("pow lacks zeros=Z", "say how many zero bits the proof has, as in zeros=18")
        })?;
        number(&piece, "Z, the zero bits", &1, &40, form)
    }

    fn period(&mut self) -> Result<Option<Period>, RuleError> {
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
                format!("`{}` is not a period", piece.text),
                "a period is at least one second and at most 2^32 - 1, written 30s, 5m or 1h",
            )),
        }
    }

    fn end(mut self) -> Result<(), RuleError> {
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
                Err(piece.error(format!("{} does not take `{}`", self.field.text, piece.text), help))
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
        _ => Err(piece.error(format!("`{}` cannot be {what}", piece.text), ["it is ", form].concat().to_string())),
    }
}
