//! The words: what a level, a phrase, an observation, a verdict and a run record are.
//!
//! Every other layer speaks in these types. There is no I/O here, no clock and no `async`; a value that exists is a
//! value that makes sense. [`RunRecord`] is the waist of the hourglass: a run makes one, and the gates, the store and
//! the reports only read it.

mod address;
mod annotation;
mod baseline;
mod cell;
mod check;
mod comparison;
mod count;
mod event;
mod history;
mod http_version;
mod job;
mod json;
mod level;
mod line;
mod load;
mod load_comparison;
mod load_second;
mod metric;
mod observation;
mod pair;
mod paired_rate;
mod perturbation;
mod phrase;
mod record;
mod reference;
mod repeats;
mod request;
mod secret;
mod series;
mod shadow;
mod share;
mod verdict;
mod wait;
mod waiver;

pub use address::{asked_at, is_this_machine};
pub use annotation::Annotations;
pub use baseline::{Baseline, BaselineWish};
pub use cell::harmless_cell;
pub use check::{
    Check, CheckMode, CheckOutcome, CheckSeverity, CheckSource, Comparison, Conclusion, RunVerdict,
};
pub use comparison::{
    AnswerBrief, AnswerCounts, AnswerShares, BaselineRecord, Change, ComparisonRecord, LEAST_COMPARED,
    LatencyComparison, MetricComparison, PairedTest, PhraseChange, RunBrief, RunComparison, SliceComparison,
    UnpairedRate,
};
pub use count::count;
pub use event::RunEvent;
pub use history::{History, HistoryRun, NewestRun, Shift, ShiftTest, Trend};
pub use http_version::HttpVersion;
pub use job::{Job, JobState, NewJob};
pub use json::PlainJson;
pub use level::{Level, LevelSet, Polarity, UnknownLevel};
pub use line::one_line;
pub use load::{
    AbortRecord, Beside, EndedBy, GeneratorRecord, IdleComparison, LoadAbort, LoadCheck, LoadCounts,
    LoadModel, LoadRecord, LoadStep, PhraseCounts, PhraseLoad, ScenarioRecord, SearchRecord, ShardRecord,
};
pub use load_comparison::{LoadBrief, LoadComparison};
pub use load_second::{LoadSecond, SecondPhrases};
pub use metric::{
    AnswerScores, Estimate, HumanAgreement, Integrity, LatencyReport, Metrics, Rate, Slice, SliceKind,
    VerdictCounts, Violation,
};
pub use observation::{Answer, Attempt, NoAnswer, NoAnswerReason, Observation, Phase, Prediction};
pub use pair::contrast_pairs;
pub use paired_rate::PairedRate;
pub use perturbation::{
    Expectation, PerturbationCounts, PerturbationFlip, PerturbationGroup, PerturbationKind,
    PerturbationReport, Variant,
};
pub use phrase::{Phrase, PhraseSource, Split, Tolerance, text_hash};
pub use record::{
    HostRecord, PhraseResult, RunKind, RunOptionsRecord, RunRecord, RunStatus, SCHEMA_VERSION, SuiteRecord,
    TargetRecord, ToolRecord,
};
pub use reference::{
    Disagreement, ReferenceAnswer, ReferenceComparison, ReferenceModel, ReferenceRecord, ReferenceReport,
    ReferenceSlice, ScoreGap,
};
pub use repeats::{AnswerCount, FlakyPhrase, RepeatReport};
pub use request::{RunId, RunRequest, Selection, TextPolicy};
pub use secret::Secret;
pub use series::Series;
pub use shadow::{ShadowAnswer, ShadowComparison, ShadowDisagreement, ShadowInput, ShadowPair, ShadowReport};
pub use share::Share;
pub use verdict::Verdict;
pub use wait::Wait;
pub use waiver::{WaiverRecord, WaiverReport, WaiverState};
