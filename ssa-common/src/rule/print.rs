//! Rules as text: the canonical form, which parses to the same rule.

use core::fmt::{Display, Formatter, Result};

use super::model::{Copied, Field, Kind, Period, Rule, Width};

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            field.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}:{}", self.kind, self.width)
    }
}

impl Display for Width {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Bits(bits) => bits.fmt(f),
            Self::Rest => f.write_str("*"),
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.name())?;
        match self {
            Self::Any | Self::KeyId => Ok(()),
            Self::Const(value) => write!(f, "({value:#x})"),
            Self::Src(copied) | Self::Object(copied) => write!(f, "({copied})"),
            Self::Hash { source_bits } => write!(f, "({source_bits})"),
            Self::Mac { source_bits, key, period } => {
                write!(f, "({source_bits},key={key}")?;
                end(f, *period)
            }
            Self::Pow { source_bits, zeros, period } => {
                write!(f, "({source_bits},zeros={zeros}")?;
                end(f, *period)
            }
            Self::Replica { count } => write!(f, "({count})"),
        }
    }
}

fn end(f: &mut Formatter<'_>, period: Option<Period>) -> Result {
    match period {
        Some(period) => write!(f, ",period={period})"),
        None => f.write_str(")"),
    }
}

impl Display for Copied {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.offset.fmt(f)?;
        if self.reverse {
            f.write_str(",rev")?;
        }
        if self.invert {
            f.write_str(",inv")?;
        }
        Ok(())
    }
}

impl Display for Period {
    /// The largest unit that divides it.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            seconds if seconds.is_multiple_of(3600) => write!(f, "{}h", seconds / 3600),
            seconds if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}
