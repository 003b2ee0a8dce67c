//! The only writer of stdout and stderr.

use std::fmt::Display;
use std::io::{self, Write};

use console::Term;

use super::args::Color;
use crate::report::{clean_lines, stdout_is_closed};

/// stdout is data that someone may pipe; everything else goes to stderr.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    color: bool,
}

/// Columns where there is no terminal to ask.
const WIDTH: usize = 80;

#[expect(clippy::unused_self, reason = "who may write holds an `Output`")]
impl Output {
    /// `allowed` is whether the environment lets text be coloured.
    pub(super) fn new(color: Color, allowed: bool) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => allowed && Term::stdout().is_term(),
        };
        Self { color }
    }

    /// Whether stdout may be coloured.
    pub(super) const fn color(self) -> bool {
        self.color
    }

    /// Whether stdout is a terminal.
    pub(super) fn is_terminal(self) -> bool {
        Term::stdout().is_term()
    }

    /// The width of the terminal; 80 columns where there is none.
    pub(super) fn width(self) -> usize {
        Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns)).max(20)
    }

    /// Writes to stdout what has been cleaned already, or is ours: a page, a schema. A reader that has gone away has seen
    /// enough: that is no failure.
    pub(super) fn print(self, text: &str) -> io::Result<()> {
        match write(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Writes to stdout, for people, what holds words from files and records: nothing in them is obeyed, or turns others
    /// around.
    pub(super) fn show(self, text: &str) -> io::Result<()> {
        self.print(&clean_lines(text))
    }

    /// Writes to stdout, for programs, what somebody asked for: nothing of it may be lost.
    pub(super) fn data(self, text: &str) -> io::Result<()> {
        if stdout_is_closed() {
            return Err(io::Error::other("it is closed"));
        }
        write(text)
    }

    /// Says something on stderr, which may be closed.
    pub(super) fn note(self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{}", clean_lines(&text.to_string()));
    }

    /// Writes down what was changed in the store, as the service does, where stderr goes to a log. Whoever sits at the
    /// terminal has read it already.
    pub(super) fn audit(self, what: impl Display) {
        if !Term::stderr().is_term() {
            tracing::info!(target: "thrash::audit", by = "cli", "{}", clean_lines(&what.to_string()));
        }
    }

    /// Gives the runner of GitHub Actions commands, which are on lines of their own, on stderr.
    pub(super) fn command(self, lines: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", lines.trim_end());
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}
