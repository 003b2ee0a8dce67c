//! Services that know nothing. A suite that one of them passes shows nothing about any other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::domain::{
    Answer, CheckOutcome, Conclusion, HostRecord, LatencyReport, Level, Observation, PhraseResult,
    Prediction, RunId, RunKind, RunOptionsRecord, RunRecord, RunStatus, RunVerdict, SCHEMA_VERSION,
    TargetRecord, TextPolicy, ToolRecord,
};
use crate::gate::{GateOptions, evaluate};
use crate::judge::{integrity, judge, judge_phrase, latency_report, measure, pair_accuracy, slices};
use crate::suite::Suite;

/// Seeds of the services that answer at random.
const SEEDS: [u64; 3] = [1, 2, 3];

/// What came of a service that knows nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct NullService {
    /// What it does: `always none`, `random 1`.
    pub name: String,
    /// Its accuracy, 0 to 1.
    pub accuracy: Option<f64>,
    /// How the gates judge it.
    pub conclusion: Conclusion,
    /// Checks that it failed.
    pub failed: usize,
}

/// Judges the services that always say the same level, and some that say any, by the suite's gates.
///
/// What is always said includes what is said most often, so the majority answer needs no service of its own.
pub fn null_services(suite: &Suite, gates: &GateOptions, alert_level: Level) -> Vec<NullService> {
    let blank: Vec<PhraseResult> = suite
        .phrases
        .iter()
        .map(|phrase| judge_phrase(phrase, alert_level, TextPolicy::None, vec![observation(Level::None)]))
        .collect();
    let mut services = Vec::new();
    for level in Level::ALL {
        services.push(judged(suite, gates, alert_level, &blank, format!("always {level}"), || level));
    }
    for seed in SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let any = || Level::ALL[(rng.next_u32() % 5) as usize];
        services.push(judged(suite, gates, alert_level, &blank, format!("random {seed}"), any));
    }
    services
}

fn judged(
    suite: &Suite,
    gates: &GateOptions,
    alert_level: Level,
    blank: &[PhraseResult],
    name: String,
    mut answer: impl FnMut() -> Level,
) -> NullService {
    let results: Vec<PhraseResult> = blank
        .iter()
        .map(|result| {
            let level = answer();
            let verdict = judge(result.expected, result.lowest_passing, result.highest_passing, Some(level));
            PhraseResult {
                level: Some(level),
                verdict,
                observations: vec![observation(level)],
                ..result.clone()
            }
        })
        .collect();
    let record = as_record(suite, alert_level, results);
    let verdict = evaluate(&record, gates);
    NullService {
        name,
        accuracy: record.metrics.accuracy.value,
        failed: verdict.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail).count(),
        conclusion: verdict.conclusion,
    }
}

/// The record that a run against such a service would make.
fn as_record(suite: &Suite, alert_level: Level, results: Vec<PhraseResult>) -> RunRecord {
    let never = DateTime::<Utc>::UNIX_EPOCH;
    RunRecord {
        schema_version: SCHEMA_VERSION,
        id: RunId::new(never, 0),
        kind: RunKind::Accuracy,
        status: RunStatus::Completed,
        started_at: never,
        finished_at: never,
        duration_ms: 0.0,
        environment: None,
        tool: ToolRecord { version: String::new(), commit: None },
        host: HostRecord { os: String::new(), arch: String::new(), cores: 1 },
        suite: suite.record.clone(),
        target: TargetRecord {
            name: "a service that knows nothing".to_owned(),
            url: String::new(),
            contract_hash: String::new(),
            version: None,
            alert_level,
            demo: false,
        },
        options: RunOptionsRecord {
            concurrency: 1,
            rate: None,
            timeout_ms: 0,
            retries: 0,
            repeat: 1,
            repeat_doubtful: None,
            batch: 1,
            seed: 0,
            text: TextPolicy::None,
        },
        configuration: BTreeMap::new(),
        metrics: measure(&results, alert_level),
        pair_accuracy: pair_accuracy(&results),
        human_agreement: None,
        repeats: None,
        baseline: None,
        reference: None,
        waivers: None,
        load: None,
        perturbations: None,
        slices: slices(&results, alert_level, &suite.category_targets()),
        integrity: integrity(&results, results.len(), None),
        latency: latency_report([1.0]),
        attempt_latency: LatencyReport::default(),
        service_latency: LatencyReport::default(),
        accept_latency: None,
        answers_removed_at: None,
        verdict: RunVerdict {
            conclusion: Conclusion::Inconclusive,
            sentence: String::new(),
            checks: Vec::new(),
        },
        results,
    }
}

fn observation(level: Level) -> Observation {
    Observation {
        repeat: 0,
        started_ms: 0.0,
        latency_ms: 1.0,
        attempts: Vec::new(),
        answer: Answer::Prediction(Prediction {
            level,
            label: level.to_string(),
            score: None,
            confidence: None,
            service_latency_ms: None,
            version: None,
        }),
        violations: Vec::new(),
        cached: false,
    }
}
