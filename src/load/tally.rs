//! What an engine counts: constant memory, nothing shared, merged without loss.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::engine::Sending;
use crate::domain::{Level, LoadCounts, LoadModel, NoAnswerReason, Phrase, PhraseCounts};
use crate::judge::judge;
use crate::stats::LatencyHistogram;
use crate::target::{LoadTarget, ShortAnswer};

/// A start that is later than this is not the one that was asked for.
pub(super) const LATE: Duration = Duration::from_secs(1);

/// Everything that was found, by step, category and phrase.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// By step.
    pub steps: Vec<StepTally>,
    /// Response time by category, in the order of the categories' first phrases.
    pub categories: Vec<LatencyHistogram>,
    /// Service time by category, in the same order.
    #[serde(default)]
    pub category_services: Vec<LatencyHistogram>,
    /// Answers by phrase: levels from `none` on, then no answer.
    pub phrases: Vec<[u64; 6]>,
    /// Answers that said "I could not analyse this", by phrase.
    pub fail_open: Vec<u64>,
    /// Answers that failed each of the scenario's checks, and answers that were held against it.
    #[serde(default)]
    pub checks: Vec<[u64; 2]>,
    /// Until an asynchronous target had accepted a phrase.
    pub accepted: LatencyHistogram,
    /// How long asking it again for its decision waited for `max_rate`, in all.
    #[serde(default)]
    pub held: LatencyHistogram,
    /// How long due starts waited for this program.
    pub lag: LatencyHistogram,
    /// How long a thread that sends did not run at all, where it was noticed; the longest of all threads and machines.
    #[serde(default)]
    pub stood_still: Duration,
    /// Requests of the warm-up.
    pub warm_up: u64,
    /// Processor time of the threads that sent.
    pub cpu: Duration,
    /// Threads that sent.
    pub threads: usize,
    /// How long users waited for `max_rate`...
    #[serde(default)]
    pub held_back: Duration,
    /// ...of so much time: that, the wait for their answers, and their thinking.
    #[serde(default)]
    pub users_time: Duration,
    /// Requests that failed because this machine had no port or file left.
    pub exhausted: u64,
    /// Requests that a bug in this program lost.
    pub lost: u64,
}

/// What was found under one load.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StepTally {
    /// Its requests.
    pub counts: LoadCounts,
    /// From the intended start.
    pub response: LatencyHistogram,
    /// From the actual start.
    pub service: LatencyHistogram,
    /// Answers, or none, to phrases that are right when idle.
    pub idle_right: u64,
    /// Those of them that were not right here.
    pub lost: u64,
    /// When its first and its last request started, after the run's start.
    #[serde(default)]
    pub starts: Option<(Duration, Duration)>,
}

impl StepTally {
    /// A request of it started so long after the run's start.
    pub(super) fn started(&mut self, at: Duration) {
        self.join_starts(Some((at, at)));
    }

    fn join_starts(&mut self, other: Option<(Duration, Duration)>) {
        let both = [self.starts, other].into_iter().flatten();
        self.starts = both.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    }
}

/// What was seen in a short stretch of time, for who watches.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Window {
    /// Who saw it.
    #[serde(default)]
    pub thread: usize,
    /// Its beginning, in seconds after the run's start.
    #[serde(default)]
    pub from_s: f64,
    /// Its end.
    pub at_s: f64,
    /// Starts that the schedule asked for.
    pub intended: u64,
    /// Requests that started.
    pub started: u64,
    /// Requests that ended with an answer.
    pub answered: u64,
    /// Requests that ended without one.
    pub unanswered: u64,
    /// The same by reason.
    #[serde(default)]
    pub no_answer: BTreeMap<NoAnswerReason, u64>,
    /// Phrases of the requests that ended.
    #[serde(default)]
    pub phrases: u64,
    /// Those of them without an answer.
    #[serde(default)]
    pub unanswered_phrases: u64,
    /// Answers that passed the judge.
    pub right: u64,
    /// Requests that ended, and were slower than the scenario allows.
    pub slow: u64,
    /// Requests on their way at its end.
    pub in_flight: u64,
    /// Those of them that are older than the scenario allows.
    pub overdue: u64,
    /// Response times of those that ended.
    pub response: LatencyHistogram,
    /// The longest wait of a due start for this program.
    pub lag: Duration,
    /// Processor time of the threads that sent.
    pub cpu: Duration,
}

/// The categories of phrases, in the order of their first ones.
pub fn categories(phrases: &[Phrase]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for phrase in phrases {
        if !names.contains(&phrase.category.as_str()) {
            names.push(&phrase.category);
        }
    }
    names
}

/// What is known of each phrase before anything is sent.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Whether a level passes.
    pub(super) passes: [bool; 5],
    /// The number of its category.
    pub(super) category: usize,
    /// Whether it is right when idle, where that is known.
    pub(super) idle_right: Option<bool>,
}

/// What is known of the phrases.
pub(super) fn known(target: &LoadTarget, idle_right: Option<&[bool]>) -> Vec<Known> {
    let phrases = target.phrases();
    let names = categories(phrases);
    let known = phrases.iter().enumerate().map(|(i, phrase)| {
        let passes = Level::ALL.map(|level| {
            let (low, high) = (phrase.lowest_passing(), phrase.highest_passing());
            target.is_judged() && judge(phrase.expected, low, high, Some(level)).passes()
        });
        Known {
            passes,
            category: names.iter().position(|name| *name == phrase.category).unwrap_or_default(),
            idle_right: idle_right.map(|right| right[i]),
        }
    });
    known.collect()
}

impl Tally {
    /// Nothing found yet of what is to be sent.
    pub fn empty(sending: &Sending) -> Self {
        let phrases = sending.target.phrases();
        let of_categories = vec![LatencyHistogram::new(); categories(phrases).len()];
        let mut step = StepTally::default();
        // Where a request holds one phrase, phrases are counted with the requests.
        step.counts.phrases = (sending.scenario.batch > 1).then(PhraseCounts::default);
        Self {
            steps: vec![step; sending.ramps.len()],
            categories: of_categories.clone(),
            category_services: of_categories,
            phrases: vec![[0; 6]; phrases.len()],
            fail_open: vec![0; phrases.len()],
            checks: vec![[0; 2]; sending.scenario.checks.len()],
            ..Self::default()
        }
    }

    /// Whether the other one counts the same steps, categories and phrases.
    pub fn fits(&self, other: &Self) -> bool {
        let sizes = |tally: &Self| {
            let categories = [tally.categories.len(), tally.category_services.len()];
            let phrases = [tally.phrases.len(), tally.fail_open.len()];
            (tally.steps.len(), tally.checks.len(), categories, phrases)
        };
        sizes(self) == sizes(other)
    }

    /// Counts the answer to a phrase of a request that belongs to a step.
    pub(super) fn answer(
        &mut self,
        (step, phrase): (usize, usize),
        known: &Known,
        answer: ShortAnswer,
        is_right: bool,
    ) {
        let step = &mut self.steps[step];
        let counts = &mut step.counts;
        match answer.level {
            Ok(level) => self.phrases[phrase][level.index()] += 1,
            Err(reason) => {
                self.phrases[phrase][5] += 1;
                self.fail_open[phrase] += u64::from(reason == NoAnswerReason::FailOpen);
            }
        }
        if let Some(phrases) = &mut counts.phrases {
            match answer.level {
                Ok(_) => phrases.answered += 1,
                Err(reason) => *phrases.no_answer.entry(reason).or_default() += 1,
            }
        }
        counts.right += u64::from(is_right);
        counts.violations += u64::from(answer.violates);
        counts.cached += u64::from(answer.cached);
        if known.idle_right == Some(true) {
            step.idle_right += 1;
            step.lost += u64::from(!is_right);
        }
    }

    /// Adds what another thread or another machine found in the same scenario.
    pub fn merge(&mut self, other: &Self) {
        for (step, other) in self.steps.iter_mut().zip(&other.steps) {
            step.merge(other);
        }
        let ours = self.categories.iter_mut().chain(&mut self.category_services);
        for (category, other) in ours.zip(other.categories.iter().chain(&other.category_services)) {
            category.merge(other);
        }
        for (answers, other) in self.phrases.iter_mut().zip(&other.phrases) {
            answers.iter_mut().zip(other).for_each(|(count, other)| *count += other);
        }
        self.fail_open.iter_mut().zip(&other.fail_open).for_each(|(count, other)| *count += other);
        for ([count, of], [other, of_other]) in self.checks.iter_mut().zip(&other.checks) {
            *count += other;
            *of += of_other;
        }
        self.accepted.merge(&other.accepted);
        self.held.merge(&other.held);
        self.lag.merge(&other.lag);
        self.stood_still = self.stood_still.max(other.stood_still);
        self.warm_up += other.warm_up;
        self.cpu += other.cpu;
        self.threads += other.threads;
        self.held_back += other.held_back;
        self.users_time += other.users_time;
        self.exhausted += other.exhausted;
        self.lost += other.lost;
    }

    /// Counts as intended what the schedule asked for in so long, and until the last start: what senders should have
    /// sent of whom nothing is known was asked for, too. Users have no schedule.
    pub fn intend(&mut self, sending: &Sending, within: Duration) {
        if sending.scenario.model == LoadModel::Users {
            return;
        }
        let within = self.total().starts.map_or(within, |(_, last)| last.max(within));
        for (step, planned) in self.steps.iter_mut().zip(sending.planned(within)) {
            step.counts.intended = step.counts.intended.max(planned);
        }
    }

    /// All steps together.
    pub fn total(&self) -> StepTally {
        let mut total = StepTally::default();
        self.steps.iter().for_each(|step| total.merge(step));
        total
    }
}

impl StepTally {
    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        add(&mut self.counts, &other.counts);
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.join_starts(other.starts);
        self.idle_right += other.idle_right;
        self.lost += other.lost;
    }
}

fn add(counts: &mut LoadCounts, other: &LoadCounts) {
    let LoadCounts {
        intended,
        started,
        dropped,
        waited,
        late,
        abandoned,
        answered,
        no_answer,
        right,
        violations,
        cached,
        connections,
        phrases,
    } = other;
    counts.intended += intended;
    counts.started += started;
    counts.dropped += dropped;
    counts.waited += waited;
    counts.late += late;
    counts.abandoned += abandoned;
    counts.answered += answered;
    add_reasons(&mut counts.no_answer, no_answer);
    counts.right += right;
    counts.violations += violations;
    counts.cached += cached;
    counts.connections += connections;
    if let Some(phrases) = phrases {
        let counts = counts.phrases.get_or_insert_default();
        counts.answered += phrases.answered;
        add_reasons(&mut counts.no_answer, &phrases.no_answer);
    }
}

pub(super) fn add_reasons(counts: &mut BTreeMap<NoAnswerReason, u64>, other: &BTreeMap<NoAnswerReason, u64>) {
    for (reason, count) in other {
        *counts.entry(*reason).or_default() += count;
    }
}

impl Window {
    /// Adds what another thread saw in the same stretch.
    pub fn merge(&mut self, other: &Self) {
        self.at_s = self.at_s.max(other.at_s);
        self.intended += other.intended;
        self.started += other.started;
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        add_reasons(&mut self.no_answer, &other.no_answer);
        self.phrases += other.phrases;
        self.unanswered_phrases += other.unanswered_phrases;
        self.right += other.right;
        self.slow += other.slow;
        self.in_flight += other.in_flight;
        self.overdue += other.overdue;
        self.response.merge(&other.response);
        self.lag = self.lag.max(other.lag);
        self.cpu += other.cpu;
    }

    /// Requests that ended.
    pub const fn ended(&self) -> u64 {
        self.answered + self.unanswered
    }

    /// Requests to which something was heard of the target, whatever it was.
    pub fn heard(&self) -> u64 {
        let timeouts = self.no_answer.get(&NoAnswerReason::Timeout).copied().unwrap_or_default();
        self.ended().saturating_sub(timeouts)
    }
}
