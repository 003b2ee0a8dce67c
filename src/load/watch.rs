//! A run as it is seen from outside: second by second, and whether it has to end.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::scenario_file::AbortEntry;
use super::tally::{Window, add_reasons};
use crate::domain::{LoadAbort, LoadSecond, SecondPhrases, count};

/// Seconds that a record holds, at most: a longer run has longer ones.
const MOST_SECONDS: f64 = 3600.0;
/// Windows that are looked at, at most.
const MOST_RECENT: usize = 10_000;
/// Keeps the run second by second, and looks at the newest windows.
#[derive(Debug)]
pub struct Watch {
    rules: AbortEntry,
    /// Requests on their way at once, at most.
    most: u64,
    threads: f64,
    slice_s: f64,
    /// A slice is closed when this long has passed since its end, because its windows come a little late.
    late_s: f64,
    /// The windows of the last `over`, and as many more as it takes to tell something.
    recent: VecDeque<Brief>,
    /// What each thread had on its way when it last told.
    flying: BTreeMap<usize, u64>,
    /// Since when something is on its way and nothing comes back.
    silent_since_s: f64,
    /// The slices that are not closed, each with its number.
    open: VecDeque<(u64, Window)>,
    newest_s: f64,
    seconds: Vec<LoadSecond>,
    /// Added to every time: where a run is made of several.
    offset_s: f64,
}

impl Watch {
    /// Watches a run of this length by these rules, with so many requests on their way at once at most, sent by so many
    /// threads, whose windows come so late at most.
    pub fn new(
        (rules, most): (AbortEntry, usize),
        planned: Duration,
        threads: usize,
        late: Duration,
    ) -> Self {
        let slice_s = (planned.as_secs_f64() / MOST_SECONDS).ceil().max(1.0);
        let threads = u32::try_from(threads.max(1)).map_or(1.0, f64::from);
        Self {
            rules,
            most: most as u64,
            threads,
            slice_s,
            late_s: late.as_secs_f64(),
            recent: VecDeque::new(),
            flying: BTreeMap::new(),
            silent_since_s: 0.0,
            open: VecDeque::new(),
            newest_s: 0.0,
            seconds: Vec::new(),
            offset_s: 0.0,
        }
    }

    /// What comes next began so long after the run's start.
    pub fn continue_at(&mut self, offset: Duration) {
        self.close_before(f64::INFINITY);
        self.recent.clear();
        self.flying.clear();
        self.offset_s = offset.as_secs_f64();
        self.silent_since_s = self.offset_s;
    }

    /// Takes in a window; gives the slices that are complete now.
    pub fn take(&mut self, mut window: Window) -> Vec<LoadSecond> {
        window.at_s += self.offset_s;
        window.from_s += self.offset_s;
        // Windows end with the seconds, or a moment after: each belongs to the one that holds its middle.
        let middle_s = f64::midpoint(window.from_s, window.at_s);
        let slice = Duration::try_from_secs_f64(middle_s / self.slice_s).unwrap_or_default().as_secs();
        let at_s = window.at_s;
        self.newest_s = self.newest_s.max(at_s);
        if let Some((_, known)) = self.open.iter_mut().find(|(number, _)| *number == slice) {
            merge_slice(known, &window);
        } else if !self.add_to_closed(slice, &window) {
            self.open.push_back((slice, window.clone()));
        }
        self.recent.push_back(Brief::of(&window));
        self.flying.insert(window.thread, window.in_flight);
        if window.heard() > 0 || self.flying.values().all(|flying| *flying == 0) {
            self.silent_since_s = at_s;
        }
        let over = self.rules.over.0.as_secs_f64();
        let mut ended: u64 = self.recent.iter().map(|seen| seen.ended).sum();
        // Where few are sent, the last few requests tell what the last second cannot.
        while self.recent.front().is_some_and(|first| {
            first.at_s < at_s - over
                && (ended - first.ended >= self.rules.at_least || self.recent.len() > MOST_RECENT)
        }) {
            ended -= self.recent.pop_front().map_or(0, |first| first.ended);
        }
        self.close_before(self.newest_s - self.late_s)
    }

    /// Adds what comes too late to a slice that is closed: its counts are right then, its percentiles lack it.
    fn add_to_closed(&mut self, slice: u64, window: &Window) -> bool {
        let at_s = slice as f64 * self.slice_s;
        let known =
            self.seconds.iter_mut().rev().find(|second| (second.at_s - at_s).abs() < self.slice_s / 2.0);
        let Some(second) = known else { return false };
        second.intended += window.intended;
        second.started += window.started;
        second.answered += window.answered;
        second.unanswered += window.unanswered;
        add_reasons(&mut second.no_answer, &window.no_answer);
        if window.phrases != window.ended() {
            let phrases = second.phrases.get_or_insert_default();
            phrases.answered += window.phrases - window.unanswered_phrases;
            phrases.unanswered += window.unanswered_phrases;
        }
        second.right += window.right;
        true
    }

    /// How long a slice is, in seconds.
    pub const fn slice_s(&self) -> f64 {
        self.slice_s
    }

    /// Closes what is left; gives the seconds and their length.
    pub fn finish(mut self) -> (Vec<LoadSecond>, f64) {
        self.close_before(f64::INFINITY);
        (self.seconds, self.slice_s)
    }

    fn close_before(&mut self, time: f64) -> Vec<LoadSecond> {
        let mut closed = Vec::new();
        self.open.make_contiguous().sort_by_key(|(number, _)| *number);
        while let Some((number, _)) = self.open.front() {
            let from = *number as f64 * self.slice_s;
            if from + self.slice_s > time {
                break;
            }
            let Some((_, window)) = self.open.pop_front() else { break };
            let second = self.second(from, &window);
            self.seconds.push(second.clone());
            closed.push(second);
        }
        closed
    }

    fn second(&self, at_s: f64, window: &Window) -> LoadSecond {
        let at = |q| window.response.percentile(q).map(milliseconds);
        LoadSecond {
            at_s,
            intended: window.intended,
            started: window.started,
            answered: window.answered,
            unanswered: window.unanswered,
            no_answer: window.no_answer.clone(),
            phrases: (window.phrases != window.ended()).then_some(SecondPhrases {
                answered: window.phrases - window.unanswered_phrases,
                unanswered: window.unanswered_phrases,
            }),
            right: window.right,
            in_flight: window.in_flight,
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            cpu: window.cpu.as_secs_f64() / self.slice_s / self.threads,
            lag_ms: milliseconds(window.lag),
        }
    }

    /// Whether the run has to end, by what was seen last.
    pub fn too_much(&self) -> Option<LoadAbort> {
        let sum = |count: fn(&Brief) -> u64| self.recent.iter().map(count).sum::<u64>();
        let newest = self.recent.back()?;
        let ended = sum(|seen| seen.ended);
        let (phrases, unanswered) = (sum(|seen| seen.phrases), sum(|seen| seen.unanswered_phrases));
        let at_ms = newest.at_s * 1e3;
        let abort = |rule, seen| Some(LoadAbort { rule, seen, at_ms, timed_out: false });
        let most = self.rules.error_rate;
        if ended >= self.rules.at_least && unanswered as f64 > most.value() * phrases as f64 {
            let all = if phrases == ended {
                count(phrases, "request", "requests")
            } else {
                count(phrases, "phrase", "phrases")
            };
            let have = if unanswered == 1 { "has" } else { "have" };
            let seen = format!("{unanswered} of the last {all} {have} no answer");
            return abort(format!("error_rate: {most}"), seen);
        }
        if let Some(limit) = self.rules.latency_p95 {
            // Those on their way are as slow as they are old, at least; each thread tells of its own.
            let mut threads: Vec<usize> = Vec::new();
            let mut overdue = 0;
            for seen in self.recent.iter().rev() {
                if !threads.contains(&seen.thread) {
                    threads.push(seen.thread);
                    overdue += seen.overdue;
                }
            }
            let (cases, slow) = (ended + overdue, sum(|seen| seen.slow) + overdue);
            // A few users who all wait for nothing never are more.
            if cases >= self.rules.at_least.min(self.most) && slow as f64 > 0.05 * cases as f64 {
                let all = count(cases, "request", "requests");
                let are = if slow == 1 { "is" } else { "are" };
                let seen = format!("{slow} of the last {all} {are} slower than {limit}");
                return abort(format!("latency_p95: {limit}"), seen);
            }
        }
        let silent =
            self.rules.silent.filter(|silent| newest.at_s - self.silent_since_s >= silent.0.as_secs_f64());
        silent.and_then(|limit| {
            let seen = format!("nothing was answered for {limit}, with requests on their way all the time");
            abort(format!("silent: {limit}"), seen)
        })
    }

    /// The slices since a time, those that are not complete left out.
    pub fn since(&self, offset: Duration) -> Vec<LoadSecond> {
        let from = offset.as_secs_f64();
        self.seconds.iter().filter(|second| second.at_s >= from).cloned().collect()
    }
}

/// What a window says of answers, without their times.
#[derive(Debug)]
struct Brief {
    thread: usize,
    at_s: f64,
    ended: u64,
    phrases: u64,
    unanswered_phrases: u64,
    slow: u64,
    overdue: u64,
}

impl Brief {
    fn of(window: &Window) -> Self {
        let Window { thread, at_s, phrases, unanswered_phrases, slow, overdue, .. } = *window;
        Self { thread, at_s, ended: window.ended(), phrases, unanswered_phrases, slow, overdue }
    }
}

/// Adds a window to its slice. What is on the way is not a sum over time, only over threads; the newest tells it best.
fn merge_slice(slice: &mut Window, window: &Window) {
    let newer = window.at_s - slice.at_s > 0.1;
    let (in_flight, overdue) = if newer { (0, 0) } else { (slice.in_flight, slice.overdue) };
    slice.merge(window);
    slice.in_flight = in_flight + window.in_flight;
    slice.overdue = overdue + window.overdue;
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
