//! A matrix of levels, whose cells lead to their phrases.

use maud::{Markup, html};

use super::super::figures;
use super::clean;
use super::svg::ratio;
use crate::domain::Level;

/// Shades that a cell can have.
const SHADES: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];

/// How often which level met which answer.
pub(super) struct Matrix<'a> {
    /// What rows and columns are.
    pub(super) caption: &'static str,
    /// The filter that narrows the list to a row.
    pub(super) key: &'static str,
    /// What a row's level is.
    pub(super) side: &'static str,
    /// A row for each level: how often each level was answered, then nothing.
    pub(super) counts: &'a [Vec<u64>],
}

impl Matrix<'_> {
    pub(super) fn render(&self) -> Markup {
        let id = format!("by-{}", self.key);
        html! {
            div.scroll role="group" aria-labelledby=(id) tabindex="0" {
                table.matrix {
                    caption id=(id) { (self.caption) }
                    thead { tr {
                        th scope="col" { span.unseen { (self.side) } }
                        @for level in Level::ALL { th scope="col" { (level.as_str()) } }
                        th scope="col" { "no answer" }
                    } }
                    tbody { @for (level, counts) in Level::ALL.into_iter().zip(self.counts) { (self.row(level, counts)) } }
                }
            }
        }
    }

    fn row(&self, level: Level, counts: &[u64]) -> Markup {
        let all: u64 = counts.iter().sum();
        html! {
            tr {
                th scope="row" { (level.as_str()) }
                @for answered in 0..=Level::ALL.len() {
                    @let count = counts.get(answered).copied().unwrap_or_default();
                    @let got = Level::ALL.get(answered).map_or("no answer", |level| level.as_str());
                    @let own = if answered == level.index() { " own" } else { "" };
                    @if count == 0 {
                        td class={ "s0" (own) } { span.nothing { "·" } }
                    } @else {
                        td class={ (shade(count, all)) (own) } {
                            a href={ "#show=all&" (self.key) "=" (level.as_str()) "&got=" (clean::encode(got)) }
                                aria-label=(format!("{} {level}, answered {got}: {}", self.side, figures::count(count, "phrase", "phrases"))) {
                                (count)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The darker, the larger the share of the row.
fn shade(count: u64, of: u64) -> &'static str {
    let share = ratio(count, of);
    let at = [0.0, 0.1, 0.25, 0.5, 0.75].iter().filter(|from| share > **from).count();
    SHADES[at.min(SHADES.len() - 1)]
}
