//! What people were told, and what is still to be sent: alike on both databases.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use thrash::store::{AlertChange, Claim, Claimed, NewMessage, OutboxCounts, Sent, Store};

use super::conformance::every_store;
use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::hour;

every_store! {
    a_state_is_changed_only_by_one_who_knows_it,
    tasks_that_change_a_state_at_once_leave_one,
    a_message_is_taken_when_it_is_due_and_by_one,
    tasks_that_take_messages_at_once_take_each_once,
    a_lease_that_is_over_gives_the_message_to_another,
    a_message_that_failed_waits_for_its_next_try,
    messages_of_a_series_go_in_their_order,
    an_urgent_message_goes_first,
    a_channel_is_given_no_more_than_it_takes,
    what_nobody_tried_is_taken_back,
    good_news_goes_where_the_bad_went,
    the_same_message_is_there_once,
    old_messages_are_forgotten_but_for_a_trouble_that_goes_on,
}

const LEASE: Duration = Duration::from_mins(1);

fn minute(minutes: i64) -> DateTime<Utc> {
    hour(0) + TimeDelta::minutes(minutes)
}

fn message(key: &str, channel: &str) -> NewMessage {
    NewMessage {
        key: key.to_owned(),
        channel: channel.to_owned(),
        episode: "e1".to_owned(),
        urgent: false,
        due_at: minute(0),
        body: format!("{{\"key\":\"{key}\"}}"),
        if_told: false,
    }
}

fn change(series: &str, from: Option<i64>, messages: Vec<NewMessage>) -> AlertChange {
    AlertChange {
        series: series.to_owned(),
        from,
        state: "{}".to_owned(),
        episode: Some("e1".to_owned()),
        takes_back: false,
        messages,
    }
}

async fn write(store: &dyn Store, series: &str, from: Option<i64>, messages: Vec<NewMessage>) {
    assert!(store.change_alert(&change(series, from, messages), minute(0)).await.unwrap());
}

async fn take(store: &dyn Store, channel: &str, now: DateTime<Utc>) -> Option<Claimed> {
    store.claim_message(&Claim { channel, now, lease: LEASE, per_minute: 100 }).await.unwrap()
}

async fn take_key(store: &dyn Store, channel: &str, now: DateTime<Utc>) -> Option<String> {
    take(store, channel, now).await.map(|claimed| claimed.key)
}

async fn a_state_is_changed_only_by_one_who_knows_it(store: &dyn Store) {
    assert_eq!(store.alert("s").await.unwrap(), None);
    assert!(!store.change_alert(&change("s", Some(1), vec![message("a", "c")]), minute(0)).await.unwrap());
    let first = AlertChange { state: "{\"n\":1}".to_owned(), ..change("s", None, Vec::new()) };
    assert!(store.change_alert(&first, minute(0)).await.unwrap());
    let row = store.alert("s").await.unwrap().unwrap();
    assert_eq!((row.version, row.state.as_str()), (1, "{\"n\":1}"));
    for stale in [None, Some(2), Some(0)] {
        assert!(!store.change_alert(&change("s", stale, vec![message("b", "c")]), minute(0)).await.unwrap());
    }
    write(store, "s", Some(1), vec![message("c", "c")]).await;
    assert_eq!(store.alert("s").await.unwrap().unwrap().version, 2);
    assert_eq!(store.alert("other").await.unwrap(), None);
    assert_eq!(store.outbox_counts().await.unwrap().waiting, 1, "what was refused wrote no message");
}

async fn tasks_that_change_a_state_at_once_leave_one(store: &dyn Store) {
    let changes: Vec<AlertChange> =
        (0..4).map(|n| change("s", None, vec![message(&format!("m{n}"), "c")])).collect();
    let (a, b, c, d) = tokio::join!(
        store.change_alert(&changes[0], minute(0)),
        store.change_alert(&changes[1], minute(0)),
        store.change_alert(&changes[2], minute(0)),
        store.change_alert(&changes[3], minute(0)),
    );
    assert_eq!([a, b, c, d].into_iter().filter(|done| *done.as_ref().unwrap()).count(), 1);
    assert_eq!(store.outbox_counts().await.unwrap().waiting, 1);
}

async fn a_message_is_taken_when_it_is_due_and_by_one(store: &dyn Store) {
    let later = NewMessage { due_at: minute(5), ..message("a", "c") };
    write(store, "s", None, vec![later]).await;
    assert_eq!(take(store, "c", minute(4)).await, None);
    assert_eq!(take(store, "another", minute(9)).await, None);
    let claimed = take(store, "c", minute(5)).await.unwrap();
    assert_eq!((claimed.key.as_str(), claimed.attempt), ("a", 1));
    assert_eq!(claimed.body, "{\"key\":\"a\"}");
    assert_eq!(claimed.created_at, minute(0));
    assert_eq!(take(store, "c", minute(5)).await, None, "it is somebody's");
    assert!(store.finish_message(&claimed, &Sent::Done, minute(5)).await.unwrap());
    assert!(!store.finish_message(&claimed, &Sent::Done, minute(5)).await.unwrap(), "once");
    assert_eq!(take(store, "c", minute(60)).await, None);
    let counts = OutboxCounts { sent: 1, ..OutboxCounts::default() };
    assert_eq!(store.outbox_counts().await.unwrap(), counts);
}

async fn tasks_that_take_messages_at_once_take_each_once(store: &dyn Store) {
    for n in 0..6 {
        write(store, &format!("s{n}"), None, vec![message(&format!("m{n}"), "c")]).await;
    }
    let take = || take_key(store, "c", minute(1));
    let first = tokio::join!(take(), take(), take(), take());
    let second = tokio::join!(take(), take(), take(), take());
    let mut keys: Vec<String> =
        [<[_; 4]>::from(first), second.into()].into_iter().flatten().flatten().collect();
    let taken = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), taken, "none was taken twice");
    // Where several look at once, one may find what another holds, and nothing else; it comes again.
    while let Some(key) = take().await {
        assert!(!keys.contains(&key));
        keys.push(key);
    }
    assert_eq!(keys.len(), 6);
}

async fn a_lease_that_is_over_gives_the_message_to_another(store: &dyn Store) {
    write(store, "s", None, vec![message("a", "c")]).await;
    let first = take(store, "c", minute(1)).await.unwrap();
    assert_eq!(take(store, "c", minute(2) - TimeDelta::milliseconds(1)).await, None);
    let second = take(store, "c", minute(2)).await.unwrap();
    assert_eq!((second.id, second.attempt), (first.id, 2));
    assert!(!store.finish_message(&first, &Sent::Done, minute(2)).await.unwrap(), "it is another's");
    assert!(store.finish_message(&second, &Sent::Done, minute(2)).await.unwrap());
}

async fn a_message_that_failed_waits_for_its_next_try(store: &dyn Store) {
    write(store, "s", None, vec![message("a", "c")]).await;
    let claimed = take(store, "c", minute(1)).await.unwrap();
    let again = Sent::Again { at: minute(10), error: "it answered 500".to_owned() };
    assert!(store.finish_message(&claimed, &again, minute(1)).await.unwrap());
    assert_eq!(take(store, "c", minute(9)).await, None);
    let claimed = take(store, "c", minute(10)).await.unwrap();
    assert_eq!(claimed.attempt, 2);
    let given_up = Sent::GivenUp { error: "too long".to_owned() };
    assert!(store.finish_message(&claimed, &given_up, minute(10)).await.unwrap());
    assert_eq!(take(store, "c", minute(600)).await, None);
    let counts = OutboxCounts { given_up: 1, ..OutboxCounts::default() };
    assert_eq!(store.outbox_counts().await.unwrap(), counts);
}

async fn messages_of_a_series_go_in_their_order(store: &dyn Store) {
    write(store, "s", None, vec![message("broke", "c"), message("broke-d", "d")]).await;
    let urgent = NewMessage { urgent: true, ..message("well", "c") };
    write(store, "s", Some(1), vec![urgent, message("well-d", "d")]).await;
    write(store, "t", None, vec![message("other", "c")]).await;
    let first = take(store, "c", minute(1)).await.unwrap();
    assert_eq!(first.key, "broke");
    let other = take(store, "c", minute(1)).await.unwrap();
    assert_eq!(other.key, "other", "another series waits for nobody");
    assert!(store.finish_message(&other, &Sent::Done, minute(1)).await.unwrap());
    assert_eq!(take(store, "c", minute(1)).await, None, "the first one is on its way");
    assert_eq!(take_key(store, "d", minute(1)).await.as_deref(), Some("broke-d"));
    let again = Sent::Again { at: minute(5), error: String::new() };
    assert!(store.finish_message(&first, &again, minute(1)).await.unwrap());
    let soon = minute(1) + TimeDelta::seconds(30);
    assert_eq!(take(store, "c", soon).await, None, "and it is still to come");
    let first = take(store, "c", minute(5)).await.unwrap();
    assert!(store.finish_message(&first, &Sent::Done, minute(5)).await.unwrap());
    assert_eq!(take_key(store, "c", minute(5)).await.as_deref(), Some("well"));
}

async fn an_urgent_message_goes_first(store: &dyn Store) {
    write(store, "s", None, vec![message("a", "c")]).await;
    let urgent = NewMessage { urgent: true, due_at: minute(1), ..message("b", "c") };
    write(store, "t", None, vec![urgent]).await;
    assert_eq!(take_key(store, "c", minute(2)).await.as_deref(), Some("b"));
    assert_eq!(take_key(store, "c", minute(2)).await.as_deref(), Some("a"));
}

async fn a_channel_is_given_no_more_than_it_takes(store: &dyn Store) {
    for n in 0..4 {
        write(store, &format!("s{n}"), None, vec![message(&format!("m{n}"), "c")]).await;
    }
    write(store, "x", None, vec![message("x", "d")]).await;
    let at = |seconds: i64| minute(1) + TimeDelta::seconds(seconds);
    let take = async |channel: &str, now| {
        store.claim_message(&Claim { channel, now, lease: LEASE * 60, per_minute: 2 }).await.unwrap()
    };
    for seconds in [0, 10] {
        let claimed = take("c", at(seconds)).await.unwrap();
        assert!(store.finish_message(&claimed, &Sent::Done, at(seconds)).await.unwrap());
    }
    assert_eq!(take("c", at(59)).await, None);
    assert!(take("d", at(59)).await.is_some(), "each channel by itself");
    assert!(take("c", at(60)).await.is_some());
    assert_eq!(take("c", at(60)).await, None);
    assert!(take("c", at(70)).await.is_some());
}

async fn what_nobody_tried_is_taken_back(store: &dyn Store) {
    write(store, "s", None, vec![message("a", "c"), NewMessage { due_at: minute(9), ..message("b", "d") }])
        .await;
    write(store, "t", None, vec![message("other", "d")]).await;
    let tried = take(store, "c", minute(1)).await.unwrap();
    let back = AlertChange { takes_back: true, episode: None, ..change("s", Some(1), Vec::new()) };
    assert!(store.change_alert(&back, minute(2)).await.unwrap());
    assert_eq!(take_key(store, "d", minute(10)).await.as_deref(), Some("other"));
    assert_eq!(take(store, "d", minute(10)).await, None);
    assert!(store.finish_message(&tried, &Sent::Done, minute(2)).await.unwrap(), "what is on its way stays");
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.cancelled, counts.sent, counts.waiting), (1, 1, 1));
}

async fn good_news_goes_where_the_bad_went(store: &dyn Store) {
    let channels = ["sent", "trying", "given-up", "not-tried"];
    write(store, "s", None, channels.map(|channel| message(channel, channel)).to_vec()).await;
    let sent = take(store, "sent", minute(1)).await.unwrap();
    assert!(store.finish_message(&sent, &Sent::Done, minute(1)).await.unwrap());
    take(store, "trying", minute(1)).await.unwrap();
    let lost = take(store, "given-up", minute(1)).await.unwrap();
    let given_up = Sent::GivenUp { error: String::new() };
    assert!(store.finish_message(&lost, &given_up, minute(1)).await.unwrap());

    let well = |channel: &str| NewMessage { if_told: true, ..message(&format!("{channel}-well"), channel) };
    let mut messages: Vec<NewMessage> = channels.map(well).to_vec();
    messages.push(NewMessage {
        episode: "e2".to_owned(),
        key: "of another trouble".to_owned(),
        ..well("sent")
    });
    let back = AlertChange { takes_back: true, episode: None, ..change("s", Some(1), messages) };
    assert!(store.change_alert(&back, minute(1)).await.unwrap());

    assert_eq!(take_key(store, "sent", minute(5)).await.as_deref(), Some("sent-well"));
    assert_eq!(take(store, "sent", minute(5)).await, None);
    let again = take(store, "trying", minute(5)).await.unwrap();
    assert_eq!((again.key.as_str(), again.attempt), ("trying", 2));
    assert!(store.finish_message(&again, &Sent::Done, minute(5)).await.unwrap());
    assert_eq!(take_key(store, "trying", minute(5)).await.as_deref(), Some("trying-well"));
    assert_eq!(take(store, "given-up", minute(5)).await, None);
    assert_eq!(take(store, "not-tried", minute(5)).await, None);
}

async fn the_same_message_is_there_once(store: &dyn Store) {
    write(store, "s", None, vec![message("a", "c"), message("a", "c")]).await;
    write(store, "s", Some(1), vec![message("a", "c")]).await;
    assert_eq!(store.outbox_counts().await.unwrap().waiting, 1);
}

async fn old_messages_are_forgotten_but_for_a_trouble_that_goes_on(store: &dyn Store) {
    write(store, "over", None, vec![message("a", "c")]).await;
    write(store, "goes-on", None, vec![message("b", "d")]).await;
    write(store, "waits", None, vec![message("w", "e")]).await;
    for channel in ["c", "d"] {
        let claimed = take(store, channel, minute(1)).await.unwrap();
        assert!(store.finish_message(&claimed, &Sent::Done, minute(1)).await.unwrap());
    }
    let well = AlertChange { episode: None, ..change("over", Some(1), Vec::new()) };
    assert!(store.change_alert(&well, minute(2)).await.unwrap());
    assert_eq!(store.forget_messages(minute(1)).await.unwrap(), 0, "not older than that");
    assert_eq!(store.forget_messages(minute(2)).await.unwrap(), 1);
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.sent, counts.waiting), (1, 1));
}
