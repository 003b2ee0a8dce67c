//! The page of metrics as it is served, read by those for whom it is.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::process::{Serve, quick_place};
use crate::support::command::DemoProcess;
use crate::support::prometheus::{Prometheus, folder};

/// Reads a page to the letter of `OpenMetrics`, and tells the families in it as JSON.
const STRICT_READER: &str = "
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.read())
print(json.dumps({family.name: [family.type, family.unit, family.documentation, len(family.samples)] for family in families}))
";

#[tokio::test]
async fn prometheus_scrapes_it_and_its_alerts_see_a_service_that_misses_somebody() {
    // It says that all is well, whatever it hears.
    let blind = DemoProcess::start(&["--constant", "safe"]);
    let place = quick_place("");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &blind.url)]);
    let run = serve.ask().await;
    let metrics = serve.metrics();
    let prometheus = Prometheus::scraping(metrics.address());
    prometheus.until_number("up", "1").await;
    serve.over(&run).await;

    let labels = "kind=\"accuracy\",suite=\"quick\",demo=\"false\"";
    prometheus.until_number(&format!("thrash_runs_total{{{labels},outcome=\"gate_failed\"}}"), "1").await;
    prometheus.until_number(&format!("thrash_runs_total{{{labels},outcome=\"passed\"}}"), "0").await;
    prometheus.until_number(&format!("thrash_run_accuracy_ratio{{{labels}}}"), "0.5").await;
    prometheus
        .until_number(&format!("thrash_target_latency_seconds_bucket{{{labels},le=\"+Inf\"}}"), "2")
        .await;
    prometheus.until_number("thrash_store_up", "1").await;
    prometheus.until_number("thrash_target_up", "1").await;

    // Every rule can be evaluated over what is really there.
    let evaluated = |answer: &Value| {
        answer["groups"].as_array().is_some_and(|groups| {
            let rules: Vec<&Value> =
                groups.iter().flat_map(|group| group["rules"].as_array().expect("rules")).collect();
            rules.len() >= 15 && rules.iter().all(|rule| rule["health"] == "ok")
        })
    };
    prometheus.until("rules", &[], evaluated).await;
    let state = |name: &str, state: &str| format!("ALERTS{{alertname=\"{name}\",alertstate=\"{state}\"}}");
    prometheus.until_number(&state("DetectionSevereMisses", "firing"), "1").await;
    prometheus.until_number(&state("DetectionAccuracyLow", "pending"), "1").await;
    for name in ["DetectionTargetDown", "ThrashDown", "ThrashStoreAway"] {
        let query = format!("ALERTS{{alertname=\"{name}\"}}");
        let alerts = prometheus.ask("query", &[("query", &query)]).await.expect("an answer");
        assert_eq!(alerts["result"], json!([]), "{name}");
    }
    let targets = prometheus.ask("targets", &[]).await.expect("an answer");
    assert_eq!(targets["activeTargets"][0]["lastError"], "", "{targets}");

    // And it notices when nobody is there any more.
    drop(serve);
    prometheus.until_number("up", "0").await;
    prometheus.until_number(&state("ThrashDown", "pending"), "1").await;
}

#[tokio::test]
async fn the_page_is_open_metrics_to_the_letter() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let run = serve.ask().await;
    serve.over(&run).await;
    let metrics = serve.metrics();
    let labels = "kind=\"accuracy\",suite=\"quick\",target=\"demo\",demo=\"true\"";
    metrics.until(&format!("thrash_runs_total{{{labels},outcome=\"passed\"}}"), 1.0).await;

    let answer = reqwest::get(format!("http://{}/metrics", metrics.address())).await.expect("an answer");
    let media = answer.headers()["content-type"].to_str().expect("plain text").to_owned();
    assert_eq!(media, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let page = answer.text().await.expect("a page");
    let families: Value = serde_json::from_str(&read_strictly(&page).expect("it is sound")).expect("JSON");
    for (name, kind, unit) in [
        ("thrash_runs", "counter", ""),
        ("thrash_run_accuracy_ratio", "gauge", "ratio"),
        ("thrash_target_latency_seconds", "histogram", "seconds"),
        ("thrash_last_run_timestamp_seconds", "gauge", "seconds"),
    ] {
        let family = &families[name];
        assert_eq!((&family[0], &family[1]), (&json!(kind), &json!(unit)), "{name}: {families}");
        assert!(
            family[2].as_str().is_some_and(|help| help.len() > 10) && family[3].as_u64() > Some(0),
            "{family}"
        );
    }
    // The reader does refuse what is none.
    for broken in [page.replace("# EOF\n", ""), page.replacen("thrash_runs_total{", "thrash_runs{", 1)] {
        assert!(read_strictly(&broken).is_err());
    }
}

fn read_strictly(page: &str) -> Result<String, String> {
    let mut python = Command::new("python3")
        .args(["-c", STRICT_READER])
        .env("PYTHONPATH", folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    python.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("a text");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
