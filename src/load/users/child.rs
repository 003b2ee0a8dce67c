//! The process that sends, from the side that starts it.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::message::{DRAIN, Report, UsersOrder};
use crate::load::engine::{Sending, Sent};
use crate::load::tally::{Tally, Window};

/// How long it may take to say what it found when everything stops at once.
const LAST_WORDS: Duration = Duration::from_millis(1500);
/// How long it may take to end after that.
const END: Duration = Duration::from_secs(1);
/// How often it is looked whether it was heard. Where this process stands still, too, that is one look.
const LISTEN_EVERY: Duration = Duration::from_millis(500);
/// So long it may be silent: it says a few times a second that it is there, and later what it sees.
const SILENCE: Duration = Duration::from_secs(4);
/// And so long it may take to make itself ready.
const PREPARING: Duration = Duration::from_mins(1);

/// The engine: the program that sends, and what it is told.
#[derive(Debug)]
pub struct UsersEngine {
    /// How the program is started again as the process that sends.
    pub arguments: Vec<std::ffi::OsString>,
    /// What it is told.
    pub order: UsersOrder,
}

impl UsersEngine {
    /// Its name in records.
    pub const NAME: &str = "goose";

    /// Starts the process and follows it. If it dies, what it told until then is what was found.
    ///
    /// # Errors
    /// It cannot be started, or ends before it has sent anything.
    pub async fn run(
        &self,
        sending: &Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> io::Result<Sent> {
        let order = UsersOrder {
            idle_right: sending.idle_right.clone(),
            shard: sending.shard,
            start: sending.start.map(time_of_day),
            ..self.order.clone()
        };
        let (mut process, mut reports) = Process::start(&self.arguments)?;
        process.say(serde_json::to_string(&order)?);
        let (mut is_ready, mut is_done, mut is_draining) = (false, false, false);
        let mut listening = interval(LISTEN_EVERY);
        listening.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut silence, mut preparing) = (Duration::ZERO, Duration::ZERO);
        let mut found = None;
        let mut last_words = None;
        // Why nothing more is expected of it.
        let mut mute: Option<String> = None;
        loop {
            let patience = async {
                match last_words {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                report = reports.recv() => {
                    silence = Duration::ZERO;
                    match report {
                        None => break,
                        Some(Report::Alive) => {}
                        Some(Report::Ready) => is_ready = true,
                        Some(Report::Window(window)) => {
                            let _ = windows.send(*window);
                        }
                        Some(Report::SoFar(tally)) => found = Some(*tally),
                        Some(Report::Done(tally)) => {
                            found = Some(*tally);
                            is_done = true;
                        }
                    }
                }
                _ = listening.tick() => {
                    silence += LISTEN_EVERY;
                    preparing += if is_ready { Duration::ZERO } else { LISTEN_EVERY };
                    if silence > SILENCE {
                        mute = Some(format!("was silent for {} s, and was ended", silence.as_secs()));
                        break;
                    }
                    if preparing > PREPARING {
                        mute = Some(format!("was not ready within {} s, and was ended", PREPARING.as_secs()));
                        break;
                    }
                }
                () = drain.cancelled(), if !is_draining => {
                    is_draining = true;
                    process.say(DRAIN.to_owned());
                }
                () = abort.cancelled(), if last_words.is_none() => {
                    process.hush();
                    last_words = Some(Instant::now() + LAST_WORDS);
                }
                () = patience => {
                    mute = Some("did not say what it had sent, and was ended".to_owned());
                    break;
                }
            }
        }
        let how = process.end(if mute.is_some() { Duration::ZERO } else { END }).await?;
        let broken = (!is_done).then(|| {
            let what = mute.unwrap_or_else(|| format!("ended before its time ({how})"));
            format!("the process that sends {what}")
        });
        let is_stopping = drain.is_cancelled() || abort.is_cancelled();
        match broken {
            Some(broken) if !is_ready && !is_stopping => Err(io::Error::other(broken)),
            broken => Ok(Sent::here(found.unwrap_or_else(|| Tally::empty(sending)), broken)),
        }
    }
}

/// What the clock on the wall shows then: another process has no other clock in common with this one.
fn time_of_day(then: Instant) -> SystemTime {
    SystemTime::now() + then.saturating_duration_since(Instant::now())
}

/// The running process. Dropping it ends it.
struct Process {
    child: Child,
    /// Lines for its stdin; without it the stdin is closed, and the process ends by itself.
    lines: Option<std::sync::mpsc::Sender<String>>,
}

impl Process {
    fn start(arguments: &[std::ffi::OsString]) -> io::Result<(Self, mpsc::UnboundedReceiver<Report>)> {
        let mut child =
            this_program()?.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (lines, to_write) = std::sync::mpsc::channel::<String>();
        let process = Self { child, lines: Some(lines) };
        let (told, reports) = mpsc::unbounded_channel();
        // Threads, because a pipe can be full or empty for long; both end with the process.
        std::thread::Builder::new().name("thrash-users-in".to_owned()).spawn(move || {
            let Some(mut stdin) = stdin else { return };
            for line in to_write {
                if stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n")).is_err() {
                    return;
                }
            }
        })?;
        std::thread::Builder::new().name("thrash-users-out".to_owned()).spawn(move || {
            let Some(stdout) = stdout else { return };
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { return };
                // goose says a word on stdout now and then, and a process that is killed half a line.
                let Ok(report) = serde_json::from_slice(&line) else { continue };
                if told.send(report).is_err() {
                    return;
                }
            }
        })?;
        Ok((process, reports))
    }

    fn say(&self, line: String) {
        if let Some(lines) = &self.lines {
            // A process that has ended needs to hear nothing.
            let _ = lines.send(line);
        }
    }

    /// Closes its stdin: it tells what it found, and ends.
    fn hush(&mut self) {
        self.lines = None;
    }

    /// Waits for its end so long, and then makes it.
    async fn end(mut self, within: Duration) -> io::Result<ExitStatus> {
        self.hush();
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Some(how) = self.child.try_wait()? {
                return Ok(how);
            }
            sleep(Duration::from_millis(5)).await;
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long ago; if not, nobody is left to watch it.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// This very program, even if its file has been replaced since it was started.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may not be known where the program is")]
fn this_program() -> io::Result<Command> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("/proc/self/exe");
    command.arg0("thrash");
    Ok(command)
}

/// This very program.
#[cfg(not(target_os = "linux"))]
fn this_program() -> io::Result<Command> {
    std::env::current_exe().map(Command::new)
}
