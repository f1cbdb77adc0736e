//! Config text in (TOML); a checked config, or every fault of it with its place and what would be right, out.
//!
//! Reading a config touches no other file: [`Checked::load_keys`] reads the key files.

mod bounds;
mod document;
pub mod edit;
mod endpoint;
mod fair;
mod fault;
mod host;
pub mod keys;
mod low_priority;
mod members;
mod model;
mod moment;
mod named;
mod prefixes;
pub mod private;
mod refusal;
mod render;
mod rings;
mod rules;
mod run;
mod schema;
mod service;
mod slices;
mod source;
mod syntax;
mod table;
mod text;
mod unsaid;
mod warned;
mod words;

use std::{ops::Range, path::Path, sync::Arc};

use toml::de::DeTable;

pub use self::{
    bounds::Bounds,
    fair::{DEFAULT_ABOVE, Fair, Share},
    fault::{Fault, Faults, InvalidConfig, Located, Severity},
    host::{DEFAULT_EVENTS, Host, Mode},
    low_priority::{Class, LowPriority, Queues},
    model::{
        Config, DEFAULT_HANDOVER, DEFAULT_SKEW, Endpoint, Established, KeyRef, OnMismatch, Previous, Service,
        StaleClock, Steer,
    },
    moment::moment,
    named::{known, unknown},
    refusal::Refusal,
    rules::{Forgery, forgery},
    run::Run,
    schema::schema,
    slices::Handover,
    source::{MAX_OCTETS, Position, Source, open_regular},
    text::to_toml,
    warned::new_warnings,
    words::{Allow, Enforce, Mac, Seconds, WordError},
};
use self::{keys::KeyRings, table::Sink};

/// A config that can be applied, its text, and what an operator should know of it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The config.
    pub config: Config,
    /// Its text.
    pub source: Arc<Source>,
    /// Warnings, in the order of the text.
    pub warnings: Vec<Fault>,
    spans: Spans,
}

/// Where in the text things stand that can turn out to be wrong later.
#[derive(Clone, Debug, Default)]
struct Spans {
    interfaces: Vec<Range<usize>>,
    low_cpu: Option<Range<usize>>,
    services: Vec<ServiceSpans>,
}

#[derive(Clone, Debug, Default)]
struct ServiceSpans {
    prefixes: Vec<Range<usize>>,
    key_files: Vec<Range<usize>>,
    /// Where it says what becomes of suspects, or where it begins.
    low_priority: Range<usize>,
}

/// Reads a config file.
///
/// # Errors
/// Every fault of the file: it is not readable, not TOML, or not a config.
pub fn read(path: &Path) -> Result<Checked, Faults> {
    parse(Source::read(path)?)
}

/// Reads a config's text. Relative key files are taken as relative to the folder of `source.path`.
///
/// # Errors
/// Every fault of the text.
pub fn parse(source: Source) -> Result<Checked, Faults> {
    let source = Arc::new(source);
    if let Some(fault) = source::control_character(&source.text) {
        return Err(Faults::new(source, vec![fault]));
    }
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut sink = Sink::default();
    let (config, spans) = document::read(&source, &table, &mut sink);
    let Sink { mut faults, missing } = sink;
    if errors.is_empty() {
        faults.extend(missing);
    } else {
        // What the parser made up to go on is not the operator's fault.
        let syntax = syntax::faults(&source.text, &errors);
        let lines: Vec<_> = syntax.iter().take(render::MOST).map(|fault| source.line(fault.start())).collect();
        let broken = |at: usize| lines.iter().any(|line| (line.start..=line.end).contains(&at));
        faults.retain(|fault| fault.severity == Severity::Error && !broken(fault.start()));
        faults.extend(syntax);
    }
    match config {
        Some(config) if faults.iter().all(|fault| fault.severity == Severity::Warning) => {
            faults.sort_by_key(Fault::start);
            Ok(Checked { config, source, warnings: faults, spans })
        }
        _ => Err(Faults::new(source, faults)),
    }
}

impl Checked {
    /// Reads the key files.
    ///
    /// # Errors
    /// A fault for each file that is not a key, at the place that names it.
    pub fn load_keys(&self) -> Result<KeyRings, Faults> {
        keys::load(&self.config).map_err(|problems| {
            let fault = |problem: keys::Problem| {
                let span = self.spans.services[problem.service].key_files[problem.key].clone();
                Fault::error(span, problem.message, problem.help)
            };
            Faults::new(self.source.clone(), problems.into_iter().map(fault).collect())
        })
    }

    /// A fault at an interface of the host, found after reading.
    pub fn interface_fault(&self, index: usize, message: impl Into<String>, help: impl Into<String>) -> Faults {
        self.fault(self.spans.interfaces[index].clone(), message, help)
    }

    /// A fault at the CPU that suspects wait for, found after reading.
    pub fn low_cpu_fault(&self, message: impl Into<String>, help: impl Into<String>) -> Faults {
        self.fault(self.spans.low_cpu.clone().unwrap_or(0..0), message, help)
    }

    /// A fault at what becomes of a service's suspects, found after reading.
    pub fn low_priority_fault(&self, service: usize, message: impl Into<String>, help: impl Into<String>) -> Faults {
        self.fault(self.spans.services[service].low_priority.clone(), message, help)
    }

    /// A fault at a prefix of a service, found after reading.
    pub fn prefix_fault(
        &self,
        service: usize,
        prefix: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Faults {
        self.fault(self.spans.services[service].prefixes[prefix].clone(), message, help)
    }

    /// The warnings for people: text, caret, help.
    pub fn render_warnings(&self, styled: bool) -> String {
        render::report(&self.source, &self.warnings, styled)
    }

    /// The warnings as JSON has them.
    pub fn located_warnings(&self) -> Vec<Located<'_>> {
        fault::located(&self.source, &self.warnings)
    }

    fn fault(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Faults {
        Faults::new(self.source.clone(), vec![Fault::error(span, message, help)])
    }
}
