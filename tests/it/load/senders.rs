//! The process that sends for users when it stands still or dies: nothing is known of the target, and it is said why.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::users::{count, ended, find_sender, is_gone, sender, signal, under_way};
use super::workers::Field;
use super::{ms, place, record, right, wait_for_requests};
use crate::support::command::send;
use crate::support::server::Server;

fn limits(record: &Value) -> String {
    record["load"]["generator"]["limits"].to_string()
}

#[test]
fn users_who_stood_still_pass_nothing_and_waited_for_no_rate() {
    let server = Server::start(|seen| right(seen).after(ms(5)));
    let place = place(
        "model: users\nusers: 4\nduration: 6s\nthink_time: 100ms\nmax_rate: 200/s\ngates: [error_rate <= 1%]\n",
    );
    let run = under_way(&place, &server, 30);
    let sender = sender(&run);
    signal("STOP", sender);
    std::thread::sleep(ms(2000));
    signal("CONT", sender);
    ended(run).exits(4);
    let record = record(&place);
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
    assert!(limits(&record).contains("this program stood still for "), "{}", limits(&record));
    assert!(record["load"]["held_back"].as_f64().unwrap() < 0.05, "{}", record["load"]["held_back"]);
}

#[tokio::test]
async fn a_worker_whose_users_stood_still_sent_another_load() {
    let server = Server::start(|seen| right(seen).after(ms(5)));
    let field = Field::new(
        "model: users\nusers: 4\nduration: 6s\nthink_time: 100ms\ngates: [error_rate <= 1%]\n",
        &server,
    )
    .await;
    let run = field.begin(2, &[]);
    let workers = field.workers(2);
    wait_for_requests(&server, 20);
    let sender = sender(&workers[0]);
    signal("STOP", sender);
    std::thread::sleep(ms(2000));
    signal("CONT", sender);
    ended(run).exits(4);
    for worker in workers {
        ended(worker).exits(0);
    }
    let record = field.record();
    assert!(limits(&record).contains("this program stood still for "), "{}", limits(&record));
    assert!(count(&record, "answered") > 20);
}

#[test]
fn users_who_are_not_heard_any_more_end_the_run_and_what_they_told_is_kept() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let place = place("model: users\nusers: 2\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let run = under_way(&place, &server, 400);
    let sender = sender(&run);
    signal("STOP", sender);
    let start = Instant::now();
    let ended = ended(run).exits(4).complains(&["was silent for"]);
    assert!(start.elapsed() < Duration::from_secs(15), "it took {:?}", start.elapsed());
    assert!(ended.stdout.contains("the process that sends was silent for"), "{}", ended.stdout);
    let record = record(&place);
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
    assert!(count(&record, "answered") > 20, "what was seen until then: {}", record["load"]["counts"]);
    is_gone(sender, Duration::from_secs(2));
}

#[test]
fn users_who_are_not_heard_from_the_beginning_end_the_run_as_soon() {
    let server = Server::start(right);
    let place = place("model: users\nusers: 2\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let run = under_way(&place, &server, 0);
    let start = Instant::now();
    // Not before it is itself: until then whoever starts it waits for it.
    let sender = loop {
        let begun = find_sender(&run).filter(|sender| {
            let arguments = std::fs::read_to_string(format!("/proc/{sender}/cmdline"));
            arguments.is_ok_and(|arguments| arguments.contains("send-users"))
        });
        if let Some(sender) = begun {
            break sender;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nobody is to send");
    };
    signal("STOP", sender);
    ended(run).exits(4).complains(&["the process that sends was silent for"]);
    assert!(start.elapsed() < Duration::from_secs(25), "it took {:?}", start.elapsed());
    assert!(server.requests().is_empty(), "it was stopped before it sent anything");
    is_gone(sender, Duration::from_secs(2));
}

#[test]
fn a_second_signal_keeps_what_users_told_who_are_not_heard_any_more() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let place = place("model: users\nusers: 2\nduration: 60s\ngates: [error_rate <= 1%]\n");
    let run = under_way(&place, &server, 400);
    let sender = sender(&run);
    signal("STOP", sender);
    send("INT", &run);
    std::thread::sleep(ms(300));
    send("INT", &run);
    ended(run).exits(130);
    assert!(count(&record(&place), "answered") > 20);
    is_gone(sender, Duration::from_secs(2));
}

#[tokio::test]
async fn a_worker_whose_sender_dies_fails_and_says_so() {
    let server = Server::start(|seen| right(seen).after(ms(10)));
    let field =
        Field::new("model: users\nusers: 4\nduration: 60s\ngates: [error_rate <= 1%]\n", &server).await;
    let run = field.begin(2, &[]);
    let mut workers = field.workers(2).into_iter();
    let (first, second) = (workers.next().unwrap(), workers.next().unwrap());
    wait_for_requests(&server, 100);
    signal("KILL", sender(&first));
    let shown = ended(run).exits(4);
    let why = "worker 0 was cut short: the process that sends ended before its time";
    assert!(shown.stdout.contains(why), "{}", shown.stdout);
    ended(first).exits(4).complains(&[why, "SIGKILL"]);
    ended(second).exits(0);
}
