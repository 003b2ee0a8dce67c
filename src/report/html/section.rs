//! A part of a page, which can also be served by itself.

use maud::{Markup, html};

/// A section with its heading.
#[derive(Debug)]
pub(crate) struct Section {
    /// The fragment that leads to it.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    /// What it amounts to, beside the heading.
    pub(crate) summary: String,
    /// What is in it.
    pub(crate) body: Markup,
}

impl Section {
    /// The section as a fragment of a page.
    pub(crate) fn render(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-title" } {
                h2 id={ (self.id) "-title" } tabindex="-1" { (self.title) }
                @if !self.summary.is_empty() { p.summary { (self.summary) } }
                (self.body)
            }
        }
    }
}

/// Where a section stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a run's page, whose failures can be linked to and need not be listed twice.
    BesideTheFailures,
    /// On a page without them.
    Alone,
}

/// How a thing came out; the words beside it say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Unsure,
    Plain,
}

impl Tone {
    /// The class that colours it.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
            Self::Plain => "plain",
        }
    }

    /// The sign that stands for it.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Unsure => "?",
            Self::Plain => "–",
        }
    }
}

/// The sign, for eyes alone: words stand beside it.
pub(crate) fn mark(tone: Tone) -> Markup {
    html! { span.mark.(tone.class()) aria-hidden="true" { (tone.mark()) } }
}

/// Something that only those who want it open.
pub(crate) fn folded(summary: &str, body: &Markup) -> Markup {
    html! { details.folded { summary { (summary) } (body) } }
}

/// A table that scrolls in itself where the page is narrow. The first cell of a row is its heading.
pub(crate) struct Table {
    /// What the table holds, for those who cannot see what stands around it.
    pub(crate) caption: &'static str,
    /// The headings; those that begin with `#` are of numbers.
    pub(crate) head: Vec<&'static str>,
    /// The cells.
    pub(crate) rows: Vec<Vec<Markup>>,
}

impl Table {
    pub(crate) fn render(&self) -> Markup {
        let class = |at: usize| self.head.get(at).is_some_and(|head| head.starts_with('#')).then_some("n");
        html! {
            div.scroll role="group" aria-label=(self.caption) tabindex="0" {
                table {
                    caption.unseen { (self.caption) }
                    thead { tr {
                        @for (at, head) in self.head.iter().enumerate() {
                            th scope="col" class=[class(at)] { (head.trim_start_matches('#')) }
                        }
                    } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (at, cell) in row.iter().enumerate() {
                                    @if at == 0 {
                                        th scope="row" class=[class(at)] { (cell) }
                                    } @else {
                                        td class=[class(at)] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A cell of plain text.
pub(crate) fn cell(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}

/// A name that may be broken after its underscores, where there is no room for it in one line.
pub(crate) fn breakable(name: &str) -> Markup {
    html! { @for (at, part) in name.split_inclusive('_').enumerate() { @if at > 0 { wbr; } (part) } }
}
