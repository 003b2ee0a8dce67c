//! Prometheus itself, and what belongs to it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::command::Place;

/// The folder with `prometheus`, `promtool` and the Python library.
pub(crate) fn folder() -> PathBuf {
    let folder = std::env::var_os("THRASH_TEST_PROMETHEUS");
    PathBuf::from(folder.expect("Prometheus: run the tests with .ci/test or .ci/prometheus"))
}

/// A running Prometheus; it ends with the value.
pub(crate) struct Prometheus {
    child: Child,
    url: String,
    place: Place,
}

impl Prometheus {
    /// Starts one that scrapes this address (`host:port`) every second, by the alert rules under `docs/`.
    pub(crate) fn scraping(address: &str) -> Self {
        let place = Place::new();
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prometheus/alerts.yaml");
        place.file(
            "prometheus.yml",
            format!(
                "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\n\
                 scrape_configs:\n  - {{job_name: ash-thrash, static_configs: [{{targets: ['{address}']}}]}}\n"
            ),
        );
        let log = std::fs::File::create(place.path().join("log")).expect("a log");
        let child = Command::new(folder().join("prometheus"))
            .args([
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:0",
            ])
            .current_dir(place.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Prometheus starts");
        let mut prometheus = Self { child, url: String::new(), place };
        let start = Instant::now();
        prometheus.url = loop {
            let said = prometheus.said();
            let at = said.split("msg=\"Listening on\" address=").nth(1);
            if let Some((address, _)) = at.and_then(|rest| rest.split_once('\n')) {
                break format!("http://{}", address.trim());
            }
            assert!(start.elapsed() < Duration::from_mins(1), "it does not begin: {said}");
            std::thread::sleep(Duration::from_millis(50));
        };
        prometheus
    }

    /// What it answers to a path of its API; nothing while it is not ready.
    pub(crate) async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let client = reqwest::Client::new();
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/{path}", self.url)).expect("a URL");
        url.query_pairs_mut().extend_pairs(query);
        let answer = client.get(url).send().await.expect("an answer");
        let is_there = answer.status().is_success();
        let text = answer.text().await.expect("a text");
        is_there.then(|| serde_json::from_str::<Value>(&text).expect("JSON")["data"].clone())
    }

    /// Waits until its answer is as it should be.
    pub(crate) async fn until(
        &self,
        path: &str,
        query: &[(&str, &str)],
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let start = Instant::now();
        loop {
            let answer = self.ask(path, query).await.unwrap_or_default();
            if holds(&answer) {
                return answer;
            }
            assert!(start.elapsed() < Duration::from_mins(1), "{path} {query:?}: {answer}\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until this expression has this one number.
    pub(crate) async fn until_number(&self, expression: &str, number: &str) {
        self.until("query", &[("query", expression)], |answer| {
            answer["result"].as_array().is_some_and(|all| all.len() == 1)
                && answer["result"][0]["value"][1] == number
        })
        .await;
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
