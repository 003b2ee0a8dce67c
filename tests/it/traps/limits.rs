//! Targets that want to be asked less.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use thrash::domain::{Conclusion, Level, NoAnswerReason, RunEvent, RunStatus};
use thrash::target::AskOptions;

use super::scripted::{
    ask, calm, connect, contract_with, failures, level, no_answer, options, phrases, run, run_options, target,
};
use crate::support::server::{Reply, Server};

fn too_many(headers: &[(&str, &str)]) -> Reply {
    Reply::answer(429, headers, r#"{"level": "none"}"#)
}

fn with(change: impl FnOnce(&mut AskOptions)) -> AskOptions {
    let mut options = options();
    change(&mut options);
    options
}

/// Asks a server that answers 429 once, and gives the time between the two requests.
async fn wait_after(headers: &'static [(&'static str, &'static str)]) -> Duration {
    let server = Server::start(move |seen| if seen.number == 0 { too_many(headers) } else { level("low") });
    let seen = ask(&target(&server)).await;
    assert_eq!(failures(&seen), [Some(NoAnswerReason::RateLimited), None]);
    assert_eq!(seen.answer.level(), Some(Level::Low));
    let requests = server.requests();
    requests[1].at - requests[0].at
}

#[tokio::test]
async fn a_429_is_waited_out_as_long_as_it_asks() {
    let wait = wait_after(&[("retry-after", "1")]).await;
    assert!((1.0..4.0).contains(&wait.as_secs_f64()), "{wait:?}");
}

#[tokio::test]
async fn a_429_may_name_a_date() {
    let server = Server::start(|seen| {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
        if seen.number == 0 { too_many(&[("retry-after", &date)]) } else { calm() }
    });
    ask(&target(&server)).await;
    let requests = server.requests();
    let wait = requests[1].at - requests[0].at;
    // The date has no fractions of a second: up to one is cut off.
    assert!((0.9..5.0).contains(&wait.as_secs_f64()), "{wait:?}");
}

#[tokio::test]
async fn a_429_that_names_no_wait_or_nonsense_is_waited_out_briefly() {
    const NONSENSE: [&[(&str, &str)]; 5] = [
        &[],
        &[("retry-after", "0")],
        &[("retry-after", "soon")],
        &[("retry-after", "1e9")],
        &[("retry-after", "Fri, 20 Nov 1998 12:00:00 GMT")],
    ];
    for headers in NONSENSE {
        let wait = wait_after(headers).await;
        assert!((0.1..2.0).contains(&wait.as_secs_f64()), "{headers:?}: {wait:?}");
    }
}

#[tokio::test]
async fn a_wait_that_is_absurd_stops_neither_this_phrase_nor_the_next() {
    for asked in ["1000000000", "18446744073709551615", "99999999999999999999999999"] {
        let server = Server::start(move |_| too_many(&[("retry-after", asked)]));
        let target =
            connect(contract_with(&server.url(), ""), with(|o| o.patience = Duration::from_millis(300)));
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(no_answer(&ask(&target).await).0, NoAnswerReason::RateLimited);
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{asked}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_wait_beyond_the_patience_is_not_begun() {
    let server = Server::start(|_| too_many(&[("retry-after", "600")]));
    let start = Instant::now();
    let (record, _) = run(target(&server), phrases(40), run_options(40)).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!((record.status, record.verdict.conclusion), (RunStatus::Aborted, Conclusion::TargetFailed));
    assert!(server.requests().len() < 40);
}

#[tokio::test]
async fn nothing_but_429_ends_with_nothing_counted_as_right() {
    let server = Server::start(|_| too_many(&[]));
    let target = connect(contract_with(&server.url(), ""), with(|o| o.patience = Duration::from_millis(500)));
    let (record, told) = run(target, phrases(60), run_options(60)).await;
    assert_eq!((record.status, record.verdict.conclusion), (RunStatus::Aborted, Conclusion::TargetFailed));
    assert_eq!(record.metrics.accuracy.count, 0);
    assert_eq!(record.metrics.verdicts.unanswered, record.metrics.phrases);
    assert!(record.results.iter().all(|result| result.level.is_none()));
    assert!(record.integrity.rate_limited >= 20);
    assert_eq!(record.integrity.not_sent + record.metrics.phrases, 60);
    assert!(told.iter().any(|event| matches!(event, RunEvent::Slowed { .. })));
    assert!(told.iter().any(|event| matches!(event, RunEvent::GivenUp { .. })));
}

/// Admits so many requests in any window of the given length.
fn limiter(most: usize, window: Duration) -> impl Fn() -> bool + Send + Sync {
    let admitted = Mutex::new(VecDeque::new());
    move || {
        let (mut admitted, now) = (admitted.lock().unwrap(), Instant::now());
        admitted.retain(|at| now - *at < window);
        let free = admitted.len() < most;
        if free {
            admitted.push_back(now);
        }
        free
    }
}

#[tokio::test]
async fn a_limited_target_slows_the_run_and_every_phrase_is_answered() {
    let free = limiter(10, Duration::from_millis(400));
    let server = Server::start(move |_| if free() { calm() } else { too_many(&[("retry-after", "0.2")]) });
    let (record, told) = run(target(&server), phrases(40), run_options(40)).await;
    assert_eq!(record.status, RunStatus::Completed);
    assert_eq!(record.metrics.unanswered_rate.count, 0);
    assert_eq!(record.metrics.accuracy.count, 40);
    assert!(record.integrity.rate_limited > 0);
    assert!(record.duration_ms >= 1_200.0, "{}", record.duration_ms);
    assert!(told.iter().any(|event| matches!(event, RunEvent::Slowed { .. })));
}

#[tokio::test]
async fn a_429_halves_what_is_in_flight() {
    // Sixteen at once are too many for it; four are not.
    let server = Server::start(|seen| match seen.number {
        0..16 => too_many(&[("retry-after", "0.2")]).after(Duration::from_millis(50)),
        _ => calm().after(Duration::from_millis(50)),
    });
    let target = connect(contract_with(&server.url(), ""), with(|o| o.concurrency = 16));
    let mut run_options = run_options(40);
    run_options.concurrency = 16;
    let (record, _) = run(target, phrases(40), run_options).await;
    assert_eq!(record.metrics.unanswered_rate.count, 0);
    assert_eq!(server.most_in_flight(), 16);
    let requests = server.requests();
    let pause = requests[15].at + Duration::from_millis(150);
    let after: Vec<Instant> = requests.iter().map(|seen| seen.at).filter(|at| *at > pause).collect();
    let first_wave = after.iter().filter(|at| **at - after[0] < Duration::from_millis(40)).count();
    assert!((1..=8).contains(&first_wave), "{first_wave} at once after the 429");
}

#[tokio::test]
async fn concurrency_is_what_was_asked_and_never_more() {
    for (asked, contract, expected) in [(3, "", 3), (8, "limits: {concurrency: 2}", 2)] {
        let server = Server::start(|_| calm().after(Duration::from_millis(20)));
        let target = connect(contract_with(&server.url(), contract), with(|o| o.concurrency = asked));
        let mut run_options = run_options(30);
        run_options.concurrency = 8;
        run(target, phrases(30), run_options).await;
        assert_eq!(server.most_in_flight(), expected);
        assert!(server.connections() <= expected + 1, "connections are used again");
    }
}

/// That the server saw requests at 40 a second at most. A machine under load may deliver one late and the next in
/// time, so a few in a row may be closer than the whole.
fn assert_forty_a_second(server: &Server) {
    let requests = server.requests();
    let whole = requests[requests.len() - 1].at - requests[0].at;
    let nominal = Duration::from_millis(25) * u32::try_from(requests.len() - 1).unwrap();
    assert!(whole >= nominal * 8 / 10, "{} requests within {whole:?}", requests.len());
    let eleven = requests.windows(11).map(|many| many[10].at - many[0].at).min().expect("enough requests");
    assert!(eleven >= Duration::from_millis(100), "eleven requests within {eleven:?}");
}

#[tokio::test]
async fn a_rate_is_never_exceeded_health_and_cache_looks_included() {
    for (rate, more) in [(Some(40.0), ""), (None, "limits: {rate: 40}"), (Some(1e9), "limits: {rate: 40}")] {
        let server = Server::start(|seen| {
            // Some fail and are tried again: these attempts count as well.
            if seen.number % 10 == 3 { Reply::answer(502, &[], "") } else { calm() }
        });
        let more = format!("{more}\ncache: {{answer_id: body.id}}");
        let target = connect(contract_with(&server.url(), &more), with(|o| o.rate = rate));
        let (record, _) = run(target, phrases(30), run_options(30)).await;
        assert_eq!(record.metrics.unanswered_rate.count, 0);
        assert_forty_a_second(&server);
    }
}

#[tokio::test]
async fn asking_for_a_decision_keeps_to_the_rate_as_well() {
    let server = Server::start(|seen| {
        if seen.method == "POST" {
            Reply::json(202, &serde_json::json!({"url": format!("/events/{}", seen.number)}))
        } else {
            Reply::json(200, &serde_json::json!({"done": seen.number > 20, "level": "none"}))
        }
    });
    let more = "limits: {rate: 40}\npoll: {url: body.url, done: body.done, interval: 1ms, deadline: 5s}";
    let target = connect(contract_with(&server.url(), more), options());
    let (record, _) = run(target, phrases(8), run_options(8)).await;
    assert_eq!(record.metrics.unanswered_rate.count, 0);
    assert_forty_a_second(&server);
}

#[tokio::test]
async fn a_tiny_rate_does_no_harm() {
    let server = Server::start(|_| calm());
    let target = connect(contract_with(&server.url(), ""), with(|o| o.rate = Some(1e-300)));
    assert_eq!(ask(&target).await.answer.level(), Some(Level::None));
}

#[tokio::test]
async fn two_hundred_workers_through_few_slots_all_come_home() {
    let server = Server::start(|seen| match seen.number {
        0..40 => too_many(&[("retry-after", "0")]),
        _ => calm(),
    });
    let target = connect(contract_with(&server.url(), ""), with(|o| o.concurrency = 200));
    let mut run_options = run_options(600);
    run_options.concurrency = 200;
    let (record, _) = run(target, phrases(600), run_options).await;
    assert_eq!((record.status, record.metrics.accuracy.count), (RunStatus::Completed, 600));
}
