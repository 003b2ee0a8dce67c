//! A load run: the load over time, what it did to the answers, and this machine's part in it.

use maud::{Markup, html};

use super::super::figures;
use super::load_limits::{Limit, SLOW, drawn, limits, named, with};
use super::section::{Section, Table, Tone, cell, folded, mark};
use super::svg::{Plot, Tick, at, line, number, path};
use super::{clean, load_categories, load_curve};
use crate::domain::{LoadCheck, LoadModel, LoadRecord, LoadSecond, RunRecord, ShardRecord};

/// A chart has so many points at most; of more, every so-manieth slice is the worst of its neighbours.
const MOST_POINTS: usize = 600;
/// Dots are drawn for so few steps; more make a smear.
const MOST_IDS: usize = 12;

/// The section; none for a run without load.
pub(super) fn section(record: &RunRecord) -> Option<Section> {
    let load = record.load.as_deref()?;
    let body = html! {
        (what(load))
        (over_time(record, load))
        (steps(load))
        (by_load(record, load))
        (load_categories::table(load))
        (load_curve::figure(record))
        (idle(load))
        (checks(load))
        (machine(load))
    };
    let counts = &load.counts;
    let mut summary = format!("{} of {} intended requests started", counts.started, counts.intended);
    if let Some(batches) = figures::batches(load) {
        summary = format!("{summary}, {batches}");
    }
    Some(Section { id: "load", title: "Load", summary, body })
}

/// What was asked for, and what became of it.
fn what(load: &LoadRecord) -> Markup {
    let scenario = &load.scenario;
    let model = match scenario.model {
        LoadModel::Arrivals => {
            "Open model: requests start by the clock, and times count from when they should have."
        }
        LoadModel::Users => {
            "Closed model: users wait for their answers, and what they wait is not seen as latency."
        }
    };
    let mut facts =
        vec![format!("scenario {} ({})", clean::name(&scenario.name), clean::cut(&scenario.title, 80))];
    let counts = &load.counts;
    for (some, one, many) in [
        (counts.late, "started more than a second late", "started more than a second late"),
        (counts.dropped, "was dropped", "were dropped"),
        (counts.waited, "had to wait for a free connection", "had to wait for a free connection"),
        (counts.abandoned, "was still on its way at the end", "were still on their way at the end"),
        (load.warm_up, "more belonged to the warm-up", "more belonged to the warm-up"),
    ] {
        if some > 0 {
            facts.push(figures::count(some, one, many));
        }
    }
    if scenario.time_scale.to_bits() != 1.0_f64.to_bits() {
        facts.push(format!("lengths of time × {}", scenario.time_scale));
    }
    for (key, value) in &scenario.overrides {
        facts.push(format!("{}: {} in place of the scenario's", clean::name(key), clean::name(value)));
    }
    facts.extend(scenario.http.map(|http| format!("over {http}, as the scenario says")));
    facts.extend(scenario.connections.map(|most| {
        format!("{} at most where it is HTTP/2", figures::count(most as u64, "connection", "connections"))
    }));
    facts.extend((!scenario.keep_alive).then(|| "a connection for each request".to_owned()));
    html! {
        p { (model) }
        p.note { (facts.join(" · ")) }
        @if !scenario.is_judged() { p.finding { "Every request had one and the same body, so no answer is right or wrong." } }
        @if let Some(abort) = &load.abort {
            p.finding { "Ended after " (figures::duration(Some(abort.at_ms))) " by " code { (clean::cut(&abort.rule, 60)) } ": " (clean::sentence(&abort.seen)) "." }
        }
        @if let Some(by) = load.ended_by { p.finding { "It ended before its time: " (by.in_words()) "." } }
        @if let Some(search) = &load.search {
            p.finding { (match (search.sustained, search.broken) {
                (Some(held), Some(broke)) => format!("{held:.1} requests a second hold, {broke:.1} do not."),
                (Some(held), None) => format!("{held:.1} requests a second hold; nothing above was tried."),
                (None, _) => "No load that was tried holds.".to_owned(),
            }) @if let Some(reason) = &search.reason { " " (clean::sentence(reason)) "." } }
        }
    }
}

/// Latency, rate and errors over time, one below the other over the same axis. Wider by choice, without a script.
fn over_time(record: &RunRecord, load: &LoadRecord) -> Markup {
    if load.seconds.len() < 2 {
        return html! {};
    }
    let seconds = LoadSecond::thinned(&load.seconds, MOST_POINTS);
    let end = load.seconds.last().map_or(1.0, |second| second.at_s + load.second_s);
    let x = |time_s: f64| time_s / end;
    let middle = |second: &LoadSecond| x(second.at_s + load.second_s / 2.0);
    let ticks = time_ticks(end);
    let stages: Vec<f64> = boundaries(load).into_iter().map(|ms| x(ms / 1e3)).collect();
    let walls =
        html! { @for wall in &stages { line.stage x1=(at(*wall)) x2=(at(*wall)) y1="0" y2="100%" {} } };

    let slow_limits = limits(record, &SLOW);
    let slowest =
        seconds.iter().filter_map(|second| second.p99_ms).chain(slow_limits.iter().map(|limit| limit.1));
    let slowest = slowest.fold(1.0, f64::max) * 1.05;
    let abort = load.scenario.abort_when;
    let slow_limits = with(slow_limits, "ended at p95", abort.and_then(|abort| abort.latency_p95_ms));
    let curve = |of: fn(&LoadSecond) -> Option<f64>, most: f64| {
        path(seconds.iter().filter_map(|second| Some((middle(second), of(second)? / most))))
    };
    let latency = Plot {
        id: "load-latency",
        title: format!(
            "Response time over {}: p50, p95 and p99 of each second.",
            figures::duration(Some(end * 1e3))
        ),
        height: 220,
        x: ticks.clone(),
        y: value_ticks(slowest, |ms| figures::duration(Some(ms))),
        stretched: html! {
            (line("curve faint", &curve(|second| second.p50_ms, slowest)))
            (line("curve", &curve(|second| second.p95_ms, slowest)))
            (line("curve second", &curve(|second| second.p99_ms, slowest)))
        },
        over: html! {
            (walls)
            (drawn(&slow_limits, slowest))
        },
        axes: ["", "response time"],
    };
    let rate = |count: u64| number(count) / load.second_s;
    let most =
        seconds.iter().map(|second| rate(second.intended.max(second.started))).fold(1.0, f64::max) * 1.05;
    let of = |count: fn(&LoadSecond) -> u64| {
        path(seconds.iter().map(|second| (middle(second), rate(count(second)) / most)))
    };
    let rates = Plot {
        id: "load-rate",
        title: "Requests a second: intended, started, and ended without an answer.".to_owned(),
        height: 140,
        x: ticks.clone(),
        y: value_ticks(most, |rate| format!("{rate:.0}/s")),
        stretched: html! {
            (line("curve faint", &of(|second| second.intended)))
            (line("curve", &of(|second| second.started)))
            (line("curve second", &of(|second| second.unanswered)))
        },
        over: walls.clone(),
        axes: ["", "requests a second"],
    };
    let (silences, error_limits) = silences(record, load, &seconds, middle, (ticks, walls));
    let key = |class: &str, word: &str| html! { li { svg width="28" height="8" aria-hidden="true" { path class=(class) d="M0 4H28" {} } " " (word) } };
    html! {
        figure.zoom {
            figcaption { h3 { "Over time" } }
            fieldset { legend.unseen { "Width" }
                @for (i, factor) in ["1", "3", "10"].iter().enumerate() {
                    label { input type="radio" name="zoom" class={ "z" (factor) } checked[i == 0]; " " (factor) "×" }
                }
            }
            ul.legend { (key("curve faint", "p50")) (key("curve", "p95")) (key("curve second", "p99"))
                (named(&slow_limits, |ms| figures::duration(Some(ms)))) }
            div.scroll tabindex="0" role="group" aria-label="Charts over time" {
                (latency.render())
                (rates.render())
                (silences)
            }
            ul.legend { (key("curve faint", "intended")) (key("curve", "started")) (key("curve second", "no answer"))
                (named(&error_limits, |share| figures::percent(Some(share)))) }
        }
        (folded("The seconds", &seconds_table(load)))
    }
}

/// The share without an answer over time, with its limits.
fn silences(
    record: &RunRecord,
    load: &LoadRecord,
    seconds: &[LoadSecond],
    middle: impl Fn(&LoadSecond) -> f64,
    (ticks, walls): (Vec<Tick>, Markup),
) -> (Markup, Vec<Limit>) {
    let silent = |second: &LoadSecond| {
        let phrases = second.ended_phrases();
        let ended = phrases.answered + phrases.unanswered;
        (ended > 0).then(|| number(phrases.unanswered) / number(ended))
    };
    let error_limits = limits(record, &["unanswered_rate"]);
    let errors = seconds.iter().filter_map(silent).chain(error_limits.iter().map(|limit| limit.1));
    let errors = errors.fold(0.01, f64::max) * 1.05;
    let error_limits = with(error_limits, "ended at", load.scenario.abort_when.map(|abort| abort.error_rate));
    let percent = |share: f64| figures::percent(Some(share));
    let plot = Plot {
        id: "load-errors",
        title: "The share without an answer, of what ended in each second.".to_owned(),
        height: 100,
        x: ticks,
        y: value_ticks(errors, percent),
        stretched: line(
            "curve",
            &path(seconds.iter().filter_map(|second| Some((middle(second), silent(second)? / errors)))),
        ),
        over: html! { (walls) (drawn(&error_limits, errors)) },
        axes: ["time", "no answer"],
    };
    (plot.render(), error_limits)
}

/// When stages begin, the first left out.
fn boundaries(load: &LoadRecord) -> Vec<f64> {
    let pairs = load.steps.windows(2);
    pairs.filter(|pair| pair[0].stage != pair[1].stage).map(|pair| pair[1].from_ms).collect()
}

pub(super) fn time_ticks(end_s: f64) -> Vec<Tick> {
    let shares = [0.0, 0.25, 0.5, 0.75, 1.0];
    shares.map(|share| (share, figures::duration(Some(share * end_s * 1e3)))).to_vec()
}

pub(super) fn value_ticks(most: f64, show: impl Fn(f64) -> String) -> Vec<Tick> {
    [0.0, 0.5, 1.0].map(|share| (share, show(share * most))).to_vec()
}

fn seconds_table(load: &LoadRecord) -> Markup {
    let rows = LoadSecond::thinned(&load.seconds, MOST_POINTS).into_iter().map(|second| {
        vec![
            cell(format!("{:.0}", second.at_s)),
            cell(second.intended.to_string()),
            cell(second.started.to_string()),
            cell(second.in_flight.to_string()),
            cell(silent(&second)),
            cell(if load.scenario.is_judged() {
                second.right.to_string()
            } else {
                figures::NOTHING.to_owned()
            }),
            cell(figures::duration(second.p50_ms)),
            cell(figures::duration(second.p95_ms)),
            cell(figures::duration(second.p99_ms)),
        ]
    });
    let head = vec![
        "Second",
        "#Intended",
        "#Started",
        "#On their way",
        "#No answer",
        "#Right",
        "#p50",
        "#p95",
        "#p99",
    ];
    let slices = load.seconds.len().div_ceil(MOST_POINTS);
    html! {
        (Table { caption: "The run second by second", head, rows: rows.collect() }.render())
        @if slices > 1 { p.note { "Each row stands for " (slices) " slices: their mean counts, the slowest times." } }
    }
}

/// How many have no answer, and why.
fn silent(second: &LoadSecond) -> String {
    let reasons: Vec<String> =
        second.no_answer.iter().map(|(reason, count)| format!("{count} {}", reason.as_str())).collect();
    let count = second.ended_phrases().unanswered.to_string();
    if reasons.is_empty() { count } else { format!("{count}: {}", reasons.join(", ")) }
}

/// The steps, each with its load.
fn steps(load: &LoadRecord) -> Markup {
    let batch = load.scenario.batch;
    let rows = load.steps.iter().map(|step| {
        let mut row = vec![
            cell(figures::load(step, load.scenario.model)),
            cell(format!("{:.1}/s", step.rate)),
            cell(figures::percent(step.achieved.value)),
            cell(figures::duration(step.response.p50_ms)),
            cell(figures::duration(step.response.p95_ms)),
            cell(figures::duration(step.response.p99_ms)),
            cell(step.counts.unanswered().to_string()),
            cell(figures::percent(step.accuracy.value)),
            cell(step.lost.map_or_else(|| figures::NOTHING.to_owned(), |lost| figures::percent(lost.value))),
        ];
        if batch > 1 {
            row.push(cell(figures::phrase_rate(step, batch)));
            row.push(cell(step.counts.unanswered_phrases().to_string()));
        }
        row
    });
    let mut head =
        vec!["Load", "#Started", "#On time", "#p50", "#p95", "#p99", "#No answer", "#Right", "#Lost"];
    if batch > 1 {
        head.extend(["#Phrases", "#Phrases without an answer"]);
    }
    html! {
        h3 { "By load" }
        (Table { caption: "The steps of the run, each with its load", head, rows: rows.collect() }.render())
        @if batch > 1 { p.note { "Requests hold " (batch) " phrases each: times and the first columns are of requests, right, lost and the last two of phrases." } }
        @if load.idle.is_some() { p.note { "Lost: of the answers to phrases that are right when the target is idle, those not right under this load." } }
    }
}

/// Accuracy and p95 against the load, where there is more than one.
fn by_load(record: &RunRecord, load: &LoadRecord) -> Markup {
    let mut points: Vec<(f64, f64, String)> = load
        .steps
        .iter()
        .filter_map(|step| Some((step.rate, step.accuracy.value?, figures::load(step, load.scenario.model))))
        .collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let most = points.iter().map(|(rate, ..)| *rate).fold(0.0, f64::max);
    if points.len() < 3 || most <= 0.0 {
        return html! {};
    }
    let place = |rate: f64| rate / (most * 1.02);
    let wanted = limits(record, &["accuracy"]);
    let plot = Plot {
        id: "load-accuracy",
        title: "Right answers of all, by requests a second.".to_owned(),
        height: 140,
        x: value_ticks(most * 1.02, |rate| format!("{rate:.0}/s")),
        y: vec![(0.0, "0 %".to_owned()), (0.5, "50 %".to_owned()), (1.0, "100 %".to_owned())],
        stretched: line("curve", &path(points.iter().map(|(rate, share, _)| (place(*rate), *share)))),
        over: html! {
            (drawn(&wanted, 1.0))
            @for (rate, share, name) in points.iter().take(MOST_IDS * 4) {
                circle.plain cx=(at(place(*rate))) cy=(at(1.0 - share)) r="4" { title { (name) ": " (figures::percent(Some(*share))) } }
            }
        },
        axes: ["requests a second", "right"],
    };
    html! { figure { figcaption { h3 { "Right answers by load" } } (plot.render())
    ul.legend { (named(&wanted, |share| figures::percent(Some(share)))) } } }
}

/// What the load did to answers that are right without it.
fn idle(load: &LoadRecord) -> Markup {
    let Some(idle) = &load.idle else { return html! {} };
    let drop = idle.drop.as_ref().map(|drop| {
        let ends = drop.lower.zip(drop.upper).map(|(lower, upper)| [-upper, -lower]);
        figures::signed(Some(-drop.value), ends)
    });
    html! {
        h3 { "Beside the idle target" }
        p {
            (idle.accuracy.count) " of " (idle.accuracy.of) " phrases are right when it is idle. Under load accuracy changes by "
            b { (drop.unwrap_or_else(|| figures::NOTHING.to_owned())) } " points; "
            (idle.test.regressed) " phrases got worse, " (idle.test.improved) " better (" (figures::p_value(idle.test.p_worse)) " that this is chance)."
        }
        @if !idle.lost.is_empty() {
            p.finding { "Right when idle, mostly wrong under load: " (clean::cut(&figures::names(idle.lost.iter().map(String::as_str), MOST_IDS), 600)) }
        }
    }
}

/// The scenario's checks.
fn checks(load: &LoadRecord) -> Markup {
    if load.checks.is_empty() {
        return html! {};
    }
    let row = |check: &LoadCheck| {
        vec![
            cell(clean::name(&check.name)),
            cell(clean::cut(&check.rule, 200)),
            cell(check.failures.count.to_string()),
            cell(check.failures.of.to_string()),
            cell(figures::percent(check.failures.value)),
        ]
    };
    let head = vec!["Check", "Rule", "#Failed", "#Answers", "#Share"];
    let rows = load.checks.iter().map(row).collect();
    html! { h3 { "Checks" } (Table { caption: "The scenario's checks", head, rows }.render()) }
}

/// The machines that sent together.
fn workers(load: &LoadRecord) -> Markup {
    let row = |shard: &ShardRecord| {
        vec![
            cell(shard.index.to_string()),
            cell(shard.started.to_string()),
            cell(shard.answered.to_string()),
            cell(figures::duration(shard.lag_p99_ms)),
            cell(format!("{:+.1} ± {:.1} ms", shard.clock_ms, shard.clock_error_ms)),
            cell(shard.trouble.as_deref().map_or_else(|| "all".to_owned(), clean::sentence)),
        ]
    };
    Table {
        caption: "The workers that sent together",
        head: vec![
            "#Worker",
            "#Started",
            "#Answered",
            "#Due starts waited (p99)",
            "#Clock",
            "What is in the numbers",
        ],
        rows: load.shards.iter().map(row).collect(),
    }
    .render()
}

/// Whether this machine could make the load.
fn machine(load: &LoadRecord) -> Markup {
    let generator = &load.generator;
    let (tone, word) = match (generator.starved, generator.limits.is_empty()) {
        (true, _) => (Tone::Unsure, "It could not make this load"),
        (false, false) => (Tone::Unsure, "It made the load, and was slow"),
        (false, true) => (Tone::Good, "It kept up"),
    };
    html! {
        h3 { "The machine that sent" }
        p { (mark(tone)) " " (word) ": " (figures::count(generator.threads as u64, "thread", "threads"))
            @if let Some(us) = generator.cpu_per_request_us { ", " (format!("{us:.0}")) " µs of CPU a request" }
            ", due starts waited " (figures::duration(generator.lag.p99_ms)) " (p99) for it." }
        @for limit in &generator.limits { p.finding { (clean::sentence(limit)) } }
        @if !load.shards.is_empty() { (folded("The workers", &workers(load))) }
    }
}
