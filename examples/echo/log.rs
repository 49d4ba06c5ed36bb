//! A line on standard error for whatever happens to a connection.

use std::{
    fmt,
    io::{self, Write},
};

use websocket_proto::{Cause, Closure};

/// Where the lines go: standard error, or nowhere.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    quiet: bool,
}

impl Log {
    pub(crate) const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Writes a line. That nobody reads standard error is no reason to stop serving.
    pub(crate) fn line(self, line: fmt::Arguments<'_>) {
        if !self.quiet {
            let _unread = writeln!(io::stderr(), "{line}");
        }
    }
}

/// How a connection ended, as it is logged.
pub(crate) struct Ending(pub(crate) Closure);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.cause {
            None if self.0.clean => write!(f, "closed with {}", self.0.code()),
            None => f.write_str("dropped"),
            // What the answer was is the request's line, and what was violated has a line of its own.
            Some(Cause::Refused) => f.write_str("answered"),
            Some(Cause::Violation(error)) => write!(f, "closed for {}", error.rule.name()),
            Some(cause) => write!(f, "lost: {cause}"),
        }
    }
}
