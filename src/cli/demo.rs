//! `thrash demo`.

use std::net::SocketAddr;

use clap::Args;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::signals;
use crate::demo::{
    Behaviour, DemoOptions, ErrorStatus, Latency, Severity, Share as DemoShare, demo as serve,
};
use crate::dispatch::DispatchError;

/// How the demo detector behaves.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8899")]
    listen: SocketAddr,
    /// Time an answer takes: `20ms`, or `20ms..200ms` for a median and a 99th percentile
    #[arg(long, value_name = "TIME", help_heading = "Misbehaviour")]
    latency: Option<Latency>,
    /// Share of requests that fail (`10%`)
    #[arg(long, value_name = "SHARE", help_heading = "Misbehaviour")]
    error_rate: Option<DemoShare>,
    /// Status of a failed request
    #[arg(long, value_name = "STATUS", help_heading = "Misbehaviour")]
    error_status: Option<ErrorStatus>,
    /// Share of answers that say "I could not analyse this" with status 200
    #[arg(long, value_name = "SHARE", help_heading = "Misbehaviour")]
    fail_open_rate: Option<DemoShare>,
    /// Share of answers whose severity contradicts their score
    #[arg(long, value_name = "SHARE", help_heading = "Misbehaviour")]
    contradict_rate: Option<DemoShare>,
    /// Share of answers that are an HTML page with status 200
    #[arg(long, value_name = "SHARE", help_heading = "Misbehaviour")]
    html_rate: Option<DemoShare>,
    /// Share of answers that are a level off, differently each time
    #[arg(long, value_name = "SHARE", help_heading = "Misbehaviour")]
    flaky_rate: Option<DemoShare>,
    /// Answer everything with this severity: safe, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", help_heading = "Misbehaviour")]
    constant: Option<Severity>,
    /// Keep answers for so many seconds
    #[arg(long, value_name = "SECONDS", help_heading = "Misbehaviour")]
    cache_seconds: Option<u64>,
    /// Requests a minute before it answers 429
    #[arg(long, value_name = "N", help_heading = "Misbehaviour")]
    rate_limit: Option<u32>,
    /// Answer 503 to the health look
    #[arg(long, help_heading = "Misbehaviour")]
    unhealthy: bool,
    /// Stop answering after so many requests
    #[arg(long, value_name = "N", help_heading = "Misbehaviour")]
    die_after: Option<u64>,
    /// Seed of everything that is left to chance
    #[arg(long, value_name = "N", help_heading = "Misbehaviour")]
    seed: Option<u64>,
}

impl DemoArgs {
    fn behaviour(&self) -> Behaviour {
        let defaults = Behaviour::default();
        Behaviour {
            seed: self.seed.unwrap_or(defaults.seed),
            latency: self.latency,
            error_rate: self.error_rate.unwrap_or(defaults.error_rate),
            error_status: self.error_status.unwrap_or(defaults.error_status),
            html_rate: self.html_rate.unwrap_or(defaults.html_rate),
            fail_open_rate: self.fail_open_rate.unwrap_or(defaults.fail_open_rate),
            contradict_rate: self.contradict_rate.unwrap_or(defaults.contradict_rate),
            flaky_rate: self.flaky_rate.unwrap_or(defaults.flaky_rate),
            constant: self.constant,
            cache_seconds: self.cache_seconds,
            rate_limit: self.rate_limit,
            unhealthy: self.unhealthy,
            die_after: self.die_after,
        }
    }
}

/// Runs the demo detector until it is stopped.
pub(super) async fn demo(args: &DemoArgs, output: Output) -> Result<Exit, Failure> {
    let options = DemoOptions { listen: args.listen, behaviour: args.behaviour(), ..DemoOptions::default() };
    let mut shown = Ok(());
    let ready = |demo: &crate::demo::Demo| {
        // On stdout, so that a script can read the address of port 0.
        shown = output.print(&format!("{}\n", demo.url()));
        output.note("the demo detector speaks the contract of ash-v5; Ctrl-C stops it");
    };
    let counts = serve(options, ready, signals::stop()).await.map_err(DispatchError::from)?;
    output.note(format!("answered {} requests", counts.analyze + counts.batch));
    Ok(Exit::Passed.after(shown, output))
}
