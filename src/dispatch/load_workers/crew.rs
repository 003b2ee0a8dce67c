//! The side that begins a run with workers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::gathered::Gathered;
use super::message::{Job, LoadOrders, Told};
use super::stillness::Stillness;
use super::{LOOK_EVERY, WorkersWish, may_pass, patiently};
use crate::dispatch::DispatchError;
use crate::domain::{LoadModel, RunEvent, RunId, count};
use crate::load::{Elsewhere, Scenario, Sending, Sent, Tally, Window};
use crate::run::RunControl;
use crate::store::{LoadBoard, News, PostedJob, Stop, StoreError};
use crate::target::Contract;

/// How often it shows that it is still there.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// A worker that was not heard of for so long is lost.
const LOST: Duration = Duration::from_secs(4);
/// So long workers may take to be ready for a load.
const READY: Duration = Duration::from_mins(1);
/// From the word to the start: every worker has to hear it in time, and users have to be made.
const LEAD: Duration = Duration::from_millis(1500);
const LEAD_OF_USERS: Duration = Duration::from_secs(4);
/// What workers need to tell what they counted, after they have stopped.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// The same where all is to stop at once: whoever asked for that waits for the record, and not for long.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The workers of a run.
pub(in crate::dispatch) struct Crew {
    board: Arc<LoadBoard>,
    run: RunId,
    wish: WorkersWish,
    state: Mutex<State>,
    /// Shows that the run goes on, until the end.
    _beating: JoinSet<()>,
    stillness: Stillness,
}

#[derive(Default)]
struct State {
    /// Which load is under way.
    load: u32,
    /// The number of what was read of each worker last.
    read: Vec<i64>,
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("run", &self.run).field("wish", &self.wish).finish_non_exhaustive()
    }
}

impl Crew {
    /// Posts the job: from here on workers find it.
    pub(in crate::dispatch) async fn post(
        board: LoadBoard,
        wish: WorkersWish,
        run: &RunId,
        target_name: &str,
        (scenario, contract, selection_hash): (&Scenario, &Contract, &str),
    ) -> Result<Self, DispatchError> {
        let board = Arc::new(board);
        let job = Job {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: scenario.name.clone(),
            text: scenario.text.clone(),
            time_scale: scenario.time_scale,
            overrides: scenario.overrides,
            seed: scenario.seed,
            target: target_name.to_owned(),
            url: contract.shown_url(),
            contract_hash: contract.hash.clone(),
            selection_hash: selection_hash.to_owned(),
        };
        let orders = serde_json::to_string(&job).map_err(|error| DispatchError::Load(error.into()))?;
        let posted = PostedJob { run: run.clone(), shards: wish.count, orders };
        if let Some(other) = patiently(|| board.post(&wish.job, &posted)).await? {
            return Err(DispatchError::Options {
                message: format!("the run `{other}` goes on under the name `{}`", wish.job),
                hint: "wait for its end, or give both sides another `--job`".to_owned(),
            });
        }
        let (beats, name) = (Arc::clone(&board), run.clone());
        let mut beating = JoinSet::new();
        beating.spawn(async move {
            let mut ticks = interval(BEAT_EVERY);
            loop {
                ticks.tick().await;
                // Once missed is not gone; workers wait for some.
                let _ = beats.beat(&name).await;
            }
        });
        let state = Mutex::new(State { load: 0, read: vec![0; wish.count] });
        Ok(Self { board, run: run.clone(), wish, state, _beating: beating, stillness: Stillness::watch() })
    }

    /// Waits for the workers, or until somebody stops the run.
    pub(in crate::dispatch) async fn gather(
        &self,
        control: &RunControl,
        events: &mpsc::Sender<RunEvent>,
    ) -> Result<(), DispatchError> {
        let (began, of) = (Instant::now(), self.wish.count);
        let mut told = None;
        let mut ticks = interval(LOOK_EVERY);
        while !control.is_stopping() {
            ticks.tick().await;
            let present = match self.board.present(&self.run).await {
                Err(error) if may_pass(&error) && began.elapsed() <= self.wish.wait => continue,
                present => present?,
            };
            let there: Vec<usize> =
                present.iter().filter(|(_, silence)| *silence < LOST).map(|(shard, _)| *shard).collect();
            if told != Some(there.len()) {
                told = Some(there.len());
                let _ = events.try_send(RunEvent::WorkersAwaited { come: there.len(), of });
            }
            if there.len() == of {
                return Ok(());
            }
            if began.elapsed() > self.wish.wait {
                let missing: Vec<String> =
                    (0..of).filter(|shard| !there.contains(shard)).map(|shard| shard.to_string()).collect();
                return Err(DispatchError::Workers {
                    message: format!(
                        "{} of {} came within {}; missing: {}",
                        there.len(),
                        count(of, "worker", "workers"),
                        crate::domain::Wait(self.wish.wait),
                        missing.join(", ")
                    ),
                    hint: format!("start them with `thrash load-worker --job {} …`", self.wish.job),
                });
            }
        }
        Ok(())
    }

    /// Takes the job off the board.
    pub(in crate::dispatch) async fn dismiss(&self) {
        // Where that fails the workers see nobody, and the next run of this name sweeps it away.
        let _ = self.board.remove(&self.run).await;
        self.board.close().await;
    }

    async fn send(
        &self,
        sending: Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> Sent {
        let called = Instant::now();
        let mut state = self.state.lock().await;
        state.load += 1;
        let mut course = Course {
            crew: self,
            load: state.load,
            gathered: Gathered::new(Tally::empty(&sending), self.wish.count),
            windows,
            is_ordered: false,
            starts: None,
            stopped: None,
            ended: None,
            until: None,
            heard: Instant::now(),
            noticed: self.stillness.total(),
            pause: None,
            lost_by: None,
        };
        let length: Duration = sending.ramps.iter().map(|ramp| ramp.duration).sum();
        let patience = sending.target.timeout() + LAST_WORDS;
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while course.gathered.waited_for().next().is_some() {
            if !course.is_ordered {
                course.order(called, &sending).await;
            }
            tokio::select! {
                biased;
                () = abort.cancelled(), if course.stopped != Some(Stop::Abort) => {
                    course.stop(Stop::Abort, AT_ONCE).await;
                }
                () = drain.cancelled(), if course.stopped.is_none() => course.stop(Stop::Drain, patience).await,
                _ = ticks.tick() => {}
            }
            course.forgive_standstill();
            course.look(&mut state.read).await;
            if course.gathered.is_troubled() && course.stopped.is_none() {
                course.stop(Stop::Drain, patience).await;
            }
            if course.starts.is_none() && course.stopped.is_none() {
                course.start(called, sending.scenario.model, length + patience).await;
            }
            if course.until.is_some_and(|until| Instant::now() > until) {
                course.lost_by = course.lost_by.or(course.pause_within(patience + LOST));
                course.gathered.lose_the_rest("did not say in time what it had sent");
            }
        }
        let lead = course.starts.map_or_else(|| called.elapsed(), |starts| starts - called);
        if let Some(starts) = course.starts.filter(|_| course.gathered.is_troubled()) {
            let within = course.ended.map_or(length, |ended| ended.saturating_duration_since(starts));
            course.gathered.tally.intend(&sending, within);
        }
        let shards = course.gathered.records();
        let broken = course.lost_by.map(|still| {
            let still = still.as_secs_f64();
            format!("this process stood still for {still:.1} s, and workers who hear nothing of it stop")
        });
        Sent { tally: course.gathered.tally, broken, lead, shards }
    }
}

/// One load under way.
struct Course<'a> {
    crew: &'a Crew,
    load: u32,
    gathered: Gathered,
    windows: mpsc::UnboundedSender<Window>,
    /// The workers can see what it is.
    is_ordered: bool,
    starts: Option<Instant>,
    stopped: Option<Stop>,
    /// When all were told to stop, if before their time.
    ended: Option<Instant>,
    /// Who has told nothing by then is lost.
    until: Option<Instant>,
    /// When the board answered last.
    heard: Instant,
    /// How long this process had stood still in all when that was looked at last.
    noticed: Duration,
    /// When it last went on after it had stood still, and how long that was.
    pause: Option<(Instant, Duration)>,
    /// How long it stood still when workers were lost by that.
    lost_by: Option<Duration>,
}

impl Course<'_> {
    async fn order(&mut self, called: Instant, sending: &Sending) {
        let orders = serde_json::to_string(&LoadOrders::of(sending)).unwrap_or_default();
        match self.crew.board.order(&self.crew.run, self.load, &orders).await {
            Ok(()) => self.is_ordered = true,
            Err(error) if may_pass(&error) && called.elapsed() <= LOST => {}
            Err(error) => self.gathered.lose_the_rest(&unheard(&error)),
        }
    }

    /// Has all begin together, once all are ready.
    async fn start(&mut self, called: Instant, model: LoadModel, length: Duration) {
        let late: Vec<usize> = self.gathered.not_ready().collect();
        if late.is_empty() {
            let lead = match model {
                LoadModel::Arrivals => LEAD,
                LoadModel::Users => LEAD_OF_USERS,
            };
            let starts = Instant::now() + lead;
            if self.crew.board.start(&self.crew.run, lead).await.is_ok() {
                self.starts = Some(starts);
                self.until = Some(starts + length + LOST);
            }
        } else if called.elapsed() > READY {
            for shard in late {
                self.gathered.lose(shard, format!("was not ready within {} s", READY.as_secs()));
            }
        }
    }

    async fn stop(&mut self, how: Stop, patience: Duration) {
        let now = Instant::now();
        self.stopped = Some(how);
        self.ended.get_or_insert(now);
        self.until = Some(now + patience);
        if !self.is_ordered {
            return self.gathered.lose_the_rest("was not told of the load");
        }
        if self.crew.board.stop(&self.crew.run, how).await.is_err() {
            // They hear nothing either, and stop by themselves.
            let _ = self.crew.board.stop(&self.crew.run, how).await;
        }
    }

    /// While this process stood still nobody else was silent: all have as long again.
    fn forgive_standstill(&mut self) {
        let total = self.crew.stillness.total();
        let still = total.saturating_sub(self.noticed);
        if !still.is_zero() {
            self.noticed = total;
            // Where it ran only for a moment between two, they are one: nobody heard of it in between.
            let before = self.pause.filter(|(ended, _)| ended.elapsed() <= still + BEAT_EVERY);
            let length = still + before.map_or(Duration::ZERO, |(_, length)| length);
            self.pause = Some((Instant::now(), length));
            self.heard = Instant::now();
            self.until = self.until.map(|until| until + still);
        }
    }

    /// How long it stood still at a time, if that ended within the last so long, and workers may have taken it for gone.
    fn pause_within(&self, recent: Duration) -> Option<Duration> {
        let (ended, length) = self.pause?;
        (ended.elapsed() <= recent && length + BEAT_EVERY > LOST).then_some(length)
    }

    /// Reads what the workers tell, and sees who is gone.
    async fn look(&mut self, read: &mut [i64]) {
        let (board, run) = (&self.crew.board, &self.crew.run);
        let seen = async { Ok((board.read(run, read).await?, board.present(run).await?)) };
        let seen = seen.await;
        self.forgive_standstill();
        let (news, present) = match seen {
            Ok(seen) => seen,
            Err(error) if self.heard.elapsed() > LOST => {
                let error: StoreError = error;
                return self.gathered.lose_the_rest(&unheard(&error));
            }
            Err(_) => return,
        };
        self.heard = Instant::now();
        self.take(news, read);
        // Who is not on the board at all was last heard of who knows when.
        let silence = |shard| present.iter().find(|(known, _)| *known == shard).map(|(_, silence)| *silence);
        let gone = self.gathered.waited_for().map(|shard| (shard, silence(shard)));
        let gone: Vec<(usize, Option<Duration>)> =
            gone.filter(|(_, silence)| silence.is_none_or(|silence| silence > LOST)).collect();
        if gone.is_empty() {
            return;
        }
        for (shard, _) in &gone {
            // It may be back some day, and has to hear that nobody waits for it any more. Where that fails it hears that
            // the run is over.
            let _ = board.take_away(run, *shard).await;
        }
        // What it told until then counts.
        if let Ok(news) = board.read(run, read).await {
            self.take(news, read);
        }
        let waited_for: Vec<usize> = self.gathered.waited_for().collect();
        for (shard, silence) in gone.into_iter().filter(|(shard, _)| waited_for.contains(shard)) {
            // What was over before it was last heard of cannot have driven it away.
            let pause = self.pause_within(silence.unwrap_or(LOST) + BEAT_EVERY);
            self.lost_by = self.lost_by.or(pause);
            let reason = if let Some(still) = pause {
                let still = still.as_secs_f64();
                format!(
                    "was not heard of any more after this process had stood still for {still:.1} s: what it sent is in no number"
                )
            } else {
                format!("was not heard of for {} s: what it sent is in no number", LOST.as_secs())
            };
            self.gathered.lose(shard, reason);
        }
    }

    /// Takes in what was told.
    fn take(&mut self, news: Vec<News>, read: &mut [i64]) {
        for news in news {
            if let Some(last) = read.get_mut(news.shard) {
                *last = news.number;
            }
            match serde_json::from_str::<Told>(&news.body) {
                // What is left of an earlier load is of no interest any more.
                Ok(told) if told.load == self.load => {
                    for window in self.gathered.take(news.shard, told.what) {
                        let _ = self.windows.send(window);
                    }
                }
                Ok(_) => {}
                Err(_) => self.gathered.lose(news.shard, "told something that cannot be read"),
            }
        }
    }
}

fn unheard(error: &StoreError) -> String {
    format!("could not be heard: {}", crate::dispatch::chain(error))
}

impl Elsewhere for Crew {
    fn machines(&self) -> usize {
        self.wish.count
    }

    fn run<'a>(
        &'a self,
        sending: Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Sent>> + Send + 'a>> {
        Box::pin(async move { Ok(self.send(sending, drain, abort, windows).await) })
    }
}
