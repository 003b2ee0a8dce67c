//! What only a load run finds: the load that was made, the answers under it, and this machine's part.

use crate::domain::{IdleComparison, LoadCheck, LoadModel, LoadRecord, LoadStep, RunRecord};

use super::super::figures::{self, count};
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::page::{Line, Page, Tone};

/// So many steps are shown; of more, the ones with the highest load.
const MOST_STEPS: usize = 12;

pub(super) fn show(page: &mut Page, record: &RunRecord, load: &LoadRecord) {
    page.section("Load", &sent(load));
    if let Some(by) = load.ended_by {
        page.section("Ended", &format!("before its time; {}", by.in_words()));
    }
    steps(page, load);
    idle(page, load.idle.as_ref());
    checks(page, load);
    generator(page, load);
    latency(page, record, load);
}

/// What was asked for and what was sent.
fn sent(load: &LoadRecord) -> String {
    let counts = &load.counts;
    let model = match load.scenario.model {
        LoadModel::Arrivals => "open model: times count from when a request should have started",
        LoadModel::Users => "closed model: users who wait are not seen to wait",
    };
    let mut parts = vec![format!("{} of {} intended requests started", counts.started, counts.intended)];
    parts.extend(figures::batches(load));
    parts.extend(
        load.scenario
            .overrides
            .iter()
            .map(|(key, value)| format!("{key}: {value} in place of the scenario's")),
    );
    for (some, word) in [
        (counts.late, "over a second late"),
        (counts.dropped, "dropped"),
        (counts.waited, "had to wait for a free connection"),
        (counts.abandoned, "still on their way at the end"),
        (load.warm_up, "more in the warm-up"),
    ] {
        if some > 0 {
            parts.push(format!("{some} {word}"));
        }
    }
    format!("{}; {model}", parts.join(", "))
}

/// The steps, each with its load.
fn steps(page: &mut Page, load: &LoadRecord) {
    let mut shown: Vec<&LoadStep> = load.steps.iter().collect();
    if shown.len() > MOST_STEPS {
        shown.sort_by(|one, other| other.load_to.total_cmp(&one.load_to));
        shown.truncate(MOST_STEPS);
        shown.sort_by(|one, other| one.from_ms.total_cmp(&other.from_ms));
    }
    let header = ["", "started", "phrases", "p50", "p95", "p99", "no answer", "right", "lost"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(shown.iter().map(|step| row(step, load)));
    // What one misses least gives way to a narrow terminal.
    let without = |left_out: &[usize]| -> Vec<Vec<String>> {
        let keep = |row: &Vec<String>| {
            let cells = row.iter().enumerate().filter(|(column, _)| !left_out.contains(column));
            cells.map(|(_, cell)| cell.clone()).collect()
        };
        rows.iter().map(keep).collect()
    };
    let has_idle = load.idle.is_some();
    let layouts: Vec<Vec<Vec<String>>> = [&[][..], &[3], &[1, 3], &[1, 3, 6]]
        .into_iter()
        .map(|left_out| {
            let mut left_out = left_out.to_vec();
            if !has_idle {
                left_out.push(8);
            }
            if !load.scenario.is_judged() {
                left_out.push(7);
            }
            if load.scenario.batch == 1 {
                left_out.push(2);
            }
            without(&left_out)
        })
        .collect();
    let sides = [Left, Right, Right, Right, Right, Right, Right, Right, Right];
    for line in columns::fitting(layouts, &sides, page.width().saturating_sub(4), 24) {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
    if load.steps.len() > MOST_STEPS {
        let more = load.steps.len() - MOST_STEPS;
        page.line(Line::of(Tone::Dim, format!("    +{more} steps of less load in the record")));
    }
}

fn row(step: &LoadStep, load: &LoadRecord) -> Vec<String> {
    let some = |n: u64| if n == 0 { figures::NOTHING.to_owned() } else { n.to_string() };
    vec![
        figures::load(step, load.scenario.model),
        format!("{}/s", figures::short((step.rate * 10.0).round() / 10.0)),
        figures::phrase_rate(step, load.scenario.batch),
        figures::duration(step.response.p50_ms),
        figures::duration(step.response.p95_ms),
        figures::duration(step.response.p99_ms),
        some(step.counts.unanswered_phrases()),
        figures::percent(step.accuracy.value),
        step.lost.map_or_else(String::new, |lost| figures::percent(lost.value)),
    ]
}

/// What the load did to answers that are right without it.
fn idle(page: &mut Page, idle: Option<&IdleComparison>) {
    let Some(idle) = idle else { return };
    let drop = idle.drop.as_ref().map_or_else(
        || "could not be compared".to_owned(),
        |drop| {
            let ends = drop.lower.zip(drop.upper).map(|(lower, upper)| [-upper, -lower]);
            format!("changes by {} points under load", figures::signed(Some(-drop.value), ends))
        },
    );
    let (right, of) = (idle.accuracy.count, idle.accuracy.of);
    if of == 0 {
        page.section("Idle", "no phrase was sent when idle and under load, so nothing is compared");
        return;
    }
    let mut text = format!("{right} of {of} phrases right when idle; accuracy {drop}");
    if !idle.lost.is_empty() {
        let lost = figures::names(idle.lost.iter().map(String::as_str), 3);
        text = format!(
            "{text}; {} under load only: {lost}",
            count(idle.lost.len() as u64, "is wrong", "are wrong")
        );
    }
    page.section("Idle", &text);
}

/// The scenario's checks, the one that fails most often first.
fn checks(page: &mut Page, load: &LoadRecord) {
    let mut checks: Vec<&LoadCheck> = load.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.failures.count));
    let told = |check: &&LoadCheck| {
        format!("{}: {} of {} answers failed", check.name, check.failures.count, check.failures.of)
    };
    if !checks.is_empty() {
        page.section("Checks", &checks.iter().map(told).collect::<Vec<_>>().join("; "));
    }
}

fn generator(page: &mut Page, load: &LoadRecord) {
    let generator = &load.generator;
    let cost =
        generator.cpu_per_request_us.map_or_else(String::new, |us| format!(", {us:.0} µs of CPU a request"));
    let lag = generator.lag.p99_ms.map_or_else(String::new, |ms| {
        format!(", due starts waited {} (p99) for it", figures::duration(Some(ms)))
    });
    let threads = count(generator.threads as u64, "thread", "threads");
    let senders = match load.shards.len() as u64 {
        0 => threads,
        workers => format!("{} with {threads}", count(workers, "worker", "workers")),
    };
    page.section("Machine", &format!("{senders} sent{cost}{lag}"));
    for limit in &generator.limits {
        page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Plain, limit);
    }
}

/// Response and service time of all requests.
fn latency(page: &mut Page, record: &RunRecord, load: &LoadRecord) {
    let mut rows = vec![["", "p50", "p90", "p95", "p99", "max"].map(str::to_owned).to_vec()];
    let mut add = |name: &str, latency: &crate::domain::LatencyReport| {
        if latency.count > 0 {
            let columns = [latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms];
            rows.push([vec![name.to_owned()], columns.map(figures::duration).to_vec()].concat());
        }
    };
    add("response time", &record.latency);
    add("service time", &record.attempt_latency);
    if let Some(accepted) = &record.accept_latency {
        add("until accepted", accepted);
    }
    if let Some(idle) = &load.idle {
        add("when idle", &idle.latency);
    }
    let mut lines = columns::lines(&rows, &[Left, Right, Right, Right, Right, Right]).into_iter();
    page.blank();
    page.line(columns::titled("Latency", &lines.next().unwrap_or_default(), 4));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
}
