//! Records made by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use thrash::domain::{
    Answer, AnswerScores, Attempt, Check, CheckMode, CheckOutcome, CheckSeverity, CheckSource, Comparison,
    Conclusion, Estimate, HostRecord, Integrity, LatencyReport, Level, LevelSet, Metrics, NoAnswer,
    NoAnswerReason, Observation, Phase, PhraseResult, PhraseSource, Polarity, Prediction, Rate, RunId,
    RunKind, RunOptionsRecord, RunRecord, RunStatus, RunVerdict, SCHEMA_VERSION, Selection, Slice, SliceKind,
    SuiteRecord, TargetRecord, TextPolicy, ToolRecord, Verdict, VerdictCounts, Violation,
};

/// What no error and no log may ever repeat.
pub(crate) const PRIVATE_TEXT: &str = "tonight nobody will find me";

/// So many hours after the start of 2026.
pub(crate) fn hour(hours: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).single().expect("a valid time") + TimeDelta::hours(hours)
}

/// A run of suite `quick` against target `demo`, begun so many hours after the start of 2026.
pub(crate) fn record_at(hours: i64) -> RunRecord {
    record_with_phrases(hours, 3)
}

/// The same with so many phrases.
pub(crate) fn record_with_phrases(hours: i64, phrases: usize) -> RunRecord {
    let started_at = hour(hours) + TimeDelta::nanoseconds(123_456_789);
    let results: Vec<PhraseResult> = (0..phrases).map(phrase_result).collect();
    let answered = results.iter().filter(|result| result.level.is_some()).count() as u64;
    let metrics = metrics(results.len() as u64, answered);
    RunRecord {
        schema_version: SCHEMA_VERSION,
        id: RunId::new(started_at, rand::random()),
        kind: RunKind::Accuracy,
        status: RunStatus::Completed,
        started_at,
        finished_at: started_at + TimeDelta::milliseconds(1_234),
        duration_ms: 1_233.9,
        environment: Some("staging".into()),
        tool: ToolRecord { version: "0.1.0".into(), commit: Some("0123abc".into()) },
        host: HostRecord { os: "linux".into(), arch: "x86_64".into(), cores: 2 },
        suite: SuiteRecord {
            name: "quick".into(),
            hash: "aaaa".into(),
            selection_hash: "bbbb".into(),
            available: 350,
            selected: phrases,
            left_out: 1,
            left_out_must_pass: 0,
            selection: Selection {
                categories: vec!["definite_high".into()],
                tags: Vec::new(),
                split: None,
                limit: Some(25),
                seed: 7,
            },
        },
        target: TargetRecord {
            name: "demo".into(),
            url: "http://127.0.0.1:8881".into(),
            contract_hash: "cccc".into(),
            version: Some("v5.1".into()),
            alert_level: Level::Low,
            demo: true,
        },
        options: RunOptionsRecord {
            concurrency: 8,
            rate: Some(0.1 + 0.2),
            timeout_ms: 10_000,
            retries: 2,
            repeat: 2,
            repeat_doubtful: None,
            batch: 1,
            seed: u64::MAX,
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
        slices: vec![Slice {
            kind: SliceKind::Category,
            name: "definite_high".into(),
            target_accuracy: Some(0.95),
            critical: true,
            metrics: metrics.clone(),
        }],
        metrics,
        integrity: Integrity {
            violations: vec![Violation { phrase: "p0".into(), repeat: 0, invariant: "band".into() }],
            fail_open: vec!["p2".into()],
            retries: 1,
            no_answer: BTreeMap::from([(NoAnswerReason::Timeout, 1)]),
            ..Integrity::default()
        },
        latency: latency(),
        attempt_latency: latency(),
        service_latency: LatencyReport::default(),
        accept_latency: None,
        answers_removed_at: None,
        verdict: RunVerdict {
            conclusion: Conclusion::GateFailed,
            sentence: "accuracy 66.7 % is below 92 %".into(),
            checks: vec![check()],
        },
        results,
    }
}

fn metrics(phrases: u64, answered: u64) -> Metrics {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let rate = |count: u64, of: u64| Rate {
        count,
        of,
        value: (of > 0).then(|| count as f64 / of as f64),
        wilson: Some([0.1, 0.9]),
        exact: Some([0.05, 0.95]),
        effective: None,
    };
    Metrics {
        phrases,
        verdicts: VerdictCounts {
            exact: answered,
            unanswered: phrases - answered,
            ..VerdictCounts::default()
        },
        accuracy: rate(answered, phrases),
        accuracy_answered: rate(answered, answered),
        exact_accuracy: rate(answered, phrases),
        false_positive_rate: rate(1, 25),
        false_negative_rate: rate(1, 8),
        unanswered_rate: rate(phrases - answered, phrases),
        confusion: vec![vec![1, 0], vec![0, 2]],
        scores: AnswerScores {
            kappa_quadratic: Some(Estimate { value: 1.0 / 3.0, lower: Some(1e-17), upper: None }),
            ..AnswerScores::default()
        },
        best_constant: Some(Level::None),
        lift: Some(0.25),
        ..Metrics::default()
    }
}

fn latency() -> LatencyReport {
    LatencyReport {
        count: 2,
        min_ms: Some(1.0),
        mean_ms: Some(12.345_678_901_234_567),
        p50_ms: Some(10.0),
        p90_ms: Some(19.0),
        p95_ms: Some(19.5),
        p99_ms: Some(20.0),
        max_ms: Some(20.0),
        histogram: Some("HISTFAAAAB".into()),
    }
}

fn check() -> Check {
    Check {
        name: "accuracy >= 92%".into(),
        source: CheckSource::Gate,
        severity: CheckSeverity::Fail,
        metric: "accuracy".into(),
        slice: None,
        mode: CheckMode::Point,
        comparison: Comparison::AtLeast,
        limit: 0.92,
        confidence: None,
        value: Some(2.0 / 3.0),
        bound: None,
        interval: Some([0.2, 0.9]),
        of: Some(3),
        errors: Some(1),
        allowed_errors: Some(0),
        outcome: CheckOutcome::Fail,
        reason: "66.7 % is below 92 %".into(),
    }
}

/// Every third phrase gets no answer.
fn phrase_result(n: usize) -> PhraseResult {
    let answered = n % 3 != 2;
    let observation = |repeat, level| Observation {
        repeat,
        started_ms: 1.5,
        latency_ms: 12.345,
        attempts: vec![
            Attempt {
                started_ms: 1.5,
                latency_ms: 5.25,
                accepted_ms: None,
                status: Some(503),
                failure: Some(NoAnswerReason::ServerError),
                phase: Some(Phase::Headers),
            },
            Attempt {
                started_ms: 7.5,
                latency_ms: 6.0,
                accepted_ms: None,
                status: Some(200),
                failure: None,
                phase: None,
            },
        ],
        answer: if answered {
            Answer::Prediction(Prediction {
                level,
                label: level.to_string(),
                score: Some(0.1 + 0.7),
                confidence: Some(0.93),
                service_latency_ms: Some(4.0),
                version: None,
            })
        } else {
            Answer::NoAnswer(NoAnswer {
                reason: NoAnswerReason::Timeout,
                detail: "no answer within 10 s".into(),
            })
        },
        violations: Vec::new(),
        cached: false,
    };
    PhraseResult {
        id: format!("p{n}"),
        text_hash: format!("{n:016x}"),
        text: (n.is_multiple_of(2)).then(|| format!("{PRIVATE_TEXT}, \"{n}\" \\u0000 {{it's}} 💔 \n")),
        category: "definite_high".into(),
        capability: None,
        tags: vec!["irony".into()],
        split: Some(thrash::domain::Split::Held),
        language: Some("de".into()),
        expected: LevelSet::new([Level::High, Level::Critical]).expect("levels"),
        lowest_passing: Level::High,
        highest_passing: Level::Critical,
        polarity: Polarity::Positive,
        critical: true,
        must_pass: false,
        pair: None,
        seed_of: None,
        source: PhraseSource { file: "phrases/high.yaml".into(), line: 12 },
        level: answered.then_some(Level::High),
        verdict: if answered { Verdict::Exact } else { Verdict::Unanswered },
        observations: vec![observation(0, Level::Critical), observation(1, Level::High)],
    }
}
