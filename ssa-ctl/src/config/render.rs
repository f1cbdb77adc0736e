//! Faults and their text in; what a person reads out: message, place, the line with a caret, what would be right.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{
    fault::{Fault, Severity},
    source::Source,
};

/// Faults that are shown, at most: a file that is no config has thousands.
pub(super) const MOST: usize = 100;
/// Longest line that is shown, in octets.
const LONGEST_LINE: usize = 2000;

/// The report of `faults`, a paragraph each.
pub(super) fn report(source: &Source, faults: &[Fault], styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for fault in faults.iter().take(MOST) {
        text.push_str(&renderer.render(&[group(source, fault)]));
        text.push_str("\n\n");
    }
    match faults.len().saturating_sub(MOST) {
        0 => text,
        more => text + &format!("and {more} more\n\n"),
    }
}

fn group<'a>(source: &'a Source, fault: &'a Fault) -> Group<'a> {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&fault.message);
    let path = source.path.to_string_lossy();
    let help = Level::HELP.message(&fault.help);
    let Some(span) = &fault.span else { return title.element(Origin::path(path)).element(help) };
    let position = source.position(span.start);
    let line = source.line(span.start);
    if line.len() > LONGEST_LINE {
        let origin = Origin::path(path).line(position.line).char_column(position.column);
        return title.element(origin).element(help);
    }
    let start = span.start.clamp(line.start, line.end) - line.start;
    let end = span.end.clamp(line.start + start, line.end) - line.start;
    let snippet = Snippet::source(&source.text[line])
        .path(path)
        .line_start(position.line)
        .annotation(AnnotationKind::Primary.span(start..end));
    title.element(snippet).element(help)
}
