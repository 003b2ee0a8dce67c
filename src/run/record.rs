//! From what a run found to its record.

use std::time::Duration;

use chrono::Utc;

use super::RunOptions;
use super::waive::waive;
use crate::domain::{
    Conclusion, HostRecord, Integrity, Level, Observation, PerturbationReport, PhraseResult, ReferenceRecord,
    RunKind, RunOptionsRecord, RunRecord, RunStatus, RunVerdict, SCHEMA_VERSION, TargetRecord, ToolRecord,
};
use crate::judge::{human_agreement, integrity, latency_report, measure, pair_accuracy, repeats, slices};
use crate::suite::Suite;
use crate::target::{Contract, Target};

/// What a run brought home.
pub(super) struct Found {
    /// As the passes over the suite showed them.
    pub(super) results: Vec<PhraseResult>,
    /// What was seen of each beyond the passes.
    pub(super) extra: Vec<Vec<Observation>>,
    /// Sendings that were planned and not made.
    pub(super) not_sent: usize,
    /// Answers that a bug of ours lost.
    pub(super) lost: usize,
    pub(super) perturbations: Option<PerturbationReport>,
    pub(super) reference: Option<ReferenceRecord>,
    pub(super) target_caches: Option<bool>,
    pub(super) status: RunStatus,
    pub(super) duration: Duration,
    pub(super) version: Option<String>,
}

pub(super) fn record(suite: &Suite, target: &Target, options: &RunOptions, found: Found) -> RunRecord {
    let contract = target.contract();
    let alert_level: Level = contract.alert_level;
    let results = found.results;
    let observations = || results.iter().flat_map(|result| &result.observations);
    let answered = || observations().filter(|seen| seen.answer.level().is_some());
    let predictions = || observations().filter_map(|seen| seen.answer.prediction());
    let attempts = || observations().flat_map(|seen| &seen.attempts);
    let accepts: Vec<f64> = attempts().filter_map(|attempt| attempt.accepted_ms).collect();
    let version = found.version.or_else(|| predictions().find_map(|prediction| prediction.version.clone()));
    let mut record = RunRecord {
        schema_version: SCHEMA_VERSION,
        id: options.id.clone(),
        kind: RunKind::Accuracy,
        status: found.status,
        started_at: options.started_at,
        finished_at: Utc::now(),
        duration_ms: found.duration.as_secs_f64() * 1e3,
        environment: options.environment.clone(),
        tool: tool(),
        host: host(),
        suite: suite.record.clone(),
        target: target_record(contract, version, options.demo),
        options: RunOptionsRecord {
            concurrency: options.concurrency,
            rate: options.rate,
            timeout_ms: u64::try_from(options.timeout.as_millis()).unwrap_or(u64::MAX),
            retries: options.retries,
            repeat: options.repeat,
            repeat_doubtful: options.repeat_doubtful,
            batch: options.batch,
            seed: options.seed,
            text: options.text,
        },
        configuration: options.configuration.clone(),
        metrics: measure(&results, alert_level),
        pair_accuracy: pair_accuracy(&results),
        human_agreement: human_agreement(&suite.phrases),
        repeats: None,
        baseline: None,
        reference: found.reference,
        waivers: None,
        load: None,
        perturbations: found.perturbations,
        slices: slices(&results, alert_level, &suite.category_targets()),
        integrity: Integrity::default(),
        latency: latency_report(answered().map(|seen| seen.latency_ms)),
        attempt_latency: latency_report(
            attempts().filter(|attempt| attempt.failure.is_none()).map(|attempt| attempt.latency_ms),
        ),
        service_latency: latency_report(predictions().filter_map(|prediction| prediction.service_latency_ms)),
        accept_latency: (!accepts.is_empty()).then(|| latency_report(accepts)),
        answers_removed_at: None,
        // The verdict is made from the record, when it is known what the run is held against.
        verdict: RunVerdict {
            conclusion: Conclusion::Inconclusive,
            sentence: String::new(),
            checks: Vec::new(),
        },
        results,
    };
    record.waivers = options
        .waivers
        .as_ref()
        .map(|waivers| waive(waivers, &record, &found.extra, &suite.category_targets()));
    // What came beyond the passes is of phrases that were chosen for their answers: in the numbers above it would tilt
    // them, and only what it shows of steadiness and honesty counts.
    for (result, extra) in record.results.iter_mut().zip(found.extra) {
        result.observations.extend(extra);
    }
    let seen: usize = record.results.iter().map(|result| result.observations.len()).sum();
    record.integrity = integrity(&record.results, seen + found.not_sent, found.target_caches);
    record.integrity.lost = found.lost as u64;
    record.repeats = repeats(&record.results, options.repeat);
    record
}

/// This program.
pub(super) fn tool() -> ToolRecord {
    ToolRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("THRASH_COMMIT").filter(|commit| !commit.is_empty()).map(str::to_owned),
    }
}

/// This machine.
pub(super) fn host() -> HostRecord {
    HostRecord {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// The target, as a record names it.
pub(super) fn target_record(contract: &Contract, version: Option<String>, demo: bool) -> TargetRecord {
    TargetRecord {
        name: contract.name.clone(),
        url: contract.shown_url(),
        contract_hash: contract.hash.clone(),
        version,
        alert_level: contract.alert_level,
        demo,
    }
}
