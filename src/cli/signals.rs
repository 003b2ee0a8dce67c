//! Ctrl-C and the system's requests to end. Whoever calls one of these is heard from then on, not from when it is awaited.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use crate::dispatch::Stopping;
use crate::run::RunControl;

/// How long keeping the record may take once somebody has asked twice to stop.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// What asks for an end: Ctrl-C, the system, a terminal that closes.
struct Requests {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Requests {
    fn listen() -> io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // To listen would undo what `nohup` is for.
        let hangup = if ignores_hangups() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt, terminate, hangup })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether the program was started with hangups ignored, as far as the system tells.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Listens until the run is over: the first signal drains it, the second stops it at once.
pub(super) fn watch(control: RunControl, say: impl Fn(&str)) -> impl Future<Output = ()> {
    let requests = Requests::listen();
    async move {
        // Without a listener the default holds, and that ends the program.
        let Ok(mut requests) = requests else { return };
        loop {
            requests.next().await;
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
    let requests = Requests::listen();
    async move {
        let Ok(mut requests) = requests else { return };
        requests.next().await;
        say("stopping: no new work; once more (Ctrl-C) stops at once");
        stopping.drain.cancel();
        tokio::select! {
            () = requests.next() => say("stopping now"),
            () = tokio::time::sleep(within) => say("what is not done goes back to the queue"),
        }
        stopping.abort.cancel();
        // What is left is writing that down. A database that never answers must not hold us.
        tokio::time::sleep(2 * LAST_WAIT).await;
        std::process::exit(i32::from(Exit::Interrupted as u8));
    }
}

/// Waits for any of them.
pub(super) fn stop() -> impl Future<Output = ()> {
    let requests = Requests::listen();
    async move {
        match requests {
            Ok(mut requests) => requests.next().await,
            Err(_) => std::future::pending().await,
        }
    }
}
