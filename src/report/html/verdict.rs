//! The verdict: understood in five seconds, and the demo as loud as a failure.

use maud::{Markup, html};

use super::super::figures;
use super::super::headline::{DEMO, counts, removed, word};
use super::clean;
use super::section::{Tone, mark};
use crate::domain::{CheckMode, CheckOutcome, Comparison, Conclusion, Metrics, Rate, RunRecord, RunVerdict};

/// The colour of a conclusion.
pub(crate) const fn tone(conclusion: Conclusion) -> Tone {
    match conclusion {
        Conclusion::Passed => Tone::Good,
        Conclusion::GateFailed | Conclusion::TargetFailed => Tone::Bad,
        Conclusion::Inconclusive | Conclusion::Interrupted => Tone::Unsure,
    }
}

/// What the browser's tab says.
pub(super) fn title(record: &RunRecord) -> String {
    let conclusion = record.verdict.conclusion;
    let demo = if record.target.demo { " (demo)" } else { "" };
    format!(
        "{} {}: {} against {}{demo}",
        tone(conclusion).mark(),
        word(conclusion),
        clean::cut(&record.suite.name, 60),
        clean::cut(&record.target.name, 60)
    )
}

/// The verdict on a run, and its numbers.
pub(super) fn header(record: &RunRecord) -> Markup {
    let started = record.started_at.format("%Y-%m-%d %H:%M UTC").to_string();
    let environment = record.environment.as_deref().map(|name| format!(" · {}", clean::name(name)));
    html! {
        p.origin { "thrash · " (started) (environment.unwrap_or_default()) }
        (conclusion(&record.verdict))
        @if record.target.demo { p.loud.unsure { span.mark aria-hidden="true" { "!" } " Only the demo" } p.demo { (DEMO) } }
        p.lead {
            b { (clean::name(&record.suite.name)) } " against " b { (clean::name(&record.target.name)) } ": "
            (counts(record)) "."
        }
        @if !record.verdict.sentence.is_empty() { p.why { (sentence(&record.verdict.sentence)) } }
        @if let Some(removed) = removed(record) { p.note { (removed) } }
        (numbers(record))
    }
}

/// The conclusion, as large as anything on the page.
pub(super) fn conclusion(verdict: &RunVerdict) -> Markup {
    let tone = tone(verdict.conclusion);
    html! { h1.loud.(tone.class()) { (mark(tone)) " " (word(verdict.conclusion)) } }
}

/// The sentence, as one: it begins with a capital and ends with a stop.
pub(crate) fn sentence(text: &str) -> String {
    let text = clean::sentence(text);
    let mut signs = text.chars();
    let first: String = signs.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", signs.as_str().trim_end_matches('.'))
}

/// The numbers that are asked for first.
fn numbers(record: &RunRecord) -> Markup {
    let Metrics { accuracy, false_positive_rate, false_negative_rate, severe_miss_rate, .. } =
        &record.metrics;
    let rate = |name: &'static str, metric: &'static str, rate: &Rate| {
        let cases = format!("{} of {}", rate.count, rate.of);
        (name, metric, figures::percent(rate.value), figures::percent_interval(rate.wilson), cases)
    };
    let latency = figures::duration(record.latency.p95_ms);
    let answers = figures::count(record.latency.count, "answer", "answers");
    let rows = [
        rate("Accuracy", "accuracy", accuracy),
        rate("False positives", "false_positive_rate", false_positive_rate),
        rate("False negatives", "false_negative_rate", false_negative_rate),
        rate("Severe misses", "severe_miss_rate", severe_miss_rate),
        rate("Unanswered", "unanswered_rate", &record.metrics.unanswered_rate),
        ("Latency p95", "latency_p95", latency, String::new(), answers),
    ];
    html! {
        dl.numbers {
            @for (name, metric, value, interval, cases) in rows {
                div {
                    dt { (name) }
                    dd {
                        span.value { (value) }
                        span.detail { (cases) @if !interval.is_empty() { " " (interval) } }
                        @for (tone, wanted) in wanted(&record.verdict, metric) {
                            span.detail.(tone.class()) { (mark(tone)) " " (wanted) }
                        }
                    }
                }
            }
        }
    }
}

/// What gates ask of a number of the whole run, and how that came out.
fn wanted<'a>(verdict: &'a RunVerdict, metric: &'a str) -> impl Iterator<Item = (Tone, String)> + 'a {
    verdict.checks.iter().filter(move |check| check.metric == metric && check.slice.is_none()).filter_map(
        |check| {
            let sign = match check.comparison {
                Comparison::AtLeast => "at least",
                Comparison::AtMost => "at most",
            };
            let limit = figures::of_metric(&check.metric, Some(check.limit), None);
            let words = match check.mode {
                CheckMode::Point => format!("{sign} {limit}"),
                CheckMode::Bound => format!("surely {sign} {limit}"),
                CheckMode::NoRegression | CheckMode::NonInferior | CheckMode::Change => return None,
            };
            Some((of_check(check.outcome), words))
        },
    )
}

/// The tone of a check.
pub(super) const fn of_check(outcome: CheckOutcome) -> Tone {
    match outcome {
        CheckOutcome::Pass => Tone::Good,
        CheckOutcome::Fail => Tone::Bad,
        CheckOutcome::Inconclusive => Tone::Unsure,
    }
}
