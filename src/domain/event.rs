//! What a run tells while it goes on.

use std::time::Duration;

use super::{LoadSecond, NoAnswerReason, Verdict};

/// Something that happened in a run. Listeners may lose some; the record loses none.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// The target answered the health look and the first phrase is about to be sent.
    Started {
        /// How many phrases will be sent, repeats included.
        planned: usize,
    },
    /// Some phrases will be sent again, because their answers are in doubt.
    Extended {
        /// How many more sendings that makes.
        more: usize,
    },
    /// A phrase has its answer, or will never have one.
    Observed {
        /// The phrase's id.
        phrase: String,
        /// What the answer is worth; none for a variant, which has no label of its own.
        verdict: Option<Verdict>,
        /// Why there is none, if so.
        no_answer: Option<NoAnswerReason>,
        /// End to end.
        latency: Duration,
        /// Attempts it took.
        attempts: usize,
    },
    /// The target asked for patience (429).
    Slowed {
        /// How long nothing is sent.
        wait: Duration,
        /// Requests that may now be in flight at once.
        concurrency: usize,
    },
    /// The target has answered everything, and the reference model not yet.
    ReferenceAwaited {
        /// How long it is waited for.
        at_most: Duration,
    },
    /// A load run waits for the machines that are to send it.
    WorkersAwaited {
        /// How many are there.
        come: usize,
        /// How many it wants.
        of: usize,
    },
    /// A load run asks its phrases once, to know what is right without the load.
    IdleStarted {
        /// How many phrases.
        planned: usize,
        /// How long it may take.
        longest: Duration,
    },
    /// One of them has its answer, or will never have one.
    IdleObserved {
        /// Whether it has one.
        answered: bool,
    },
    /// Something that who watches should know of.
    Noted {
        /// A sentence or two.
        text: String,
    },
    /// The load begins.
    LoadStarted {
        /// How long it goes on, if nothing ends it.
        planned: Duration,
        /// Whether answers are right or wrong.
        judged: bool,
    },
    /// A slice of time of the load is over.
    LoadSecond {
        /// What it held.
        second: Box<LoadSecond>,
        /// How long it is, in seconds.
        length_s: f64,
        /// Which part of the scenario it is in, where there are several.
        stage: Option<String>,
    },
    /// The run ends before its plan because the target no longer answers.
    GivenUp {
        /// Why.
        reason: String,
    },
}
