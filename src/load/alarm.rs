//! Waking at a time, to some ten microseconds: tokio's own timer knows milliseconds only, and a start that is half a
//! millisecond late makes an answer of one millisecond look half as slow again.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What is due sooner than this is due now: setting the alarm takes as long.
const NOW: Duration = Duration::from_micros(20);

#[cfg(target_os = "linux")]
pub(super) use linux::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    use super::{Duration, Instant, NOW, io, sleep_until};

    /// An alarm clock of the system's.
    pub(in super::super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        #[expect(
            deprecated,
            reason = "what came in its place is unsafe; this file is ours, and nobody closes it early"
        )]
        pub(in super::super) fn new() -> io::Result<Self> {
            let timer =
                timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            Ok(Self(AsyncFd::new(timer)?))
        }

        /// Waits until then; gives way to others in any case.
        pub(in super::super) async fn until(&mut self, then: Instant) {
            let wait = then.saturating_duration_since(Instant::now());
            if wait <= NOW {
                return tokio::task::yield_now().await;
            }
            if self.wait(wait).await.is_err() {
                // Then as exactly as without it.
                sleep_until(then).await;
            }
        }

        async fn wait(&mut self, wait: Duration) -> io::Result<()> {
            let value = Timespec {
                tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(wait.subsec_nanos()),
            };
            let interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            timerfd_settime(
                &self.0,
                TimerfdTimerFlags::empty(),
                &Itimerspec { it_interval: interval, it_value: value },
            )?;
            loop {
                let mut ready = self.0.readable().await?;
                let mut expirations = [0; 8];
                match ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expirations)?)) {
                    Ok(read) => return read.map(|_| ()),
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) struct Alarm;

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn until(&mut self, then: Instant) {
        if then.saturating_duration_since(Instant::now()) > NOW {
            sleep_until(then).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}
