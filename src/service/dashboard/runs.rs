//! The list of runs, with filters, and the choice of two to compare.

use std::collections::BTreeSet;

use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::list::{Outcome, Wanted, list};
use super::row::Found;
use super::visit::Visit;
use crate::domain::{Conclusion, RunKind};
use crate::report::headline::word;
use crate::report::html::clean;
use crate::report::html::page::Page;
use crate::report::html::section::{Section, Tone};
use crate::service::api::Query;
use crate::service::problem::Problem;
use crate::store::RunFilter;

/// The filters; an empty one is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filters {
    suite: String,
    target: String,
    outcome: String,
    kind: String,
    /// Where the page before this one ended.
    after: String,
}

const OUTCOMES: [(&str, &str, Outcome); 6] = [
    ("passed", word(Conclusion::Passed), Outcome::Is(Conclusion::Passed)),
    ("failed", word(Conclusion::GateFailed), Outcome::Is(Conclusion::GateFailed)),
    ("target-failed", word(Conclusion::TargetFailed), Outcome::Is(Conclusion::TargetFailed)),
    ("could-not-tell", word(Conclusion::Inconclusive), Outcome::Is(Conclusion::Inconclusive)),
    ("interrupted", word(Conclusion::Interrupted), Outcome::Is(Conclusion::Interrupted)),
    ("not-run", "Not run", Outcome::NotRun),
];

const KINDS: [(&str, &str, RunKind); 2] =
    [("accuracy", "Accuracy", RunKind::Accuracy), ("load", "Load", RunKind::Load)];

pub(super) async fn show(visit: Visit, Query(filters): Query<Filters>) -> Result<Response, Problem> {
    let store = visit.service.store.as_ref();
    let after = Some(filters.after.as_str()).filter(|after| !after.is_empty());
    let newest = RunFilter { newest: true, ..RunFilter::default() };
    let (listed, newest) =
        tokio::try_join!(list(store, filters.wanted()?, after), async { Ok(store.list(&newest).await?) })?;
    let mut suites: BTreeSet<String> = newest.iter().map(|run| run.suite.clone()).collect();
    let mut targets: BTreeSet<String> = newest.into_iter().filter_map(|run| run.target).collect();
    for found in &listed.found {
        if let Found::NotRun(job) = found {
            suites.insert(job.suite_name());
            targets.insert(job.target.clone());
        }
    }
    // One that nobody ran yet is still what was asked for.
    suites.extend(Some(filters.suite.clone()).filter(|suite| !suite.is_empty()));
    targets.extend(Some(filters.target.clone()).filter(|target| !target.is_empty()));
    let body = html! {
        (filters.form(&visit, &suites, &targets))
        @if listed.found.is_empty() {
            p.empty {
                @if filters.are_some() { "No run is like that. " a href=(visit.path("/runs")) { "Show all" } }
                @else if visit.may_run() { "There is no run yet. " a href=(visit.path("/start")) { "Start one" } }
                @else { "There is no run yet." }
            }
        } @else {
            (entries(&visit, &listed.found))
        }
        @if let Some(next) = &listed.next {
            p.next { a rel="next" href=(filters.link(&visit, next)) { "Older runs" } }
        }
    };
    let header = html! {
        p.origin { "thrash" }
        h1.loud.plain { "Runs" }
    };
    let summary = "the newest first, times in UTC".to_owned();
    let sections = vec![Section { id: "runs", title: "Results", summary, body }];
    let title = "Runs: thrash".to_owned();
    Ok(visit.show(Page { title, tone: Tone::Plain, header, sections, data: None, frame: None }, None))
}

/// The list; with two of them chosen they can be compared.
fn entries(visit: &Visit, found: &[Found]) -> Markup {
    let can_compare = |found: &Found| match found {
        Found::Run(run) => {
            !run.legacy && run.kind == Some(RunKind::Accuracy) && run.answers_removed_at.is_none()
        }
        Found::NotRun(_) => false,
    };
    let some = found.iter().filter(|found| can_compare(found)).count() > 1;
    html! {
        form.compare method="get" action=(visit.path("/compare")) {
            ul.entries {
                @for run in found {
                    (run.item(visit, &html! {
                        @if some && can_compare(run) {
                            span.pick {
                                @for (name, words) in [("a", "Before"), ("b", "After")] {
                                    label {
                                        input type="radio" name=(name) value=(run.id()) required;
                                        " " (words) span.unseen { ": " (clean::name(run.id())) }
                                    }
                                }
                            }
                        }
                    }))
                }
            }
            @if some { p.act { button { "Compare the two" } } }
        }
    }
}

impl Filters {
    fn wanted(&self) -> Result<Wanted, Problem> {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(Wanted {
            suite: some(&self.suite),
            target: some(&self.target),
            outcome: chosen("outcome", &self.outcome, &OUTCOMES)?,
            kind: chosen("kind", &self.kind, &KINDS)?,
        })
    }

    fn are_some(&self) -> bool {
        [&self.suite, &self.target, &self.outcome, &self.kind, &self.after]
            .iter()
            .any(|text| !text.is_empty())
    }

    fn link(&self, visit: &Visit, after: &str) -> String {
        let fields = [
            ("suite", self.suite.as_str()),
            ("target", &self.target),
            ("outcome", &self.outcome),
            ("kind", &self.kind),
            ("after", after),
        ];
        let set = fields.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> =
            set.map(|(name, value)| format!("{name}={}", clean::encode(value))).collect();
        visit.path(&format!("/runs?{}", pairs.join("&")))
    }

    fn form(&self, visit: &Visit, suites: &BTreeSet<String>, targets: &BTreeSet<String>) -> Markup {
        let select = |name: &str, label: &str, all: &str, chosen: &str, options: &[(&str, String)]| {
            html! {
                label {
                    span { (label) }
                    select name=(name) {
                        option value="" { (all) }
                        @for (value, words) in options {
                            option value=(value) selected[*value == chosen] { (words) }
                        }
                    }
                }
            }
        };
        let outcomes = OUTCOMES.map(|(name, words, _)| (name, words.to_owned()));
        let kinds = KINDS.map(|(name, words, _)| (name, words.to_owned()));
        html! {
            form.filters method="get" action=(visit.path("/runs")) {
                (select("suite", "Suite", "every one", &self.suite, &named(suites)))
                (select("target", "Target", "every one", &self.target, &named(targets)))
                (select("outcome", "Outcome", "any", &self.outcome, &outcomes))
                (select("kind", "Kind", "any", &self.kind, &kinds))
                button { "Filter" }
                @if self.are_some() { a href=(visit.path("/runs")) { "Show all" } }
            }
        }
    }
}

/// What a word among the options means; an empty one means nothing.
fn chosen<T: Copy>(what: &str, word: &str, options: &[(&str, &str, T)]) -> Result<Option<T>, Problem> {
    if word.is_empty() {
        return Ok(None);
    }
    let option = options.iter().find(|(name, ..)| *name == word);
    let (.., meant) =
        option.ok_or_else(|| Problem::bad_request(format!("there is no {what} `{}`", clean::name(word))))?;
    Ok(Some(*meant))
}

/// Names with what is shown of each.
fn named(names: &BTreeSet<String>) -> Vec<(&str, String)> {
    names.iter().map(|name| (name.as_str(), clean::name(name))).collect()
}
