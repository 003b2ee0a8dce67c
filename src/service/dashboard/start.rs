//! Starting a run: of what this service knows, against what it is configured for.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::form::Sent;
use super::visit::Visit;
use crate::config::ListedSuite;
use crate::dispatch::Work;
use crate::domain::RunKind;
use crate::load::{scenario_names, shipped_scenario};
use crate::report::html::clean;
use crate::report::html::page::Page;
use crate::report::html::section::{Section, Tone, mark};
use crate::service::ask::Wish;
use crate::service::hash::new_key;
use crate::service::problem::Problem;

/// What was chosen.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    /// `suite:NAME` or `scenario:NAME`.
    what: String,
    /// A target; empty for the one that is meant when none is named.
    target: String,
    /// A word of this form's own: sent twice, it starts one run.
    once: String,
}

pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let suites = visit.service.suites().await?;
    let (suites, unread) = match suites.as_ref() {
        Ok(suites) => (suites.as_slice(), None),
        Err(reason) => (&[][..], Some(reason)),
    };
    let body = form(&visit, suites, unread.map(String::as_str));
    let header = html! { p.origin { "thrash" } h1.loud.plain { "Start a run" } };
    let sections = vec![Section { id: "start", title: "What is to be run", summary: String::new(), body }];
    let title = "Start a run: thrash".to_owned();
    Ok(visit.show(Page { title, tone: Tone::Plain, header, sections, data: None, frame: None }, None))
}

pub(super) async fn start(visit: Visit, Sent(choice): Sent<Choice>) -> Result<Response, Problem> {
    let work = match choice.what.split_once(':') {
        Some(("suite", name)) => Work::Suite(name.to_owned()),
        Some(("scenario", name)) => Work::Scenario(name.to_owned()),
        _ => return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "say what is to be run")),
    };
    let wish = Wish {
        work,
        target: Some(choice.target).filter(|target| !target.is_empty()),
        priority: 0,
        idempotency_key: Some(choice.once),
    };
    let job = visit.service.submit(&visit.caller, wish).await?;
    Ok(visit.go(&format!("/runs/{}", clean::encode(job.id.as_str()))))
}

fn form(visit: &Visit, suites: &[ListedSuite], unread: Option<&str>) -> Markup {
    let config = &visit.service.config;
    let scenarios = scenario_names().into_iter().filter_map(|name| shipped_scenario(name).ok());
    let default = format!("{} (the configured one)", clean::name(config.target_name()));
    let targets = config.served_targets();
    let others = targets.iter().filter(|name| name.as_str() != config.target_name());
    let broken = |suite: &ListedSuite| suite.broken().map(|reason| (clean::name(&suite.name), reason));
    html! {
        form.start method="post" action=(visit.path("/start")) {
            (visit.token())
            input type="hidden" name="once" value=(new_key().expose());
            label {
                span { "Suite or load scenario" }
                select name="what" {
                    optgroup label="Suites" {
                        @for ListedSuite { name, title, phrases } in suites {
                            option value={ "suite:" (name) } selected[name == "quick" && phrases.is_ok()] disabled[phrases.is_err()] {
                                (clean::name(name)) ": " @if phrases.is_ok() { (clean::name(title)) } @else { "cannot be run" }
                            }
                        }
                    }
                    optgroup label="Load" {
                        @for scenario in scenarios {
                            option value={ "scenario:" (scenario.name) } {
                                (clean::name(&RunKind::Load.suite_name(&scenario.name))) ": " (clean::name(&scenario.title))
                            }
                        }
                    }
                }
            }
            label {
                span { "Target" }
                select name="target" {
                    option value="" { (default) }
                    @for name in others { option value=(name) { (clean::name(name)) } }
                }
            }
            button { "Start" }
        }
        @if let Some(reason) = unread {
            p.note { (mark(Tone::Unsure)) " The suites cannot be read: " (clean::sentence(reason)) }
        }
        @for (name, reason) in suites.iter().filter_map(broken) {
            p.note { (mark(Tone::Unsure)) " " b { (name) } " cannot be run: " (clean::sentence(&reason)) }
        }
        p.note {
            "One run at a time goes against a target; this one waits for its turn. A load begins only where the target's "
            "configuration allows it."
        }
    }
}
