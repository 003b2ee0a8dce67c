//! A run: while it goes on how far it is, and then its report.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::form::Sent;
use super::row::{Found, time};
use super::visit::Visit;
use crate::dispatch::earlier;
use crate::domain::{Job, JobState, RunId, RunKind, TextPolicy};
use crate::report::html::clean;
use crate::report::html::page::Page;
use crate::report::html::section::{Section, Tone, mark};
use crate::report::html::{run_page, verdict};
use crate::service::api::Id;
use crate::service::problem::Problem;
use crate::service::trend;

/// A form without fields of its own.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn show(visit: Visit, Id(id): Id) -> Result<Response, Problem> {
    let job = visit.service.job_of(&id).await?;
    if let Some(job) = job.as_ref().filter(|job| !job.state.is_over()) {
        return Ok(under_way(&visit, job));
    }
    let run = job.as_ref().and_then(|job| job.run.clone()).unwrap_or(id);
    match (report(&visit, &run).await, job) {
        (Err(problem), Some(job)) if problem.status == StatusCode::NOT_FOUND.as_u16() => {
            Ok(without(&visit, job))
        }
        (report, _) => report,
    }
}

pub(super) async fn cancel(
    visit: Visit,
    Id(id): Id,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    visit.service.stop(&visit.caller, &id).await?;
    Ok(visit.go(&format!("/runs/{}", clean::encode(id.as_str()))))
}

/// The report of a stored run.
async fn report(visit: &Visit, id: &RunId) -> Result<Response, Problem> {
    let store = visit.service.store.as_ref();
    let turn = visit.service.rendering.turn().await?;
    let record = store.load(id).await?;
    let before = earlier(store, &record).await;
    let link = |path: String, words: &str| html! { a href=(visit.path(&path)) { (words) } " " };
    let file = |ending: &str| format!("/api/test/runs/{}/report.{ending}", clean::encode(id.as_str()));
    let can_compare = record.kind == RunKind::Accuracy && record.answers_removed_at.is_none();
    let before_it = before.first().filter(|before| can_compare && before.answers_removed_at.is_none());
    let compare = before_it.map(|before| {
        format!("/compare?a={}&b={}", clean::encode(before.id.as_str()), clean::encode(id.as_str()))
    });
    let (suite, target) = (clean::encode(&record.suite.name), clean::encode(&record.target.name));
    let beside = html! {
        @if let Some(compare) = compare { (link(compare, "Compare with the run before")) }
        (link(format!("/history?suite={suite}&target={target}"), "History"))
        (link(file("json"), "JSON"))
        (link(file("md"), "Markdown"))
    };
    let trend = trend(&before);
    let page = turn.make("the report", move || run_page(&record, TextPolicy::Full, &trend)).await?;
    Ok(visit.show(page, Some(beside)))
}

/// A job that waits or runs.
fn under_way(visit: &Visit, job: &Job) -> Response {
    let words = if job.state == JobState::Queued { "Waiting" } else { "Running" };
    let header = html! {
        p.origin { "thrash · " (clean::name(job.id.as_str())) }
        h1.loud.plain { (words) }
        p.lead { b { (clean::name(&job.suite_name())) } " against " b { (clean::name(&job.target)) } }
    };
    let body = html! {
        (progress(visit, job, false))
        noscript { p.note { a href=(visit.run(job.id.as_str())) { "Look again" } } }
    };
    let sections = vec![Section { id: "progress", title: "Progress", summary: String::new(), body }];
    let title = format!("{words}: {} against {}", clean::name(&job.suite_name()), clean::name(&job.target));
    visit.show_live(Page { title, tone: Tone::Plain, header, sections, data: None, frame: None })
}

/// A job that is over and left no record.
fn without(visit: &Visit, job: Job) -> Response {
    let message = verdict::sentence(job.message.as_deref().unwrap_or("there is no record of it"));
    let (state, when, lead) = (job.state, asked(&job), job.suite_name());
    let target = clean::name(&job.target);
    let (tone, words) = match state {
        JobState::Cancelled => (Tone::Unsure, "Cancelled"),
        _ => Found::NotRun(Box::new(job)).outcome(),
    };
    let header = html! {
        p.origin { "thrash · " (when) }
        h1.loud.(tone.class()) { (mark(tone)) " " (words) }
        p.lead { b { (clean::name(&lead)) } " against " b { (target) } }
        p.why { (message) }
    };
    let title = format!("{} {words}: {} against {target}", tone.mark(), clean::name(&lead));
    visit.show(Page { title, tone, header, sections: Vec::new(), data: None, frame: None }, None)
}

/// What a job is, as a link to it.
pub(super) fn name(visit: &Visit, job: &Job) -> Markup {
    html! { a href=(visit.run(job.id.as_str())) { b { (clean::name(&job.suite_name())) } " against " (clean::name(&job.target)) } }
}

/// Who asked for a job, and when.
pub(super) fn asked(job: &Job) -> Markup {
    html! { "asked for by " (clean::name(&job.requester)) ", " (time(job.submitted_at)) " UTC" }
}

/// How far a job is; the script goes on from there.
pub(super) fn progress(visit: &Visit, job: &Job, named: bool) -> Markup {
    let runs = job.state == JobState::Running;
    let known = visit.service.queue.feed(&job.id).and_then(|feed| feed.progress_of(job));
    let known = known.filter(|progress| progress.planned > 0);
    let events = visit.path(&format!("/api/test/runs/{}/events", clean::encode(job.id.as_str())));
    let words = match (&known, job.state) {
        (Some(progress), _) => format!("{} of {} phrases", progress.done, progress.planned),
        (None, JobState::Running) => "it runs".to_owned(),
        (None, _) => "it waits for its turn".to_owned(),
    };
    html! {
        div.progress data-events=(events) {
            @if named { p.name { (name(visit, job)) } }
            @match &known {
                Some(progress) => { progress max=(progress.planned) value=(progress.done) aria-label="How far it is" {} }
                None if runs => { progress aria-label="How far it is" {} }
                None => { progress max="1" value="0" aria-label="How far it is" {} }
            }
            p.found {
                span.said { (words) }
                @if job.cancelled_by.is_some() { " · it is told to stop" }
                " · " (asked(job))
                @if let Some(instance) = job.instance.as_deref().filter(|_| runs) { " · runs in " (clean::name(instance)) }
            }
            p.unseen.told role="status" {}
            (cancel_button(visit, job))
        }
    }
}

/// A button that stops a job, for those who may.
pub(super) fn cancel_button(visit: &Visit, job: &Job) -> Markup {
    let path = format!("/runs/{}/cancel", clean::encode(job.id.as_str()));
    let about = format!("{} against {}", clean::name(&job.suite_name()), clean::name(&job.target));
    html! {
        @if visit.may_run() && job.cancelled_by.is_none() { (visit.button(&path, "Cancel", &about)) }
    }
}
