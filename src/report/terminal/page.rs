//! The page: lines of toned text that never grow wider than the terminal.

use console::{Style, measure_text_width};

use super::super::fit;

/// How a piece of text is toned. The words must say the same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// Titles and totals.
    Strong,
    /// What one may skip.
    Dim,
    Good,
    Bad,
    /// What one should look at.
    Warn,
}

impl Tone {
    fn style(self) -> Style {
        let style = Style::new().force_styling(true);
        match self {
            Self::Plain => style,
            Self::Strong => style.bold(),
            Self::Dim => style.dim(),
            Self::Good => style.green().bold(),
            Self::Bad => style.red().bold(),
            Self::Warn => style.yellow().bold(),
        }
    }
}

/// A line as it is put together: pieces, each in a tone.
#[derive(Debug, Default, Clone)]
pub(super) struct Line(Vec<(Tone, String)>);

impl Line {
    /// The line with a further piece.
    pub(super) fn with(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        self.0.push((tone, fit::clean(text.as_ref())));
        self
    }

    /// A line of one piece.
    pub(super) fn of(tone: Tone, text: impl AsRef<str>) -> Self {
        Self::default().with(tone, text)
    }

    /// The line with nothing that GitHub's runner would obey: it takes `::` at the start of one for a command.
    fn disarmed(mut self) -> Self {
        let first = self.0.iter_mut().map(|(_, text)| text).find(|text| !text.trim().is_empty());
        if let Some(text) = first {
            *text = fit::disarmed(text).into_owned();
        }
        self
    }

    fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    fn width(&self) -> usize {
        measure_text_width(&self.text())
    }

    /// The line in at most `width` columns and without blanks at its end, with its tones if `color` allows.
    fn render(&self, width: usize, color: bool) -> String {
        let text = fit::cut(self.text().trim_end(), width);
        if !color {
            return text;
        }
        let mut rest = text.as_str();
        let mut toned = String::new();
        for (index, (tone, piece)) in self.0.iter().enumerate() {
            // The sign for what was cut off takes the place of other bytes, so the last piece takes what is left.
            let last = index + 1 == self.0.len();
            let end = if last || !rest.starts_with(piece.as_str()) { rest.len() } else { piece.len() };
            let (shown, later) = rest.split_at(end);
            if *tone == Tone::Plain || shown.trim().is_empty() {
                toned.push_str(shown);
            } else {
                toned.push_str(&tone.style().apply_to(shown).to_string());
            }
            rest = later;
        }
        toned
    }
}

/// The page that the sections write on.
pub(super) struct Page {
    width: usize,
    color: bool,
    lines: Vec<Line>,
}

impl Page {
    pub(super) const fn new(width: usize, color: bool) -> Self {
        Self { width, color, lines: Vec::new() }
    }

    /// The columns that a line has.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) fn line(&mut self, line: Line) {
        self.lines.push(line.disarmed());
    }

    /// An empty line, once, between what is there and what comes.
    pub(super) fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.0.is_empty()) {
            self.lines.push(Line::default());
        }
    }

    /// Begins a section: its title, and what it amounts to.
    pub(super) fn section(&mut self, title: &str, summary: &str) {
        self.blank();
        self.paragraph(Line::of(Tone::Strong, title).with(Tone::Plain, "  "), Tone::Dim, summary);
    }

    /// Text after a lead; further lines stand under its start.
    pub(super) fn paragraph(&mut self, lead: Line, tone: Tone, text: &str) {
        // A lead that takes most of the line would leave a thin column.
        let indent = if lead.width() * 2 > self.width { 4.min(self.width / 2) } else { lead.width() };
        let first = self.width.saturating_sub(lead.width());
        let mut lines = fit::wrap(&fit::clean(text), first, self.width.saturating_sub(indent)).into_iter();
        self.line(lead.with(tone, lines.next().unwrap_or_default()));
        for line in lines {
            self.line(Line::of(Tone::Plain, " ".repeat(indent)).with(tone, line));
        }
    }

    /// The page as text.
    pub(super) fn finish(mut self) -> String {
        self.lines.pop_if(|last| last.0.is_empty());
        self.lines.iter().map(|line| line.render(self.width, self.color) + "\n").collect()
    }
}
