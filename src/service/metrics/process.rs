//! This process, under the names that every client library gives it. Nothing where the system does not tell.

#![allow(clippy::cast_precision_loss, reason = "Prometheus knows only floating-point numbers")]

use std::fmt::Error;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::exposition::{counters, gauges};

#[cfg(target_os = "linux")]
pub(super) fn tell(encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let Ok(process) = procfs::process::Process::myself() else { return Ok(()) };
    let alone = |value: Option<f64>| value.map(|value| (Vec::new(), value));
    let limit = process.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
        procfs::process::LimitValue::Value(most) => Some(most as f64),
        procfs::process::LimitValue::Unlimited => None,
    });
    let files = process.fd_count().ok().map(|count| count as f64);
    let now = process.stat().ok();
    let ticks = procfs::ticks_per_second() as f64;
    let busy = now.as_ref().map(|stat| (stat.utime + stat.stime) as f64 / ticks);
    let memory = now.as_ref().map(|stat| (stat.rss * procfs::page_size()) as f64);
    let started = now.as_ref().and_then(|stat| {
        let booted = procfs::boot_time_secs().ok()?;
        Some(booted as f64 + stat.starttime as f64 / ticks)
    });
    let threads = now.as_ref().map(|stat| stat.num_threads as f64);
    counters(encoder, "process_cpu_seconds", "Time that the process computed, in seconds.", alone(busy))?;
    gauges(encoder, "process_resident_memory", "Resident memory.", Some(&Unit::Bytes), alone(memory))?;
    let start = "When the process started, since the epoch.";
    gauges(encoder, "process_start_time", start, Some(&Unit::Seconds), alone(started))?;
    gauges(encoder, "process_open_fds", "Open files.", None, alone(files))?;
    gauges(encoder, "process_max_fds", "The most files that may be open.", None, alone(limit))?;
    gauges(encoder, "process_threads", "Threads.", None, alone(threads))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn tell(_encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    Ok(())
}
