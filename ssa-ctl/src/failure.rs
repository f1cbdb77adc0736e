//! What went wrong in, an exit code and a printed error out. Exit codes are DESIGN §6's.

use std::process::ExitCode;

use crate::config::Refusal;

/// How a command ends that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// A difference: pending changes, drift, or kernel and host law disagree.
    Differs,
    /// What was looked at is broken, and the report has said so.
    Broken,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Differs => Self::from(3),
            Exit::Broken => Self::FAILURE,
        }
    }
}

/// The exit codes of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Anything else.
    Failed = 1,
    /// Usage, or an invalid config.
    Invalid = 2,
    /// Kernel and host law disagree.
    Differs = 3,
    /// Nothing of ours is loaded.
    NotLoaded = 4,
    /// A capability or a permission is missing.
    NotPermitted = 5,
    /// The hook is held by another program.
    Held = 6,
}

impl Code {
    /// The name in `{"error":{"code":…}}`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Differs => "differs",
            Self::NotLoaded => "not-loaded",
            Self::NotPermitted => "not-permitted",
            Self::Held => "held",
        }
    }
}

/// A failure: its code, the chain of what happened, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What happened, to what object.
    pub error: anyhow::Error,
    /// What would be right.
    pub hint: Option<String>,
}

/// How a command ends.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure with a message that names its object.
    pub fn new(code: Code, message: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static) -> Self {
        Self { code, error: anyhow::Error::msg(message), hint: None }
    }

    /// What was asked for cannot be.
    pub fn refused(Refusal { message, help }: Refusal) -> Self {
        Self::new(Code::Invalid, message).hint(help)
    }

    /// Whether somebody who changes things at this moment may be the reason: then it is worth another try.
    pub fn is_passing(&self) -> bool {
        self.code == Code::Failed
    }

    /// The same with another exit code.
    #[must_use]
    pub fn code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: Code::Failed, error: error.into(), hint: None }
    }
}
