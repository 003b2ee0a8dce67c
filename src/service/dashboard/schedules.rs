//! Schedules: when each runs next, and buttons to switch it and to begin a run now.

use axum::response::Response;
use maud::html;

use super::form::Sent;
use super::row::time;
use super::run::Nothing;
use super::visit::Visit;
use crate::config::Scope;
use crate::report::html::clean;
use crate::report::html::section::{Section, Tone, mark};
use crate::service::api::Id;
use crate::service::problem::Problem;
use crate::service::schedule::ScheduleView;

/// Every schedule; nothing where none is configured.
pub(super) async fn section(visit: &Visit) -> Result<Option<Section>, Problem> {
    let schedules = visit.service.schedules().await?;
    if schedules.is_empty() {
        return Ok(None);
    }
    let body = html! { ul.entries { @for view in &schedules { (entry(visit, view)) } } };
    Ok(Some(Section { id: "schedules", title: "Schedules", summary: "times in UTC".to_owned(), body }))
}

fn entry(visit: &Visit, view: &ScheduleView) -> maud::Markup {
    let path = |verb: &str| format!("/schedules/{}/{verb}", clean::encode(&view.name));
    let what = view.suite.as_ref().or(view.scenario.as_ref());
    let tone = match (view.last_outcome, &view.broken) {
        (_, Some(_)) => {
            if view.enabled {
                Tone::Bad
            } else {
                Tone::Unsure
            }
        }
        (None, None) => Tone::Plain,
        (Some("passed"), None) => Tone::Good,
        (Some("gate_failed" | "target_failed"), None) => Tone::Bad,
        (Some(_), None) => Tone::Unsure,
    };
    html! {
        li.(tone.class()) {
            (mark(tone))
            div {
                p.name {
                    (clean::name(&view.name))
                    @if let Some(what) = what.filter(|what| **what != view.name) { ": " (clean::name(what)) }
                    @if let Some(target) = &view.target { " against " (clean::name(target)) }
                }
                p.found {
                    @match view.next {
                        Some(next) => { "next " b { (time(next)) } }
                        None => { b { "off" } }
                    }
                    " · " code { (view.cron) } " " (view.zone)
                    @if let Some(last) = view.last { " · last " (time(last)) }
                    @if let (Some(outcome), Some(run)) = (view.last_outcome, &view.last_run) {
                        ": " a href=(visit.run(run.as_str())) { (outcome.replace('_', " ")) }
                    }
                    @if view.switched { " · switched here" }
                }
                @if let Some(reason) = &view.broken { p.found { "cannot be run: " (clean::sentence(reason)) } }
                @if visit.may_run() { (visit.button(&path("run"), "Run now", &view.name)) }
                @if visit.caller.may(Scope::Admin) {
                    @if view.enabled { (visit.button(&path("disable"), "Switch off", &view.name)) }
                    @else { (visit.button(&path("enable"), "Switch on", &view.name)) }
                }
            }
        }
    }
}

pub(super) async fn run(
    visit: Visit,
    Id(name): Id,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let job = visit.service.run_schedule(&visit.caller, &name).await?;
    Ok(visit.go(&format!("/runs/{}", clean::encode(job.id.as_str()))))
}

pub(super) async fn enable(
    visit: Visit,
    Id(name): Id,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    visit.service.switch_schedule(&visit.caller, &name, true).await?;
    Ok(visit.go("/"))
}

pub(super) async fn disable(
    visit: Visit,
    Id(name): Id,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    visit.service.switch_schedule(&visit.caller, &name, false).await?;
    Ok(visit.go("/"))
}
