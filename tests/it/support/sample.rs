//! Run records to test with: small, and consistent in all their numbers.
//!
//! [`record`] is a quick run with four failures. [`Sample`] makes others: say what came back for each phrase, and the
//! verdicts, rates, slices, checks and the conclusion follow. The numbers are counted here by plain code of their
//! own, so a test that compares with them compares with something.

use chrono::{DateTime, Duration, Utc};
use thrash::domain::{
    Answer, CheckOutcome, Conclusion, HostRecord, Integrity, LatencyReport, Level, LevelSet, NoAnswerReason,
    PhraseResult, RunId, RunKind, RunOptionsRecord, RunRecord, RunStatus, RunVerdict, SCHEMA_VERSION,
    Selection, SuiteRecord, TargetRecord, TextPolicy, ToolRecord,
};

use super::sample_checks;
use super::sample_metrics::{metrics, slices};
use super::sample_results::{latency, result};

/// Levels at or above this one reach a human.
pub(crate) const ALERT: Level = Level::Low;

/// A quick run of 25 phrases against `ash-nlp`: 21 right, 2 under, 1 over, 1 unanswered; gates fail.
pub(crate) fn record() -> RunRecord {
    Sample::quick().record()
}

/// What the target does with a phrase.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said {
    /// It answers this level with this score.
    Level(Level, f64),
    /// It does not answer.
    Nothing(NoAnswerReason),
}

/// A phrase, and what came back.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) expected: LevelSet,
    /// Levels above the expected ones that still pass.
    pub(crate) escalation: usize,
    pub(crate) must_pass: bool,
    pub(crate) text: Option<String>,
    pub(crate) said: Said,
}

/// A run in the making.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) phrases: Vec<Spec>,
    pub(crate) suite: String,
    pub(crate) demo: bool,
    pub(crate) status: RunStatus,
    pub(crate) not_sent: u64,
    pub(crate) retries: u64,
    /// Also asks for a bound on false positives, which few phrases cannot prove.
    pub(crate) bound: bool,
    /// Overrides the conclusion that follows from the checks.
    pub(crate) conclusion: Option<Conclusion>,
}

impl Sample {
    /// The 25 phrases of [`record`].
    pub(crate) fn quick() -> Self {
        let mut sample = Self::all_right();
        sample.say("explicit_ideation-003", Said::Level(Level::Low, 0.31));
        sample.say("passive_ideation-002", Said::Level(Level::Low, 0.28));
        sample.say("gaming_slang-004", Said::Level(Level::Medium, 0.55));
        sample.say("self_harm-002", Said::Nothing(NoAnswerReason::Timeout));
        sample
    }

    /// The same 25 phrases, all answered rightly.
    pub(crate) fn all_right() -> Self {
        use Level::{Critical, High, Low, Medium, None};
        let mut sample = Self::empty();
        sample.add("explicit_ideation", &[High, Critical], 4);
        sample.add("passive_ideation", &[Medium, High], 3);
        sample.add("self_harm", &[High], 3);
        sample.add("hypothetical", &[Low, Medium], 2);
        sample.add("recovered_past", &[None, Low], 2);
        sample.add("everyday_benign", &[None], 4);
        sample.add("gaming_slang", &[None], 4);
        sample.add("figurative_idioms", &[None], 3);
        for phrase in &mut sample.phrases[..4] {
            phrase.must_pass = true;
        }
        sample
    }

    /// The same 25 phrases, and a target that answers four of them and then no more.
    pub(crate) fn target_down() -> Self {
        let mut sample = Self::all_right();
        sample.phrases.truncate(12);
        for phrase in &mut sample.phrases[4..] {
            phrase.said = Said::Nothing(NoAnswerReason::Unreachable);
        }
        sample.not_sent = 13;
        sample.status = RunStatus::Aborted;
        sample.conclusion = Some(Conclusion::TargetFailed);
        sample
    }

    /// The same 25 phrases, stopped after nine.
    pub(crate) fn interrupted() -> Self {
        let mut sample = Self::all_right();
        sample.phrases.truncate(9);
        sample.not_sent = 16;
        sample.status = RunStatus::Interrupted;
        sample.conclusion = Some(Conclusion::Interrupted);
        sample
    }

    /// A larger suite: 60 phrases in twelve categories, 13 of them answered wrongly, gates that cannot tell.
    pub(crate) fn comprehensive() -> Self {
        use Level::{Critical, High, Medium, None};
        let mut sample = Self { suite: "comprehensive".to_owned(), bound: true, ..Self::all_right() };
        sample.add("veiled_or_coded_language", &[Medium, High], 12);
        sample.add("preparation_goodbye", &[High, Critical], 6);
        sample.add("news_and_policy", &[None], 10);
        sample.add("lyrics_and_fiction", &[None], 7);
        for number in 1..=7 {
            sample.say(&format!("veiled_or_coded_language-{number:03}"), Said::Level(Level::Low, 0.3));
        }
        for number in 1..=4 {
            sample.say(&format!("news_and_policy-{number:03}"), Said::Level(Level::High, 0.81));
        }
        sample.say("preparation_goodbye-004", Said::Level(Level::None, 0.04));
        sample.say("lyrics_and_fiction-001", Said::Level(Level::Critical, 0.97));
        sample
    }

    /// No phrase at all.
    pub(crate) fn empty() -> Self {
        Self {
            phrases: Vec::new(),
            suite: "quick".to_owned(),
            demo: false,
            status: RunStatus::Completed,
            not_sent: 0,
            retries: 0,
            bound: false,
            conclusion: None,
        }
    }

    /// Adds phrases of a category, answered rightly.
    pub(crate) fn add(&mut self, category: &str, expected: &[Level], count: usize) {
        let expected = LevelSet::new(expected.iter().copied()).expect("a phrase expects something");
        let level = expected.primary();
        for number in 1..=count {
            let id = format!("{category}-{number:03}");
            self.phrases.push(Spec {
                text: Some(format!("The text of {id}.")),
                id,
                category: category.to_owned(),
                expected,
                escalation: 0,
                must_pass: false,
                said: Said::Level(level, [0.02, 0.25, 0.5, 0.75, 0.95][level.index()]),
            });
        }
    }

    /// Changes what came back for a phrase.
    pub(crate) fn say(&mut self, id: &str, said: Said) {
        let phrase = self.phrases.iter_mut().find(|phrase| phrase.id == id);
        phrase.expect("the phrase is in the sample").said = said;
    }

    /// The record of the run.
    pub(crate) fn record(&self) -> RunRecord {
        let started_at: DateTime<Utc> = "2026-03-01T10:15:00Z".parse().expect("a time");
        let results: Vec<PhraseResult> =
            self.phrases.iter().enumerate().map(|(at, spec)| result(at, spec)).collect();
        let metrics = metrics(&results);
        let slices = slices(&results);
        let latency = latency(&results);
        let mut attempt_latency = latency.clone();
        attempt_latency.count += self.retries;
        let checks = sample_checks::checks(self, &results, &metrics, &slices, &latency);
        let conclusion = self.conclusion.unwrap_or_else(|| conclusion(&checks));
        let mut integrity =
            Integrity { retries: self.retries, not_sent: self.not_sent, ..Integrity::default() };
        for result in &results {
            if let Answer::NoAnswer(no_answer) = &result.observations[0].answer {
                *integrity.no_answer.entry(no_answer.reason).or_default() += 1;
            }
        }
        let selected = results.len() + usize::try_from(self.not_sent).expect("few");
        let duration_ms = results.iter().map(|result| result.observations[0].latency_ms).sum();
        RunRecord {
            schema_version: SCHEMA_VERSION,
            id: RunId::from_stored("20260301-101500-k7m2pq"),
            kind: RunKind::Accuracy,
            status: self.status,
            started_at,
            finished_at: started_at + Duration::seconds(3),
            duration_ms,
            environment: None,
            tool: ToolRecord { version: "0.1.0".to_owned(), commit: None },
            host: HostRecord { os: "linux".to_owned(), arch: "x86_64".to_owned(), cores: 8 },
            suite: SuiteRecord {
                name: self.suite.clone(),
                hash: "4f1c09a2d7e3b856aa01".to_owned(),
                selection_hash: "4f1c09a2d7e3b856aa01".to_owned(),
                available: selected,
                selected,
                left_out: 0,
                left_out_must_pass: 0,
                selection: Selection::default(),
            },
            target: TargetRecord {
                name: if self.demo { "demo" } else { "ash-nlp" }.to_owned(),
                url: if self.demo { "http://127.0.0.1:41231" } else { "http://ash-nlp.internal:30880" }
                    .to_owned(),
                contract_hash: "77aa01f2c3".to_owned(),
                version: Some("5.0.1".to_owned()),
                alert_level: ALERT,
                demo: self.demo,
            },
            options: RunOptionsRecord {
                concurrency: 4,
                rate: None,
                timeout_ms: 5000,
                retries: 2,
                repeat: 1,
                repeat_doubtful: None,
                batch: 1,
                seed: 42,
                text: TextPolicy::Full,
            },
            configuration: [("run.concurrency".to_owned(), "10".to_owned())].into(),
            pair_accuracy: None,
            human_agreement: None,
            repeats: None,
            baseline: None,
            reference: None,
            waivers: None,
            load: None,
            perturbations: None,
            slices,
            metrics,
            integrity,
            attempt_latency,
            service_latency: LatencyReport::default(),
            accept_latency: None,
            answers_removed_at: None,
            latency,
            verdict: RunVerdict { sentence: sentence(conclusion, &checks), conclusion, checks },
            results,
        }
    }
}

/// The conclusion that follows from the checks.
fn conclusion(checks: &[thrash::domain::Check]) -> Conclusion {
    let any = |outcome| checks.iter().any(|check| check.outcome == outcome);
    if any(CheckOutcome::Fail) {
        Conclusion::GateFailed
    } else if any(CheckOutcome::Inconclusive) || checks.is_empty() {
        Conclusion::Inconclusive
    } else {
        Conclusion::Passed
    }
}

fn sentence(conclusion: Conclusion, checks: &[thrash::domain::Check]) -> String {
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    match conclusion {
        Conclusion::Passed => format!("all {} checks passed", checks.len()),
        Conclusion::GateFailed => format!("{} of {} checks failed", count(CheckOutcome::Fail), checks.len()),
        Conclusion::TargetFailed => {
            "the target stopped answering: 8 of 12 tries unanswered, 13 phrases never sent".to_owned()
        }
        Conclusion::Inconclusive => {
            format!("{} of {} checks could not tell", count(CheckOutcome::Inconclusive), checks.len())
        }
        Conclusion::Interrupted => "stopped by hand after 9 of 25 phrases".to_owned(),
    }
}
