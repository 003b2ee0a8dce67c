//! Unlabelled lines through target and reference: how often they part, and where most.

use super::super::{figures, second_opinion};
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::footer::{self, Place};
use super::headline::word;
use super::page::{Line, Page, Tone};
use super::{TerminalOptions, reference};
use crate::domain::{Conclusion, NoAnswerReason, Rate, ShadowAnswer, ShadowDisagreement, ShadowReport};

/// So many disagreements are shown.
const MOST: usize = 20;
/// The blanks before a row.
const INDENT: usize = 4;

/// Shows what target and reference made of unlabelled lines as text whose last line ends in a newline.
pub fn render_shadow_terminal(report: &ShadowReport, options: &TerminalOptions) -> String {
    let mut page = Page::new(options.width, options.color);
    headline(&mut page, report);
    let comparison = &report.comparison;
    let rows = [
        ("another level", share(&comparison.disagreement)),
        (
            "across the alert level",
            format!("{} ({} or above)", share(&comparison.across_alert), report.target.alert_level),
        ),
        ("weighted kappa", figures::estimate(comparison.kappa_quadratic.as_ref())),
        ("levels above it", second_opinion::distances(&comparison.levels)),
        ("no answer", no_answer(report)),
    ];
    let rows: Vec<(&str, String)> = rows.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    page.blank();
    reference::named(&mut page, &rows);
    matrix(&mut page, report);
    strongest(&mut page, &comparison.strongest, options.text);
    page.blank();
    for note in &options.notes {
        page.paragraph(Line::of(Tone::Dim, "note  "), Tone::Plain, note);
    }
    let version =
        report.target.version.as_ref().map_or_else(String::new, |version| format!(", version {version}"));
    let mut places = vec![("Target".to_owned(), Place::Start(format!("{}{version}", report.target.url)))];
    let files = options.files.iter();
    places.extend(files.map(|(label, path)| (label.clone(), Place::End(path.display().to_string()))));
    footer::places(&mut page, &places);
    page.finish()
}

fn headline(page: &mut Page, report: &ShadowReport) {
    let (tone, word) = match report.conclusion {
        Conclusion::Passed => (Tone::Strong, "SHADOW".to_owned()),
        other => word(other),
    };
    let reference = &report.reference;
    let revision = reference.revision.as_ref().map_or_else(String::new, |revision| format!(" {revision}"));
    let sentence = format!(
        "{} of {} through {} and {}{revision} in {}",
        figures::count(report.input.lines, "line", "lines"),
        if report.input.name == "-" { "standard input" } else { &report.input.name },
        report.target.name,
        reference.name,
        reference.engine,
    );
    let indent = " ".repeat(word.len() + 2);
    page.paragraph(Line::of(tone, &word).with(Tone::Plain, "  "), Tone::Strong, &sentence);
    if !report.reason.is_empty() {
        page.paragraph(Line::of(Tone::Plain, &indent), Tone::Plain, &report.reason);
    }
    if report.target.demo {
        let lead = Line::of(Tone::Warn, format!("{:<width$}", "DEMO", width = word.len() + 2));
        page.paragraph(lead, Tone::Warn, super::super::headline::DEMO);
    }
    if report.input.empty > 0 {
        let text = figures::count(report.input.empty, "empty line was", "empty lines were") + " passed over";
        page.paragraph(Line::of(Tone::Plain, &indent), Tone::Dim, &text);
    }
    for note in &report.notes {
        page.paragraph(Line::of(Tone::Plain, &indent), Tone::Dim, note);
    }
}

fn share(rate: &Rate) -> String {
    format!("{}/{}  {}", rate.count, rate.of, figures::rate(rate))
}

/// Who left how many unanswered, and why.
fn no_answer(report: &ShadowReport) -> String {
    let reason = |(reason, count): (&NoAnswerReason, &u64)| format!("{} {count}", reason.as_str());
    let target: Vec<String> = report.unanswered.iter().map(reason).collect();
    let mut parts = Vec::new();
    if !target.is_empty() {
        let all: u64 = report.unanswered.values().sum();
        parts.push(format!("target {all} ({})", target.join(", ")));
    }
    if report.without_opinion > 0 {
        parts.push(format!("reference {}", report.without_opinion));
    }
    if report.not_sent > 0 {
        parts.push(format!("not sent {}", report.not_sent));
    }
    parts.join("; ")
}

fn matrix(page: &mut Page, report: &ShadowReport) {
    let levels = &report.comparison.levels;
    if levels.iter().flatten().all(|count| *count == 0) {
        return;
    }
    page.section("Levels", reference::SIDES);
    reference::matrix(page, levels);
}

fn strongest(page: &mut Page, seen: &[ShadowDisagreement], text: bool) {
    if seen.is_empty() {
        return;
    }
    page.blank();
    let side = |answer: &ShadowAnswer| match answer.score {
        Some(score) => second_opinion::side((answer.level, score)),
        None => answer.level.to_string(),
    };
    let header = ["", "target", "reference", "levels", "gap"].map(str::to_owned).to_vec();
    let rows = seen.iter().take(MOST).map(|seen| {
        vec![
            format!("line {}", seen.line),
            side(&seen.target),
            side(&seen.reference),
            format!("{:+}", seen.levels_above),
            seen.gap.map_or_else(String::new, |gap| format!("{gap:+.2}")),
        ]
    });
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let mut lines = columns::lines(&rows, &[Left, Left, Left, Right, Right]).into_iter();
    page.line(columns::titled("Strongest", &lines.next().unwrap_or_default(), INDENT));
    for (line, seen) in lines.zip(seen) {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
        if let Some(text) = seen.text.as_ref().filter(|_| text) {
            page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT + 4)), Tone::Dim, text);
        }
    }
    if seen.len() > MOST {
        let more = format!("+{} more with `--json` or `--csv`", seen.len() - MOST);
        page.line(Line::of(Tone::Dim, format!("{}{more}", " ".repeat(INDENT))));
    }
}
