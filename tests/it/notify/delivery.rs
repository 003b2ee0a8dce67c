//! From the outbox to channels that misbehave.

use std::time::{Duration, Instant};

use base64::Engine;
use chrono::{TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thrash::domain::Secret;
use thrash::notify::{
    Channel, ChannelKind, Delivered, Event, Notifier, NotifyOptions, Outcome, QuietHours, Severity,
};

use super::{CRITICAL, WARNING, channel, found, minute, notifier};
use crate::store::place::{Place, PostgresPlace, SqlitePlace};
use crate::support::server::{Reply, Server};

const WELL: Delivered = Delivered { sent: 1, failed: 0, given_up: 0 };
const AGAIN: Delivered = Delivered { sent: 0, failed: 1, given_up: 0 };
const NOTHING: Delivered = Delivered { sent: 0, failed: 0, given_up: 0 };

fn to(server: &Server) -> Channel {
    channel("ops", ChannelKind::Webhook, &format!("{}/hook/secret-word", server.url()))
}

fn fine() -> Server {
    Server::start(|_| Reply::answer(204, &[], ""))
}

fn events(server: &Server) -> Vec<String> {
    let event = |seen: &crate::support::server::Seen| seen.json()["event"].as_str().unwrap().to_owned();
    server.requests().iter().map(event).collect()
}

#[tokio::test]
async fn what_is_critical_goes_at_once_and_a_warning_when_it_has_lasted() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let (store, notifier) = (place.open().await, notifier(vec![to(&server)]));
    assert_eq!(notifier.observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap(), Some(Event::Broke));
    assert_eq!(notifier.deliver(&*store, minute(0)).await.unwrap(), WELL);
    notifier.observe(&*store, &found(1, Outcome::Passed), minute(1)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(1)).await.unwrap(), WELL);

    notifier.observe(&*store, &found(10, WARNING), minute(10)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(14)).await.unwrap(), NOTHING);
    assert_eq!(notifier.deliver(&*store, minute(15)).await.unwrap(), WELL);
    assert_eq!(events(&server), ["broke", "well", "broke"]);
}

#[tokio::test]
async fn a_warning_that_mends_itself_in_time_is_never_told() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let (store, notifier) = (place.open().await, notifier(vec![to(&server)]));
    notifier.observe(&*store, &found(0, WARNING), minute(0)).await.unwrap();
    notifier.observe(&*store, &found(4, Outcome::Passed), minute(4)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(60)).await.unwrap(), NOTHING);
    assert_eq!(server.requests().len(), 0);
    assert_eq!(store.outbox_counts().await.unwrap().cancelled, 1);
}

#[tokio::test]
async fn a_warning_that_gets_critical_is_told_as_that_alone() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let (store, notifier) = (place.open().await, notifier(vec![to(&server)]));
    notifier.observe(&*store, &found(0, WARNING), minute(0)).await.unwrap();
    notifier.observe(&*store, &found(2, CRITICAL), minute(2)).await.unwrap();
    notifier.deliver(&*store, minute(2)).await.unwrap();
    notifier.deliver(&*store, minute(60)).await.unwrap();
    assert_eq!(events(&server), ["worse"]);
}

#[tokio::test]
async fn a_thousand_failing_runs_send_one_message() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let (store, notifier) = (place.open().await, notifier(vec![to(&server)]));
    for minutes in 0..1_000 {
        notifier.observe(&*store, &found(minutes, CRITICAL), minute(minutes)).await.unwrap();
    }
    notifier.deliver(&*store, minute(1_000)).await.unwrap();
    assert_eq!(events(&server), ["broke"]);
}

#[tokio::test]
async fn quiet_hours_keep_all_but_what_is_critical_until_they_are_over() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let store = place.open().await;
    let quiet: QuietHours = serde_yaml::from_str("{from: '11:00', to: '13:00', zone: UTC}").unwrap();
    let mut channel = to(&server);
    channel.quiet = Some(quiet);
    let notifier = notifier(vec![channel]);
    notifier.observe(&*store, &found(0, WARNING), minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(59)).await.unwrap(), NOTHING);
    notifier.observe(&*store, &found(30, CRITICAL), minute(30)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(30)).await.unwrap(), WELL);
    assert_eq!(events(&server), ["worse"]);
}

#[tokio::test]
async fn what_could_not_begin_is_told_in_these_words() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let (store, notifier) = (place.open().await, notifier(vec![to(&server)]));
    notifier.observe(&*store, &found(0, Outcome::NotBegun), minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(5)).await.unwrap(), WELL);
    let title = "Warning: quick against ash-nlp in staging came to nothing";
    assert_eq!(server.requests()[0].json()["title"], title);
}

#[tokio::test]
async fn a_critical_break_does_not_wait_for_good_news_that_cannot_be_sent() {
    let server = Server::start(|seen| match seen.number {
        1 => Reply::answer(503, &[], ""),
        _ => Reply::answer(204, &[], ""),
    });
    let (place, notifier) = (SqlitePlace::fresh().await, notifier(vec![to(&server)]));
    let store = place.open().await;
    notifier.observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(0)).await.unwrap(), WELL);
    notifier.observe(&*store, &found(1, Outcome::Passed), minute(1)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(1)).await.unwrap(), AGAIN);
    let mut broken = found(2, CRITICAL);
    broken.at = minute(1) + TimeDelta::seconds(1);
    notifier.observe(&*store, &broken, minute(1)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(1)).await.unwrap(), WELL);
    assert_eq!(notifier.deliver(&*store, minute(60)).await.unwrap(), NOTHING);
    assert_eq!(events(&server), ["broke", "well", "broke"]);
    notifier.observe(&*store, &found(61, Outcome::Passed), minute(61)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(61)).await.unwrap(), WELL);
}

#[tokio::test]
async fn whoever_heard_of_a_trouble_hears_that_it_is_over_though_a_lesser_one_came_between() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let store = place.open().await;
    let mut pager = to(&server);
    pager.least = Severity::Critical;
    let notifier = notifier(vec![pager]);
    notifier.observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(0)).await.unwrap(), WELL);
    // Before anybody could say that it is well, it is a bit broken again.
    notifier.observe(&*store, &found(1, Outcome::Passed), minute(1)).await.unwrap();
    notifier.observe(&*store, &found(2, WARNING), minute(2)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(30)).await.unwrap(), NOTHING, "it is not well");
    notifier.observe(&*store, &found(31, Outcome::Passed), minute(31)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(31)).await.unwrap(), WELL);
    assert_eq!(events(&server), ["broke", "well"]);
}

#[tokio::test]
async fn messages_to_a_channel_that_is_gone_are_given_up_when_they_are_no_news() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let store = place.open().await;
    notifier(vec![to(&server)]).observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap();
    let without = notifier(Vec::new());
    assert_eq!(without.deliver(&*store, minute(1)).await.unwrap(), NOTHING);
    assert_eq!(
        without.give_up(&*store, minute(60)).await.unwrap(),
        0,
        "another instance may know the channel"
    );
    assert_eq!(without.give_up(&*store, minute(24 * 60 + 1)).await.unwrap(), 1);
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.waiting, counts.given_up), (0, 1));
}

#[tokio::test]
async fn a_channel_gets_what_is_heavy_enough_for_it() {
    let (place, server) = (SqlitePlace::fresh().await, fine());
    let store = place.open().await;
    let mut pager = to(&server);
    pager.least = Severity::Critical;
    let notifier = notifier(vec![pager]);
    notifier.observe(&*store, &found(0, WARNING), minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(60)).await.unwrap(), NOTHING);
    notifier.observe(&*store, &found(61, Outcome::Passed), minute(61)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(61)).await.unwrap(), NOTHING, "no good news without bad");
    notifier.observe(&*store, &found(62, CRITICAL), minute(62)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(62)).await.unwrap(), WELL);
}

#[tokio::test]
async fn a_429_is_waited_out_for_as_long_as_it_asks() {
    let server = Server::start(|seen| match seen.number {
        0 => Reply::answer(429, &[("retry-after", "180")], r#"{"retry_after": 180}"#),
        _ => Reply::answer(204, &[], ""),
    });
    let (place, notifier) = (SqlitePlace::fresh().await, notifier(vec![to(&server)]));
    let store = place.open().await;
    notifier.observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap();
    assert_eq!(notifier.deliver(&*store, minute(0)).await.unwrap(), AGAIN);
    assert_eq!(notifier.deliver(&*store, minute(0) + TimeDelta::seconds(179)).await.unwrap(), NOTHING);
    assert_eq!(notifier.deliver(&*store, minute(4)).await.unwrap(), WELL);
    let requests = server.requests();
    assert_eq!(
        requests[0].header("webhook-id"),
        requests[1].header("webhook-id"),
        "one message, two attempts"
    );
}

#[tokio::test]
async fn errors_are_tried_again_until_it_has_taken_too_long() {
    let server = Server::start(|_| Reply::answer(500, &[], "no"));
    let place = SqlitePlace::fresh().await;
    let store = place.open().await;
    let options = NotifyOptions {
        channels: vec![to(&server)],
        give_up_after: Duration::from_hours(1),
        ..NotifyOptions::default()
    };
    let notifier = Notifier::new(options).unwrap();
    notifier.observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap();
    let mut all = Delivered::default();
    for seconds in (0..7_200).step_by(5) {
        let now = minute(0) + TimeDelta::seconds(seconds);
        let one = notifier.deliver(&*store, now).await.unwrap();
        all.failed += one.failed;
        all.given_up += one.given_up;
    }
    assert_eq!(all.given_up, 1);
    assert!((5..20).contains(&all.failed), "{all:?}");
    assert_eq!(server.requests().len() as u64, all.failed + 1);
    assert_eq!(store.outbox_counts().await.unwrap().given_up, 1);
}

#[tokio::test]
async fn closed_hanging_and_endless_answers_are_bounded_and_name_no_url() {
    let reset = Server::start(|_| Reply::default().then_reset());
    let silent = Server::start(|_| Reply::silence());
    let huge = Server::start(|_| {
        Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n")
            .then_for_ever(vec![b'x'; 1 << 16], Duration::ZERO)
    });
    let moved = Server::start(|_| Reply::answer(302, &[("location", "http://127.0.0.1:1/elsewhere")], ""));
    let gone = Server::start(|_| Reply::answer(404, &[], "secret-word"));
    let closed = {
        let server = fine();
        to(&server)
    };
    let start = Instant::now();
    for (channel, words) in [
        (to(&reset), Some("channel `ops`: ")),
        (to(&silent), Some("no answer came within 10s")),
        (to(&moved), Some("HTTP 302, and redirects are not followed")),
        (to(&gone), Some("HTTP 404: is its URL still right?")),
        (closed, Some("channel `ops`: ")),
        (to(&huge), None),
    ] {
        let sent = notifier(vec![channel.clone()]).test(&channel, minute(0)).await;
        match (sent, words) {
            (Err(error), Some(words)) => {
                let text = format!("{error} {error:?}");
                assert!(text.contains(words), "{text}");
                assert!(!text.contains("secret-word") && !text.contains("127.0.0.1"), "{text}");
            }
            (sent, words) => assert!(sent.is_ok() && words.is_none(), "{sent:?}"),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(huge.bytes_sent() < 64 << 20, "the answer's body is not read");
}

#[tokio::test]
async fn a_channel_that_hangs_holds_up_no_other() {
    let (silent, fine) = (Server::start(|_| Reply::silence()), fine());
    let place = SqlitePlace::fresh().await;
    let store = place.open().await;
    let slow = channel("slow", ChannelKind::Slack, &silent.url());
    let notifier = notifier(vec![slow, to(&fine)]);
    // By the clock that it works by: a message from long ago is no news.
    notifier.observe(&*store, &found(0, CRITICAL), Utc::now()).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let working = notifier.work(&*store, &stop);
    let watching = async {
        let start = Instant::now();
        while fine.requests().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(8), "it waited for the other one");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    tokio::join!(working, watching);
    assert_eq!(events(&fine), ["broke"]);
}

#[tokio::test]
async fn a_signature_is_over_id_time_and_body() {
    let server = fine();
    let key = Secret::new("whsec_c2VjcmV0IGtleSBvZiB0aGlydHktdHdvIGJ5dGVz");
    let url = Secret::new(server.url());
    let channel = Channel::new("own", ChannelKind::Webhook, &url, Some(&key)).unwrap();
    notifier(vec![channel.clone()]).test(&channel, minute(0)).await.unwrap();
    let seen = server.requests().remove(0);
    let (id, time) = (seen.header("webhook-id").unwrap(), seen.header("webhook-timestamp").unwrap());
    assert_eq!(time, minute(0).timestamp().to_string());
    let mut code = Hmac::<Sha256>::new_from_slice(b"secret key of thirty-two bytes").unwrap();
    code.update(format!("{id}.{time}.").as_bytes());
    code.update(&seen.body);
    let expected = base64::prelude::BASE64_STANDARD.encode(code.finalize().into_bytes());
    assert_eq!(seen.header("webhook-signature"), Some(format!("v1,{expected}").as_str()));
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn what_is_in_the_outbox_outlives_the_process_and_two_of_them_send_it_once() {
    let (place, server) = (PostgresPlace::fresh().await, fine());
    {
        let store = place.open().await;
        notifier(vec![to(&server)]).observe(&*store, &found(0, CRITICAL), minute(0)).await.unwrap();
        store.close().await;
    }
    let (one_store, other_store) = (place.open().await, place.open().await);
    let (one, other) = (notifier(vec![to(&server)]), notifier(vec![to(&server)]));
    for minutes in 1..30 {
        let mut finding = found(minutes, CRITICAL);
        finding.series.suite = format!("suite-{minutes}");
        // Both hear of it, as a job that was run again would make them.
        let (a, b) = tokio::join!(
            one.observe(&*one_store, &finding, minute(minutes)),
            other.observe(&*other_store, &finding, minute(minutes)),
        );
        assert_eq!([a.unwrap(), b.unwrap()].into_iter().flatten().count(), 1);
    }
    for minutes in (31..60).step_by(2) {
        let (a, b) = tokio::join!(
            one.deliver(&*one_store, minute(minutes)),
            other.deliver(&*other_store, minute(minutes)),
        );
        a.unwrap();
        b.unwrap();
    }
    let mut ids: Vec<String> =
        server.requests().iter().map(|seen| seen.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 30);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}
