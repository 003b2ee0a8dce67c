//! Whoever stood still says so, and blames nobody else for what was not heard meanwhile.

use super::users::{ended, signal};
use super::wait_for_requests;
use super::workers::Field;
use super::{counts, right};
use crate::support::command::send;
use crate::support::server::Server;

const LOAD: &str = "model: arrivals\nrate: 40/s\nduration: 120s\ngates: [error_rate <= 1%]\n";

#[tokio::test]
async fn whoever_began_the_run_and_stood_still_blames_itself_and_not_the_workers() {
    let server = Server::start(right);
    let field = Field::new(LOAD, &server).await;
    let run = field.begin(2, &[]);
    let workers = field.workers(2);
    wait_for_requests(&server, 20);
    send("STOP", &run);
    // They hear nothing of it, and stop by themselves.
    for worker in workers {
        ended(worker).exits(4).complains(&["whoever began the run is gone"]);
    }
    send("CONT", &run);
    let shown = ended(run).exits(4);
    assert!(shown.stdout.contains("this process stood still for"), "{}", shown.stdout);
    let record = field.record();
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
    let sentence = record["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("this process stood still for"), "{sentence}");
    assert_eq!(record["load"]["ended_by"], "this_program");
    for shard in record["load"]["shards"].as_array().unwrap() {
        let trouble = shard["trouble"].as_str().unwrap();
        assert!(trouble.contains("after this process had stood still for"), "{trouble}");
    }
}

#[tokio::test]
async fn a_worker_that_stood_still_and_comes_back_says_that_it_was_not_counted() {
    let server = Server::start(right);
    let field = Field::new(LOAD, &server).await;
    let run = field.begin(2, &[]);
    let mut workers = field.workers(2).into_iter();
    let (still, other) = (workers.next().unwrap(), workers.next().unwrap());
    wait_for_requests(&server, 20);
    send("STOP", &still);
    let shown = ended(run).exits(4);
    assert!(shown.stdout.contains("worker 0 was not heard of for 4 s"), "{}", shown.stdout);
    ended(other).exits(0);
    send("CONT", &still);
    ended(still).exits(4).complains(&["what worker 0 sent is in no number", "stood still for"]);
    let record = field.record();
    assert_eq!(record["load"]["shards"][0]["started"], 0);
    assert_eq!(counts(&record)["started"], record["load"]["shards"][1]["started"]);
}

#[tokio::test]
async fn a_worker_of_users_that_stood_still_is_not_counted_either() {
    let server = Server::start(|seen| right(seen).after(super::ms(20)));
    let load = "model: users\nusers: 4\nduration: 120s\ngates: [error_rate <= 1%]\n";
    let field = Field::new(load, &server).await;
    let run = field.begin(2, &[]);
    let mut workers = field.workers(2).into_iter();
    let (still, other) = (workers.next().unwrap(), workers.next().unwrap());
    wait_for_requests(&server, 20);
    signal("STOP", still.id());
    ended(run).exits(4);
    ended(other).exits(0);
    signal("CONT", still.id());
    ended(still).exits(4).complains(&["what worker 0 sent is in no number"]);
}
