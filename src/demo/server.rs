//! The demo as a running server: started, asked where it is, stopped.
//!
//! It runs on a thread and a runtime of its own. A load run in the same process then measures the demo and not the queue of
//! its own runtime, a test may hold its own clock still, and dropping the runtime ends every connection for certain.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};

use super::behaviour::Behaviour;
use super::detector::Lexicon;
use super::key::InternalKey;
use super::routes::router;
use super::service::{RequestCounts, Service};
use crate::domain::asked_at;

/// How long answers that are ready may take to leave a demo that dies.
const LAST_BREATH: Duration = Duration::from_millis(100);

/// How the demo is started.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where to listen: a free port of the loopback address by default.
    pub listen: SocketAddr,
    /// How to misbehave: not at all by default.
    pub behaviour: Behaviour,
    /// Keys that lift the rate limit when sent as `X-Ash-Internal-Key`.
    pub internal_keys: Vec<InternalKey>,
    /// How long requests in flight may take after a stop.
    pub grace: Duration,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            behaviour: Behaviour::default(),
            internal_keys: Vec::new(),
            grace: Duration::from_secs(2),
        }
    }
}

/// Why the demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The address is taken, or not ours.
    #[error("cannot listen on `{listen}` for the demo detector")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no thread or no event queue.
    #[error("cannot start the demo detector")]
    Start(#[source] io::Error),
}

/// A running demo detector. Dropping it stops it without waiting.
pub struct Demo {
    addr: SocketAddr,
    service: Arc<Service>,
    grace: Duration,
    stop: oneshot::Sender<()>,
    ended: watch::Receiver<bool>,
    thread: JoinHandle<()>,
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Demo {
    /// Starts the demo; when this returns, it listens. It blocks for the fraction of a millisecond that a thread needs to start.
    pub fn start(options: DemoOptions) -> Result<Self, DemoError> {
        let DemoOptions { listen, behaviour, internal_keys, grace } = options;
        let failed = |source| DemoError::Listen { listen, source };
        let listener = TcpListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;

        let service = Arc::new(Service::new(behaviour, internal_keys));
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = watch::channel(false);
        let (report, started) = mpsc::sync_channel(1);
        let serving = Serving { service: Arc::clone(&service), stopped, grace };
        let thread = std::thread::Builder::new()
            .name("thrash-demo".to_owned())
            .spawn(move || {
                // The runtime is made here because it must not be dropped inside another one.
                let _ = match runtime_with(listener) {
                    Ok((runtime, listener)) => {
                        let told = report.send(Ok(()));
                        serving.run(runtime, listener);
                        told
                    }
                    Err(error) => report.send(Err(error)),
                };
                end.send_replace(true);
            })
            .map_err(DemoError::Start)?;
        started.recv().unwrap_or_else(|gone| Err(io::Error::other(gone))).map_err(DemoError::Start)?;
        Ok(Self { addr, service, grace, stop, ended, thread })
    }

    /// Where the demo listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL, without a slash at its end. Listening on every address, the demo is asked on the loopback one.
    pub fn url(&self) -> String {
        format!("http://{}", asked_at(self.addr))
    }

    /// The requests so far.
    pub fn requests(&self) -> RequestCounts {
        self.service.counts()
    }

    /// Waits until the demo serves no more, because it was told to die.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means that the thread is gone, which is an end as well.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Stops listening, lets requests in flight finish within the grace, then closes every connection.
    pub async fn stop(self) -> RequestCounts {
        let Self { service, grace, stop, mut ended, thread, .. } = self;
        drop(stop);
        let wait = ended.wait_for(|ended| *ended);
        // The thread keeps its own deadline; this one is for a machine that starves it.
        if tokio::time::timeout(grace + Duration::from_secs(5), wait).await.is_ok() {
            let _ = thread.join();
        }
        service.counts()
    }
}

/// Runs the demo until `until` is ready or it dies by its own switch, and returns what it has seen.
/// `ready` is called once it listens, for instance to print its URL.
pub async fn demo(
    options: DemoOptions,
    ready: impl FnOnce(&Demo),
    until: impl Future<Output = ()>,
) -> Result<RequestCounts, DemoError> {
    let demo = Demo::start(options)?;
    ready(&demo);
    tokio::select! {
        () = until => {}
        () = demo.ended() => {}
    }
    Ok(demo.stop().await)
}

/// A runtime for one thread, and the listener as its own.
fn runtime_with(listener: TcpListener) -> io::Result<(Runtime, tokio::net::TcpListener)> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let inside = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    drop(inside);
    Ok((runtime, listener))
}

/// What the thread needs to serve, and to know when to end.
struct Serving {
    service: Arc<Service>,
    /// Ready when the demo is stopped or dropped.
    stopped: oneshot::Receiver<()>,
    grace: Duration,
}

impl Serving {
    fn run(self, runtime: Runtime, listener: tokio::net::TcpListener) {
        let Self { service, stopped, grace } = self;
        // Compiled before the first request rather than during it.
        Lexicon::get();
        runtime.block_on(async {
            // Without this, the system may hold answers back for 40 ms to send more of them at once.
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let app = router(Arc::clone(&service)).into_make_service_with_connect_info::<SocketAddr>();
            let (ending, end) = oneshot::channel();
            let server = axum::serve(listener, app).with_graceful_shutdown(async move {
                let grace = tokio::select! {
                    _ = stopped => grace,
                    () = service.death.notified() => LAST_BREATH,
                };
                let _ = ending.send(grace);
            });
            let deadline = async {
                let grace = end.await.unwrap_or_default();
                tokio::time::sleep(grace).await;
            };
            tokio::select! {
                _ = server => {}
                () = deadline => {}
            }
        });
        // Ends what is left of the connections.
        drop(runtime);
    }
}
