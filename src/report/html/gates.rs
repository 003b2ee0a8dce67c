//! The gates: what failed and why, what could not be told, what warns, and what holds.

use maud::{Markup, html};

use super::super::explanation::{explanation, figure};
use super::super::figures;
use super::clean;
use super::section::{Place, Section, folded, mark};
use super::verdict::of_check;
use super::whisker::{Whisker, legend};
use crate::domain::{Check, CheckMode, CheckOutcome, CheckSeverity, CheckSource, RunVerdict};

/// So many checks of one outcome are shown at once; the others are folded.
const SHOWN: usize = 30;

/// What became of the checks; waivers, if there are any, stand below them.
pub(super) fn section(verdict: &RunVerdict, waivers: Option<Markup>, place: Place) -> Section {
    let checks = &verdict.checks;
    let with = |outcome, severity: CheckSeverity| -> Vec<&Check> {
        checks.iter().filter(|check| check.outcome == outcome && check.severity == severity).collect()
    };
    let failed = with(CheckOutcome::Fail, CheckSeverity::Fail);
    let unsure = with(CheckOutcome::Inconclusive, CheckSeverity::Fail);
    let warned: Vec<&Check> = [CheckOutcome::Fail, CheckOutcome::Inconclusive]
        .into_iter()
        .flat_map(|outcome| with(outcome, CheckSeverity::Warn))
        .collect();
    let passed: Vec<&Check> = checks.iter().filter(|check| check.outcome == CheckOutcome::Pass).collect();
    let body = html! {
        @if checks.is_empty() { p { "There is no gate, so nothing could pass." } }
        (group("Failed", &failed, place))
        (group("Could not tell", &unsure, place))
        (group("Warnings, which decide nothing", &warned, place))
        @if failed.len() + unsure.len() + warned.len() > 0 && checks.iter().any(has_whisker) { (legend("what the gate asks")) }
        @if !passed.is_empty() {
            (folded(&format!("{} passed", passed.len()), &list(&passed, place)))
        }
        @if let Some(waivers) = waivers { (waivers) }
    };
    let counts = [
        (failed.len(), "failed"),
        (unsure.len(), "could not tell"),
        (warned.len(), "warned"),
        (passed.len(), "passed"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    let summary = counts.collect::<Vec<_>>().join(", ");
    Section { id: "gates", title: "Gates", summary, body }
}

fn group(title: &str, checks: &[&Check], place: Place) -> Markup {
    let (shown, more) = checks.split_at(checks.len().min(SHOWN));
    html! {
        @if !checks.is_empty() {
            h3 { (title) }
            (list(shown, place))
            @if !more.is_empty() { (folded(&format!("{} more", more.len()), &list(more, place))) }
        }
    }
}

fn list(checks: &[&Check], place: Place) -> Markup {
    html! { ul.gates.whiskers { @for check in checks { (item(check, place)) } } }
}

fn item(check: &Check, place: Place) -> Markup {
    let tone = of_check(check.outcome);
    let explanation = clean::sentence(&explanation(check));
    html! {
        li {
            (mark(tone))
            div class=[check.value.is_none().then_some("short")] {
                p.name { (name(check, place)) }
                p.found {
                    @if check.value.is_some() { b { (figure(check)) } }
                    @if check.value.is_some() && !explanation.is_empty() { " · " }
                    (explanation)
                    @if let Some(bound) = bound(check) { " · " (bound) }
                }
            }
            @if has_whisker(check) {
                (Whisker { value: check.value, interval: check.interval, limit: Some(check.limit), tone }.render())
            }
        }
    }
}

/// The name, leading to the phrases that it is about where it is about some, and they are there.
fn name(check: &Check, place: Place) -> Markup {
    let shown = clean::cut(&check.name, 200);
    let link = match (check.source, check.name.strip_prefix("must pass: "), &check.slice) {
        (CheckSource::MustPass, Some(id), _) => Some(format!("#{}", clean::anchor(id))),
        (CheckSource::Gate | CheckSource::Category, _, Some(slice)) => slice
            .split_once('=')
            .filter(|(kind, _)| matches!(*kind, "category" | "capability"))
            .map(|(kind, name)| format!("#{kind}={}", clean::encode(&clean::name(name)))),
        _ => None,
    };
    html! {
        @match link.filter(|_| place == Place::BesideTheFailures) {
            Some(link) => a href=(link) { (shown) },
            None => (shown),
        }
    }
}

/// The confidence limit that a bound gate compares.
fn bound(check: &Check) -> Option<String> {
    let (CheckMode::Bound, Some(bound), Some(confidence)) = (check.mode, check.bound, check.confidence)
    else {
        return None;
    };
    let bound = figures::of_metric(&check.metric, Some(bound), None);
    Some(format!("its limit of {} confidence is {bound}", figures::percent(Some(confidence))))
}

/// Whether the check is about a share, which can be drawn between 0 and 100 %.
fn has_whisker(check: &Check) -> bool {
    let is_share = check.metric.contains("accuracy") || check.metric.ends_with("_rate");
    is_share && check.value.is_some() && matches!(check.mode, CheckMode::Point | CheckMode::Bound)
}
