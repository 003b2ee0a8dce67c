//! A worker at work: it looks at the board, does what stands there, and tells what it sees.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::message::{LoadOrders, Told, What};
use super::stillness::Stillness;
use super::worker::{PreparedWorker, Worked};
use super::{IDLE_SILENCE, LOOK_EVERY, may_pass};
use crate::dispatch::{DispatchError, chain};
use crate::load::{Sending, Sent, Tally, Window};
use crate::run::RunControl;
use crate::store::{Clock, Heard, Stop};

/// A worker that sends and hears nothing for so long stops: nobody could stop it.
const SILENCE: Duration = Duration::from_secs(2);
/// Whoever began the run and was not heard of for so long is gone.
const GONE: Duration = Duration::from_secs(4);

/// A worker at work.
pub(super) struct Shift<'a> {
    worker: &'a PreparedWorker,
    /// What is not known to have been told.
    outbox: Vec<String>,
    /// Whether they may have been told all the same: the board was asked to take them, and nothing was heard of it.
    is_in_doubt: bool,
    /// The number of the first of them.
    next: i64,
    /// When the board answered last.
    heard: Instant,
    load: Option<Load>,
    requests: u64,
    /// Why it did not send all that it should have.
    failed: Option<String>,
    stillness: Stillness,
    /// How long this process had stood still in all when that was looked at last.
    stood_still: Duration,
}

/// One load.
struct Load {
    number: u32,
    clock: Clock,
    sending: Sending,
    drain: CancellationToken,
    abort: CancellationToken,
    windows: Option<mpsc::UnboundedReceiver<Window>>,
    running: Option<JoinHandle<std::io::Result<Sent>>>,
    /// Why it is not all that should have been sent.
    trouble: Option<String>,
    is_over: bool,
}

impl<'a> Shift<'a> {
    pub(super) fn new(worker: &'a PreparedWorker) -> Self {
        Self {
            worker,
            outbox: Vec::new(),
            is_in_doubt: false,
            next: 1,
            heard: Instant::now(),
            load: None,
            requests: 0,
            failed: None,
            stillness: Stillness::watch(),
            stood_still: Duration::ZERO,
        }
    }

    /// Until the run is over. Nothing is sent any more when it returns.
    pub(super) async fn work(mut self, control: &RunControl) -> Result<Worked, DispatchError> {
        let worked = self.follow_the_board(control).await;
        if let Some(load) = self.load.take() {
            load.abort.cancel();
            if let Some(running) = load.running {
                let _ = running.await;
            }
        }
        worked
    }

    async fn follow_the_board(&mut self, control: &RunControl) -> Result<Worked, DispatchError> {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_aborted = false;
        loop {
            tokio::select! {
                biased;
                () = control.aborted(), if !is_aborted => is_aborted = true,
                _ = ticks.tick() => {}
            }
            if control.is_stopping() {
                self.stop_by_hand(is_aborted);
            }
            self.collect().await;
            let Some(heard) = self.tell().await? else {
                let is_untold =
                    self.load.as_ref().is_some_and(|load| !load.is_over) || !self.outbox.is_empty();
                if is_untold && !control.is_stopping() {
                    return self.lost("the run ended without it");
                }
                return match self.failed.take().filter(|_| !control.is_stopping()) {
                    None => Ok(Worked::Done { requests: self.requests }),
                    Some(reason) => Err(DispatchError::Workers {
                        message: format!("worker {} {reason}", self.worker.joined.shard),
                        hint: "whoever began the run was told; begin it again".to_owned(),
                    }),
                };
            };
            if control.is_stopping()
                && self.load.as_ref().is_none_or(|load| load.is_over)
                && self.outbox.is_empty()
            {
                return Ok(Worked::Stopped);
            }
            self.follow(&heard).await?;
        }
    }

    /// Whoever began the run does not count what this worker sent.
    fn lost<T>(&self, why: &str) -> Result<T, DispatchError> {
        let shard = self.worker.joined.shard;
        let still = match self.stood_still {
            Duration::ZERO => String::new(),
            still => format!(", after this process had stood still for {:.1} s", still.as_secs_f64()),
        };
        Err(DispatchError::Workers {
            message: if self.is_in_doubt && self.load.as_ref().is_some_and(|load| load.is_over) {
                format!("cannot tell whether what worker {shard} sent was counted: {why}{still}")
            } else {
                format!("what worker {shard} sent is in no number: {why}{still}")
            },
            hint: "look at the run's record; where it could not tell without this worker, begin it again"
                .to_owned(),
        })
    }

    /// Whether this process stood still since the last time: then nobody else was silent meanwhile.
    fn stood_still(&mut self) -> bool {
        let total = self.stillness.total();
        let is_news = total > self.stood_still;
        if is_news {
            self.stood_still = total;
            self.heard = Instant::now();
        }
        is_news
    }

    fn is_sending(&self) -> bool {
        self.load.as_ref().is_some_and(|load| load.running.is_some())
    }

    fn stop_by_hand(&mut self, at_once: bool) {
        let Some(load) = self.load.as_mut().filter(|load| !load.is_over) else { return };
        load.trouble.get_or_insert_with(|| "was stopped by hand".to_owned());
        load.drain.cancel();
        if at_once {
            load.abort.cancel();
        }
        if load.running.is_none() {
            load.is_over = true;
            let what = What::Failed("was stopped by hand before the load".to_owned());
            self.say(what);
        }
    }

    /// Takes what the engine saw, and in the end what it counted.
    async fn collect(&mut self) {
        let Some(load) = &mut self.load else { return };
        let is_finished = load.running.as_ref().is_some_and(JoinHandle::is_finished);
        let threads = u32::try_from(self.worker.engine.threads()).unwrap_or(1);
        let mut seen = Vec::new();
        while let Some(mut window) = load.windows.as_mut().and_then(|windows| windows.try_recv().ok()) {
            // This machine counts as one thread.
            window.cpu /= threads;
            seen.push(window);
        }
        let mut ended = None;
        if is_finished && let Some(running) = load.running.take() {
            load.is_over = true;
            ended = Some(match running.await {
                Ok(Ok(Sent { tally, broken, .. })) => {
                    self.requests += tally.total().counts.started + tally.warm_up;
                    let broken = broken.map(|reason| format!("was cut short: {reason}"));
                    What::Done { tally: Box::new(tally), trouble: load.trouble.take().or(broken) }
                }
                Ok(Err(error)) => What::Failed(format!("could not send: {error}")),
                Err(_) => What::Failed("panicked".to_owned()),
            });
        }
        if !seen.is_empty() {
            self.say(What::Seen(seen));
        }
        if let Some(ended) = ended {
            self.say(ended);
        }
    }

    fn say(&mut self, what: What) {
        let load = self.load.as_ref().map_or(0, |load| load.number);
        if let What::Failed(reason) | What::Done { trouble: Some(reason), .. } = &what {
            self.failed.get_or_insert_with(|| reason.clone());
        }
        // Nothing in it can fail to be written.
        self.outbox.extend(serde_json::to_string(&Told { load, what }));
    }

    /// Tells what there is to tell. None when the run is over.
    async fn tell(&mut self) -> Result<Option<Heard>, DispatchError> {
        let patience = if self.is_sending() { SILENCE } else { IDLE_SILENCE };
        loop {
            self.stood_still();
            let until = self.heard + patience;
            let PreparedWorker { board, joined, .. } = self.worker;
            match timeout_at(until, board.tell(joined, self.next, &self.outbox)).await {
                Ok(Ok(heard)) => {
                    self.heard = Instant::now();
                    // Where the run is gone, or this worker was given up, nobody took it.
                    if heard.as_ref().is_some_and(|heard| heard.is_ours) {
                        self.next += i64::try_from(self.outbox.len()).unwrap_or_default();
                        self.outbox.clear();
                        self.is_in_doubt = false;
                    }
                    return Ok(heard);
                }
                Ok(Err(_)) if Instant::now() < until => {
                    self.is_in_doubt |= !self.outbox.is_empty();
                    sleep(LOOK_EVERY).await;
                }
                _ if self.stood_still() => self.is_in_doubt |= !self.outbox.is_empty(),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    return Err(DispatchError::Workers {
                        message: format!(
                            "the database did not answer for {} s: stopped sending",
                            patience.as_secs()
                        ),
                        hint: "look whether it can be reached from here".to_owned(),
                    });
                }
            }
        }
    }

    /// Does what is on the board.
    async fn follow(&mut self, heard: &Heard) -> Result<(), DispatchError> {
        let lost = |message: &str| {
            Err(DispatchError::Workers {
                message: message.to_owned(),
                hint: "begin the run again".to_owned(),
            })
        };
        if !heard.is_ours && self.load.is_some() {
            return self.lost("nothing was heard of it for some seconds");
        }
        if !heard.is_ours {
            return lost("another worker has taken this one's number");
        }
        if heard.silence > if self.is_sending() { GONE } else { IDLE_SILENCE } {
            return lost("whoever began the run is gone");
        }
        if let Some(orders) = &heard.orders
            && self.load.as_ref().map_or(0, |load| load.number) < heard.load
        {
            self.prepare(heard.load, orders).await?;
        }
        let Some(load) = self.load.as_mut().filter(|load| !load.is_over && load.number == heard.load) else {
            return Ok(());
        };
        match (heard.stop, &load.running, heard.starts_at) {
            (Some(Stop::Drain), Some(_), _) => load.drain.cancel(),
            (Some(Stop::Abort), Some(_), _) => load.abort.cancel(),
            (Some(_), None, _) => {
                load.is_over = true;
                let (tally, trouble) = (Box::new(Tally::empty(&load.sending)), load.trouble.take());
                self.say(What::Done { tally, trouble });
            }
            (None, None, Some(starts_at)) => {
                if let Some(start) = load.clock.instant_of(starts_at) {
                    self.start(start.into());
                } else {
                    load.is_over = true;
                    self.say(What::Failed("heard of the start too late".to_owned()));
                }
            }
            (None, _, _) => {}
        }
        Ok(())
    }

    async fn prepare(&mut self, number: u32, orders: &str) -> Result<(), DispatchError> {
        let clock = match self.worker.board.clock().await {
            // It shows that it is there, and asks again.
            Err(error) if may_pass(&error) => return Ok(()),
            clock => clock?,
        };
        let mut sending = self.worker.sending.clone();
        let ready = match serde_json::from_str::<LoadOrders>(orders) {
            Ok(orders) => {
                let phrases = sending.target.phrases().len();
                let fits = orders.idle_right.as_ref().is_none_or(|right| right.len() == phrases);
                sending.ramps = orders.ramps;
                sending.warm_up = orders.warm_up;
                (sending.first, sending.longest, sending.most) = (orders.first, orders.longest, orders.most);
                sending.idle_right = orders.idle_right;
                if fits { Ok(()) } else { Err("the idle answers are those to other phrases".to_owned()) }
            }
            Err(error) => Err(format!("cannot read its orders: {}", chain(&error))),
        };
        self.load = Some(Load {
            number,
            clock,
            sending,
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
            windows: None,
            running: None,
            trouble: None,
            is_over: ready.is_err(),
        });
        self.say(match ready {
            Ok(()) => What::Ready {
                threads: self.worker.engine.threads(),
                clock_ms: clock.ahead_ms(),
                clock_error_ms: clock.error.as_secs_f64() * 1e3,
            },
            Err(reason) => What::Failed(reason),
        });
        Ok(())
    }

    fn start(&mut self, start: Instant) {
        let Some(load) = &mut self.load else { return };
        let (windows, seen) = mpsc::unbounded_channel();
        let (engine, drain, abort) =
            (Arc::clone(&self.worker.engine), load.drain.clone(), load.abort.clone());
        let sending = Sending { start: Some(start), ..load.sending.clone() };
        load.windows = Some(seen);
        load.running = Some(tokio::spawn(async move { engine.run(sending, drain, abort, windows).await }));
    }
}
