//! The system under test, described as data.
//!
//! A [`Contract`] says how a phrase becomes a request and an answer becomes a [`Prediction`](crate::domain::Prediction);
//! it is YAML, compiled and tried against its own examples before anything is sent. A [`Target`] is a contract with a
//! connection: the only place in the program where an HTTP client is built. It promises that every phrase ends as one
//! [`Observation`](crate::domain::Observation), that every attempt is in it, and that nothing waits without a deadline.

mod ask;
mod attempt;
mod batch;
mod checks;
mod client;
mod compile;
mod contract;
mod contract_file;
mod examples;
mod expression;
mod health;
mod http_time;
mod hush;
mod load;
mod opened;
mod outgoing;
mod pace;
mod poll;
mod preset;
mod reading;
mod senders;
mod template;
mod webhook;
mod wire;

pub use ask::{AskOptions, Target, harmless_phrase};
pub use checks::{MOST_CHECKS, check_rule};
pub use client::{Connection, ConnectionError, ProxyUrl, download_client, is_exhaustion};
pub(crate) use contract::parse_base_url;
pub use contract::{Contract, ContractError};
pub use contract_file::{Limits, schema};
pub use health::{Health, HealthError};
pub use load::{Lane, LoadOptions, LoadTarget, ShortAnswer, Shot};
pub use poll::Turnstile;
pub use preset::{PRESET_NAMES, preset, preset_text};
pub use reading::{Field, Reading};
pub use webhook::{WebhookAnswer, WebhookClient};
