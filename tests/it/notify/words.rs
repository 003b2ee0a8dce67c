//! The words of each channel: what fits, what calls nobody, what is never said.

use serde_json::Value;
use thrash::domain::{CheckSource, Conclusion, Secret};
use thrash::notify::{
    Channel, ChannelError, ChannelKind, Finding, Notifier, NotifyOptions, Outcome, Severity,
};

use super::{CRITICAL, channel, found, minute, notifier};
use crate::store::place::{Place, SqlitePlace};
use crate::support::sample::{Sample, record};
use crate::support::server::{Reply, Server};

/// What each kind of channel is sent of a finding.
async fn sent(finding: &Finding) -> [Value; 3] {
    let server = Server::start(|_| Reply::answer(204, &[], ""));
    let of = |kind, path: &str| channel(path, kind, &format!("{}/{path}", server.url()));
    let channels = vec![
        of(ChannelKind::Discord, "discord"),
        of(ChannelKind::Slack, "slack"),
        of(ChannelKind::Webhook, "webhook"),
    ];
    let public_url = Some("https://thrash.example/base/".to_owned());
    let options = NotifyOptions { channels, public_url, ..NotifyOptions::default() };
    let notifier = Notifier::new(options).unwrap();
    let place = SqlitePlace::fresh().await;
    let store = place.open().await;
    notifier.observe(&*store, finding, minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(30)).await.unwrap().sent, 3);
    let requests = server.requests();
    ["/discord", "/slack", "/webhook"]
        .map(|path| requests.iter().find(|seen| seen.path == path).expect("it was sent there").json())
}

#[tokio::test]
async fn a_failed_run_is_told_with_its_numbers_its_limits_and_its_page() {
    let record = record();
    let finding = Finding::of(&record);
    assert_eq!(finding.outcome, CRITICAL);
    let [discord, slack, webhook] = sent(&finding).await;
    let page = format!("https://thrash.example/base/runs/{}", record.id);
    let embed = &discord["embeds"][0];
    assert_eq!(embed["url"], page);
    assert!(embed["title"].as_str().unwrap().starts_with("Critical\\: quick against ash-nlp"), "{embed}");
    assert_eq!(discord["allowed_mentions"], serde_json::json!({"parse": []}));
    let text = slack["text"].as_str().unwrap();
    for words in
        ["quick against ash-nlp", "accuracy >= 92%", "84.0 % [65.3, 93.6]", "21 of 25 phrases right", &page]
    {
        assert!(text.replace("&gt;", ">").contains(words), "no `{words}` in: {text}");
    }
    assert_eq!(webhook["event"], "broke");
    assert_eq!(webhook["severity"], "critical");
    assert_eq!(webhook["series"]["suite"], "quick");
    assert_eq!(webhook["run"], record.id.as_str());
    assert_eq!(webhook["link"], page);
}

#[tokio::test]
async fn no_phrases_text_is_in_any_message() {
    let mut record = record();
    let secret = "tonight nobody will find me";
    for result in &mut record.results {
        result.text = Some(secret.to_owned());
    }
    for body in sent(&Finding::of(&record)).await {
        assert!(!body.to_string().contains("nobody will find"), "{body}");
    }
}

#[test]
fn severity_follows_from_what_failed() {
    let with = |change: &dyn Fn(&mut thrash::domain::RunRecord)| {
        let mut record = Sample::quick().record();
        record.verdict.conclusion = Conclusion::GateFailed;
        change(&mut record);
        Finding::of(&record).outcome
    };
    let only = |source: CheckSource, metric: &'static str| {
        with(&move |record| {
            let mut check =
                record.verdict.checks.iter().find(|check| !check.reason.is_empty()).unwrap().clone();
            check.outcome = thrash::domain::CheckOutcome::Fail;
            check.severity = thrash::domain::CheckSeverity::Fail;
            (check.source, check.metric, check.slice) = (source, metric.to_owned(), None);
            record.verdict.checks = vec![check];
        })
    };
    for metric in ["accuracy", "false_negative_rate", "severe_miss_rate", "unanswered_rate"] {
        assert_eq!(only(CheckSource::Gate, metric), CRITICAL, "{metric}");
    }
    for metric in ["false_positive_rate", "latency_p95", "perturbation_flip_rate"] {
        assert_eq!(only(CheckSource::Gate, metric), Outcome::Failed(Severity::Warning), "{metric}");
    }
    assert_eq!(only(CheckSource::MustPass, "must_pass"), CRITICAL);
    assert_eq!(only(CheckSource::Waiver, "accuracy"), Outcome::Failed(Severity::Warning));
    assert_eq!(Finding::of(&Sample::target_down().record()).outcome, Outcome::Away);
    assert_eq!(Finding::of(&Sample::interrupted().record()).outcome, Outcome::Unknown);
    assert_eq!(Finding::of(&Sample::all_right().record()).outcome, Outcome::Passed);
}

#[tokio::test]
async fn names_call_nobody_and_bring_nothing_of_their_own() {
    let mut finding = found(0, CRITICAL);
    finding.series.suite = "@everyone <!channel> **bold** [a](https://evil.example)\u{202e}".to_owned();
    finding.facts = vec!["<@123> ```code``` a & b\nsecond line\r\u{7}".to_owned()];
    let [discord, slack, _] = sent(&finding).await;
    let embed = discord["embeds"][0].to_string();
    assert!(
        !embed.contains("@everyone") && !embed.contains("**bold**") && !embed.contains("](https"),
        "{embed}"
    );
    let text = slack["text"].as_str().unwrap();
    assert!(!text.contains("<!channel>") && !text.contains("<@123>") && text.contains("a &amp; b"), "{text}");
    for body in [embed, text.to_owned()] {
        assert!(!body.contains('\u{202e}') && !body.contains('\u{7}'), "{body}");
    }
}

#[tokio::test]
async fn the_longest_message_fits() {
    let mut finding = found(0, CRITICAL);
    finding.series.suite = "*".repeat(5_000);
    finding.sentence = "_".repeat(5_000);
    finding.facts = vec!["\u{1f4a5}@".repeat(3_000); 200];
    let [discord, slack, webhook] = sent(&finding).await;
    let count = |value: &Value| value.as_str().unwrap().chars().count();
    let embed = &discord["embeds"][0];
    assert!(count(&embed["title"]) <= 256 && count(&embed["description"]) <= 4096);
    assert!(count(&slack["text"]) <= 4000);
    assert!(webhook.to_string().len() < 500_000);
}

#[test]
fn a_channel_is_safe_or_none_and_never_prints_its_url() {
    use ChannelKind::{Discord, Webhook};
    let new = |kind, url: &str, key: Option<&str>| {
        Channel::new("c", kind, &Secret::new(url), key.map(Secret::new).as_ref())
    };
    for url in [
        "https://discord.com/api/webhooks/1/word",
        "http://127.0.0.1:9/x",
        "http://[::1]:9/",
        "http://localhost/",
    ] {
        let channel = new(Discord, url, None).unwrap();
        assert!(!format!("{channel:?}").contains("word"));
    }
    for url in [
        "http://discord.com/x",
        "http://10.0.0.1/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.nip.io/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ] {
        assert_eq!(new(Discord, url, None), Err(ChannelError::NotSafe), "{url}");
    }
    for url in ["", "discord.com", "https://", "https://hooks.example:0/a"] {
        assert_eq!(new(Discord, url, None), Err(ChannelError::NoUrl), "{url}");
    }
    assert_eq!(new(Discord, "https://h/", Some("k")), Err(ChannelError::KeyNotWanted));
    assert_eq!(new(Webhook, "https://h/", Some("whsec_!")), Err(ChannelError::Key));
    let signed = new(Webhook, "https://h/", Some("geheim")).unwrap();
    assert!(!format!("{signed:?}").contains("geheim"));
}

#[tokio::test]
async fn a_test_message_says_that_it_is_one() {
    let server = Server::start(|_| Reply::answer(200, &[], "ok"));
    let channel = channel("ops", ChannelKind::Slack, &server.url());
    notifier(vec![channel.clone()]).test(&channel, minute(0)).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let text = requests[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Test") && text.contains("Nothing is broken"), "{text}");
}
