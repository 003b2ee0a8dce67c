//! One HTTP/1.1 connection that is driven by hand: the load path without a client library between it and the socket.
//!
//! It knows what a load run needs and no more: a request that is bytes already, one at a time, and an answer read to its
//! end. Whatever is not plainly an HTTP/1.1 answer ends the connection and is no answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::Failure;
use super::reading::RawAnswer;
use crate::domain::{NoAnswerReason, Phase};

/// Largest header that is read, in bytes.
const LARGEST_HEAD: usize = 64 << 10;
/// Most lines in it.
const MOST_HEADERS: usize = 100;
/// Answers such as "100 Continue" before the real one, at most.
const MOST_INTERIM: usize = 8;

/// A connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, and whether the connection can be used again.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) raw: RawAnswer,
    pub(super) keep: bool,
}

/// How long the body is.
enum Length {
    Bytes(usize),
    Chunked,
    UntilClosed,
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    length: Length,
    keep: bool,
}

impl Wire {
    /// Connects to the first of the addresses that answers.
    pub(super) async fn connect(addresses: &[SocketAddr], deadline: Duration) -> Result<Self, Failure> {
        let connected = tokio::time::timeout(deadline, TcpStream::connect(addresses)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(&error)),
            Err(_) => return Err(Failure::timeout(deadline, Phase::Connect)),
        };
        stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Whether the other side has closed, or has sent what nobody asked for.
    pub(super) fn is_stale(&self) -> bool {
        let mut byte = [0];
        !matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads the whole answer, at most `max_body` bytes of it. Unless somebody `wants_headers`, none
    /// but the body's type is kept.
    ///
    /// # Errors
    /// What went wrong, and where.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        max_body: usize,
        wants_headers: bool,
    ) -> Result<Received, Failure> {
        self.buffer.clear();
        self.stream.write_all(request).await.map_err(|error| lost(&error, Phase::Headers))?;
        let head = self.head(wants_headers).await?;
        let body = self.body(&head.length, max_body).await?;
        // Bytes beyond the answer belong to nothing that was asked.
        let keep = head.keep && self.buffer.is_empty() && !matches!(head.length, Length::UntilClosed);
        Ok(Received {
            raw: RawAnswer { status: head.status, headers: head.headers, body, is_http2: false },
            keep,
        })
    }

    /// The answer's header; the interim ones before it are passed over.
    async fn head(&mut self, wants_headers: bool) -> Result<Head, Failure> {
        for _ in 0..=MOST_INTERIM {
            let (head, size) = loop {
                if let Some(found) = parse(&self.buffer, wants_headers)? {
                    break found;
                }
                if self.buffer.len() > LARGEST_HEAD {
                    return Err(malformed("the answer's header is too large", Phase::Headers));
                }
                self.more(Phase::Headers).await?;
            };
            self.buffer.drain(..size);
            if head.status >= 200 {
                return Ok(head);
            }
        }
        Err(malformed("interim answers, and no other", Phase::Headers))
    }

    async fn body(&mut self, length: &Length, max_body: usize) -> Result<Vec<u8>, Failure> {
        match *length {
            Length::Bytes(length) if length > max_body => Err(too_large(max_body)),
            Length::Bytes(length) => {
                while self.buffer.len() < length {
                    self.more(Phase::Body).await?;
                }
                let rest = self.buffer.split_off(length);
                Ok(std::mem::replace(&mut self.buffer, rest))
            }
            Length::UntilClosed => {
                while self.read(Phase::Body).await? > 0 {
                    if self.buffer.len() > max_body {
                        return Err(too_large(max_body));
                    }
                }
                Ok(std::mem::take(&mut self.buffer))
            }
            Length::Chunked => self.chunks(max_body).await,
        }
    }

    async fn chunks(&mut self, max_body: usize) -> Result<Vec<u8>, Failure> {
        let bad = || malformed("the answer's chunks cannot be read", Phase::Body);
        let mut body = Vec::new();
        loop {
            let (start, size) = loop {
                match httparse::parse_chunk_size(&self.buffer).map_err(|_| bad())? {
                    httparse::Status::Complete(found) => break found,
                    httparse::Status::Partial if self.buffer.len() > 1024 => return Err(bad()),
                    httparse::Status::Partial => self.more(Phase::Body).await?,
                }
            };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > max_body || body.len() + size > max_body {
                return Err(too_large(max_body));
            }
            self.buffer.drain(..start);
            if size == 0 {
                return self.trailers().await.map(|()| body);
            }
            while self.buffer.len() < size + 2 {
                self.more(Phase::Body).await?;
            }
            if &self.buffer[size..size + 2] != b"\r\n" {
                return Err(bad());
            }
            body.extend_from_slice(&self.buffer[..size]);
            self.buffer.drain(..size + 2);
        }
    }

    /// Reads what stands after the last chunk, up to an empty line.
    async fn trailers(&mut self) -> Result<(), Failure> {
        loop {
            if self.buffer.starts_with(b"\r\n") {
                self.buffer.drain(..2);
                return Ok(());
            }
            match self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                Some(end) => drop(self.buffer.drain(..end + 2)),
                None if self.buffer.len() > LARGEST_HEAD => {
                    return Err(malformed("the answer's trailers are too large", Phase::Body));
                }
                None => self.more(Phase::Body).await?,
            }
        }
    }

    /// Reads on; the end is an error.
    async fn more(&mut self, phase: Phase) -> Result<(), Failure> {
        match self.read(phase).await? {
            0 => Err(Failure::new(NoAnswerReason::ConnectionLost, "the connection was closed", phase)),
            _ => Ok(()),
        }
    }

    async fn read(&mut self, phase: Phase) -> Result<usize, Failure> {
        self.stream.read_buf(&mut self.buffer).await.map_err(|error| lost(&error, phase))
    }
}

/// The header at the start of the buffer and its length; none if there is more to come.
fn parse(buffer: &[u8], wants_headers: bool) -> Result<Option<(Head, usize)>, Failure> {
    let mut lines = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut lines);
    let size = match response.parse(buffer) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(malformed(&format!("the answer is not HTTP: {error}"), Phase::Headers)),
    };
    let status = response.code.unwrap_or_default();
    let mut head =
        Head { status, headers: Vec::new(), length: Length::UntilClosed, keep: response.version == Some(1) };
    let mut announced: Option<usize> = None;
    let mut chunked = false;
    for line in response.headers.iter() {
        // What is not ASCII is passed over, as it is elsewhere.
        let Ok(value) = std::str::from_utf8(line.value) else { continue };
        let is = |name: &str| line.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let length =
                value.trim().parse().ok().filter(|length| announced.is_none_or(|said| said == *length));
            announced =
                Some(length.ok_or_else(|| malformed("contradictory lengths of the answer", Phase::Headers))?);
        } else if is("transfer-encoding") {
            if !value.trim().eq_ignore_ascii_case("chunked") {
                return Err(malformed("the answer's transfer encoding is not known", Phase::Headers));
            }
            chunked = true;
        } else if is("connection") {
            let says = |word: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
            head.keep = (head.keep || says("keep-alive")) && !says("close");
        }
        if wants_headers || is("content-type") {
            head.headers.push((line.name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    head.length = match (status, chunked, announced) {
        (100..=199 | 204 | 304, ..) => Length::Bytes(0),
        // Both together may be an attempt to smuggle an answer in.
        (_, true, Some(_)) => return Err(malformed("the answer has two lengths", Phase::Headers)),
        (_, true, None) => Length::Chunked,
        (_, false, Some(length)) => Length::Bytes(length),
        (_, false, None) => Length::UntilClosed,
    };
    Ok(Some((head, size)))
}

fn malformed(detail: &str, phase: Phase) -> Failure {
    Failure::new(NoAnswerReason::Malformed, detail, phase)
}

fn too_large(max_body: usize) -> Failure {
    let detail = format!("the answer is larger than {max_body} bytes");
    Failure::new(NoAnswerReason::TooLarge, detail, Phase::Body)
}

fn unreachable(error: &io::Error) -> Failure {
    Failure::new(NoAnswerReason::Unreachable, error.to_string(), Phase::Connect)
}

fn lost(error: &io::Error, phase: Phase) -> Failure {
    Failure::new(NoAnswerReason::ConnectionLost, error.to_string(), phase)
}
