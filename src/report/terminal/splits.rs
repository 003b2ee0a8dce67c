//! Both parts of a suite side by side, and whether the service looks tuned to one of them.

use crate::domain::{Rate, RunRecord};

use super::super::{Splits, figures};
use super::columns::{self, Side};
use super::page::{Line, Page, Tone};

const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let Some(splits) = Splits::of(record) else { return };
    let row = |name: &str, rate: &Rate| {
        vec![name.to_owned(), format!("{}/{}", rate.count, rate.of), figures::rate(rate)]
    };
    let header = ["", "right", "accuracy"].map(str::to_owned).to_vec();
    let rows = [header, row("dev", &splits.dev), row("held", &splits.held)];
    let mut lines = columns::lines(&rows, &[Side::Left, Side::Right, Side::Left]).into_iter();
    page.blank();
    page.line(columns::titled("Split", &lines.next().unwrap_or_default(), INDENT));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
    if splits.dev_is_better() {
        let ahead = splits.dev.value.zip(splits.held.value).map(|(dev, held)| dev - held);
        let text = format!(
            "dev is better by {}, more than chance (p = {:.3}): the service may be tuned to phrases that it has seen",
            figures::points(ahead).trim_start_matches('+'),
            splits.p_held_lower
        );
        page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Warn, &text);
    }
}
