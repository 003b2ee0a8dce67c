//! What a scenario says of connections holds on every way to a target, and what was opened is counted.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::http::Version;
use axum::serve::{ListenerExt, TapIo};
use axum::{Json, Router};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::workers::Field;
use super::{counts, ms, place, record, right, run};
use crate::support::command::Place;
use crate::support::server::{Reply, Seen, Server};

const ONCE: &str =
    "connections: {keep_alive: false}\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n";

/// A place whose target is connected to in another way, or described otherwise.
fn place_with(scenario: &str, what: &str, instead: &str) -> Place {
    let place = place(scenario);
    place.file("thrash.yaml", super::TARGET.replace(what, instead));
    place
}

/// A server behind TLS, by a certificate that nobody vouches for.
fn secure(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    Server::start_tls(tls, script)
}

#[test]
fn a_connection_each_is_a_connection_each_whatever_the_way_to_the_target() {
    let look = |seen: &Seen| match seen.method.as_str() {
        "POST" => Reply::json(202, &json!({"url": format!("/jobs/{}", seen.number)})),
        _ => Reply::json(200, &json!({"done": seen.number.is_multiple_of(2), "level": "none"})),
    };
    let hand_on =
        |seen: &Seen| if seen.method == "POST" { right(seen) } else { Reply::json(200, &json!({})) };
    let poll = "poll: {url: body.url, done: body.done, interval: 10ms}\n    examples:";
    let arrivals = format!("model: arrivals\nrate: 40/s\nduration: 500ms\n{ONCE}");
    let users = format!("model: users\nusers: 3\nduration: 600ms\nthink_time: 50ms\n{ONCE}");
    for scenario in [&arrivals, &users] {
        let proxy = Server::start(hand_on);
        let by_proxy = format!("timeout: 5s, proxy: '{}'", proxy.url());
        for (way, server, what, instead) in [
            ("plain", Server::start(right), "timeout: 5s", "timeout: 5s"),
            ("TLS", secure(right), "timeout: 5s", "timeout: 5s, insecure: true"),
            ("TLS 1.1", secure(right), "timeout: 5s", "timeout: 5s, insecure: true, http: '1.1'"),
            ("a proxy", proxy, "timeout: 5s", &by_proxy),
            ("decisions that come later", Server::start(look), "examples:", poll),
        ] {
            let place = place_with(scenario, what, instead);
            run(&place, &server, &[]).exits(0);
            let record = record(&place);
            let sent = server.requests().iter().filter(|seen| !seen.path.ends_with("/health")).count();
            assert!(sent >= 3, "{way}: {sent}");
            assert_eq!(counts(&record)["connections"], sent, "{way}");
            // One more was for the look before the run.
            assert_eq!(server.connections(), sent + 1, "{way}");
            let started = counts(&record)["started"].as_u64().unwrap();
            assert_eq!(sent as u64 > started, instead == poll, "{way}: {started} of {sent}");
        }
    }
}

#[test]
fn the_idle_pass_keeps_to_what_the_scenario_says_of_connections() {
    let server = Server::start(right);
    let scenario = format!("model: arrivals\nrate: 20/s\nduration: 500ms\nidle_pass: true\n{ONCE}");
    let place = place(&scenario);
    run(&place, &server, &[]).exits(0);
    assert_eq!(counts(&record(&place))["connections"], 10);
    assert_eq!(server.requests().len(), 14);
    assert_eq!(server.connections(), 15);
    assert!(server.all_requests().iter().all(|seen| seen.header("connection") == Some("close")));
}

#[test]
fn as_many_connections_are_kept_as_can_be_in_use() {
    // All of them think most of the time: then twenty connections idle.
    let server = secure(|seen| right(seen).after(ms(5)));
    let place = place_with(
        "model: users\nusers: 20\nduration: 2s\nthink_time: 150ms\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n",
        "timeout: 5s",
        "timeout: 5s, insecure: true",
    );
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    let connections = counts(&record)["connections"].as_u64().unwrap();
    assert!((1..=40).contains(&connections), "{connections} connections of 20 users");
    assert!(counts(&record)["answered"].as_u64().unwrap() > 100, "{}", counts(&record));
}

type Counted = TapIo<tokio::net::TcpListener, Box<dyn FnMut(&mut TcpStream) + Send>>;

/// A server that speaks both versions of HTTP without TLS.
struct Both {
    url: String,
    connections: Arc<AtomicUsize>,
    /// The version of each request.
    versions: Arc<Mutex<Vec<Version>>>,
    _stop: oneshot::Sender<()>,
}

impl Both {
    fn start() -> Self {
        Self::serve(|listener, seen| async move {
            let answer = move |request: Request| {
                seen.lock().unwrap().push(request.version());
                async { Json(json!({"level": "none"})) }
            };
            let _ = axum::serve(listener, Router::new().fallback(answer)).await;
        })
    }

    /// HTTP/2 alone, with so many requests at once over a connection at most, which it says after a moment and refuses what
    /// came until then. Each answer takes so long; that to a look at the health none.
    fn narrow(streams: u32, wait: Duration) -> Self {
        Self::narrow_for(streams, wait, Duration::MAX)
    }

    /// The same; it says goodbye over each connection after a while.
    fn narrow_for(streams: u32, wait: Duration, lifetime: Duration) -> Self {
        Self::serve(move |mut listener, seen| async move {
            let answer = move |request: Request| {
                seen.lock().unwrap().push(request.version());
                async move {
                    if request.uri().path() != "/health" {
                        tokio::time::sleep(wait).await;
                    }
                    Json(json!({"level": "none"}))
                }
            };
            let service = Router::new().fallback(answer);
            loop {
                let (socket, _) = axum::serve::Listener::accept(&mut listener).await;
                let connection = http2::Builder::new(TokioExecutor::new())
                    .max_concurrent_streams(streams)
                    .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service.clone()));
                tokio::spawn(async move {
                    tokio::time::sleep(ms(50)).await;
                    let mut connection = std::pin::pin!(connection);
                    tokio::select! {
                        _ = connection.as_mut() => {}
                        () = tokio::time::sleep(lifetime) => {
                            connection.as_mut().graceful_shutdown();
                            let _ = connection.await;
                        }
                    }
                });
            }
        })
    }

    fn serve<F: Future<Output = ()>>(
        serve: impl FnOnce(Counted, Arc<Mutex<Vec<Version>>>) -> F + Send + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, versions) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (opened, seen) = (Arc::clone(&connections), Arc::clone(&versions));
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let count: Box<dyn FnMut(&mut TcpStream) + Send> = Box::new(move |_| {
                    opened.fetch_add(1, Ordering::SeqCst);
                });
                tokio::select! {
                    _ = stopped => {}
                    () = serve(listener.tap_io(count), seen) => {}
                }
            });
        });
        Self { url, connections, versions, _stop: stop }
    }

    fn run(&self, place: &Place) -> Value {
        place.thrash(["load", "s.yaml", "--target", "plain", "--url", &self.url]).exits(0);
        record(place)
    }
}

#[test]
fn the_scenario_says_which_http_is_spoken_from_the_first_look_on() {
    let load = "rate: 40/s\nduration: 500ms\nidle_pass: true\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n";
    for (contract, says, spoken) in [("", "2", Version::HTTP_2), (", http: '2'", "1.1", Version::HTTP_11)] {
        // What is kept may be left from before the load.
        for (keep_alive, opened) in [(true, 0..=10), (false, 20..=20)] {
            let server = Both::start();
            let connections = format!("connections: {{keep_alive: {keep_alive}, http: \"{says}\"}}\n");
            let place = place_with(
                &format!("model: arrivals\n{connections}{load}"),
                "timeout: 5s",
                &format!("timeout: 5s{contract}"),
            );
            let record = server.run(&place);
            assert_eq!(record["load"]["scenario"]["http"], says);
            let versions = server.versions.lock().unwrap();
            // A look, an idle pass over four phrases, and the load.
            assert_eq!(*versions, vec![spoken; 25], "{says}");
            let counted = counts(&record)["connections"].as_u64().unwrap();
            assert!(opened.contains(&counted), "{says}, {keep_alive}: {counted} connections");
            if !keep_alive {
                assert_eq!(server.connections.load(Ordering::SeqCst), 25, "{says}");
            }
        }
    }
}

#[test]
fn users_speak_the_http_of_the_scenario_too() {
    let server = Both::start();
    let place = place(
        "model: users\nusers: 4\nduration: 1s\nthink_time: 20ms\nconnections: {http: \"2\"}\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n",
    );
    let record = server.run(&place);
    // Each has its own, as over HTTP/1.1.
    assert_eq!(counts(&record)["connections"], 4);
    let versions = server.versions.lock().unwrap();
    assert!(
        versions.len() > 20 && versions.iter().all(|version| *version == Version::HTTP_2),
        "{versions:?}"
    );
}

#[tokio::test]
async fn workers_connect_as_the_scenario_says() {
    let server = Both::start();
    let load = "rate: 40/s\nduration: 500ms\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n";
    let scenario = format!("model: arrivals\nconnections: {{keep_alive: false, http: \"2\"}}\n{load}");
    let mut field = Field::new(&scenario, &Server::start(right)).await;
    field.url.clone_from(&server.url);
    field.run(2, 0);
    assert_eq!(counts(&field.record())["connections"], 20);
    // A look of each of the two workers, and of whoever began it.
    assert_eq!(server.connections.load(Ordering::SeqCst), 23);
    assert_eq!(*server.versions.lock().unwrap(), vec![Version::HTTP_2; 23]);
}

#[test]
fn requests_over_http2_wait_for_no_other_request_whatever_the_server_allows() {
    let arrivals = "model: arrivals\nrate: 60/s\nduration: 1500ms\nmax_in_flight: 60";
    let users = "model: users\nusers: 12\nduration: 1500ms";
    for (load, least) in [(arrivals, 8), (users, 12)] {
        // Twelve are on their way at once; over one connection the last would wait for two seconds.
        let server = Both::narrow(1, ms(200));
        let place = place(&format!(
            "{load}\nconnections: {{http: \"2\"}}\ngates: [error_rate <= 0%, latency_p95 <= 900ms]\n"
        ));
        let record = server.run(&place);
        let connections = counts(&record)["connections"].as_u64().unwrap();
        assert!(connections >= least, "{connections} connections for\n{load}");
        assert!(counts(&record)["answered"].as_u64().unwrap() >= 50, "{}", counts(&record));
    }
}

#[test]
fn the_scenario_says_how_many_connections_http2_has_and_a_look_at_the_health_needs_none_of_them() {
    // While a request is on its way no other goes over the same connection, and one always is.
    let server = Both::narrow(1, ms(700));
    let place = place(
        "model: users\nusers: 3\nduration: 3s\nconnections: {http: \"2\", count: 1}\ngates: [error_rate <= 0%]\n",
    );
    let record = server.run(&place);
    assert_eq!(record["load"]["abort"], Value::Null, "nobody is unhealthy");
    assert_eq!(record["load"]["scenario"]["connections"], 1);
    assert_eq!(counts(&record)["connections"], 1);
}

#[test]
fn nor_is_what_the_server_refuses_at_the_beginning_of_a_later_connection_its_fault() {
    // Every time when they have thought, it has said goodbye.
    let server = Both::narrow_for(2, ms(20), ms(250));
    let place = place(
        "model: users\nusers: 5\nduration: 3s\nthink_time: 600ms\nconnections: {http: \"2\", count: 1}\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n",
    );
    let record = server.run(&place);
    let connections = counts(&record)["connections"].as_u64().unwrap();
    assert!(connections >= 3, "{}", counts(&record));
}

#[test]
fn a_connection_on_which_slow_answers_are_waited_for_is_used_again() {
    let server = Both::narrow(100, ms(1500));
    let place = place(
        "model: users\nusers: 3\nduration: 5s\nconnections: {http: \"2\", count: 2}\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n",
    );
    let record = server.run(&place);
    assert!(counts(&record)["answered"].as_u64().unwrap() >= 6, "{}", counts(&record));
    assert_eq!(counts(&record)["connections"], 2);
    // One more was for the look before the run.
    assert_eq!(server.connections.load(Ordering::SeqCst), 3);
}

/// Whoever listens before a server: each connection is handled with its number and its first three bytes.
fn before(handle: impl Fn(usize, [u8; 3], std::net::TcpStream) + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let mut socket = socket.unwrap();
            let mut begin = [0; 3];
            if socket.read_exact(&mut begin).is_ok() {
                handle(number, begin, socket);
            }
        }
    });
    url
}

const OVER_HTTP2: &str = "model: arrivals\nrate: 20/s\nduration: 500ms\nconnections: {http: \"2\"}\nabort_when: {unhealthy: false}\ngates: [error_rate <= 0%]\n";

#[test]
fn who_is_slow_over_http2_has_not_said_that_it_speaks_another_http() {
    let silent = std::sync::Mutex::new(Vec::new());
    let url = before(move |_, begin, mut socket| {
        if begin == *b"PRI" {
            silent.lock().unwrap().push(socket);
        } else {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        }
    });
    let load = ["load", "s.yaml", "--target", "plain", "--url", &url];
    place(OVER_HTTP2).thrash(load).exits(3).complains(&["cannot be reached", "timed out after 4s"]);
}

#[test]
fn nor_has_who_hangs_up_once() {
    let server = Both::start();
    let address = server.url.trim_start_matches("http://").to_owned();
    let url = before(move |number, begin, mut socket| {
        if number == 0 {
            // All of it has been read when it is closed, so that nothing is reset.
            let _ = socket.set_read_timeout(Some(ms(200)));
            let _ = socket.read(&mut [0; 1024]);
            return;
        }
        let mut there = std::net::TcpStream::connect(&address).unwrap();
        there.write_all(&begin).unwrap();
        let (mut from, mut to) = (there.try_clone().unwrap(), socket.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        std::thread::spawn(move || std::io::copy(&mut socket, &mut there));
    });
    let place = place(OVER_HTTP2);
    place.thrash(["load", "s.yaml", "--target", "plain", "--url", &url]).exits(0);
    assert_eq!(counts(&record(&place))["answered"], 10);
    let versions = server.versions.lock().unwrap();
    // A look over each of the two, and the load.
    let old = versions.iter().filter(|version| **version == Version::HTTP_11).count();
    assert_eq!((old, versions.len()), (1, 12));
}

#[test]
fn a_target_that_speaks_another_http_is_told_from_one_that_is_away() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "POST" => right(seen),
        _ => Reply::answer(400, &[], "").then_close(),
    });
    let load = "model: arrivals\nrate: 20/s\nduration: 500ms\ngates: [error_rate <= 0%]\n";
    let by_scenario = place(&format!("{load}connections: {{http: \"2\"}}\n"));
    run(&by_scenario, &server, &[]).exits(2).complains(&[
        "answers over HTTP/1.1 and not over HTTP/2",
        "`connections.http` of s.yaml",
        "write `http: \"1.1\"` there",
    ]);
    let by_contract = place_with(load, "timeout: 5s", "timeout: 5s, http: '2'");
    run(&by_contract, &server, &[]).exits(2).complains(&["`connection.http` of the target `plain`"]);
    assert!(server.requests().iter().all(|seen| seen.method != "POST"), "nothing was sent");
    // One that is away is away.
    drop(server);
    let gone = ["load", "s.yaml", "--target", "plain", "--url", "http://127.0.0.1:1"];
    by_scenario.thrash(gone).exits(3).complains(&["cannot be reached"]);
}
