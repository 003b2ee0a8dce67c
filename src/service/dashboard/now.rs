//! The first page: how things stand now.

use axum::response::Response;
use chrono::Utc;
use maud::{Markup, html};

use super::row::{Found, time};
use super::visit::Visit;
use super::{health, run, schedules, trends};
use crate::domain::{Job, JobState};
use crate::report::html::clean;
use crate::report::html::page::Page;
use crate::report::html::section::{Section, Tone, mark};
use crate::service::problem::Problem;
use crate::service::readiness::{Look, Looks, State};
use crate::store::{JobFilter, RunFilter, RunSummary};

/// What a reader has to know of a service that tests the demo.
const ONLY_DEMO: &str =
    "The built-in demo, not your service: name yours by NLP_SERVER_URL, or `target` in the configuration.";

/// A result that began longer ago says little of now.
const STALE_HOURS: i64 = 48;
/// So many newest results are shown.
const RESULTS: usize = 30;
/// Jobs that the script compares, to see whether something happened since.
const WATCHED: usize = 10;
/// Failed and lost jobs that are looked at for newest results.
const FAILED: usize = 200;

pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let store = visit.service.store.as_ref();
    let jobs = |states: &[JobState], limit| JobFilter {
        states: states.to_vec(),
        limit: Some(limit),
        ..JobFilter::default()
    };
    let newest = RunFilter { newest: true, ..visit.service.telling_runs() };
    let (open, failed, last) = (
        jobs(&[JobState::Running, JobState::Queued], FAILED),
        JobFilter { without_run: true, typed: Some(false), ..jobs(&[], FAILED) },
        jobs(&[], WATCHED),
    );
    let trends = async {
        let newest = store.list(&newest).await?;
        let drawn = trends::section(&visit, &newest).await?;
        Ok((newest, drawn))
    };
    let stored = async {
        tokio::try_join!(trends, store.jobs(&open), store.jobs(&failed), store.jobs(&last))
            .map_err(Problem::from)
    };
    let (((newest, trends), open, failed, last), schedules, looks) =
        tokio::try_join!(stored, schedules::section(&visit), async {
            Ok(health::look(&visit.service).await)
        },)?;
    let results = results(&newest, failed);
    let sections = [
        Some(queue(&visit, &open, &last)),
        Some(shown(&visit, &results)),
        schedules,
        trends,
        Some(health::section(&visit, looks.as_ref())),
    ];
    let served = visit.service.config.served_targets();
    let told: Vec<&Found> =
        results.iter().filter(|found| served.iter().any(|target| target == found.target())).collect();
    let (tone, words) = match (headline(&told), visit.service.queue.in_memory()) {
        ((Tone::Bad, words), _) => (Tone::Bad, words),
        (all, 0) => as_of_now(all, &told, looks.as_ref()),
        // Among the newest results it is none yet, and it may be worse than they are.
        (_, 1) => (Tone::Unsure, "A finished run is not stored yet".to_owned()),
        (_, several) => (Tone::Unsure, format!("{several} finished runs are not stored yet")),
    };
    let header = html! {
        p.origin { "thrash · now" }
        h1.loud.(tone.class()) { (mark(tone)) " " (words) }
        @if visit.service.config.wants_demo() { p.demo { (ONLY_DEMO) } }
        @if let Some(worst) = told.iter().find(|found| found.outcome().0 == tone) {
            p.lead {
                b { (clean::name(&worst.suite())) } " against " b { (clean::name(worst.target())) } ": "
                (worst.outcome().1) ", " (time(worst.at())) " UTC"
                @if told.len() > 1 && tone != Tone::Good { ", the newest of those" }
                "."
            }
        } @else if tone == Tone::Bad {
            p.lead { "What is wrong with it stands under " a href="#health" { "Health" } "." }
        }
    };
    let title = format!("{} {words}: thrash", tone.mark());
    let sections = sections.into_iter().flatten().collect();
    Ok(visit.show_live(Page { title, tone, header, sections, data: None, frame: None }))
}

/// The newest result of each suite and target. A job that failed since takes the place of an older run: what passed
/// before says nothing of now.
fn results(newest: &[RunSummary], failed: Vec<Job>) -> Vec<Found> {
    let mut results: Vec<Found> = newest.iter().map(|run| Found::Run(Box::new(run.clone()))).collect();
    for job in failed {
        let job = Found::NotRun(Box::new(job));
        let place =
            results.iter().position(|known| known.suite() == job.suite() && known.target() == job.target());
        match place {
            Some(place) if results[place].at() >= job.at() => {}
            Some(place) => results[place] = job,
            None => results.push(job),
        }
    }
    results.sort_by_key(|found| std::cmp::Reverse(found.at()));
    results
}

/// What the newest results come to now: those that passed say nothing of a target that is down, nor for long.
fn as_of_now((tone, words): (Tone, String), results: &[&Found], looks: Option<&Looks>) -> (Tone, String) {
    let failed = |look: fn(&Looks) -> &Look| looks.is_some_and(|looks| look(looks).state == State::Failed);
    if failed(|looks| &looks.target) {
        return (Tone::Bad, "The target is not well".to_owned());
    }
    if failed(|looks| &looks.database) {
        return (Tone::Bad, "The database is not well".to_owned());
    }
    if tone != Tone::Good {
        return (tone, words);
    }
    let oldest = results.iter().map(|found| (Utc::now() - found.at()).num_hours()).max();
    if let Some(hours) = oldest.filter(|hours| *hours >= STALE_HOURS) {
        let days = hours / 24;
        return match results {
            [_] => (Tone::Unsure, format!("Passed {days} days ago")),
            _ => (Tone::Unsure, format!("{words}, the oldest {days} days ago")),
        };
    }
    match looks {
        None => (Tone::Unsure, format!("{words}; the target is being asked")),
        Some(_) if failed(|looks| &looks.model) => {
            (Tone::Unsure, format!("{words}; the reference model is not well"))
        }
        Some(_) => (tone, words),
    }
}

/// The worst of the newest results.
fn headline(results: &[&Found]) -> (Tone, String) {
    let all = results.len();
    for tone in [Tone::Bad, Tone::Unsure, Tone::Plain] {
        let such: Vec<&'static str> = results
            .iter()
            .map(|found| found.outcome())
            .filter(|(of, _)| *of == tone)
            .map(|(_, word)| word)
            .collect();
        match such.as_slice() {
            [] => {}
            [word] if all == 1 => return (tone, (*word).to_owned()),
            [first, rest @ ..] if rest.iter().all(|word| word == first) => {
                return (tone, format!("{} of {all}: {first}", such.len()));
            }
            _ if tone == Tone::Bad => return (tone, format!("{} of {all} failed", such.len())),
            _ => return (tone, format!("{} of {all} could not tell", such.len())),
        }
    }
    match all {
        0 => (Tone::Plain, "Nothing has run yet".to_owned()),
        1 => (Tone::Good, "Passed".to_owned()),
        all => (Tone::Good, format!("All {all} passed")),
    }
}

/// What runs, and what waits for its turn.
fn queue(visit: &Visit, open: &[Job], last: &[Job]) -> Section {
    let (running, mut waiting): (Vec<&Job>, Vec<&Job>) =
        open.iter().partition(|job| job.state == JobState::Running);
    waiting.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.submitted_at));
    let seen: Vec<String> = last.iter().map(|job| format!("{}:{}", job.id, job.state.as_str())).collect();
    let watched = visit.path(&format!("/api/test/runs?limit={WATCHED}"));
    let body = html! {
        div data-runs=(watched) data-seen=(seen.join(" ")) {
            @if open.is_empty() {
                p.empty {
                    "Nothing runs, and nothing waits."
                    @if visit.may_run() { " " a href=(visit.path("/start")) { "Start a run" } }
                }
            }
            @for job in running { (run::progress(visit, job, true)) }
            @if !waiting.is_empty() {
                h3 { "Waiting" }
                ul.entries { @for job in waiting { (waits(visit, job)) } }
            }
        }
    };
    Section { id: "running", title: "Running", summary: String::new(), body }
}

fn waits(visit: &Visit, job: &Job) -> Markup {
    html! {
        li.plain {
            (mark(Tone::Plain))
            div { p.name { (run::name(visit, job)) } p.found { (run::asked(job)) } }
            (run::cancel_button(visit, job))
        }
    }
}

fn shown(visit: &Visit, results: &[Found]) -> Section {
    let more = results.len().saturating_sub(RESULTS);
    let body = html! {
        @if results.is_empty() { p.empty { "There is no result yet." } }
        ul.entries { @for found in results.iter().take(RESULTS) { (found.item(visit, &html! {})) } }
        @if more > 0 { p.note { (more) " more are among " a href=(visit.path("/runs")) { "all runs" } "." } }
    };
    let summary = "of each suite and target, times in UTC".to_owned();
    Section { id: "results", title: "Newest results", summary, body }
}
