//! The accuracy run: every phrase is sent, every answer judged.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::jobs::Plan;
use super::record::{Found, record};
use super::reference::{Reference, ReferencePlan, Seen};
use super::sender::Sender;
use super::{Measured, RunControl};
use crate::domain::{Observation, Phrase, PhraseResult, RunEvent, RunId, RunStatus, TextPolicy, Variant};
use crate::gate::GateOptions;
use crate::judge::{VariantAnswer, is_doubtful, judge_phrase, judge_variants};
use crate::suite::{Suite, Waivers};
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
    /// Times that a phrase is sent whose answer is in doubt; none sends it as often as the others.
    pub repeat_doubtful: Option<u32>,
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
    /// Failures that somebody answers for, where there is a file of them.
    pub waivers: Option<Waivers>,
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
    /// The second opinion, if one is wanted.
    pub reference: Option<ReferencePlan>,
    /// The version that the health look found.
    pub version: Option<String>,
}

impl AccuracyRun {
    /// Sends everything and measures what came back.
    ///
    /// Events that nobody takes in time are lost; observations never are.
    pub async fn execute(self, control: RunControl, events: mpsc::Sender<RunEvent>) -> Measured {
        let Self { suite, variants, target, options, reference, version } = self;
        let judged = suite.phrases.len();
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
        let sender = Arc::new(Sender {
            phrases: suite.phrases.iter().cloned().chain(varied).collect(),
            target,
            judged,
            concurrency: options.concurrency,
            give_up_after: options.give_up_after,
            failed_in_a_row: AtomicUsize::new(0),
            // A child: it stops with the run, and giving up is told from being stopped.
            gave_up: control.drain.child_token(),
            control: control.clone(),
            start: Instant::now(),
            events,
        });
        let contract = sender.target.contract();
        let alert_level = contract.alert_level;
        let plan = Plan {
            phrases: &sender.phrases,
            options: &options,
            batch_sends_history: contract.batch_sends_history(),
        };
        sender.tell(RunEvent::Started { planned: judged * options.repeat as usize + variants.len() });
        let ask = |plan: &ReferencePlan| Reference::start(plan, &suite.phrases, sender.start);
        let beside = reference.as_ref().filter(|plan| plan.fits_beside()).map(ask);
        // Beside the run, for it takes two answers' time, and by the run's rules.
        let (sent, (target_caches, look_lost)) =
            tokio::join!(sender.send(plan.passes(judged)), sender.look_for_a_cache());

        let seen = sent.observed.len();
        let mut observed = by_phrase(sent.observed, sender.phrases.len());
        let varied = observed.split_off(judged);
        let (places, results): (Vec<usize>, Vec<PhraseResult>) = suite
            .phrases
            .iter()
            .zip(observed)
            .enumerate()
            .filter(|(_, (_, observations))| !observations.is_empty())
            .map(|(place, (phrase, observations))| {
                (place, judge_phrase(phrase, alert_level, options.text, observations))
            })
            .unzip();

        // A target that caches would only say again what it said.
        let caches = target_caches == Some(true)
            || results.iter().flat_map(|result| &result.observations).any(|seen| seen.cached);
        let doubtful = places.iter().zip(&results).filter(|(_, result)| {
            !caches && options.repeat_doubtful.is_some() && is_doubtful(result, &contract.band_edges)
        });
        let doubtful: Vec<usize> = doubtful.map(|(place, _)| *place).collect();
        let jobs = plan.again(&doubtful, options.repeat..options.repeat_doubtful.unwrap_or(0));
        if !jobs.is_empty() {
            sender.tell(RunEvent::Extended { more: jobs.iter().map(|job| job.phrases.len()).sum() });
        }
        let extra = sender.send(jobs).await;
        let reference = match &reference {
            None => None,
            Some(plan) => {
                let asked = beside.unwrap_or_else(|| ask(plan));
                let seen = Seen { results: &results, phrases: &suite.phrases, alert_level };
                Some(asked.finish(plan.wait, &control.drain, &sender.events, seen).await)
            }
        };

        let answers: Vec<VariantAnswer<'_>> = variants
            .iter()
            .zip(&varied)
            .filter_map(|(variant, seen)| Some(VariantAnswer::new(variant, &seen.first()?.answer)))
            .collect();
        let perturbations = (!variants.is_empty()).then(|| judge_variants(&results, &answers, alert_level));
        let (seen, planned) = (seen + extra.observed.len(), sent.planned + extra.planned);
        let status = if seen == planned {
            RunStatus::Completed
        } else if control.is_stopping() {
            RunStatus::Interrupted
        } else {
            RunStatus::Aborted
        };
        let lost = sent.lost + extra.lost;
        let mut extra_of = by_phrase(extra.observed, judged);
        let found = Found {
            not_sent: planned - seen - lost,
            lost: lost + look_lost,
            extra: places.iter().map(|place| std::mem::take(&mut extra_of[*place])).collect(),
            results,
            perturbations,
            reference,
            target_caches,
            status,
            duration: if extra.planned > 0 { extra.until } else { sent.until },
            version,
        };
        let record = record(&suite, &sender.target, &options, found);
        Measured { record, gates: options.gates }
    }
}

/// What was seen of each phrase, in the order of the passes.
fn by_phrase(observed: Vec<(usize, Observation)>, phrases: usize) -> Vec<Vec<Observation>> {
    let mut sorted: Vec<Vec<Observation>> = vec![Vec::new(); phrases];
    for (phrase, observation) in observed {
        sorted[phrase].push(observation);
    }
    for observations in &mut sorted {
        observations.sort_by_key(|observation| observation.repeat);
    }
    sorted
}
