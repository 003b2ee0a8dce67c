//! The only writer of stdout and stderr.

use std::fmt::Display;
use std::io::{self, Write};

use console::Term;

use super::args::Color;

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

    /// Writes data to stdout. A reader that has gone away has seen enough: that is no failure.
    pub(super) fn print(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Says something on stderr, which may be closed.
    pub(super) fn note(self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
