//! What several tests need.

pub(crate) mod command;
pub(crate) mod html;
pub(crate) mod judged;
pub(crate) mod prometheus;
pub(crate) mod relay;
pub(crate) mod sample;
mod sample_checks;
mod sample_metrics;
mod sample_results;
pub(crate) mod server;
