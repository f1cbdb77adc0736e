//! A failure in; what is printed of it, for people or as JSON, and its exit code out.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::{
    config::InvalidConfig,
    context::Context,
    failure::{Failure, Outcome},
};

/// Prints how a command ended, once, and gives its exit code.
pub fn finish(context: &mut Context<'_>, outcome: Outcome) -> ExitCode {
    let failure = match outcome.and_then(|exit| context.out.flush().map(|()| exit).map_err(Failure::from)) {
        Ok(exit) => return exit.into(),
        Err(failure) => failure,
    };
    // Whoever reads our output has enough of it (`| head`).
    if is_broken_pipe(&failure) {
        return ExitCode::SUCCESS;
    }
    let printed = match if context.json { context.object(&object(&failure)) } else { text(context, &failure) } {
        // Where it cannot be said as it should, it is said as it can.
        Err(error) if context.json && error.kind() != ErrorKind::BrokenPipe => text(context, &failure),
        printed => printed,
    };
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::from(failure.code as u8),
    }
}

/// Standard output, whose errors say so.
pub struct Output<W>(pub W);

/// What happened to it.
#[derive(Debug)]
struct Unwritten(io::Error);

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot write standard output")
    }
}

impl Error for Unwritten {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn unwritten(error: io::Error) -> io::Error {
    // Who is interrupted tries again.
    if error.kind() == ErrorKind::Interrupted { error } else { io::Error::new(error.kind(), Unwritten(error)) }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets).map_err(unwritten)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritten)
    }
}

/// Whether text for people has colours: on a terminal, unless they are not wanted.
pub fn is_styled(context: &Context<'_>) -> bool {
    context.terminal && has_colours()
}

/// Whether colours are wanted (<https://no-color.org>).
pub fn has_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The failure as JSON has it.
pub fn object(failure: &Failure) -> Value {
    let mut error = json!({
        "code": failure.code.name(),
        "message": message(failure),
        "hint": failure.hint,
    });
    if let Some(InvalidConfig(faults)) = failure.error.downcast_ref() {
        error["faults"] = json!(faults.located());
    }
    json!({ "error": error })
}

/// The chain of what happened, in one line.
fn message(failure: &Failure) -> String {
    failure.error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn text(context: &mut Context<'_>, failure: &Failure) -> io::Result<()> {
    let styled = is_styled(context);
    let faults = failure.error.downcast_ref();
    if let Some(InvalidConfig(faults)) = faults {
        write!(context.err, "{}", faults.render(styled))?;
    }
    let paint = |code: &str, text: &str| {
        if styled { format!("\x1b[1;{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    writeln!(context.err, "{}: {}", paint("91", "error"), failure.error)?;
    for cause in failure.error.chain().skip(1) {
        writeln!(context.err, "  caused by: {cause}")?;
    }
    match &failure.hint {
        // Each fault has said what would be right.
        Some(hint) if faults.is_none() => writeln!(context.err, "{}: {hint}", paint("96", "hint")),
        _ => Ok(()),
    }
}

fn is_broken_pipe(failure: &Failure) -> bool {
    let io = failure.error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io.into_iter().any(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::failure::Code;

    #[test]
    fn an_error_is_one_object_with_its_chain() {
        let error = Err::<(), _>(io::Error::other("no such thing")).context("cannot open it").unwrap_err();
        let failure = Failure::from(error).code(Code::NotPermitted).hint("ask");
        let expected = json!({
            "error": { "code": "not-permitted", "message": "cannot open it: no such thing", "hint": "ask" }
        });
        assert_eq!(object(&failure), expected);
    }

    #[test]
    fn a_reader_who_left_is_no_failure() {
        assert!(is_broken_pipe(&io::Error::from(ErrorKind::BrokenPipe).into()));
        assert!(is_broken_pipe(&unwritten(io::Error::from(ErrorKind::BrokenPipe)).into()));
        assert!(!is_broken_pipe(&io::Error::from(ErrorKind::NotFound).into()));
    }
}
