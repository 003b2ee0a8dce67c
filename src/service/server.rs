//! Connections: each with a deadline for what its client has to send, and never more of them than there is room for.
//!
//! axum's own server waits for the head of a request as long as it takes; a few hundred clients that never finish
//! theirs would be all that it serves. So the connections are ours: HTTP/1.1, a deadline for heads that also ends idle
//! connections, and when there are too many the one that has been idle longest goes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::access::Peer;

/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 32 << 10;
/// How long to wait when the system has no more sockets for us.
const NO_SOCKETS: Duration = Duration::from_millis(50);

/// What connections may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Until the head of a request is here.
    pub(super) head: Duration,
    /// So many at once.
    pub(super) connections: usize,
}

/// Answers until `stop`, then lets requests on their way finish until `abort`.
pub(super) async fn answer(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    let open = Arc::new(Open::default());
    let mut tasks = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be taken");
                    tokio::time::sleep(NO_SOCKETS).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        while tasks.try_join_next().is_some() {}
        let connection = open.enter(bounds.connections);
        let _ = stream.set_nodelay(true);
        let (router, head, stop) = (router.clone(), bounds.head, stop.clone());
        match tls.clone() {
            None => tasks.spawn(converse(stream, peer, router, head, connection, stop)),
            Some(tls) => tasks.spawn(async move {
                let closed = connection.closed.clone();
                tokio::select! {
                    // A handshake has the time of a head, and what follows the time of the next one.
                    shaken = tokio::time::timeout(head, tls.accept(stream)) => {
                        if let Ok(Ok(stream)) = shaken {
                            converse(stream, peer, router, head, connection, stop).await;
                        }
                    }
                    () = closed.cancelled() => {}
                }
            }),
        };
    }
    drop(listener);
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = abort.cancelled() => tasks.shutdown().await,
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    router: Router,
    head: Duration,
    connection: Connection,
    stop: CancellationToken,
) {
    let connection = Arc::new(connection);
    let router = TowerToHyperService::new(router);
    let busy = Arc::clone(&connection);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let busy = Busy::begin(&busy);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(busy.clone());
        let answering = router.call(request.map(Body::new));
        async move {
            let response: Result<Response<Body>, Infallible> = answering.await;
            drop(busy);
            response
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // A client that went away, or was too slow, is no matter of ours.
            _ = &mut serving => return,
            () = connection.closed.cancelled() => return,
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    next: AtomicU64,
    /// Counts what happens, so that one can tell what came first.
    clock: AtomicU64,
    all: Mutex<HashMap<u64, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    /// Requests on their way; more than one only for an instant.
    busy: AtomicUsize,
    /// Since when it has been idle.
    idle_since: AtomicU64,
    closed: CancellationToken,
}

/// A place among the connections; left when it is dropped.
#[derive(Debug)]
struct Connection {
    number: u64,
    open: Arc<Open>,
    entry: Arc<Entry>,
    closed: CancellationToken,
}

/// A request on its way: its connection is not closed to make room. A stream keeps it.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Open {
    fn enter(self: &Arc<Self>, most: usize) -> Connection {
        let closed = CancellationToken::new();
        let entry = Arc::new(Entry {
            busy: AtomicUsize::new(0),
            idle_since: AtomicU64::new(self.now()),
            closed: closed.clone(),
        });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut all = self.all();
        if all.len() >= most {
            let idle = all.iter().filter(|(_, entry)| entry.busy.load(Ordering::Acquire) == 0);
            let longest =
                idle.min_by_key(|(_, entry)| entry.idle_since.load(Ordering::Acquire)).map(|(n, _)| *n);
            // Where every one is busy, the new one has to go.
            match longest.and_then(|longest| all.remove(&longest)) {
                Some(longest) => longest.closed.cancel(),
                None => closed.cancel(),
            }
        }
        all.insert(number, Arc::clone(&entry));
        drop(all);
        Connection { number, open: Arc::clone(self), entry, closed }
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::AcqRel)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Entry>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.all().remove(&self.number);
    }
}

impl Busy {
    fn begin(connection: &Arc<Connection>) -> Self {
        connection.entry.busy.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(connection))
    }
}

impl Clone for Busy {
    fn clone(&self) -> Self {
        Self::begin(&self.0)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.entry.idle_since.store(self.0.open.now(), Ordering::Release);
        self.0.entry.busy.fetch_sub(1, Ordering::AcqRel);
    }
}
