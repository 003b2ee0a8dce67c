//! What clients may not do to it: send too much, too slowly, or nothing at all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::process::{Serve, quick_place};

/// Reads until the other end closes, and says how long that took.
fn closed_after(mut stream: TcpStream) -> (Duration, String) {
    let (start, mut text) = (Instant::now(), Vec::new());
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut text);
    (start.elapsed(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let place = quick_place("service: {body_limit: 2048}\n");
    let serve = Serve::start(&place, &[]);
    let large = json!({"test_type": "q".repeat(4000)});
    assert!(serve.post("/api/test/run", &large).await.problem(413).contains("2048 bytes"));
    let fits = json!({"test_type": "q".repeat(1500)});
    serve.post("/api/test/run", &fits).await.problem(422);
    // One that does not say how long it is.
    let mut stream = TcpStream::connect(serve.address()).unwrap();
    let head = "POST /api/test/run HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    for _ in 0..64 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let (_, text) = closed_after(stream);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 413"), "{text}");
    serve.get("/health").await.is(200);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let ask = |more: &str| {
        let mut stream = TcpStream::connect(serve.address()).unwrap();
        let head = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
        // It may be refused before it is whole.
        let _ = stream.write_all(head.as_bytes());
        closed_after(stream).1
    };
    let fits = format!("x-long: {}\r\n", "a".repeat(8 << 10));
    assert!(ask(&fits).starts_with("HTTP/1.1 200"), "{}", ask(&fits));
    let many: String = (0..200).fold(String::new(), |head, n| head + &format!("x-{n}: a\r\n"));
    for large in [format!("x-long: {}\r\n", "a".repeat(80 << 10)), many] {
        let text = ask(&large);
        assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
    }
    serve.get("/health").await.is(200);
}

#[tokio::test]
async fn a_head_that_never_ends_ends_the_connection() {
    let place = quick_place("service: {header_timeout: 1s}\n");
    let serve = Serve::start(&place, &[]);
    let mut slow: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(serve.address()).unwrap()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-a: ").unwrap();
    }
    // A sign now and then buys no time.
    let mut drip = slow.pop().unwrap();
    let dripping = std::thread::spawn(move || {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(15) && drip.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
        start.elapsed()
    });
    serve.get("/health").await.is(200);
    for stream in slow {
        let (took, text) = closed_after(stream);
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert!(!text.contains("200"), "{text}");
    }
    assert!(dripping.join().unwrap() < Duration::from_secs(10));
    // So does saying nothing, before a request and after one.
    let silent = TcpStream::connect(serve.address()).unwrap();
    assert!(closed_after(silent).0 < Duration::from_secs(10));
    let mut idle = TcpStream::connect(serve.address()).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let (took, text) = closed_after(idle);
    assert!(took < Duration::from_secs(10) && text.starts_with("HTTP/1.1 200"), "{took:?}: {text}");
}

#[tokio::test]
async fn a_body_that_never_comes_ends_the_request() {
    let place = quick_place("service: {request_timeout: 1s}\n");
    let serve = Serve::start(&place, &[]);
    let mut stream = TcpStream::connect(serve.address()).unwrap();
    let head = "POST /api/test/run HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let (took, text) = closed_after(stream);
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[tokio::test]
async fn many_idle_connections_leave_room_for_those_who_ask() {
    let place = quick_place("service: {connections: 20, header_timeout: 1m}\n");
    let serve = Serve::start(&place, &[]);
    let mut idle = Vec::new();
    for n in 0..300 {
        idle.push(TcpStream::connect(serve.address()).unwrap());
        if n % 50 == 0 {
            serve.get("/health").await.is(200);
        }
    }
    serve.get("/health").await.is(200);
    // The oldest ones had to go.
    let first = idle.swap_remove(0);
    assert!(closed_after(first).0 < Duration::from_secs(10));
}

#[tokio::test]
async fn those_who_read_events_are_not_closed_for_idle_ones_and_do_not_take_all_room() {
    let place =
        quick_place("service: {connections: 8, workers: 1, header_timeout: 1m}\nrun: {timeout: 2s}\n");
    let demo = crate::support::command::DemoProcess::start(&["--latency", "1s"]);
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let (_running, waiting) = (serve.ask().await, serve.ask().await);
    let path = format!("/api/test/runs/{waiting}/events");
    let mut readers = Vec::new();
    for _ in 0..4 {
        let request = serve.request(reqwest::Method::GET, &path);
        readers.push(request.send().await.unwrap());
    }
    assert!(serve.get(&path).await.problem(503).contains("too many read events"));
    let idle: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(serve.address()).unwrap()).collect();
    serve.over(&waiting).await;
    for reader in readers {
        let text = reader.text().await.expect("it was not cut off");
        assert!(text.contains("event: ended"), "{text}");
    }
    drop(idle);
}

#[tokio::test]
async fn odd_requests_are_answered_as_problems() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    assert!(serve.get("/api/test/nothing").await.problem(404).contains("/api/test/nothing"));
    let wrong = serve.send(serve.request(reqwest::Method::DELETE, "/api/test/run")).await;
    assert_eq!(wrong.header("allow"), "POST");
    wrong.problem(405);
    let text = |body: &'static str| {
        let request =
            serve.request(reqwest::Method::POST, "/api/test/run").header("content-type", "application/json");
        serve.send(request.body(body))
    };
    for body in ["", "{", "{\"test_type\": \"quick\"", "nonsense", "{\"test_type\": \"quick\"} {}"] {
        text(body).await.problem(400);
    }
    for body in ["[]", "null", "7", "{\"test_type\": [\"quick\"]}", "{\"test_typ\": \"quick\"}"] {
        text(body).await.problem(422);
    }
    for query in ["?limit=0", "?limit=501", "?limit=many", "?state=sleeping", "?nonsense=1", "?cursor=x"] {
        serve.get(&format!("/api/test/runs{query}")).await.problem(400);
    }
    for query in ["?limit=0", "?cursor=99999999999999999999", "?state=queued", "?test_type=%00"] {
        serve.get(&format!("/api/test/results{query}")).await.problem(400);
    }
    serve.get("/api/test/results/latest?scenario=smoke").await.problem(400);
    for id in ["nope", "%00", "legacy-1", "..%2F..%2Fetc"] {
        for path in [format!("/api/test/runs/{id}"), format!("/api/test/results/{id}")] {
            let reply = serve.get(&path).await;
            assert!(reply.status == 404, "{path}: {} {}", reply.status, reply.text);
        }
    }
    let reply = serve.get("/health").await.is(200);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        assert_eq!(reply.header(name), value);
    }
}
