//! The accuracy run: every phrase is sent, every answer judged.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::RunControl;
use crate::domain::{
    Answer, Conclusion, HostRecord, Level, NoAnswerReason, Observation, PerturbationReport, Phrase,
    PhraseResult, RunEvent, RunId, RunKind, RunOptionsRecord, RunRecord, RunStatus, RunVerdict,
    SCHEMA_VERSION, TargetRecord, TextPolicy, ToolRecord, Variant,
};
use crate::gate::{GateOptions, evaluate};
use crate::judge::{
    VariantAnswer, integrity, judge, judge_phrase, judge_variants, latency_report, measure, slices,
};
use crate::suite::Suite;
use crate::target::Target;

/// How a suite is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOptions {
    /// The run's name.
    pub id: RunId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The name of the environment.
    pub environment: Option<String>,
    /// Requests in flight at once, at most.
    pub concurrency: usize,
    /// Requests a second, at most; for the record, the target holds it.
    pub rate: Option<f64>,
    /// Deadline of one attempt; for the record, the target holds it.
    pub timeout: Duration,
    /// Further attempts; for the record, the target makes them.
    pub retries: u32,
    /// Times that each phrase is sent.
    pub repeat: u32,
    /// Phrases in a request; 1 does without the batch endpoint.
    pub batch: usize,
    /// The seed of the order.
    pub seed: u64,
    /// What is kept of the phrases' text.
    pub text: TextPolicy,
    /// So many requests in a row without any answer end the run.
    pub give_up_after: usize,
    /// What the run has to hold.
    pub gates: GateOptions,
    /// Whether the target is the embedded demo detector.
    pub demo: bool,
    /// Every setting that held, for the record.
    pub configuration: BTreeMap<String, String>,
}

/// A suite, a target and how to bring them together.
#[derive(Debug)]
pub struct AccuracyRun {
    /// What is sent.
    pub suite: Suite,
    /// Variants of its phrases, sent after them and counted apart.
    pub variants: Vec<Variant>,
    /// Where to.
    pub target: Target,
    /// How.
    pub options: RunOptions,
    /// The version that the health look found.
    pub version: Option<String>,
}

/// What the workers share.
struct Shared {
    target: Target,
    phrases: Vec<Phrase>,
    /// So many of the phrases, the first ones, have a label; the others are variants.
    judged: usize,
    jobs: Vec<Job>,
    next: AtomicUsize,
    /// Requests in a row that brought no answer at all.
    failed_in_a_row: AtomicUsize,
    give_up_after: usize,
    gave_up: CancellationToken,
    control: RunControl,
    start: Instant,
    events: mpsc::Sender<RunEvent>,
}

/// Phrases (by index) that go into one request, and in which pass over the suite.
struct Job {
    repeat: u32,
    phrases: Vec<usize>,
}

impl AccuracyRun {
    /// Sends everything and makes the record.
    ///
    /// Events that nobody takes in time are lost; observations never are.
    pub async fn execute(self, control: RunControl, events: mpsc::Sender<RunEvent>) -> RunRecord {
        let Self { suite, variants, target, options, version } = self;
        let target_caches = tokio::select! {
            biased;
            () = control.drain.cancelled() => None,
            target_caches = target.caches() => target_caches,
        };
        let planned = suite.phrases.len() * options.repeat as usize;
        let bases: HashMap<&str, &Phrase> =
            suite.phrases.iter().map(|phrase| (phrase.id.as_str(), phrase)).collect();
        // Variants of phrases that are not sent would have nothing to be compared with.
        let (variants, varied): (Vec<Variant>, Vec<Phrase>) = variants
            .into_iter()
            .filter_map(|variant| {
                let phrase = variant.phrase(bases.get(variant.of.as_str())?);
                Some((variant, phrase))
            })
            .unzip();
        let phrases: Vec<Phrase> = suite.phrases.iter().cloned().chain(varied).collect();
        let jobs = jobs(&phrases, suite.phrases.len(), &options, target.contract().batch_sends_history());
        // Full only when nobody listens, and then the event is of no use.
        let _ = events.try_send(RunEvent::Started { planned: planned + variants.len() });
        let shared = Arc::new(Shared {
            target,
            phrases,
            judged: suite.phrases.len(),
            jobs,
            next: AtomicUsize::new(0),
            failed_in_a_row: AtomicUsize::new(0),
            give_up_after: options.give_up_after,
            // A child: it stops with the run, and giving up is told from being stopped.
            gave_up: control.drain.child_token(),
            control: control.clone(),
            start: Instant::now(),
            events,
        });
        let mut workers = JoinSet::new();
        for _ in 0..options.concurrency.min(shared.jobs.len()) {
            workers.spawn(work(Arc::clone(&shared)));
        }
        let mut observed: Vec<Vec<Observation>> = vec![Vec::new(); shared.phrases.len()];
        for (phrase, observation) in workers.join_all().await.into_iter().flatten() {
            observed[phrase].push(observation);
        }
        let duration = shared.start.elapsed();
        let seen: usize = observed.iter().map(Vec::len).sum();
        let status = if seen == planned + variants.len() {
            RunStatus::Completed
        } else if control.is_stopping() {
            RunStatus::Interrupted
        } else {
            RunStatus::Aborted
        };
        let alert_level = shared.target.contract().alert_level;
        let varied = observed.split_off(suite.phrases.len());
        let results: Vec<PhraseResult> = suite
            .phrases
            .iter()
            .zip(observed)
            .filter(|(_, observations)| !observations.is_empty())
            .map(|(phrase, mut observations)| {
                observations.sort_by_key(|observation| observation.repeat);
                judge_phrase(phrase, alert_level, options.text, observations)
            })
            .collect();
        let answers: Vec<VariantAnswer<'_>> = variants
            .iter()
            .zip(&varied)
            .filter_map(|(variant, seen)| Some(VariantAnswer::new(variant, &seen.first()?.answer)))
            .collect();
        let perturbations = (!variants.is_empty()).then(|| judge_variants(&results, &answers, alert_level));
        let unsent = varied.iter().filter(|seen| seen.is_empty()).count();
        let planned = planned + unsent;
        let found = Found { results, planned, perturbations, target_caches, status, duration, version };
        record(&suite, &shared.target, &options, found)
    }
}

/// What a run brought home.
struct Found {
    results: Vec<PhraseResult>,
    planned: usize,
    perturbations: Option<PerturbationReport>,
    target_caches: Option<bool>,
    status: RunStatus,
    duration: Duration,
    version: Option<String>,
}

/// Every pass over the suite in an order of its own, so that a repeat does not follow its first try. A phrase whose
/// earlier messages a batch would lose goes alone. The phrases from `variants` on are sent once, after all others.
fn jobs(phrases: &[Phrase], variants: usize, options: &RunOptions, batch_sends_history: bool) -> Vec<Job> {
    let carries_history = options.batch == 1 || batch_sends_history;
    let mut jobs = Vec::new();
    let passes = (0..options.repeat).map(|repeat| (repeat, repeat, 0..variants));
    for (repeat, pass, indices) in passes.chain([(0, options.repeat, variants..phrases.len())]) {
        let mut order: Vec<usize> = indices.collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(options.seed.wrapping_add(u64::from(pass))));
        let (together, alone): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|&index| carries_history || phrases[index].history.is_empty());
        let job = |phrases: &[usize]| Job { repeat, phrases: phrases.to_vec() };
        jobs.extend(together.chunks(options.batch.max(1)).map(job));
        jobs.extend(alone.chunks(1).map(job));
    }
    jobs
}

async fn work(shared: Arc<Shared>) -> Vec<(usize, Observation)> {
    let mut observed = Vec::new();
    let tell = |event| drop(shared.events.try_send(event));
    while !shared.gave_up.is_cancelled() {
        let Some(job) = shared.jobs.get(shared.next.fetch_add(1, Ordering::Relaxed)) else { break };
        let phrases: Vec<&Phrase> = job.phrases.iter().map(|&index| &shared.phrases[index]).collect();
        let asked = tokio::select! {
            biased;
            () = shared.control.abort.cancelled() => break,
            asked = shared.target.ask(&phrases, job.repeat, shared.start, &shared.gave_up, &tell) => asked,
        };
        let Some(observations) = asked else { break };
        for (&index, observation) in job.phrases.iter().zip(&observations) {
            shared.tell(index, observation);
        }
        shared.give_up_if_dead(observations.iter().any(|seen| seen.answer.level().is_some()));
        observed.extend(job.phrases.iter().copied().zip(observations));
    }
    observed
}

impl Shared {
    /// Tells of an observation.
    fn tell(&self, index: usize, observation: &Observation) {
        let phrase = &self.phrases[index];
        let level = observation.answer.level();
        // A variant is right or wrong only beside its phrase, which may still be on its way.
        let verdict = (index < self.judged)
            .then(|| judge(phrase.expected, phrase.lowest_passing(), phrase.highest_passing(), level));
        let no_answer: Option<NoAnswerReason> = match &observation.answer {
            Answer::NoAnswer(none) => Some(none.reason),
            Answer::Prediction(_) => None,
        };
        let _ = self.events.try_send(RunEvent::Observed {
            phrase: phrase.id.clone(),
            verdict,
            no_answer,
            latency: Duration::try_from_secs_f64(observation.latency_ms / 1e3).unwrap_or_default(),
            attempts: observation.attempts.len(),
        });
    }

    /// Notes whether a request brought an answer, and gives up when none has for too long.
    fn give_up_if_dead(&self, answered: bool) {
        if answered {
            self.failed_in_a_row.store(0, Ordering::Relaxed);
            return;
        }
        let in_a_row = self.failed_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if in_a_row == self.give_up_after && self.next.load(Ordering::Relaxed) < self.jobs.len() {
            let reason = format!("{in_a_row} requests in a row brought no answer");
            let _ = self.events.try_send(RunEvent::GivenUp { reason });
            self.gave_up.cancel();
        }
    }
}

fn record(suite: &Suite, target: &Target, options: &RunOptions, found: Found) -> RunRecord {
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
        tool: ToolRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("THRASH_COMMIT").filter(|commit| !commit.is_empty()).map(str::to_owned),
        },
        host: HostRecord {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        },
        suite: suite.record.clone(),
        target: TargetRecord {
            name: contract.name.clone(),
            url: contract.shown_url(),
            contract_hash: contract.hash.clone(),
            version,
            alert_level,
            demo: options.demo,
        },
        options: RunOptionsRecord {
            concurrency: options.concurrency,
            rate: options.rate,
            timeout_ms: u64::try_from(options.timeout.as_millis()).unwrap_or(u64::MAX),
            retries: options.retries,
            repeat: options.repeat,
            batch: options.batch,
            seed: options.seed,
            text: options.text,
        },
        configuration: options.configuration.clone(),
        metrics: measure(&results, alert_level),
        pair_accuracy: None,
        repeats: None,
        baseline: None,
        waivers: None,
        perturbations: found.perturbations,
        slices: slices(&results, alert_level, &suite.category_targets()),
        integrity: integrity(&results, found.planned, found.target_caches),
        latency: latency_report(answered().map(|seen| seen.latency_ms)),
        attempt_latency: latency_report(
            attempts().filter(|attempt| attempt.failure.is_none()).map(|attempt| attempt.latency_ms),
        ),
        service_latency: latency_report(predictions().filter_map(|prediction| prediction.service_latency_ms)),
        accept_latency: (!accepts.is_empty()).then(|| latency_report(accepts)),
        // Replaced below: the verdict is made from the record.
        verdict: RunVerdict {
            conclusion: Conclusion::Inconclusive,
            sentence: String::new(),
            checks: Vec::new(),
        },
        results,
    };
    record.verdict = evaluate(&record, &options.gates);
    record
}
