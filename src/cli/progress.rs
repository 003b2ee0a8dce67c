//! What a run shows while it goes on: a bar in a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use crate::domain::{RunEvent, Wait};

/// How often a plain line is written, at most.
const LINE_EVERY: Duration = Duration::from_secs(10);

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
    passed: usize,
    unanswered: usize,
}

impl Seen {
    fn line(&self) -> String {
        let Self { planned, done, passed, unanswered } = self;
        let mut line = format!("{done}/{planned} sent, {passed} right");
        if *unanswered > 0 {
            line.push_str(&format!(", {unanswered} unanswered"));
        }
        line
    }

    fn message(&self) -> String {
        let accuracy = if self.done == 0 { 0.0 } else { 100.0 * self.passed as f64 / self.done as f64 };
        let mut message = format!("{accuracy:.1} % right");
        if self.unanswered > 0 {
            message.push_str(&format!(", {} unanswered", self.unanswered));
        }
        message
    }
}

/// Shows events until the run has ended.
pub(super) async fn show(style: Style, mut events: mpsc::Receiver<RunEvent>) {
    let bar = match style {
        Style::Bar => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(12)),
        Style::Lines | Style::Silent => ProgressBar::hidden(),
    };
    let template = "{bar:24} {pos}/{len}  {per_sec}  {msg}  ETA {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    let say = |text: String| match style {
        Style::Bar => bar.suspend(|| eprint_line(&text)),
        Style::Lines => eprint_line(&text),
        Style::Silent => {}
    };
    let mut seen = Seen::default();
    let mut last_line = Instant::now();
    while let Some(event) = events.recv().await {
        match event {
            RunEvent::Started { planned } => {
                seen.planned = planned;
                bar.set_length(planned as u64);
            }
            RunEvent::Observed { verdict, no_answer, .. } => {
                seen.done += 1;
                seen.passed += usize::from(verdict.passes());
                seen.unanswered += usize::from(no_answer.is_some());
                bar.set_position(seen.done as u64);
                if style == Style::Bar {
                    bar.set_message(seen.message());
                } else if last_line.elapsed() >= LINE_EVERY {
                    last_line = Instant::now();
                    say(seen.line());
                }
            }
            RunEvent::Slowed { wait, concurrency } => {
                let wait = Wait(Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
                say(format!("the target asks for patience (429): waiting {wait}, then {concurrency} at once"));
            }
            RunEvent::Draining { in_flight } => say(format!("waiting for {in_flight} answers")),
            RunEvent::GivenUp { reason } => say(format!("giving up: {reason}")),
        }
    }
    bar.finish_and_clear();
}

fn eprint_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
