//! `thrash serve`.

use std::io::{IsTerminal, Read};
use std::net::SocketAddr;

use clap::Args;
use serde_yaml::Value;

use super::args::{Flags, add};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::signals;
use crate::config::Config;
use crate::dispatch::Stopping;
use crate::domain::Secret;
use crate::service::{Serving, hash_key, new_key};

/// Longest key that is read, in bytes.
const LONGEST_KEY: u64 = 1024;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Print the hash of the key on standard input, for `service.keys`; without one make a key, and print both
    #[arg(long, conflicts_with = "listen")]
    hash_key: bool,
}

impl ServeArgs {
    fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        add(&mut flags, "service.listen", self.listen.map(|listen| Value::from(listen.to_string())));
        flags
    }
}

/// Serves until it is told to stop.
pub(super) async fn serve(
    args: ServeArgs,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    if args.hash_key {
        return print_hash(output);
    }
    let config = load(args.flags())?;
    let stop_within = config.settings.service.stop_within.0;
    let stopping = Stopping::default();
    let watching =
        tokio::spawn(signals::watch_service(stopping.clone(), stop_within, move |text| output.note(text)));
    let serving = Box::pin(Serving::begin(config, stopping)).await?;
    // On stdout, so that a script can read the address of port 0.
    output.print(&format!("{}\n", serving.url()))?;
    let demo = if serving.service().config.wants_demo() { "; the target is the built-in demo" } else { "" };
    output.note(format!("serving{demo}; Ctrl-C stops it"));
    serving.run().await;
    watching.abort();
    output.note("stopped");
    Ok(Exit::Passed)
}

fn print_hash(output: Output) -> Result<Exit, Failure> {
    let mut stdin = std::io::stdin();
    let mut text = String::new();
    if !stdin.is_terminal() {
        stdin.by_ref().take(LONGEST_KEY).read_to_string(&mut text)?;
    }
    let key = text.trim();
    if key.is_empty() {
        let key = new_key();
        output.data(&format!("key   {}\nhash  {}\n", key.expose(), hash_key(&key)))?;
        return Ok(Exit::Passed);
    }
    output.data(&format!("{}\n", hash_key(&Secret::new(key))))?;
    Ok(Exit::Passed)
}
