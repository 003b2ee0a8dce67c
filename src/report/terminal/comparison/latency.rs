//! The latency's percentiles in both runs, and how much they changed.

use crate::domain::{Estimate, LatencyComparison};

use super::super::super::figures;
use super::super::columns::{
    self,
    Side::{Left, Right},
};
use super::super::page::{Line, Page, Tone};

pub(super) fn show(page: &mut Page, latency: &[LatencyComparison]) {
    if latency.is_empty() {
        return;
    }
    let mut rows = vec![["", "was", "is", "change"].map(str::to_owned).to_vec()];
    rows.extend(latency.iter().map(|found| {
        let part = |ratio: f64| ratio - 1.0;
        let Estimate { value, lower, upper } = found.ratio;
        let ends = lower.zip(upper).map(|(lower, upper)| [part(lower), part(upper)]);
        vec![
            format!("p{:.0}", found.quantile * 100.0),
            figures::duration(Some(found.baseline.value)),
            figures::duration(Some(found.candidate.value)),
            format!("{} %", figures::signed(Some(part(value)), ends)),
        ]
    }));
    let room = page.width().saturating_sub(4);
    let mut lines = columns::fitting([rows], &[Left, Right, Right, Left], room, 5).into_iter();
    page.blank();
    page.line(columns::titled("Latency", &lines.next().unwrap_or_default(), 4));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
}
