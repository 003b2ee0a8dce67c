//! The process that sends for the users of a load run. Nobody types this: `thrash load` starts it, tells it on stdin what to
//! do, and reads what it found from its stdout.

use std::io::BufRead;

use serde_yaml::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::args::{Flags, add};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::config::Config;
use crate::dispatch::PreparedUsers;
use crate::load::{DRAIN, Report, UsersOrder, alive};

pub(super) async fn send_users(
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    let (drain, abort) = (CancellationToken::new(), CancellationToken::new());
    let (told, order) = oneshot::channel();
    let listening = (drain.clone(), abort.clone());
    // A thread that nobody waits for: it sits in a read until the end.
    std::thread::Builder::new()
        .spawn(move || listen(told, &listening.0, &listening.1))
        .map_err(Failure::bug)?;
    let Ok(line) = order.await else { return Ok(Exit::Interrupted) };
    let order: UsersOrder = serde_json::from_str(&line).map_err(Failure::bug)?;
    let mut flags = Flags::new();
    flags.push(("target", Value::from(order.target.clone())));
    add(&mut flags, "url", order.url.clone());
    let (reports, told) = mpsc::unbounded_channel();
    let telling = tokio::spawn(tell(told, output));
    let beats = reports.clone();
    let beating = tokio::spawn(async move { alive(&beats).await });
    let prepared = Box::pin(PreparedUsers::new(&load(flags)?, order)).await?;
    // From here on it is said by those who send: only they know whether they still can.
    beating.abort();
    let sent = prepared.send(drain, abort, reports).await;
    telling.await.map_err(Failure::bug)??;
    sent?;
    Ok(Exit::Passed)
}

/// Writes what there is to tell, until nobody has anything more.
async fn tell(mut told: mpsc::UnboundedReceiver<Report>, output: Output) -> Result<(), Failure> {
    while let Some(report) = told.recv().await {
        let line = serde_json::to_string(&report).map_err(Failure::bug)?;
        output.data(&format!("{line}\n"))?;
    }
    Ok(())
}

/// The first line is the order. The end of stdin is the end: whoever reads what is found is gone, or in a hurry.
fn listen(order: oneshot::Sender<String>, drain: &CancellationToken, abort: &CancellationToken) {
    let mut lines = std::io::stdin().lock().lines();
    if let Some(Ok(line)) = lines.next() {
        let _ = order.send(line);
        for line in lines.map_while(Result::ok) {
            if line == DRAIN {
                drain.cancel();
            }
        }
    }
    abort.cancel();
}
