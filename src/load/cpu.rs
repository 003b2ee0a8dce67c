//! How much processor time sending takes.

use std::time::Duration;

/// Processor time of this thread.
#[cfg(target_os = "linux")]
pub(super) fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Processor time of this thread: not known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn thread_cpu() -> Duration {
    Duration::ZERO
}
