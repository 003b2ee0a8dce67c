//! A run in a list: how it came out, what it was, and its first numbers.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::visit::Visit;
use crate::domain::{Conclusion, Job, JobState};
use crate::report::figures;
use crate::report::headline::word;
use crate::report::html::clean;
use crate::report::html::section::{Tone, mark};
use crate::report::html::verdict;
use crate::store::RunSummary;

/// Something that came of an ask, or did not.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// A run that is kept.
    Run(Box<RunSummary>),
    /// A job of which nothing is kept.
    NotRun(Box<Job>),
}

/// A time, for people and for machines.
pub(super) fn time(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(at.format("%FT%TZ")) { (at.format("%Y-%m-%d %H:%M")) } }
}

impl Found {
    /// How it came out, and the word for it. Nothing that is not known to be good looks good.
    pub(super) fn outcome(&self) -> (Tone, &'static str) {
        match self {
            Self::Run(run) => match run.conclusion {
                Some(conclusion) => (verdict::tone(conclusion), word(conclusion)),
                None => (Tone::Plain, "No verdict"),
            },
            Self::NotRun(job) => match (job.state, job.conclusion) {
                (_, Some(Conclusion::TargetFailed)) => (Tone::Bad, word(Conclusion::TargetFailed)),
                (JobState::Lost, _) => (Tone::Unsure, "Lost"),
                (JobState::Finished, _) => (Tone::Unsure, "Not stored yet"),
                _ => (Tone::Unsure, "Not run"),
            },
        }
    }

    /// When it began, or was asked for where it never did.
    pub(super) fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Run(run) => run.started_at,
            Self::NotRun(job) => job.started_at.unwrap_or(job.submitted_at),
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Run(run) => run.id.as_str(),
            Self::NotRun(job) => job.id.as_str(),
        }
    }

    pub(super) fn suite(&self) -> String {
        match self {
            Self::Run(run) => run.suite.clone(),
            Self::NotRun(job) => job.suite_name(),
        }
    }

    pub(super) fn target(&self) -> &str {
        match self {
            Self::Run(run) => run.target.as_deref().unwrap_or_default(),
            Self::NotRun(job) => &job.target,
        }
    }

    /// The run as an item of a list; `more` stands at its end.
    pub(super) fn item(&self, visit: &Visit, more: &Markup) -> Markup {
        let (tone, outcome) = self.outcome();
        html! {
            li.(tone.class()) {
                (mark(tone))
                div {
                    p.name {
                        a href=(visit.run(self.id())) { b { (clean::name(&self.suite())) } " against " (clean::name(self.target())) }
                        @if let Self::Run(run) = self {
                            @if run.demo { " " small { "demo" } }
                            @if run.baseline { " " small { "the baseline" } }
                            @if run.answers_removed_at.is_some() { " " small { "answers removed" } }
                        }
                    }
                    p.found { b.outcome { (outcome) } " · " (time(self.at())) (self.numbers()) }
                }
                (more)
            }
        }
    }

    fn numbers(&self) -> Markup {
        match self {
            Self::Run(run) => html! {
                " · " span { "accuracy " b { (figures::percent(run.accuracy)) } }
                " · " span { "false positives " b { (figures::percent(run.false_positive_rate)) } }
                " · " span { "p95 " b { (figures::duration(run.p95_ms)) } }
            },
            Self::NotRun(job) => html! {
                " · " (clean::sentence(job.message.as_deref().unwrap_or("there is no record of it")))
            },
        }
    }
}
