//! Ctrl-C and the system's request to end.

use tokio::signal::unix::{SignalKind, signal};

use crate::run::RunControl;

/// Listens until the run is over: the first signal drains it, the second stops it at once.
pub(super) async fn watch(control: RunControl, say: impl Fn(&str)) {
    // Without a listener the default holds, and that ends the program.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if control.is_stopping() {
            say("stopping now");
            control.abort();
        } else {
            say("stopping: waiting for the answers on their way; once more (Ctrl-C) stops at once");
            control.drain();
        }
    }
}

/// Waits for either signal.
pub(super) async fn stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
