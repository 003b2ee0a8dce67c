//! The categories that changed, the least likely chance first, and other slices that surely did.

use crate::domain::{PairedTest, RunComparison, SliceComparison, SliceKind};

use super::super::super::figures;
use super::super::columns::{
    self,
    Side::{Left, Right},
};
use super::super::page::{Line, Page, Tone};

/// So many categories are shown.
const MOST: usize = 10;
/// What is less likely by chance is marked.
const SURELY: f64 = 0.05;
const LEAST_NAME: usize = 16;
const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, comparison: &RunComparison) {
    let of = |kind| comparison.slices.iter().filter(move |slice| slice.kind == kind);
    let all = of(SliceKind::Category).count();
    let mut changed: Vec<&SliceComparison> =
        of(SliceKind::Category).filter(|slice| slice.test.regressed + slice.test.improved > 0).collect();
    changed.sort_by(|one, other| {
        let worse = |slice: &SliceComparison| slice.test.regressed;
        p(one).total_cmp(&p(other)).then_with(|| worse(other).cmp(&worse(one)))
    });
    if !changed.is_empty() {
        table(page, &changed, all);
    }
    for (kind, title) in [(SliceKind::Capability, "Capabilities"), (SliceKind::Language, "Languages")] {
        let surely: Vec<String> = of(kind).filter(|slice| p(slice) <= SURELY).map(short).collect();
        if !surely.is_empty() {
            let lead = Line::of(Tone::Strong, title).with(Tone::Plain, "  ");
            page.paragraph(lead, Tone::Plain, &format!("worse, and not by chance: {}", surely.join(", ")));
        }
    }
}

fn p(slice: &SliceComparison) -> f64 {
    slice.test.p_worse_holm.unwrap_or(slice.test.p_worse)
}

fn short(slice: &SliceComparison) -> String {
    format!("{} ({} worse, {} better)", slice.name, slice.test.regressed, slice.test.improved)
}

fn table(page: &mut Page, changed: &[&SliceComparison], all: usize) {
    let shown = &changed[..changed.len().min(MOST)];
    let header = ["", "was", "is", "worse", "better", "chance"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> =
        std::iter::once(header).chain(shown.iter().map(|slice| row(slice))).collect();
    let room = page.width().saturating_sub(INDENT);
    let sides = [Left, Right, Right, Right, Right, Right];
    let mut lines = columns::fitting([rows], &sides, room, LEAST_NAME).into_iter();
    page.blank();
    page.line(columns::titled("Categories", &lines.next().unwrap_or_default(), INDENT));
    for (slice, line) in shown.iter().zip(lines) {
        let (tone, mark) = if p(slice) <= SURELY { (Tone::Bad, "✗") } else { (Tone::Plain, " ") };
        page.line(Line::of(Tone::Plain, "  ").with(tone, mark).with(Tone::Plain, format!(" {line}")));
    }
    let mut notes = Vec::new();
    if changed.len() > shown.len() {
        notes.push(format!("+{} more in the JSON", changed.len() - shown.len()));
    }
    if all > changed.len() {
        notes.push(format!("{} without a change", all - changed.len()));
    }
    if all > 1 {
        notes.push(format!("chances corrected for {all} categories (Holm)"));
    }
    if !notes.is_empty() {
        page.paragraph(Line::of(Tone::Plain, "    "), Tone::Dim, &notes.join("; "));
    }
}

fn row(slice: &SliceComparison) -> Vec<String> {
    let PairedTest { both_right, improved, regressed, both_wrong, .. } = slice.test;
    let of = both_right + improved + regressed + both_wrong;
    let some = |count: u64| if count == 0 { figures::NOTHING.to_owned() } else { count.to_string() };
    vec![
        slice.name.clone(),
        format!("{}/{of}", both_right + regressed),
        format!("{}/{of}", both_right + improved),
        some(regressed),
        some(improved),
        figures::percent((regressed > 0).then(|| p(slice))),
    ]
}
