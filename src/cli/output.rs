//! The only writer of stdout and stderr.

use std::fmt::Display;
use std::io::{self, Write};

use console::Term;

use super::args::Color;

/// stdout is data that someone may pipe; everything else goes to stderr.
#[derive(Debug)]
pub(super) struct Output {
    color: Color,
}

/// Columns where there is no terminal to ask.
const WIDTH: usize = 80;

impl Output {
    pub(super) fn new(color: Color) -> Self {
        Self { color }
    }

    /// Whether stdout may be coloured.
    pub(super) fn color(&self) -> bool {
        self.may_color(&Term::stdout())
    }

    fn may_color(&self, term: &Term) -> bool {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => term.is_term() && !no_color && !dumb,
        }
    }

    /// Whether stdout is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        Term::stdout().is_term()
    }

    /// The width of the terminal; 80 columns where there is none.
    pub(super) fn width(&self) -> usize {
        let term = Term::stdout();
        term.size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns)).max(20)
    }

    /// Writes data to stdout. A reader that has gone away has seen enough: that is no failure.
    pub(super) fn print(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Writes a report for people to stderr, where stdout carries data.
    pub(super) fn print_aside(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Says something on stderr.
    pub(super) fn note(&self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says on stderr why a command failed.
    pub(super) fn error(&self, failure: impl Display) {
        self.note(failure);
    }
}
