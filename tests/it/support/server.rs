//! A target that does what a test tells it: any bytes at any speed over a raw socket, and it remembers what it saw.
//!
//! It runs on a thread and a runtime of its own, so that a test may block while it waits for a child process.

use std::fmt::Write;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
    /// Which request it is, from 0; health requests do not count.
    pub(crate) number: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request is JSON")
    }
}

/// What the server does when it has read a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Sends these bytes over and over, with a wait between, until the client is gone.
    Repeat(Vec<u8>, Duration),
    Close,
    Reset,
    Hang,
}

impl Reply {
    /// A whole answer; the connection stays open.
    pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut head = format!("HTTP/1.1 {status} Some Words\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        Self::raw([head.as_bytes(), body].concat())
    }

    /// A whole answer that is JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::answer(status, &[("content-type", "application/json")], body.to_string())
    }

    /// These bytes and nothing around them.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::default().then(bytes)
    }

    /// Reads the request and stays silent.
    pub(crate) fn silence() -> Self {
        Self(vec![Step::Hang])
    }

    /// Waits before everything else.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.0.insert(0, Step::Wait(wait));
        self
    }

    pub(crate) fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Step::Send(bytes.into()));
        self
    }

    pub(crate) fn then_wait(mut self, wait: Duration) -> Self {
        self.0.push(Step::Wait(wait));
        self
    }

    pub(crate) fn then_for_ever(mut self, bytes: impl Into<Vec<u8>>, every: Duration) -> Self {
        self.0.push(Step::Repeat(bytes.into(), every));
        self
    }

    /// Closes the connection in good order.
    pub(crate) fn then_close(mut self) -> Self {
        self.0.push(Step::Close);
        self
    }

    /// Breaks the connection off.
    pub(crate) fn then_reset(mut self) -> Self {
        self.0.push(Step::Reset);
        self
    }
}

type Script = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A server that follows a script. Dropping it closes everything.
pub(crate) struct Server {
    addr: SocketAddr,
    scheme: &'static str,
    memory: Arc<Memory>,
    _stop: oneshot::Sender<()>,
}

struct Memory {
    script: Script,
    /// Whether health requests go to the script as well.
    scripts_health: bool,
    requests: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    scripted: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    sent: AtomicUsize,
}

impl Server {
    /// A server whose every answer but that of `/health` (200) comes from the script.
    pub(crate) fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::build("127.0.0.1:0", None, false, Box::new(script))
    }

    /// The same for `/health` as well.
    pub(crate) fn start_with_health(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::build("127.0.0.1:0", None, true, Box::new(script))
    }

    /// On another address than 127.0.0.1.
    pub(crate) fn start_on(addr: &str, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::build(addr, None, false, Box::new(script))
    }

    /// Behind TLS.
    pub(crate) fn start_tls(
        tls: ServerConfig,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::build("127.0.0.1:0", Some(tls), false, Box::new(script))
    }

    fn build(addr: &str, tls: Option<ServerConfig>, scripts_health: bool, script: Script) -> Self {
        let listener = TcpListener::bind(addr).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let addr = listener.local_addr().expect("an address");
        let memory = Arc::new(Memory {
            script,
            scripts_health,
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            scripted: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let shared = Arc::clone(&memory);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, acceptor, shared) => {}
                }
            });
        });
        Self { addr, scheme, memory, _stop: stop }
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Every request that was read whole, health requests left out.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        let requests = self.memory.requests.lock().expect("no test has panicked in there");
        requests.iter().filter(|seen| self.memory.scripts_health || seen.path != "/health").cloned().collect()
    }

    /// Every request that was read whole.
    pub(crate) fn all_requests(&self) -> Vec<Seen> {
        self.memory.requests.lock().expect("no test has panicked in there").clone()
    }

    /// Connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.memory.connections.load(Ordering::SeqCst)
    }

    /// The most requests that came within so long.
    pub(crate) fn most_within(&self, span: Duration) -> usize {
        let mut times: Vec<Instant> = self.requests().iter().map(|seen| seen.at).collect();
        times.sort_unstable();
        let within = |(i, first): (usize, &Instant)| {
            times[i..].iter().take_while(|time| **time < *first + span).count()
        };
        times.iter().enumerate().map(within).max().unwrap_or_default()
    }

    /// The most requests that were being answered at once.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.memory.most_in_flight.load(Ordering::SeqCst)
    }

    /// Bytes that the system took off our hands.
    pub(crate) fn bytes_sent(&self) -> usize {
        self.memory.sent.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, memory: Arc<Memory>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        memory.connections.fetch_add(1, Ordering::SeqCst);
        let (memory, acceptor) = (Arc::clone(&memory), acceptor.clone());
        let _ = socket.set_nodelay(true);
        tokio::spawn(async move {
            match acceptor {
                None => serve(socket, &memory, reset).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        serve(stream, &memory, |stream| reset(stream.into_inner().0)).await;
                    }
                }
            }
        });
    }
}

/// Closes the connection so that the other side reads "reset".
fn reset(socket: TcpStream) {
    let _ = socket.set_zero_linger();
    drop(socket);
}

async fn serve<S>(mut stream: S, memory: &Memory, reset: impl FnOnce(S))
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(Some(mut seen)) = read_request(&mut stream).await {
        let is_health = seen.path == "/health" && !memory.scripts_health;
        if !is_health {
            seen.number = memory.scripted.fetch_add(1, Ordering::SeqCst);
        }
        memory.requests.lock().expect("no test has panicked in there").push(seen.clone());
        let reply = if is_health {
            Reply::json(200, &serde_json::json!({"status": "ok", "version": "7.1"}))
        } else {
            let in_flight = memory.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            memory.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
            (memory.script)(&seen)
        };
        let goes_on = follow(&mut stream, &reply, memory).await;
        if !is_health {
            memory.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
        match goes_on {
            Ok(End::GoesOn) => {}
            Ok(End::Reset) => return reset(stream),
            Ok(End::Close) | Err(_) => {
                let _ = stream.shutdown().await;
                return;
            }
        }
    }
}

enum End {
    GoesOn,
    Close,
    Reset,
}

async fn follow(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    reply: &Reply,
    memory: &Memory,
) -> io::Result<End> {
    for step in &reply.0 {
        match step {
            Step::Send(bytes) => {
                for part in bytes.chunks(64 * 1024) {
                    stream.write_all(part).await?;
                    stream.flush().await?;
                    memory.sent.fetch_add(part.len(), Ordering::SeqCst);
                }
            }
            Step::Wait(wait) => tokio::time::sleep(*wait).await,
            Step::Repeat(bytes, every) => loop {
                stream.write_all(bytes).await?;
                stream.flush().await?;
                memory.sent.fetch_add(bytes.len(), Ordering::SeqCst);
                tokio::time::sleep(*every).await;
            },
            Step::Close => return Ok(End::Close),
            Step::Reset => return Ok(End::Reset),
            Step::Hang => {
                // Until the client hangs up.
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await?;
                return Ok(End::Close);
            }
        }
    }
    Ok(End::GoesOn)
}

/// Reads one request; none when the client has hung up.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Seen>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Seen {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: bytes[end..end + length].to_vec(),
        at: Instant::now(),
        number: usize::MAX,
    }))
}
