//! What sends a scenario.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::open::{OpenEngine, Sending};
use super::tally::{Tally, Window};
use super::users::UsersEngine;

/// One of the two engines, by the scenario's model.
#[derive(Debug)]
pub enum LoadEngine {
    /// A schedule decides when a request starts.
    Open(OpenEngine),
    /// Users decide, each by waiting for the answer.
    Users(UsersEngine),
}

/// What an engine brought.
#[derive(Debug)]
pub struct Sent {
    /// What it found.
    pub tally: Tally,
    /// Why this machine ended it before its time, if it did: then the tally may lack the last requests.
    pub broken: Option<String>,
}

impl LoadEngine {
    /// Its name in records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => OpenEngine::NAME,
            Self::Users(_) => UsersEngine::NAME,
        }
    }

    /// Threads that send.
    pub const fn threads(&self) -> usize {
        match self {
            Self::Open(open) => open.threads,
            Self::Users(_) => 1,
        }
    }

    /// Sends it all, or until `drain` or `abort` is cancelled: the first waits for answers on their way, the second for
    /// nothing. What is seen meanwhile goes to `windows`, a few times a second from every thread.
    ///
    /// # Errors
    /// The system gives no thread, no clock or no process; nothing was sent then.
    pub async fn run(
        &self,
        sending: Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> std::io::Result<Sent> {
        match self {
            Self::Open(open) => {
                Ok(Sent { tally: open.run(sending, drain, abort, windows).await?, broken: None })
            }
            Self::Users(users) => users.run(&sending, drain, abort, windows).await,
        }
    }
}
