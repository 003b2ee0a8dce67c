//! The embedded demo detector: a small rule-based service that speaks the ash-v5 contract over real HTTP on a loopback port.
//!
//! `thrash quick` starts it when nothing is configured, so that the whole job can be seen; tests and examples use it as a
//! deployed service that is always at hand. It knows no shipped phrase and makes honest mistakes.
//! [`Behaviour`] makes it slow, wrong or dishonest in the ways in which real services have been, so
//! that the harness can be seen to notice.
//!
//! [`Demo::start`] binds and returns at once; the server runs on a thread of its own until
//! [`Demo::stop`].
//!
//! ```
//! # use thrash::demo::{Demo, DemoError, DemoOptions};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), DemoError> {
//! let demo = Demo::start(DemoOptions::default())?;
//! let endpoint = format!("{}/analyze", demo.url());
//! assert!(endpoint.starts_with("http://127.0.0.1:"));
//! demo.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`analyse`] is the detector without the server.

mod answer;
mod behaviour;
mod cache;
mod context;
mod detector;
mod key;
mod latency;
mod limit;
mod request;
mod routes;
mod server;
mod service;
mod severity;
mod verdict;

pub use behaviour::{Behaviour, ErrorStatus, ErrorStatusError, Share, ShareError};
pub use detector::{Analysis, Cue, Earlier, Signal, analyse};
pub use key::InternalKey;
pub use latency::{Latency, LatencyError};
pub use server::{Demo, DemoError, DemoOptions, demo};
pub use service::RequestCounts;
pub use severity::{Severity, SeverityError};
