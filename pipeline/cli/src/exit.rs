//! Exit codes, and how a fault that ends a command is told.

use std::process::ExitCode;

use glassplate_pipeline::fault::{Fault, FaultKind};

/// What a command's help says about its exit codes.
pub(crate) const CODES: &str = "\
Exit codes:
  0    all done
  1    something is missing, refused, busy or broken; the message says what
  2    wrong usage
  3    finished, with rejected or failed assets listed
  130  interrupted; the same command resumes";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done,
    /// It did its work and found something wrong.
    Failed,
    /// Finished, with rejected or failed assets listed.
    Listed,
    /// Interrupted by the user; resumable.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Listed => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// The code of a command that a fault ended; a user's own mistake is wrong usage.
pub(crate) fn code_of(fault: &Fault) -> ExitCode {
    ExitCode::from(match fault.kind() {
        FaultKind::BadInput => 2,
        kind if kind.rejects() => 3,
        kind => kind.faces().exit,
    })
}
