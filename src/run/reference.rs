//! The reference model beside the run: on a thread of its own, never in the target's way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Answer, Attempt, Level, Observation, Phrase, PhraseResult, Prediction, ReferenceAnswer, ReferenceModel,
    ReferenceRecord, ReferenceReport, RunEvent, TextPolicy, Wait,
};
use crate::judge::{compare_reference, disagreement, judge_phrase, measure};
use crate::reference::{Model, ModelFacts, Opinion, ReferenceError, ReferenceOptions, Task};

/// A reference that is told to stop ends after the batch it is at; longer than this nobody waits.
const GRACE: Duration = Duration::from_secs(5);

/// So many texts are in memory as rows, and in an order that is drawn.
const TOGETHER: usize = 4096;

/// So many at once where each makes a row a hypothesis, and is answered only with the last of them.
const OF_HYPOTHESES: usize = 64;

/// Which reference, and how long it is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencePlan {
    /// The model and how it is run.
    pub options: ReferenceOptions,
    /// How long after the last answer of the target.
    pub wait: Duration,
}

impl ReferencePlan {
    /// Whether it can run beside the target's phrases and leave a core to them.
    pub(super) fn fits_beside(&self) -> bool {
        std::thread::available_parallelism().map_or(1, usize::from) > self.options.threads
    }
}

/// What the run saw of the target.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) results: &'a [PhraseResult],
    pub(super) phrases: &'a [Phrase],
    pub(super) alert_level: Level,
}

/// What the thread has found so far.
#[derive(Default)]
struct Found {
    facts: Option<ModelFacts>,
    observations: Vec<(usize, Observation)>,
    /// From the first batch's start to the last one's end.
    duration: Duration,
}

/// What a reference said.
pub(super) struct Opinions {
    pub(super) facts: ModelFacts,
    /// Of which phrase, by index.
    pub(super) observations: Vec<(usize, Observation)>,
    pub(super) duration: Duration,
    /// Why it did not answer everything, if it did not.
    pub(super) trouble: Option<String>,
}

/// Why a reference said nothing.
pub(super) struct Silence {
    wanted: String,
    pub(super) reason: String,
}

/// A reference at work.
pub(super) struct Reference {
    wanted: String,
    phrases: usize,
    /// Phrases that it is not asked, for they have earlier messages.
    left_out: usize,
    stop: Arc<AtomicBool>,
    found: Arc<Mutex<Found>>,
    /// Says that it has ended, and why if not because it was done.
    ended: oneshot::Receiver<Result<(), String>>,
}

impl Reference {
    /// Begins to load the model and to answer.
    pub(super) fn start(plan: &ReferencePlan, phrases: &[Phrase], start: Instant) -> Self {
        let options = plan.options.clone();
        let load = move || Model::load(&options);
        Self::with_model(plan.options.model.to_string(), load, phrases, start)
    }

    /// Begins to answer with the model that this gives.
    pub(super) fn with_model(
        wanted: String,
        load: impl FnOnce() -> Result<Model, ReferenceError> + Send + 'static,
        phrases: &[Phrase],
        start: Instant,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let found = Arc::new(Mutex::new(Found::default()));
        let (tell, ended) = oneshot::channel();
        // It reads one message: what one means after others would be compared with what it means alone.
        let alone = phrases.iter().enumerate().filter(|(_, phrase)| phrase.history.is_empty());
        let texts: Vec<(usize, String)> = alone.map(|(place, phrase)| (place, phrase.text.clone())).collect();
        let asked = texts.len();
        let work = {
            let (stop, found) = (Arc::clone(&stop), Arc::clone(&found));
            move || {
                step_back();
                // Nobody listens any more when the run has gone on without it.
                let _ = tell.send(answer(load, &texts, start, &stop, &found));
            }
        };
        if let Err(error) = std::thread::Builder::new().name("reference".to_owned()).spawn(work) {
            tracing::warn!(%error, "the reference has no thread");
        }
        Self { wanted, phrases: asked, left_out: phrases.len() - asked, stop, found, ended }
    }

    /// Waits for it, not for ever, and holds it against the target's results.
    pub(super) async fn finish(
        self,
        wait: Duration,
        drain: &CancellationToken,
        events: &mpsc::Sender<RunEvent>,
        seen: Seen<'_>,
    ) -> ReferenceRecord {
        let (planned, left_out) = (self.phrases as u64, self.left_out);
        match self.opinions(wait, drain, events).await {
            Err(Silence { wanted, reason }) => ReferenceRecord::Missing { wanted, reason },
            Ok(Opinions { facts, observations, duration, trouble }) => {
                let mut report = report(facts, observations, duration, seen);
                report.planned = planned;
                if left_out > 0 {
                    let many = if left_out == 1 { "phrase was" } else { "phrases were" };
                    report.notes.push(format!(
                        "{left_out} {many} left out: they have earlier messages, and it reads one"
                    ));
                }
                report.notes.extend(trouble);
                ReferenceRecord::Answered(Box::new(report))
            }
        }
    }

    /// Waits for it, not for ever.
    pub(super) async fn opinions(
        mut self,
        wait: Duration,
        drain: &CancellationToken,
        events: &mpsc::Sender<RunEvent>,
    ) -> Result<Opinions, Silence> {
        let ended = if let Ok(ended) = self.ended.try_recv() {
            Ok(Ok(ended))
        } else {
            let _ = events.try_send(RunEvent::ReferenceAwaited { at_most: wait });
            tokio::select! {
                biased;
                ended = &mut self.ended => Ok(ended),
                () = drain.cancelled() => Err("the run was stopped".to_owned()),
                () = tokio::time::sleep(wait) => Err(format!("`reference.wait` of {} was over", Wait(wait))),
            }
        };
        let (ended, stopped) = match ended {
            Ok(ended) => (Some(ended), None),
            Err(why) => {
                self.stop.store(true, Ordering::Relaxed);
                (tokio::time::timeout(GRACE, &mut self.ended).await.ok(), Some(why))
            }
        };
        let found = std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner));
        let far = match (&found.facts, found.observations.len()) {
            (None, _) => "it was loaded",
            (Some(_), 0) => "it had answered anything",
            (Some(_), some) if some < self.phrases => "it had answered everything",
            // It was done in the time that it took to stop it.
            (Some(_), _) => "",
        };
        let trouble = match (ended, stopped) {
            (Some(Ok(Ok(()))), None) => None,
            (Some(Ok(Ok(()))) | None, Some(_)) if far.is_empty() => None,
            (Some(Ok(Ok(()))) | None, Some(why)) => Some(format!("{why} before {far}")),
            (Some(Ok(Err(reason))), _) => Some(reason),
            // Its sender went without a word: a panic, which has been shown.
            (Some(Err(_)) | None, _) => Some("its thread ended in a panic".to_owned()),
        };
        let Some(facts) = found.facts.filter(|_| !found.observations.is_empty()) else {
            let nothing = match (self.phrases, self.left_out) {
                (0, 1..) => "every phrase has earlier messages, and it reads one",
                _ => "it answered nothing",
            };
            let reason = trouble.unwrap_or_else(|| nothing.to_owned());
            return Err(Silence { wanted: self.wanted, reason });
        };
        Ok(Opinions { facts, observations: found.observations, duration: found.duration, trouble })
    }
}

/// Lets everything else go first. On Linux this holds for the calling thread and those that it starts; elsewhere it
/// would slow the whole program down.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "the reference keeps its priority");
    }
}

fn answer(
    load: impl FnOnce() -> Result<Model, ReferenceError>,
    texts: &[(usize, String)],
    start: Instant,
    stop: &AtomicBool,
    found: &Mutex<Found>,
) -> Result<(), String> {
    let found = || found.lock().unwrap_or_else(PoisonError::into_inner);
    let mut model = load().map_err(|error| error.explained())?;
    found().facts = Some(model.facts().clone());
    let version = model.facts().revision.clone();
    let begun = Instant::now();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    let mut draw = ChaCha8Rng::seed_from_u64(0);
    order.shuffle(&mut draw);
    let at_once = if model.facts().task == Task::ZeroShot { OF_HYPOTHESES } else { TOGETHER };
    for places in order.chunks(at_once) {
        let (places, texts): (Vec<usize>, Vec<&str>) =
            places.iter().map(|place| (texts[*place].0, texts[*place].1.as_str())).unzip();
        let answered = model.answer(&texts, &|| stop.load(Ordering::Relaxed), &mut |index, opinion, took| {
            let mut found = found();
            let seen = observation(opinion, version.clone(), start.elapsed(), took);
            found.observations.push((places[index], seen));
            found.duration = begun.elapsed();
        });
        answered.map_err(|error| error.explained())?;
    }
    Ok(())
}

/// The opinion in the words of any target: one attempt, as long as its batch took.
fn observation(opinion: Opinion, version: Option<String>, ended: Duration, took: Duration) -> Observation {
    let latency_ms = took.as_secs_f64() * 1e3;
    let started_ms = (ended.as_secs_f64() * 1e3 - latency_ms).max(0.0);
    let prediction = Prediction {
        level: opinion.level,
        label: opinion.label,
        score: Some(opinion.score),
        confidence: opinion.confidence,
        service_latency_ms: None,
        version,
    };
    let attempt =
        Attempt { started_ms, latency_ms, accepted_ms: None, status: None, failure: None, phase: None };
    Observation {
        repeat: 0,
        started_ms,
        latency_ms,
        attempts: vec![attempt],
        answer: Answer::Prediction(prediction),
        violations: Vec::new(),
        cached: false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a suite's phrases")]
fn report(
    facts: ModelFacts,
    observations: Vec<(usize, Observation)>,
    duration: Duration,
    seen: Seen<'_>,
) -> ReferenceReport {
    let Seen { results, phrases, alert_level } = seen;
    let seconds = duration.as_secs_f64();
    let phrases_per_second = (seconds > 0.0).then(|| observations.len() as f64 / seconds);
    let mut by_phrase: Vec<Option<Observation>> = vec![None; phrases.len()];
    for (index, observation) in observations {
        by_phrase[index] = Some(observation);
    }
    // The same judge, and the text is in the target's results already.
    let opinions: Vec<PhraseResult> = phrases
        .iter()
        .zip(by_phrase)
        .filter_map(|(phrase, seen)| Some(judge_phrase(phrase, alert_level, TextPolicy::None, vec![seen?])))
        .collect();
    let targets: std::collections::HashMap<&str, &PhraseResult> =
        results.iter().map(|result| (result.id.as_str(), result)).collect();
    let answers = opinions.iter().filter_map(|opinion| {
        let prediction = opinion.observations.first()?.answer.prediction()?;
        Some(ReferenceAnswer {
            id: opinion.id.clone(),
            level: prediction.level,
            label: prediction.label.clone(),
            score: prediction.score?,
            verdict: opinion.verdict,
            disagreement: disagreement(targets.get(opinion.id.as_str())?, opinion),
        })
    });
    ReferenceReport {
        answers: answers.collect(),
        load_ms: facts.loaded_in.as_secs_f64() * 1e3,
        notes: facts.notes.clone(),
        model: named(facts),
        planned: 0,
        duration_ms: seconds * 1e3,
        phrases_per_second,
        metrics: measure(&opinions, alert_level),
        comparison: compare_reference(results, &opinions),
    }
}

/// The model, as a record names it.
pub(super) fn named(facts: ModelFacts) -> ReferenceModel {
    ReferenceModel {
        name: facts.name,
        revision: facts.revision,
        file: facts.file,
        hash: facts.hash,
        engine: facts.engine,
        device: facts.device.as_str().to_owned(),
        nodes: facts.placement,
        threads: facts.threads,
        golden: facts.golden,
    }
}
