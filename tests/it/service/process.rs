//! The service as a process, and a client that asks it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use thrash::domain::RunRecord;
use thrash::store::{StoreLocation, StoreOptions, open};

use crate::support::command::{Ended, Place, send};

/// How long a test waits for what should come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running service; it ends with the value.
pub(crate) struct Serve {
    child: Child,
    pub(crate) url: String,
    log: std::path::PathBuf,
    client: reqwest::Client,
    key: Option<String>,
}

/// What it answered.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}\n{}", self.headers, self.text);
        self
    }

    /// The answer as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Checks that it is a problem as RFC 9457 has it, and gives its detail.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> String {
        let reply = self.is(status);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"].is_string(), "{problem}");
        problem["detail"].as_str().expect("a detail").to_owned()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("plain text"))
    }
}

impl Serve {
    /// Starts it on a free port.
    pub(crate) fn start(place: &Place, environment: &[(&str, &str)]) -> Self {
        Self::start_with(place, environment, &["--listen", "127.0.0.1:0"])
    }

    pub(crate) fn start_with(place: &Place, environment: &[(&str, &str)], args: &[&str]) -> Self {
        let mut command = command(place, environment, args);
        let log = place.path().join(format!("serve-{:08x}.log", rand::random::<u32>()));
        let child = command.stdout(Stdio::piped()).stderr(File::create(&log).expect("a log")).spawn();
        let mut child = child.expect("the program starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut url).expect("its address");
        let url = url.trim().to_owned();
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(url.starts_with("http"), "it did not begin: {said}");
        let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build();
        Self { child, url, log, client: client.expect("a client"), key: None }
    }

    /// Starts it where it must not begin.
    pub(crate) fn refused(place: &Place, environment: &[(&str, &str)], args: &[&str]) -> Ended {
        Ended::of(command(place, environment, args).output().expect("the program starts"))
    }

    /// The same client with a key.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let (_, rest) = self.url.split_once("://").expect("a URL");
        rest.split('/').next().and_then(|host| host.parse().ok()).expect("an address")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Reply { status, headers, text: response.text().await.expect("a text") }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Asks for the quick suite, and gives the run's name.
    pub(crate) async fn ask(&self) -> String {
        let reply = self.post("/api/test/run", &json!({"test_type": "quick"})).await.is(202);
        reply.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The run as it stands.
    pub(crate) async fn run(&self, id: &str) -> Value {
        self.get(&format!("/api/test/runs/{id}")).await.is(200).json()
    }

    /// Waits until the run is as it should be.
    pub(crate) async fn until(&self, id: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let run = self.run(id).await;
            if is_there(&run) {
                return run;
            }
            assert!(start.elapsed() < PATIENCE, "still {run}\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the run is over.
    pub(crate) async fn over(&self, id: &str) -> Value {
        self.until(id, |run| run["over"] == true).await
    }

    /// Waits until some phrases of the run have their answer.
    pub(crate) async fn under_way(&self, id: &str) -> Value {
        self.until(id, |run| run["progress"]["done"].as_u64().is_some_and(|done| done > 0)).await
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        send(name, &self.child);
    }

    /// Waits until it has ended, and gives its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it tells its metrics.
    pub(crate) fn metrics(&self) -> Metrics {
        let said = self.said();
        let at = said.split("metrics at ").nth(1).and_then(|rest| rest.split(';').next());
        Metrics(at.expect("its address").to_owned())
    }

    /// What it said on stderr.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).expect("its log")
    }
}

/// Where a service tells its metrics.
pub(crate) struct Metrics(String);

impl Metrics {
    /// The `host:port` of it.
    pub(crate) fn address(&self) -> &str {
        self.0.trim_start_matches("http://").split('/').next().expect("an address")
    }

    pub(crate) async fn page(&self) -> String {
        reqwest::get(&self.0).await.expect("an answer").text().await.expect("a page")
    }

    /// The number in the line that begins so.
    pub(crate) async fn number(&self, name: &str) -> Option<f64> {
        let page = self.page().await;
        let number = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        number.map(|number| number.parse().expect("a number"))
    }

    /// Waits until that number is this one.
    pub(crate) async fn until(&self, name: &str, number: f64) {
        let start = Instant::now();
        while self.number(name).await != Some(number) {
            assert!(start.elapsed() < PATIENCE, "{name} is not {number}\n{}", self.page().await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(place: &Place, environment: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = place.command(["serve"].iter().chain(args));
    // Many run at once.
    command.env("METRICS_PORT_TESTING", "0").envs(environment.iter().copied());
    command
}

/// Keeps runs where a service in this place finds them.
pub(crate) async fn keep(place: &Place, records: &[RunRecord]) {
    std::fs::create_dir_all(place.data()).expect("a folder");
    let at = StoreLocation::Sqlite(place.data().join("thrash.db"));
    let store = open(&at, &StoreOptions::default()).await.expect("a store");
    for record in records {
        store.save(record).await.expect("it is kept");
    }
    store.close().await;
}

/// A folder in which `quick` is two phrases that the demo answers well, and no reference holds anybody up.
pub(crate) fn quick_place(more: &str) -> Place {
    let place = Place::new();
    place.easy_suite();
    place.file("suites.yaml", "suites: {quick: {title: Two phrases, files: [easy]}}\n");
    place.file("thrash.yaml", format!("phrases: .\nreference: {{model: none}}\n{more}"));
    place
}

/// A folder in which `quick` is the shipped suite, and no reference holds anybody up.
pub(crate) fn plain_place(more: &str) -> Place {
    let place = Place::new();
    place.file("thrash.yaml", format!("reference: {{model: none}}\n{more}"));
    place
}
