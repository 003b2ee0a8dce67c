//! A wire between a program and what it asks, which a test can cut, or lead elsewhere.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{oneshot, watch};

/// Passes bytes on in both directions. It runs on a thread and a runtime of its own; dropping it closes everything.
pub(crate) struct Relay {
    addr: SocketAddr,
    wire: Arc<Wire>,
    _stop: oneshot::Sender<()>,
}

struct Wire {
    open: watch::Sender<bool>,
    to: Mutex<SocketAddr>,
    /// A word that the program does not get through any more: the wire is cut before it.
    last_word: OnceLock<&'static str>,
}

impl Relay {
    /// A wire to that address.
    pub(crate) fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let addr = listener.local_addr().expect("an address");
        let wire =
            Arc::new(Wire { open: watch::Sender::new(true), to: to.into(), last_word: OnceLock::new() });
        let shared = Arc::clone(&wire);
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, shared) => {}
                }
            });
        });
        Self { addr, wire, _stop: stop }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// New connections go to that address.
    pub(crate) fn lead_to(&self, to: SocketAddr) {
        *self.wire.to.lock().expect("nobody panicked") = to;
    }

    /// No byte passes any more, and nobody is told: connections stay open, and new ones are accepted.
    pub(crate) fn cut(&self) {
        self.wire.open.send_replace(false);
    }

    /// The same as soon as the program says this word, which does not pass.
    pub(crate) fn cut_before(&self, word: &'static str) {
        self.wire.last_word.set(word).expect("it was not told before");
    }

    /// Bytes pass again, those first that were on their way.
    pub(crate) fn mend(&self) {
        self.wire.open.send_replace(true);
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        let to = *wire.to.lock().expect("nobody panicked");
        let Ok(far) = TcpStream::connect(to).await else { continue };
        let (near, far) = (near.into_split(), far.into_split());
        // Either end may go when it likes.
        tokio::spawn(pass(near.0, far.1, Arc::clone(&wire)));
        tokio::spawn(pass(far.0, near.1, Arc::clone(&wire)));
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, wire: Arc<Wire>) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    let mut open = wire.open.subscribe();
    loop {
        let count = from.read(&mut bytes).await?;
        let said = &bytes[..count];
        if let Some(word) = wire.last_word.get()
            && said.windows(word.len()).any(|part| part == word.as_bytes())
        {
            wire.open.send_replace(false);
        }
        open.wait_for(|is_open| *is_open).await.map_err(io::Error::other)?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(said).await?;
    }
}
