//! From what a load run found to its record.

#![expect(clippy::cast_precision_loss, reason = "no run has so many requests")]

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::record::{host, tool};
use crate::domain::{
    AbortRecord, CheckOutcome, Conclusion, GeneratorRecord, LatencyReport, Level, LoadAbort, LoadCheck,
    LoadCounts, LoadModel, LoadRecord, LoadSecond, LoadStep, Metrics, PhraseLoad, PhraseResult, Rate, RunId,
    RunKind, RunOptionsRecord, RunRecord, RunStatus, RunVerdict, SCHEMA_VERSION, ScenarioRecord,
    SearchRecord, ShardRecord, SuiteRecord, TargetRecord, TextPolicy, VerdictCounts, count,
};
use crate::gate::{GateOptions, ended_by, evaluate};
use crate::judge::{
    Counted, compare_idle, histogram_report, load_integrity, load_results, load_slices, measure_load,
    request_rate,
};
use crate::load::{OpenEngine, Ramp, Scenario, StepTally, Tally, UsersEngine, categories};
use crate::stats::LatencyHistogram;
use crate::suite::Suite;
use crate::target::LoadTarget;

/// Due starts that wait longer for this program are its fault, and so is what is slow then...
const LONG_LAG: Duration = Duration::from_millis(10);
/// ...where that is such a part of the response time.
const LAG_SHARE: f64 = 0.25;
/// The same for decisions that were asked for later than they could have been, because of `max_rate`.
const HELD_SHARE: f64 = 0.05;
/// A thread that is busier than this could not have sent more.
const BUSY: f64 = 0.9;
/// In more of the seconds than this.
const BUSY_SHARE: f64 = 0.2;
/// Whoever stands still for so long, or for such a part of the run, has a part in what is slow...
const LONG_STILL: Duration = Duration::from_secs(1);
const STILL_SHARE: f64 = 0.05;
/// More starts than this that were late by this program's fault are another load than the one asked for.
const LATE_SHARE: f64 = 0.01;

/// What the record says of the run besides what was found.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The run's name.
    pub id: RunId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The name of the environment.
    pub environment: Option<String>,
    /// What is kept of the phrases' text.
    pub text: TextPolicy,
    /// Whether the target is the embedded demo detector.
    pub demo: bool,
    /// Every setting that held, without secrets.
    pub configuration: BTreeMap<String, String>,
    /// The version that the target reported.
    pub version: Option<String>,
}

/// What was run.
pub(super) struct Whole<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) suite: &'a Suite,
    pub(super) target: &'a LoadTarget,
    pub(super) facts: &'a RunFacts,
    pub(super) gates: &'a GateOptions,
}

/// What it brought.
pub(super) struct Found {
    pub(super) tally: Tally,
    /// When each step began, where they did not follow one another by the clock.
    pub(super) begins: Vec<Duration>,
    pub(super) seconds: Vec<LoadSecond>,
    pub(super) second_s: f64,
    pub(super) idle: Option<Vec<PhraseResult>>,
    pub(super) search: Option<SearchRecord>,
    pub(super) abort: Option<LoadAbort>,
    /// Why this machine ended it before its time.
    pub(super) broken: Option<String>,
    /// The machines that sent, where it was not this one.
    pub(super) shards: Vec<ShardRecord>,
    pub(super) status: RunStatus,
    pub(super) duration: Duration,
    pub(super) finished_at: DateTime<Utc>,
}

impl Found {
    pub(super) fn new(tally: Tally) -> Self {
        Self {
            tally,
            begins: Vec::new(),
            seconds: Vec::new(),
            second_s: 1.0,
            idle: None,
            search: None,
            abort: None,
            broken: None,
            shards: Vec::new(),
            status: RunStatus::Completed,
            duration: Duration::ZERO,
            finished_at: Utc::now(),
        }
    }

    /// Adds what the next load of a search brought.
    pub(super) fn join(&mut self, mut tally: Tally) {
        if self.tally.steps.is_empty() {
            self.tally = tally;
            return;
        }
        let steps = std::mem::take(&mut tally.steps);
        let threads = self.tally.threads;
        self.tally.merge(&tally);
        self.tally.threads = threads;
        self.tally.steps.extend(steps);
    }
}

impl Whole<'_> {
    /// Whether every gate held under one load.
    pub(super) fn held(&self, step: &Found, ramp: Ramp) -> Held {
        if let Some(trouble) = step.shards.iter().find_map(|shard| shard.trouble.as_ref()) {
            return Held::Unknown(format!("a worker {trouble}"));
        }
        let scenario = Scenario { steps: vec![(0, ramp)], is_search: false, ..self.scenario.clone() };
        let gates = self.gates.gates.iter().filter(|gate| !gate.needs_search()).cloned().collect();
        let whole =
            Whole { scenario: &scenario, gates: &GateOptions { gates, ..self.gates.clone() }, ..*self };
        let verdict = record(&whole, step).verdict;
        let first = |outcome| {
            let mut checks = verdict.checks.iter();
            let check = checks.find(|check| check.outcome == outcome && check.severity.decides());
            check
                .map_or_else(|| verdict.sentence.clone(), |check| format!("{}: {}", check.name, check.reason))
        };
        match verdict.conclusion {
            Conclusion::Passed => Held::Yes,
            Conclusion::GateFailed | Conclusion::TargetFailed => Held::No(match &step.abort {
                Some(abort) => format!("{}: {}", abort.rule, abort.seen),
                None => first(CheckOutcome::Fail),
            }),
            Conclusion::Inconclusive if step.abort.is_some() => Held::Unknown(verdict.sentence),
            Conclusion::Inconclusive | Conclusion::Interrupted => {
                Held::Unknown(first(CheckOutcome::Inconclusive))
            }
        }
    }
}

/// Whether every gate held under one load, and else why not.
pub(super) enum Held {
    Yes,
    No(String),
    Unknown(String),
}

pub(super) fn record(whole: &Whole<'_>, found: &Found) -> RunRecord {
    let Whole { scenario, suite, target, facts, gates } = *whole;
    let contract = target.target().contract();
    let alert_level = contract.alert_level;
    let tally = &found.tally;
    let counted: Vec<Counted<'_>> = target
        .phrases()
        .iter()
        .zip(&tally.phrases)
        .map(|(phrase, answers)| Counted { phrase, answers: *answers })
        .collect();
    let total = tally.total();
    let judged: &[Counted<'_>] = if target.is_judged() { &counted } else { &[] };
    // Phrases of one request fail together.
    let requests = (scenario.batch > 1).then(|| total.counts.ended());
    let mut record = RunRecord {
        schema_version: SCHEMA_VERSION,
        id: facts.id.clone(),
        kind: RunKind::Load,
        status: found.status,
        started_at: facts.started_at,
        finished_at: found.finished_at,
        duration_ms: milliseconds(found.duration),
        environment: facts.environment.clone(),
        tool: tool(),
        host: host(),
        suite: SuiteRecord { name: scenario.suite_name(), ..suite.record.clone() },
        target: TargetRecord {
            name: contract.name.clone(),
            url: contract.shown_url(),
            contract_hash: contract.hash.clone(),
            version: facts.version.clone(),
            alert_level,
            demo: facts.demo,
        },
        options: RunOptionsRecord {
            concurrency: scenario.max_in_flight,
            rate: scenario.max_rate,
            timeout_ms: u64::try_from(target.timeout().as_millis()).unwrap_or(u64::MAX),
            retries: 0,
            repeat: 1,
            repeat_doubtful: None,
            batch: scenario.batch,
            seed: scenario.seed,
            text: facts.text,
        },
        configuration: facts.configuration.clone(),
        metrics: metrics(target.is_judged(), judged, &total.counts, requests, alert_level),
        pair_accuracy: None,
        human_agreement: None,
        repeats: None,
        baseline: None,
        reference: None,
        waivers: None,
        load: Some(Box::new(load_record(whole, found, &total, &counted))),
        perturbations: None,
        slices: load_slices(judged, requests, alert_level, &suite.category_targets()),
        integrity: load_integrity(&counted, &tally.fail_open, &total.counts, tally.lost),
        latency: histogram_report(&total.response),
        attempt_latency: histogram_report(&total.service),
        service_latency: LatencyReport::default(),
        accept_latency: (!tally.accepted.is_empty()).then(|| histogram_report(&tally.accepted)),
        answers_removed_at: None,
        verdict: RunVerdict {
            conclusion: Conclusion::Inconclusive,
            sentence: String::new(),
            checks: Vec::new(),
        },
        results: load_results(judged, alert_level, facts.text),
    };
    if let Some(load) = &mut record.load {
        load.ended_by = ended_by(record.status, load);
    }
    record.verdict = evaluate(&record, gates);
    record
}

/// What the answers are worth; where they cannot be right or wrong, only how many there are.
fn metrics(
    is_judged: bool,
    judged: &[Counted<'_>],
    counts: &LoadCounts,
    requests: Option<u64>,
    alert_level: Level,
) -> Metrics {
    let measured = measure_load(judged, requests, alert_level);
    if is_judged {
        return measured;
    }
    let verdicts = VerdictCounts { unanswered: counts.unanswered(), ..measured.verdicts };
    let unanswered_rate = request_rate(counts.unanswered(), counts.ended());
    Metrics { phrases: counts.ended(), verdicts, unanswered_rate, ..measured }
}

fn load_record(whole: &Whole<'_>, found: &Found, total: &StepTally, counted: &[Counted<'_>]) -> LoadRecord {
    let Whole { scenario, target, .. } = *whole;
    let tally = &found.tally;
    LoadRecord {
        scenario: ScenarioRecord {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            hash: scenario.hash.clone(),
            model: scenario.model,
            engine: match scenario.model {
                LoadModel::Arrivals => OpenEngine::NAME.to_owned(),
                LoadModel::Users => UsersEngine::NAME.to_owned(),
            },
            planned_ms: milliseconds(scenario.length()),
            time_scale: scenario.time_scale,
            overrides: scenario.overrides.texts(),
            warm_up_ms: milliseconds(scenario.warm_up),
            max_in_flight: scenario.max_in_flight,
            lowered_from: scenario.lowered_from,
            max_rate: scenario.max_rate,
            abort_when: Some(AbortRecord {
                error_rate: scenario.abort_when.error_rate.value(),
                latency_p95_ms: scenario.abort_when.latency_p95.map(|wait| milliseconds(wait.0)),
            }),
            keep_alive: scenario.keep_alive,
            http: scenario.http,
            connections: scenario.connections,
            batch: scenario.batch,
            seed: scenario.seed,
            fixed_body: (!target.is_judged()).then(|| whole.suite.record.hash.clone()),
        },
        achieved: achieved(total),
        held_back: (scenario.max_rate.is_some() && !tally.users_time.is_zero())
            .then(|| tally.held_back.as_secs_f64() / tally.users_time.as_secs_f64()),
        counts: total.counts.clone(),
        warm_up: tally.warm_up,
        steps: steps(scenario, found, target.is_judged()),
        seconds: found.seconds.clone(),
        second_s: found.second_s,
        categories: by_category(target, &tally.categories),
        category_services: by_category(target, &tally.category_services),
        generator: generator(scenario.model, found, total),
        shards: found.shards.clone(),
        checks: scenario
            .checks
            .iter()
            .zip(&tally.checks)
            .map(|((name, rule), [count, of])| LoadCheck {
                name: name.clone(),
                rule: rule.clone(),
                failures: request_rate(*count, *of),
            })
            .collect(),
        abort: found.abort.clone(),
        ended_by: None,
        beside: None,
        cut: cut(scenario, found),
        idle: found.idle.as_ref().map(|idle| compare_idle(idle, counted)),
        search: found.search.clone(),
        phrases: counted
            .iter()
            .filter(|_| target.is_judged())
            .map(|counted| PhraseLoad { id: counted.phrase.id.clone(), answers: counted.answers })
            .collect(),
    }
}

/// The histograms by the names of the categories, in whose order they are.
fn by_category(target: &LoadTarget, histograms: &[LatencyHistogram]) -> BTreeMap<String, LatencyReport> {
    let named = categories(target.phrases()).into_iter().zip(histograms);
    named.map(|(name, histogram)| (name.to_owned(), histogram_report(histogram))).collect()
}

fn achieved(step: &StepTally) -> crate::domain::Rate {
    request_rate(step.counts.started.saturating_sub(step.counts.late), step.counts.intended)
}

/// Which limit of the scenario ended it, where nothing else did.
fn cut(scenario: &Scenario, found: &Found) -> Option<String> {
    let asked = found.tally.total().counts.intended + found.tally.warm_up;
    found.abort.is_none().then(|| scenario.limit_that_ended_it(asked)).flatten()
}

/// The steps that were reached, with their times.
fn steps(scenario: &Scenario, found: &Found, judged: bool) -> Vec<LoadStep> {
    let mut from = Duration::ZERO;
    let mut steps = Vec::with_capacity(found.tally.steps.len());
    for (i, ((stage, ramp), step)) in scenario.steps.iter().zip(&found.tally.steps).enumerate() {
        let begin = found.begins.get(i).copied().unwrap_or(from);
        let to = begin + ramp.duration;
        from = to;
        if begin > found.duration {
            break;
        }
        // The warm-up lies in the first steps, and in each load of a search.
        let cold = match found.begins.get(i) {
            Some(_) => scenario.warm_up.min(ramp.duration / 4),
            None => scenario.warm_up.saturating_sub(begin).min(ramp.duration),
        };
        let counted = (to.min(found.duration).saturating_sub(begin + cold)).as_secs_f64();
        // Starts that had to wait took longer than the step, and their rate is the one that the target saw.
        let took =
            step.starts.map_or(0.0, |(first, last)| (last.saturating_sub(first)).as_secs_f64()).max(counted);
        let counts = &step.counts;
        steps.push(LoadStep {
            stage: *stage,
            from_ms: milliseconds(begin),
            to_ms: milliseconds(to.min(found.duration)),
            load_from: ramp.from,
            load_to: ramp.to,
            achieved: achieved(step),
            rate: if took > 0.0 { counts.started as f64 / took } else { 0.0 },
            accuracy: if judged {
                request_rate(counts.right, counts.ended_phrases())
            } else {
                Rate::default()
            },
            response: histogram_report(&step.response),
            service: histogram_report(&step.service),
            lost: found.idle.as_ref().map(|_| request_rate(step.lost, step.idle_right)),
            counts: counts.clone(),
        });
    }
    steps
}

/// Whether this machine could make the load.
fn generator(model: LoadModel, found: &Found, total: &StepTally) -> GeneratorRecord {
    let tally = &found.tally;
    let mut limits = Vec::from_iter(found.broken.clone());
    let mut starved = found.broken.is_some();
    for shard in &found.shards {
        starved |= shard.trouble.is_some();
        limits.extend(shard.trouble.as_ref().map(|trouble| format!("worker {} {trouble}", shard.index)));
        if shard.clock_error_ms > milliseconds(LONG_LAG) {
            let error = shard.clock_error_ms;
            limits.push(format!(
                "worker {} may have begun {error:.0} ms before or after the others",
                shard.index
            ));
        }
        if shard.cpu_ms > BUSY * milliseconds(found.duration) * shard.threads as f64 {
            starved |= model == LoadModel::Users;
            limits.push(format!("the sending threads of worker {} were busy all the time", shard.index));
        }
    }
    if tally.exhausted > 0 {
        starved = true;
        let requests = count(tally.exhausted, "request", "requests");
        limits.push(format!("{requests} found no free port or file on this machine"));
    }
    let p99 = |histogram: &LatencyHistogram| histogram.percentile(0.99).unwrap_or_default();
    let (lag, response) = (p99(&tally.lag), p99(&total.response));
    if lag > LONG_LAG && lag.as_secs_f64() > LAG_SHARE * response.as_secs_f64() {
        limits.push(format!(
            "due starts waited {:.0} ms (p99) for this program, of {:.0} ms that answers took",
            milliseconds(lag),
            milliseconds(response)
        ));
    }
    let held = p99(&tally.held);
    if held > LONG_LAG && held.as_secs_f64() > HELD_SHARE * response.as_secs_f64() {
        limits.push(format!(
            "asking again for decisions waited {:.0} ms (p99) for the highest rate, of {:.0} ms that answers took",
            milliseconds(held),
            milliseconds(response)
        ));
    }
    if tally.lag.percentile(1.0 - LATE_SHARE).is_some_and(|lag| lag >= Duration::from_secs(1)) {
        starved = true;
        limits
            .push("more than 1 % of the starts were a second late because this program was busy".to_owned());
    }
    let still = tally.stood_still.as_secs_f64();
    let of_run = still / found.duration.as_secs_f64().max(still);
    if tally.stood_still > LONG_STILL || (still > 0.0 && of_run > STILL_SHARE) {
        // ...and users who did not ask meanwhile are another load. A schedule says itself what was late.
        starved |= model == LoadModel::Users && of_run > LATE_SHARE;
        limits.push(format!("this program stood still for {still:.1} s"));
    }
    let whole: Vec<&LoadSecond> = found.seconds.iter().filter(|second| second.started > 0).collect();
    let busy = whole.iter().filter(|second| second.cpu > BUSY).count();
    if busy >= 2 && busy as f64 > BUSY_SHARE * whole.len() as f64 {
        // Users ask as fast as they are answered: one who sends slowly is a load that is too low.
        starved |= model == LoadModel::Users;
        limits.push(format!("its sending threads were busy in {busy} of {} seconds", whole.len()));
    }
    let requests = total.counts.ended() + tally.warm_up;
    let cpu_ms = milliseconds(tally.cpu);
    GeneratorRecord {
        threads: tally.threads,
        cpu_ms,
        cpu_per_request_us: (requests > 0 && cpu_ms > 0.0).then(|| cpu_ms * 1e3 / requests as f64),
        lag: histogram_report(&tally.lag),
        held: (!tally.held.is_empty()).then(|| histogram_report(&tally.held)),
        exhausted: tally.exhausted,
        limits,
        starved,
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
