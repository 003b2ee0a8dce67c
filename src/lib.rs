//! `thrash` tells a team whether a deployed text-classification stack still answers rightly, quickly and honestly.
//!
//! Phrases come in through [`suite`], go to a [`target`], and the answers are judged ([`judge`]), counted, gated
//! ([`gate`]), stored ([`store`]) and reported ([`report`]). The layers, lowest first; each uses only what stands above
//! it in this list (`tests/it/architecture.rs` holds the table):
//!
//! - [`stats`]: intervals, paired tests, agreement, percentiles. Numbers only.
//! - [`domain`]: the words. [`domain::RunRecord`] is the one thing that a run makes and everything else reads.
//! - [`document`]: YAML files that people write, with the place of every problem.
//! - [`suite`]: phrase files, suites, selections.
//! - [`judge`] and [`gate`]: answers to verdicts, verdicts to numbers, numbers to pass, fail or "could not tell".
//! - [`audit`]: a suite looked at before anything is sent: what it holds, what it can prove, whether it can fail.
//! - [`target`]: the system under test as a contract in YAML, and the HTTP client.
//! - [`reference`](mod@reference): a local ONNX model, the second opinion beside the target.
//! - [`load`]: scenarios, arrival schedules, and the engines that send them.
//! - [`schedule`]: cron lines, what they mean in a time zone, and what is due.
//! - [`store`], [`report`] and [`demo`]: keeping records, rendering them, and a detector to try everything on.
//! - [`notify`]: telling people when something broke and when it is well again.
//! - [`run`]: a suite or a scenario against a target becomes a record.
//! - [`config`]: settings in layers; the only reader of the environment.
//! - [`dispatch`]: one path starts work, whoever asked: prepare, run, store.
//! - [`service`]: what stands and is asked over HTTP.
//! - [`cli`]: what is typed, what is shown, what the shell gets back.

pub mod audit;
pub mod cli;
pub mod config;
pub mod demo;
pub mod dispatch;
pub mod document;
pub mod domain;
pub mod gate;
pub mod judge;
pub mod load;
pub mod notify;
pub mod reference;
pub mod report;
pub mod run;
pub mod schedule;
pub mod service;
pub mod stats;
pub mod store;
pub mod suite;
pub mod target;
