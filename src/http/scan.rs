//! A head's bytes, checked as they come (W100, W105), and kept in the caller's memory.
//!
//! Lines that are there as a whole and have nothing unusual are taken as a whole. All others are gone through byte by
//! byte: these are what one machine judges, so that a fault is the same wherever the stream is cut.
//!
//! ```text
//!  request:  method SP target SP HTTP/1.x CR LF  ┐
//!  response: HTTP/1.x SP status [SP reason] CR LF ┴▶ (name ":" value CR LF)* CR LF
//! ```

use super::{
    class::Class,
    fields::{Field, Fields},
    head::Head,
    list::{trim_end, trim_start},
    words::{behind_name, behind_value, token_run, value_run},
};
use crate::{
    bytes::{Input, copy_at},
    config::HeadLimits,
    error::ProtocolError,
    rule::Rule,
};

/// Which head is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Request,
    Response,
}

/// Where in a head the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Before a request line; `true`: one empty line may come (RFC 9112 §2.2, W160).
    Start(bool),
    StartLf,
    Method,
    Target,
    /// Inside `HTTP/1.x`.
    Version(u8),
    VersionEnd,
    /// Inside the three digits.
    Status(u8),
    StatusEnd,
    Reason,
    LineLf,
    /// At the start of a line behind the first; `true`: behind a field.
    Line(bool),
    Name,
    Value,
    ValueLf,
    /// In the white space of a folded line, all of which is one space.
    Fold,
    EndLf,
    Done,
}

/// The state of reading one head.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    sort: Sort,
    step: Step,
    /// Bytes taken since the stream began.
    offset: u64,
    /// Bytes taken since this head began.
    head: u32,
    /// Bytes of the present line.
    line: u32,
    /// Field lines so far.
    lines: u16,
    /// Bytes kept.
    kept: usize,
    fields: Fields,
}

const VERSION: &[u8; 7] = b"HTTP/1.";

impl Scanner {
    pub(crate) const fn new(sort: Sort) -> Self {
        Self {
            sort,
            step: Self::first_step(sort),
            offset: 0,
            head: 0,
            line: 0,
            lines: 0,
            kept: 0,
            fields: Fields::new(),
        }
    }

    /// Begins the next head of the same stream: what came was an interim response.
    pub(crate) const fn restart(&mut self) {
        *self = Self { offset: self.offset, ..Self::new(self.sort) };
    }

    const fn first_step(sort: Sort) -> Step {
        match sort {
            Sort::Request => Step::Start(true),
            Sort::Response => Step::Version(0),
        }
    }

    /// Bytes kept in the memory: the head, if it is complete, normalised (no empty first line, no folds).
    pub(crate) const fn kept(&self) -> usize {
        self.kept
    }

    /// The head that is kept in `memory`, if it is complete.
    pub(crate) fn head<'h>(&'h self, memory: &'h [u8]) -> Head<'h> {
        Head::new(memory.get(..self.kept).unwrap_or_default(), &self.fields)
    }

    /// Whether the head is complete.
    pub(crate) fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// A fault that the complete head shows: its last byte proves it.
    pub(crate) const fn fault(&self, rule: Rule) -> ProtocolError {
        ProtocolError { rule, offset: self.offset.saturating_sub(1) }
    }

    /// Takes bytes of the head off `input` into `memory`, which must be the same each time. True: it is complete,
    /// and what is left of `input` lies behind it.
    pub(crate) fn scan(
        &mut self,
        input: &mut Input<'_>,
        memory: &mut [u8],
        limits: &HeadLimits,
    ) -> Result<bool, ProtocolError> {
        while self.step != Step::Done {
            if cfg!(feature = "fast") && self.begins_line() {
                let taken = self.lines(input.as_slice(), memory, limits);
                input.take(taken);
                if self.step == Step::Done {
                    break;
                }
            }
            if input.is_empty() {
                return Ok(false);
            }
            let taken = self.piece(input.as_slice(), memory, limits)?;
            input.take(taken);
        }
        Ok(true)
    }

    const fn begins_line(&self) -> bool {
        match self.sort {
            Sort::Request => matches!(self.step, Step::Line(_) | Step::Start(_)),
            Sort::Response => matches!(self.step, Step::Line(_) | Step::Version(0)),
        }
    }

    /// Keeps bytes that all stand in the same place, or else one that ends them, and says how many.
    #[inline(never)]
    fn piece(
        &mut self,
        bytes: &[u8],
        memory: &mut [u8],
        limits: &HeadLimits,
    ) -> Result<usize, ProtocolError> {
        let run = match self.step {
            Step::Method | Step::Name => token_run(bytes),
            Step::Target => Class::TARGET.run(bytes),
            Step::Value | Step::Reason => value_run(bytes),
            _ => 0,
        };
        match bytes {
            [byte, ..] if run == 0 => {
                self.byte(*byte, memory, limits)?;
                Ok(1)
            }
            _ => {
                self.keep(bytes.get(..run).unwrap_or_default(), memory, limits)?;
                Ok(run)
            }
        }
    }

    /// Keeps the whole lines that `bytes` begin with, and says how many bytes they are. Whatever is a fault, or may be
    /// one, is left for [`byte`](Self::byte) to judge.
    #[inline(never)]
    fn lines(&mut self, bytes: &[u8], memory: &mut [u8], limits: &HeadLimits) -> usize {
        let most = left(limits.bytes, self.head).min(memory.len().saturating_sub(self.kept));
        let bytes = bytes.get(..most).unwrap_or(bytes);
        let longest = left(limits.line, 0);
        let mut rest = match self.step {
            Step::Line(_) => bytes,
            _ => match first_line(self.sort, bytes) {
                Some(rest) if bytes.len().wrapping_sub(rest.len()) <= longest.saturating_add(2) => rest,
                _ => return 0,
            },
        };
        let (fields, before) = (rest, self.kept.wrapping_add(bytes.len()));
        let mut lines = limits.lines.saturating_sub(self.lines);
        loop {
            let field = Field::of(rest);
            let value = match field {
                Some(field) => field.value(rest),
                None => match behind_name(rest) {
                    Some(value) if value.len().wrapping_add(1) != rest.len() => value,
                    _ => break,
                },
            };
            let Some(next) = behind_value(value) else { break };
            if lines == 0 || rest.len().wrapping_sub(next.len()) > longest.saturating_add(2) {
                break;
            }
            if let Some(field) = field {
                let value = trim_start(value);
                let start = before.wrapping_sub(value.len());
                let end = value.len().wrapping_sub(next.len()).wrapping_sub(2);
                let len = trim_end(value.get(..end).unwrap_or_default()).len();
                self.fields.note(field, start, Some(len));
            }
            lines = lines.wrapping_sub(1);
            rest = next;
        }
        self.lines = limits.lines.saturating_sub(lines);
        let mut step = Step::Line(rest.len() != fields.len());
        if let [b'\r', b'\n', behind @ ..] = rest {
            step = Step::Done;
            rest = behind;
        }
        let taken = bytes.len().wrapping_sub(rest.len());
        if taken != 0 {
            copy_at(memory, self.kept, bytes.get(..taken).unwrap_or_default());
            self.kept = self.kept.saturating_add(taken);
            self.add(taken);
            self.step = step;
        }
        taken
    }

    /// Looks at a byte that decides where the next one stands.
    fn byte(&mut self, byte: u8, memory: &mut [u8], limits: &HeadLimits) -> Result<(), ProtocolError> {
        let next = self.next(byte).map_err(|rule| self.fault_at(rule, 0))?;
        if let (Step::Line(_), Step::Name) = (self.step, next) {
            if self.lines >= limits.lines {
                return Err(self.fault_at(Rule::TooManyLines, 0));
            }
            self.lines = self.lines.saturating_add(1);
        }
        match (self.step, next) {
            // A fold is read as one space, in the place of the line's end.
            (Step::Line(_), Step::Fold) => {
                self.kept = self.kept.saturating_sub(2);
                self.fields.reopen();
                self.keep(b" ", memory, limits)?;
            }
            // The rest of its white space is not kept, nor is an empty line before the request line.
            (Step::Fold, Step::Fold) | (_, Step::StartLf | Step::Start(_)) => {
                self.count(&[byte], usize::MAX, limits)?;
            }
            _ => self.keep(&[byte], memory, limits)?,
        }
        if let (Step::Name, Step::Value) = (self.step, next) {
            let start = self.kept.saturating_sub(usize::try_from(self.line).unwrap_or(usize::MAX));
            if let Some(field) = memory.get(start..self.kept).and_then(Field::of) {
                self.fields.note(field, self.kept, None);
            }
        }
        if let Step::Line(_) | Step::Start(_) = next {
            self.line = 0;
        }
        self.step = next;
        Ok(())
    }

    /// The transitions.
    fn next(&self, byte: u8) -> Result<Step, Rule> {
        match (self.step, byte) {
            (Step::Start(true), b'\r') => Ok(Step::StartLf),
            (Step::StartLf, b'\n') => Ok(Step::Start(false)),
            (Step::StartLf, _) => Err(Rule::LineEnding),
            (Step::Start(_), _) if Class::TOKEN.has(byte) => Ok(Step::Method),
            (Step::Start(_), _) => Err(Rule::RequestLine),
            (Step::Method, b' ') => Ok(Step::Target),
            (Step::Method, _) => Err(Rule::RequestLine),
            (Step::Target, b' ') => Ok(Step::Version(0)),
            (Step::Target, b'\r' | b'\n') => Err(Rule::RequestLine),
            (Step::Target, _) => Err(Rule::TargetForm),

            (Step::Version(at), _) => self.version(at, byte),
            (Step::VersionEnd, b'\r') if self.sort == Sort::Request => Ok(Step::LineLf),
            (Step::VersionEnd, b' ') if self.sort == Sort::Response => Ok(Step::Status(0)),
            (Step::VersionEnd, _) => Err(self.first_line_rule()),
            (Step::Status(0), b'1'..=b'9') => Ok(Step::Status(1)),
            (Step::Status(1), b'0'..=b'9') => Ok(Step::Status(2)),
            (Step::Status(2), b'0'..=b'9') => Ok(Step::StatusEnd),
            (Step::StatusEnd, b' ') => Ok(Step::Reason),
            // The space before an empty reason is left out by many.
            (Step::StatusEnd | Step::Reason, b'\r') => Ok(Step::LineLf),
            (Step::Status(_) | Step::StatusEnd | Step::Reason, _) => Err(Rule::StatusLine),
            (Step::LineLf, b'\n') => Ok(Step::Line(false)),

            (Step::Line(_), b'\r') => Ok(Step::EndLf),
            (Step::Line(true), b' ' | b'\t') => match self.sort {
                // "A server that receives an obs-fold in a request message [...] MUST either reject the message" or
                // replace it; "A user agent that receives an obs-fold in a response message [...] MUST replace" it
                // (RFC 9112 §5.2).
                Sort::Request => Err(Rule::Folding),
                Sort::Response => Ok(Step::Fold),
            },
            (Step::Line(_), _) if Class::TOKEN.has(byte) => Ok(Step::Name),
            (Step::Line(_), _) => Err(Rule::FieldName), // W159
            // "No whitespace is allowed between the field name and colon" (RFC 9112 §5.1).
            (Step::Name, b':') => Ok(Step::Value),
            (Step::Name, _) => Err(Rule::FieldName),
            (Step::Fold, b' ' | b'\t') => Ok(Step::Fold),
            (Step::Value | Step::Fold, b'\r') => Ok(Step::ValueLf),
            (Step::Value | Step::Fold, b'\n') => Err(Rule::LineEnding),
            (Step::Fold, _) if Class::VALUE.has(byte) => Ok(Step::Value),
            (Step::Value | Step::Fold, _) => Err(Rule::FieldValue), // W99
            (Step::ValueLf, b'\n') => Ok(Step::Line(true)),
            (Step::EndLf, b'\n') | (Step::Done, _) => Ok(Step::Done),
            (Step::LineLf | Step::ValueLf | Step::EndLf, _) => Err(Rule::LineEnding),
        }
    }

    fn version(&self, at: u8, byte: u8) -> Result<Step, Rule> {
        let rule = match (self.sort, at) {
            (Sort::Request, ..=4) => Rule::RequestLine,
            (Sort::Request, _) => Rule::RequestVersion,
            (Sort::Response, ..=4) => Rule::NotHttp, // W124
            (Sort::Response, _) => Rule::ResponseVersion,
        };
        match VERSION.get(usize::from(at)) {
            Some(&expected) if byte == expected => Ok(Step::Version(at.saturating_add(1))),
            None if matches!(byte, b'1'..=b'9') => Ok(Step::VersionEnd),
            _ => Err(rule),
        }
    }

    const fn first_line_rule(&self) -> Rule {
        match self.sort {
            Sort::Request => Rule::RequestLine,
            Sort::Response => Rule::StatusLine,
        }
    }

    /// Counts bytes and keeps them.
    fn keep(&mut self, bytes: &[u8], memory: &mut [u8], limits: &HeadLimits) -> Result<(), ProtocolError> {
        let before = self.offset;
        let counted = self.count(bytes, memory.len().saturating_sub(self.kept), limits);
        // What comes before a limit is kept, so that the head is the same wherever the stream is cut.
        let fits = match counted {
            Ok(()) => bytes.len(),
            Err(error) => usize::try_from(error.offset.saturating_sub(before)).unwrap_or(0),
        };
        copy_at(memory, self.kept, bytes.get(..fits).unwrap_or_default());
        self.kept = self.kept.saturating_add(fits);
        counted
    }

    /// Counts bytes for which the memory has `room`, or says which of them is beyond a limit. The CR LF of a line does
    /// not count towards its length.
    fn count(&mut self, bytes: &[u8], room: usize, limits: &HeadLimits) -> Result<(), ProtocolError> {
        let n = bytes.len();
        let ends_line = matches!(bytes, b"\r" | b"\n");
        let head = left(limits.bytes, self.head).min(room);
        let line = if ends_line { usize::MAX } else { left(limits.line, self.line) };
        if head.min(line) < n {
            return Err(self.fault_at(self.limit_rule(line < head), head.min(line)));
        }
        self.line = self.line.saturating_add(self.add(n));
        Ok(())
    }

    fn add(&mut self, n: usize) -> u32 {
        let counted = u32::try_from(n).unwrap_or(u32::MAX);
        self.offset = self.offset.wrapping_add(n as u64);
        self.head = self.head.saturating_add(counted);
        counted
    }

    const fn limit_rule(&self, line: bool) -> Rule {
        match (self.sort, self.step) {
            (
                Sort::Request,
                Step::Start(_) | Step::Method | Step::Target | Step::Version(_) | Step::VersionEnd,
            ) => Rule::TargetTooLong,
            _ if line => Rule::LineTooLong,
            _ => Rule::HeadTooLong,
        }
    }

    /// A fault that the byte `ahead` of the next one proves.
    const fn fault_at(&self, rule: Rule, ahead: usize) -> ProtocolError {
        ProtocolError { rule, offset: self.offset.saturating_add(ahead as u64) }
    }
}

fn left(limit: u32, used: u32) -> usize {
    usize::try_from(limit.saturating_sub(used)).unwrap_or(usize::MAX)
}

/// What is behind a first line of the usual form, if all of it is there.
fn first_line(sort: Sort, bytes: &[u8]) -> Option<&[u8]> {
    match sort {
        Sort::Request => {
            let rest = bytes.strip_prefix(b"GET ")?;
            rest.get(Class::TARGET.run(rest)..)?.strip_prefix(b" HTTP/1.1\r\n")
        }
        Sort::Response => match bytes.strip_prefix(b"HTTP/1.")? {
            [b'1'..=b'9', b' ', b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', reason @ ..] => {
                behind_value(reason)
            }
            _ => None,
        },
    }
}
