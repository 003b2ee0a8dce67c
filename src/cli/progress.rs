//! What a run shows while it goes on: a bar in a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use super::output::Output;
use crate::domain::{LoadSecond, RunEvent, SecondPhrases, Verdict, Wait, count};

/// When the first plain line is written: a log should show early that the run goes on.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// How often the next ones are.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How often what is waited for is drawn anew.
const SPIN_EVERY: Duration = Duration::from_millis(500);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Bar,
    Lines,
    Silent,
}

impl Style {
    /// A bar where stderr is a terminal, lines where it is not.
    pub(super) fn choose(quiet: bool) -> Self {
        if quiet {
            Self::Silent
        } else if console::Term::stderr().is_term() {
            Self::Bar
        } else {
            Self::Lines
        }
    }
}

#[derive(Default)]
struct Seen {
    planned: usize,
    done: usize,
    /// Of the done, those with a label.
    judged: usize,
    passed: usize,
    unanswered: usize,
    /// Whether answers of a load are right or wrong.
    judges: bool,
}

impl Seen {
    fn line(&self) -> String {
        let Self { planned, done, passed, judged, .. } = self;
        match judged {
            // Lines without labels are neither.
            0 => format!("{done}/{planned} sent{}", self.lost()),
            _ => format!("{done}/{planned} sent, {passed} right{}", self.lost()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share, for people")]
    fn message(&self) -> String {
        if self.judged == 0 {
            return self.lost().trim_start_matches(", ").to_owned();
        }
        let accuracy = 100.0 * self.passed as f64 / self.judged as f64;
        format!("{accuracy:.1} % right{}", self.lost())
    }

    fn lost(&self) -> String {
        if self.unanswered == 0 { String::new() } else { format!(", {} unanswered", self.unanswered) }
    }
}

/// A slice of a load run in a line.
#[expect(clippy::cast_precision_loss, reason = "a share, for people")]
fn load_line(second: &LoadSecond, length_s: f64, stage: Option<&str>, judged: bool) -> String {
    let ms = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0}"));
    let LoadSecond { started, right, in_flight, .. } = second;
    let SecondPhrases { answered, unanswered } = second.ended_phrases();
    let share = match answered {
        _ if !judged => String::new(),
        0 => ", – right".to_owned(),
        answered => format!(", {:.0} % right", 100.0 * *right as f64 / answered as f64),
    };
    let lost = if unanswered == 0 { String::new() } else { format!(", {unanswered} unanswered") };
    let [p50, p95, p99] = [second.p50_ms, second.p95_ms, second.p99_ms].map(ms);
    let rate = *started as f64 / length_s;
    let rate = if rate < 10.0 && rate.fract() > 0.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    let stage = stage.map_or_else(String::new, |stage| format!("{stage}, "));
    format!("{stage}{rate}/s, {in_flight} on their way, p50 {p50} p95 {p95} p99 {p99} ms{share}{lost}")
}

/// The display; its clones share it.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    style: Style,
    bar: ProgressBar,
    /// What stands there in a terminal before a run begins.
    spinner: ProgressBar,
    output: Output,
}

impl Progress {
    pub(super) fn new(style: Style, output: Output) -> Self {
        let shown = || match style {
            Style::Bar => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(12)),
            Style::Lines | Style::Silent => ProgressBar::hidden(),
        };
        let (bar, spinner) = (shown(), shown());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        let template = "{bar:24} {pos}/{len}  {per_sec}  {msg}  ETA {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { style, bar, spinner, output }
    }

    /// Says something beside the bar.
    pub(super) fn say(&self, text: &str) {
        self.spinner.suspend(|| self.bar.suspend(|| self.output.note(text)));
    }

    /// Says what is waited for: in a terminal with for how long already, elsewhere in a line, however quiet the rest is.
    pub(super) fn wait(&self, text: &str) {
        if self.style == Style::Bar {
            self.spinner.set_message(text.to_owned());
            self.spinner.enable_steady_tick(SPIN_EVERY);
        } else {
            self.say(text);
        }
    }

    /// The waiting is over.
    pub(super) fn waited(&self) {
        self.spinner.finish_and_clear();
    }

    /// Shows events until the run has ended.
    pub(super) async fn follow(self, mut events: mpsc::Receiver<RunEvent>) {
        let say = |text: String| {
            if self.style != Style::Silent {
                self.say(&text);
            }
        };
        let mut seen = Seen::default();
        let mut next_line = Instant::now() + FIRST_LINE;
        while let Some(event) = events.recv().await {
            match event {
                RunEvent::Started { planned } => {
                    seen.planned = planned;
                    self.bar.set_length(planned as u64);
                }
                RunEvent::Extended { more } => {
                    seen.planned += more;
                    self.bar.set_length(seen.planned as u64);
                }
                RunEvent::Observed { verdict, no_answer, .. } => {
                    seen.done += 1;
                    seen.judged += usize::from(verdict.is_some());
                    seen.passed += usize::from(verdict.is_some_and(Verdict::passes));
                    seen.unanswered += usize::from(no_answer.is_some());
                    self.bar.set_position(seen.done as u64);
                    if self.style == Style::Bar {
                        self.bar.set_message(seen.message());
                    } else if Instant::now() >= next_line {
                        next_line = Instant::now() + LINE_EVERY;
                        say(seen.line());
                    }
                }
                RunEvent::Slowed { wait, concurrency } => {
                    let wait =
                        Wait(Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
                    say(format!(
                        "the target asks for patience (429): waiting {wait}, then {concurrency} at once"
                    ));
                }
                RunEvent::ReferenceAwaited { at_most } => {
                    let limit = match at_most.as_secs() {
                        seconds if seconds < 3600 => format!(", {seconds} s at most"),
                        _ => String::new(),
                    };
                    self.bar.set_message(format!("waiting for the reference{limit}"));
                }
                RunEvent::WorkersAwaited { come, of } => {
                    say(format!("{come} of {} there", count(of, "worker is", "workers are")));
                }
                RunEvent::IdleStarted { planned, longest } => {
                    seen.planned = planned;
                    self.bar.set_length(planned as u64);
                    self.bar.set_message("answers without load");
                    if self.style == Style::Lines {
                        next_line = Instant::now() + FIRST_LINE;
                        let longest = Wait(longest);
                        say(format!("{planned} phrases without load, one at a time, {longest} at most"));
                    }
                }
                RunEvent::IdleObserved { answered } => {
                    seen.done += 1;
                    seen.unanswered += usize::from(!answered);
                    self.bar.inc(1);
                    if self.style == Style::Bar {
                        self.bar.set_message(format!("answers without load{}", seen.lost()));
                    } else if Instant::now() >= next_line {
                        next_line = Instant::now() + LINE_EVERY;
                        say(format!("{} without load", seen.line()));
                    }
                }
                RunEvent::Noted { text } => say(text),
                RunEvent::LoadStarted { planned, judged } => {
                    seen.judges = judged;
                    let template = "{bar:24} {pos}/{len} s  {msg}";
                    if let Ok(style) = ProgressStyle::with_template(template) {
                        self.bar.set_style(style.progress_chars("━╸─"));
                    }
                    self.bar.set_message("");
                    self.bar.set_position(0);
                    self.bar.set_length(planned.as_secs().max(1));
                }
                RunEvent::LoadSecond { second, length_s, stage } => {
                    let line = load_line(&second, length_s, stage.as_deref(), seen.judges);
                    let end_s = second.at_s + length_s;
                    self.bar.set_position(Duration::try_from_secs_f64(end_s).unwrap_or_default().as_secs());
                    self.bar.set_message(line.clone());
                    if self.style == Style::Lines && Instant::now() >= next_line {
                        next_line = Instant::now() + LINE_EVERY;
                        say(format!("{end_s:.0} s: {line}"));
                    }
                }
                RunEvent::GivenUp { reason } => say(format!("giving up: {reason}")),
            }
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_many_a_second_whatever_the_slice_is_long() {
        let second = LoadSecond { started: 31, ..LoadSecond::default() };
        assert!(load_line(&second, 3.0, None, false).starts_with("10/s, "));
        assert!(load_line(&second, 10.0, None, false).starts_with("3.1/s, "));
        assert!(load_line(&second, 1.0, Some("stage 2 of 3"), false).starts_with("stage 2 of 3, 31/s, "));
    }
}
