//! `thrash serve`.

use std::io::{IsTerminal, Read};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use serde_yaml::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::args::{Flags, add};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::signals;
use crate::config::Config;
use crate::dispatch::Stopping;
use crate::domain::{Secret, asked_at};
use crate::service::{SHORTEST_KEY, Serving, connector, hash_key, new_key};

/// How long `--is-healthy` waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
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
    /// Ask the service that runs with these settings whether it is well; exit 3 if it is not
    #[arg(long, conflicts_with = "hash_key")]
    is_healthy: bool,
}

impl ServeArgs {
    fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        add(&mut flags, "service.listen", self.listen.map(|listen| Value::from(listen.to_string())));
        flags
    }
}

/// From how many bytes on the C library takes a piece of memory from the system by itself, and gives free ones back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 128 << 10;

/// Lets the service give back what a run needed, where otherwise each thread would keep its share; before there is a second
/// one. Other commands are over soon, and a load wants its threads not to wait for each other.
///
/// `LARGE` is what the library begins with. It would raise that to the size of the first record or page that is freed, and keep
/// the next ones between what stays.
pub(super) fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "numbers for the C library, which has no other way to be told them")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
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
    if args.is_healthy {
        return is_healthy(&config, output).await;
    }
    let stop_within = config.settings.service.stop_within.0;
    let stopping = Stopping::default();
    let watching =
        tokio::spawn(signals::watch_service(stopping.clone(), stop_within, move |text| output.note(text)));
    let serving = Box::pin(Serving::begin(config, stopping)).await?;
    // On stdout, so that a script can read the address of port 0.
    output.print(&format!("{}\n", serving.url()))?;
    let demo = if serving.service().config.wants_demo() { "; the target is the built-in demo" } else { "" };
    let metrics = serving.metrics_url().map_or_else(String::new, |url| format!("; metrics at {url}"));
    output.note(format!("serving{demo}{metrics}; Ctrl-C stops it"));
    output.note(serving.who());
    let lost = serving.run().await;
    watching.abort();
    if lost > 0 {
        output.note(format!(
            "stopped; finished runs that were NOT KEPT: {lost}; the log names them and says why"
        ));
        return Ok(Exit::Storage);
    }
    output.note("stopped");
    Ok(Exit::Passed)
}

/// Asks `/health`, by hand: for a container that holds no other program.
async fn is_healthy(config: &Config, output: Output) -> Result<Exit, Failure> {
    let settings = &config.settings.service;
    let tls = connector(&settings.tls)
        .map_err(|reason| Failure::usage(reason, "`service.tls.certificate` names it"))?;
    let listen = asked_at(config.listen());
    let request =
        format!("GET {}/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", settings.base_path);
    let asked = async {
        let stream = TcpStream::connect(listen).await?;
        match tls {
            None => ask(stream, &request).await,
            Some(tls) => ask(tls.connect(listen.ip().into(), stream).await?, &request).await,
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(true)) => Ok(Exit::Passed),
        Ok(Ok(false)) => {
            output.note(format!("the service at {listen} is not well"));
            Ok(Exit::TargetFailed)
        }
        Ok(Err(error)) => {
            output.note(format!("nothing answers at {listen}: {error}"));
            Ok(Exit::TargetFailed)
        }
        Err(_) => {
            output.note(format!("the service at {listen} did not answer within {PATIENCE:?}"));
            Ok(Exit::TargetFailed)
        }
    }
}

/// Whether the answer to a request is good.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> std::io::Result<bool> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

fn print_hash(output: Output) -> Result<Exit, Failure> {
    let mut stdin = std::io::stdin();
    let mut text = String::new();
    if !stdin.is_terminal() {
        stdin.by_ref().take(LONGEST_KEY).read_to_string(&mut text)?;
    }
    let key = text.trim();
    if (1..SHORTEST_KEY).contains(&key.len()) {
        let hint = "without one, `thrash serve --hash-key` makes one";
        return Err(Failure::usage(
            format!("a key of fewer than {SHORTEST_KEY} characters is guessed"),
            hint,
        ));
    }
    if key.is_empty() {
        let key = new_key();
        output.data(&format!("key   {}\nhash  {}\n", key.expose(), hash_key(&key)))?;
        return Ok(Exit::Passed);
    }
    output.data(&format!("{}\n", hash_key(&Secret::new(key))))?;
    Ok(Exit::Passed)
}
