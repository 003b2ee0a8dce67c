//! Ctrl-C and the system's request to end. Whoever calls one of these is heard from then on, not from when it is awaited.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::dispatch::Stopping;
use crate::run::RunControl;

/// How long keeping the record may take once somebody has asked twice to stop.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// Listens until the run is over: the first signal drains it, the second stops it at once.
pub(super) fn watch(control: RunControl, say: impl Fn(&str)) -> impl Future<Output = ()> {
    let signals =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    async move {
        // Without a listener the default holds, and that ends the program.
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals else { return };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if control.is_stopping() {
                say("stopping now");
                control.abort();
                // What is left is keeping the record. A database or a pipe that never answers must not hold us.
                tokio::time::sleep(LAST_WAIT).await;
                std::process::exit(i32::from(Exit::Interrupted as u8));
            } else {
                say("stopping: waiting for the answers on their way; once more (Ctrl-C) stops at once");
                control.drain();
            }
        }
    }
}

/// A file that may grow no more is an error where it is written, and no reason to die with what was found.
pub(super) fn outlive_full_files() {
    // SIGXFSZ. Once somebody has listened, it never again does what it does by itself.
    #[cfg(target_os = "linux")]
    let _ = signal(SignalKind::from_raw(25));
}

/// Listens until the service is over: after the first signal it has so long to come to an end, a second one ends it at
/// once.
pub(super) fn watch_service(
    stopping: Stopping,
    within: Duration,
    say: impl Fn(&str),
) -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        say("stopping: no new work; once more (Ctrl-C) stops at once");
        stopping.drain.cancel();
        tokio::select! {
            _ = interrupt.recv() => say("stopping now"),
            _ = terminate.recv() => say("stopping now"),
            () = tokio::time::sleep(within) => say("what is not done goes back to the queue"),
        }
        stopping.abort.cancel();
        // What is left is writing that down. A database that never answers must not hold us.
        tokio::time::sleep(2 * LAST_WAIT).await;
        std::process::exit(i32::from(Exit::Interrupted as u8));
    }
}

/// Waits for either signal.
pub(super) fn stop() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
