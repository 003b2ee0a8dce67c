//! A target that costs nothing: answers every request of the ash-v5 contract with the same level, after a fixed delay.
//!
//! `cargo bench --bench stub -- --delay-ms 20` prints its URL and serves until its standard input is closed. With
//! `--small` the answer is of some hundred bytes with a `level`, for the cost of load generators.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--delay-ms").skip(1);
    let small = std::env::args().any(|argument| argument == "--small");
    let delay = Duration::from_millis(arguments.next().and_then(|ms| ms.parse().ok()).unwrap_or(0));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stdout = tokio::io::stdout();
        stdout.write_all(format!("http://{}\n", listener.local_addr()?).as_bytes()).await?;
        stdout.flush().await?;
        let count = Arc::new(AtomicU64::new(0));
        let serve = async {
            loop {
                let (stream, _) = listener.accept().await?;
                tokio::spawn(answer(stream, delay, small, Arc::clone(&count)));
            }
            #[expect(unreachable_code, reason = "names the type of the loop's errors")]
            Ok::<(), std::io::Error>(())
        };
        tokio::select! {
            served = serve => served,
            // The script that started it has gone when this ends.
            () = async { while tokio::io::stdin().read_u8().await.is_ok() {} } => Ok(()),
        }
    })
}

async fn answer(
    mut stream: TcpStream,
    delay: Duration,
    small: bool,
    count: Arc<AtomicU64>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        // One request: the header, then as many bytes as it announces.
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let header = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let announced = header.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
        let whole = head + announced.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
        while buffer.len() < whole {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..whole);
        let is_health = header.starts_with("get");
        if !is_health && !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let body = if is_health {
            r#"{"status":"healthy","ready":true,"version":"stub"}"#.to_owned()
        } else if small {
            r#"{"level":"high","score":0.74,"model":"a stub","took_ms":0.1}"#.to_owned()
        } else {
            format!(
                r#"{{"crisis_detected":true,"severity":"high","confidence":0.81,"crisis_score":0.74,"requires_intervention":true,"recommended_action":"priority_response","processing_time_ms":0.1,"models_used":["stub"],"is_degraded":false,"request_id":"req_{}"}}"#,
                count.fetch_add(1, Ordering::Relaxed)
            )
        };
        let response = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(response.as_bytes()).await?;
    }
}
