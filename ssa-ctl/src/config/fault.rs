//! What is wrong with a config, where, and what would be right; made into a printed report or JSON.

use std::{fmt, ops::Range, sync::Arc};

use serde::Serialize;

use super::{render, source::Source};
use crate::failure::{Code, Failure};

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The config is not taken.
    Error,
    /// It is, and may not do what was meant.
    Warning,
}

/// One thing to say about a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// Where, in octets of the text. None: the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl Fault {
    /// An error at a place.
    pub fn error(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Error, span: Some(span), message: message.into(), help: help.into() }
    }

    /// A warning at a place.
    pub fn warning(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message, help) }
    }

    /// An error about the file as a whole.
    pub fn nowhere(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span: None, ..Self::error(0..0, message, help) }
    }

    pub(super) fn start(&self) -> usize {
        self.span.as_ref().map_or(0, |span| span.start)
    }
}

/// A config that is not taken: its text, and every fault in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    source: Arc<Source>,
    items: Vec<Fault>,
}

/// A fault with its place in numbers: its form in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Located<'a> {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    message: &'a str,
    help: &'a str,
    severity: Severity,
}

impl Faults {
    /// Faults of this text.
    pub fn new(source: Arc<Source>, mut items: Vec<Fault>) -> Self {
        items.sort_by_key(Fault::start);
        Self { source, items }
    }

    pub(super) fn one(source: Source, fault: Fault) -> Self {
        Self::new(Arc::new(source), vec![fault])
    }

    /// The faults, in the order of the text.
    pub fn items(&self) -> &[Fault] {
        &self.items
    }

    /// The faults as JSON has them.
    pub fn located(&self) -> Vec<Located<'_>> {
        located(&self.source, &self.items)
    }

    /// The faults for people: text, caret, help.
    pub fn render(&self, styled: bool) -> String {
        render::report(&self.source, &self.items, styled)
    }

    fn errors(&self) -> usize {
        self.items.iter().filter(|fault| fault.severity == Severity::Error).count()
    }
}

/// Faults of this text as JSON has them.
pub(super) fn located<'a>(source: &Source, faults: &'a [Fault]) -> Vec<Located<'a>> {
    let file = source.path.display().to_string();
    let locate = |fault: &'a Fault| {
        let position = fault.span.as_ref().map(|span| source.position(span.start));
        Located {
            file: file.clone(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            message: &fault.message,
            help: &fault.help,
            severity: fault.severity,
        }
    };
    faults.iter().take(render::MOST).map(locate).collect()
}

/// The error that a [`Failure`] about a config holds; `main` finds the faults in it.
#[derive(Debug)]
pub struct InvalidConfig(pub Faults);

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.source.path.display();
        match self.0.errors() {
            1 => write!(f, "{path} is not a valid config: 1 fault"),
            errors => write!(f, "{path} is not a valid config: {errors} faults"),
        }
    }
}

impl std::error::Error for InvalidConfig {}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        let hint = faults.items.iter().find(|fault| fault.severity == Severity::Error).map(|fault| fault.help.clone());
        Self { code: Code::Invalid, error: InvalidConfig(faults).into(), hint }
    }
}
