//! Inside the process that sends: goose with everything off that is not its users.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use goose::GooseAttack;
use goose::client::GooseClientBuilder;
use goose::config::{GooseConfiguration, GooseDefault, GooseDefaultType};
use goose::goose::{GooseUser, Scenario, Transaction, TransactionFunction};
use tokio::sync::mpsc;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::crowd::Crowd;
use super::message::Report;
use crate::load::cpu::thread_cpu;
use crate::load::engine::Sending;
use crate::load::open::ticks;
use crate::load::recorder::LOOK_EVERY;

/// Every so many times everything so far is told as well.
const SO_FAR_EVERY: u64 = 4;

/// Sends it all, or until `drain` or `abort` is cancelled, and tells what comes of it. Blocks: everything happens on the
/// calling thread. Only once in a process: goose takes what there is one of.
///
/// # Errors
/// The system gives no clock, or goose ends before its time; what was found until then has been told.
pub fn send(
    sending: Sending,
    drain: &CancellationToken,
    abort: &CancellationToken,
    reports: &mpsc::UnboundedSender<Report>,
) -> io::Result<()> {
    // Who started us decides: goose's own handler would end the attack, or the process, at Ctrl-C.
    ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(attack(sending, drain, abort, reports));
    runtime.shutdown_background();
    ended
}

async fn attack(
    sending: Sending,
    drain: &CancellationToken,
    abort: &CancellationToken,
    reports: &mpsc::UnboundedSender<Report>,
) -> io::Result<()> {
    let crowd = Arc::new(Crowd::new(sending)?);
    let goose = users(&crowd).map_err(io::Error::other)?;
    let _ = reports.send(Report::Ready);
    let before = thread_cpu();
    let telling = tokio::spawn(tell(Arc::clone(&crowd), before, reports.clone()));
    let ended = tokio::select! {
        biased;
        () = abort.cancelled() => Ok(()),
        () = crowd.over(drain) => Ok(()),
        // It is told of a run without an end.
        ended = Box::pin(goose.execute()) => Err(io::Error::other(match ended {
            Ok(_) => "goose ended before its time".to_owned(),
            Err(error) => format!("goose ended before its time: {error}"),
        })),
    };
    telling.abort();
    crowd.abandon();
    if let Some(mut last) = crowd.look() {
        // What was not told yet is less than an interval's.
        last.cpu = Duration::ZERO;
        let _ = reports.send(Report::Window(Box::new(last)));
    }
    let found = Box::new(found(&crowd, before));
    let _ = reports.send(if ended.is_ok() { Report::Done(found) } else { Report::SoFar(found) });
    ended
}

fn found(crowd: &Crowd, before: Duration) -> crate::load::Tally {
    let mut tally = crowd.tally();
    tally.cpu = thread_cpu().saturating_sub(before);
    tally.threads = 1;
    tally
}

/// Tells what is seen, a few times a second.
async fn tell(crowd: Arc<Crowd>, before: Duration, reports: mpsc::UnboundedSender<Report>) {
    let mut told = before;
    let began = tokio::select! {
        began = crowd.begun() => began,
        never = alive(&reports) => match never {},
    };
    let mut ticks = ticks(began);
    for count in 0_u64.. {
        ticks.tick().await;
        let Some(mut window) = crowd.look() else { continue };
        let now = thread_cpu();
        window.cpu = now.saturating_sub(told);
        told = now;
        if reports.send(Report::Window(Box::new(window))).is_err() {
            return;
        }
        if count % SO_FAR_EVERY == 0 {
            let _ = reports.send(Report::SoFar(Box::new(found(&crowd, before))));
        }
    }
}

/// Says again and again that this process is there, for whoever has nothing else to tell yet.
pub async fn alive(reports: &mpsc::UnboundedSender<Report>) -> Infallible {
    let mut ticks = interval(LOOK_EVERY);
    loop {
        ticks.tick().await;
        // Where nobody listens any more somebody else ends this.
        let _ = reports.send(Report::Alive);
    }
}

/// goose, ready to start the users.
fn users(crowd: &Arc<Crowd>) -> Result<GooseAttack, goose::GooseError> {
    let begin: TransactionFunction = {
        let crowd = Arc::clone(crowd);
        Arc::new(move |_| {
            let crowd = Arc::clone(&crowd);
            Box::pin(async move {
                crowd.begin().await;
                Ok(())
            })
        })
    };
    let ask: TransactionFunction = {
        let crowd = Arc::clone(crowd);
        Arc::new(move |user: &mut GooseUser| {
            let (crowd, number) = (Arc::clone(&crowd), user.weighted_users_index);
            Box::pin(async move {
                crowd.ask(number).await;
                Ok(())
            })
        })
    };
    let scenario = Scenario::new("users").register_transaction(Transaction::new(ask));
    let steps: Vec<String> =
        crowd.plan().steps().iter().map(|(users, seconds)| format!("{users},{seconds}")).collect();
    let attack = GooseAttack::initialize_with_config(configuration())?
        .set_default(GooseDefault::TestPlan, steps.join(";").as_str())?
        // A client for each user takes milliseconds to make, and none of them is used.
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?
        // Before it the users are made, which takes time where there are many.
        .test_start(Transaction::new(begin))
        .register_scenario(scenario);
    Ok(attack)
}

/// Everything off that would be seen or heard outside.
fn configuration() -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    // It has to have one; what we send goes through `LoadTarget`.
    configuration.host = Some("http://127.0.0.1".to_owned());
    configuration.quiet = 2;
    configuration.no_metrics = true;
    configuration.no_print_metrics = true;
    configuration.no_error_summary = true;
    configuration.no_telnet = true;
    configuration
}
