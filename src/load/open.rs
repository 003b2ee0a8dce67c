//! The open engine: requests start by the schedule, whether or not earlier ones are answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::cpu::thread_cpu;
use super::engine::{Sending, Start};
use super::pool::Pool;
use super::recorder::{LOOK_EVERY, Recorder, Request};
use super::shard::Shard;
use super::tally::{Tally, Window};
use super::turns::Turns;

/// The engine.
#[derive(Debug, Clone, Copy)]
pub struct OpenEngine {
    /// Threads that send.
    pub threads: usize,
}

impl OpenEngine {
    /// Its name in records.
    pub const NAME: &str = "open";

    /// Sends it all, or until `drain` or `abort` is cancelled: the first waits for answers on their way, the second for
    /// nothing. What is seen meanwhile goes to `windows`, a few times a second from every thread.
    ///
    /// # Errors
    /// The system gives no thread or no clock.
    pub async fn run(
        self,
        sending: Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> std::io::Result<Tally> {
        let began = sending.start.unwrap_or_else(Instant::now);
        // No more than have something to do.
        let threads = self.threads.min(sending.shard.share(sending.scenario.max_in_flight)).max(1);
        let turns = sending.scenario.max_rate.map(|rate| Arc::new(Turns::new(sending.shard.rate(rate))));
        let mut running = Vec::with_capacity(threads);
        for thread in 0..threads {
            let share = Share {
                sending: sending.clone(),
                thread,
                threads,
                turns: turns.clone(),
                began,
                drain: drain.clone(),
                abort: abort.clone(),
                windows: windows.clone(),
            };
            let spawned =
                std::thread::Builder::new().name(format!("thrash-load-{thread}")).spawn(|| share.run())?;
            running.push(spawned);
        }
        drop(windows);
        tokio::task::spawn_blocking(move || {
            let mut found: Option<Tally> = None;
            for thread in running {
                let tally =
                    thread.join().map_err(|_| std::io::Error::other("a sending thread panicked"))??;
                match &mut found {
                    Some(found) => found.merge(&tally),
                    None => found = Some(tally),
                }
            }
            found.ok_or_else(|| std::io::Error::other("there was no sending thread"))
        })
        .await
        .map_err(std::io::Error::other)?
    }
}

/// What one thread sends: every so-manieth start.
struct Share {
    sending: Sending,
    thread: usize,
    threads: usize,
    /// Of all threads together.
    turns: Option<Arc<Turns>>,
    began: Instant,
    drain: CancellationToken,
    abort: CancellationToken,
    windows: mpsc::UnboundedSender<Window>,
}

impl Share {
    fn run(self) -> std::io::Result<Tally> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, self.send())
    }

    async fn send(self) -> std::io::Result<Tally> {
        let Sending { scenario, target, deck, .. } = &self.sending;
        let shard = self.sending.shard;
        let of_threads = Shard { index: self.thread, count: self.threads };
        let most = of_threads.share(shard.share(scenario.max_in_flight));
        let recorder = Recorder::new(&self.sending);
        let pool = Pool::new(
            Arc::clone(target),
            (deck.clone(), recorder),
            (most, scenario.beyond),
            self.turns.clone(),
        );
        let cpu = thread_cpu();
        let told = Cpu(cpu);
        let teller = tokio::task::spawn_local(tell(
            std::rc::Rc::clone(&pool),
            self.began,
            (self.thread, self.windows.clone()),
            told,
        ));
        let sent = {
            let mut alarm = Alarm::new()?;
            tokio::select! {
                biased;
                () = self.abort.cancelled() => false,
                () = self.drain.cancelled() => true,
                () = self.start_all(&pool, &mut alarm) => true,
            }
        };
        let patience = target.timeout() + Duration::from_secs(1);
        if sent {
            let finish = async {
                tokio::select! {
                    biased;
                    () = self.drain.cancelled() => {}
                    // What still waits then would wait longer than an answer may take.
                    done = timeout(patience, pool.emptied()) => if done.is_ok() { return },
                }
                pool.give_up_waiting();
                let _ = timeout(patience, pool.emptied()).await;
            };
            tokio::select! {
                biased;
                () = self.abort.cancelled() => {}
                () = finish => {}
            }
        }
        pool.give_up_waiting();
        pool.abort();
        teller.abort();
        let mut last = Window { thread: self.thread, ..pool.look(self.began) };
        // What the teller did not come to tell is less than its interval.
        last.cpu = Duration::ZERO;
        let _ = self.windows.send(last);
        let mut tally = std::mem::take(&mut pool.recorder.borrow_mut().tally);
        let counts = tally.total().counts;
        // A lane that panicked took its request with it; the panic hook has said where.
        tally.lost = counts.started.saturating_sub(counts.ended() + counts.abandoned);
        tally.cpu = thread_cpu().saturating_sub(cpu);
        tally.threads = 1;
        Ok(tally)
    }

    /// Starts everything that the schedule asks of this thread.
    async fn start_all(&self, pool: &std::rc::Rc<Pool>, alarm: &mut Alarm) {
        let Sending { ramps, first, longest, most, .. } = &self.sending;
        let own = self.sending.shard.thread(self.thread, self.threads);
        for Start { number, after, step } in self.sending.starts_in_time() {
            if number >= *most {
                return;
            }
            if !own.has(number) {
                continue;
            }
            let due = self.began + after;
            alarm.until(due).await;
            let lag = Instant::now().saturating_duration_since(due);
            pool.dispatch(Request { due, step, number: first + number }, lag);
        }
        // The load of the last stage lasts to its end, be its last start the last that is allowed.
        let length: Duration = ramps.iter().map(|ramp| ramp.duration).sum();
        alarm.until(self.began + length.min(*longest)).await;
    }
}

/// When what was seen is told: with the seconds of the run, so that no window lies in two of them.
pub(super) fn ticks(began: Instant) -> Interval {
    let mut ticks = interval_at(began + LOOK_EVERY, LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// Processor time that was told already.
struct Cpu(Duration);

/// Tells what is seen, a few times a second.
async fn tell(
    pool: std::rc::Rc<Pool>,
    began: Instant,
    (thread, windows): (usize, mpsc::UnboundedSender<Window>),
    mut told: Cpu,
) {
    let mut ticks = ticks(began);
    loop {
        ticks.tick().await;
        let mut window = Window { thread, ..pool.look(began) };
        let now = thread_cpu();
        window.cpu = now.saturating_sub(told.0);
        told.0 = now;
        if windows.send(window).is_err() {
            return;
        }
    }
}
