//! What people were told, and what is still to be sent: alike on both databases.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use thrash::store::{AlertChange, AlertNews, Claim, Claimed, NewMessage, OutboxCounts, Sent, Store};

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
    good_news_waits_for_the_bad,
    bad_news_waits_for_nothing,
    an_urgent_message_goes_first,
    a_channel_is_given_no_more_than_it_takes,
    what_nobody_tried_is_taken_back,
    bad_news_takes_back_what_it_makes_untrue,
    good_news_goes_where_the_bad_went,
    a_trouble_that_was_told_is_told_to_be_over_whatever_came_between,
    what_nobody_sends_any_more_is_given_up,
    good_news_that_came_too_late_is_taken_back,
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
        urgent: false,
        due_at: minute(0),
        body: format!("{{\"key\":\"{key}\"}}"),
    }
}

fn change(series: &str, from: Option<i64>, messages: Vec<NewMessage>) -> AlertChange {
    AlertChange {
        series: series.to_owned(),
        from,
        state: "{}".to_owned(),
        episode: Some("e1".to_owned()),
        news: Some(AlertNews { episode: "e1".to_owned(), good: false, messages }),
    }
}

/// Says of a series that a trouble came, or is over.
async fn say(store: &dyn Store, series: &str, episode: &str, good: bool, messages: Vec<NewMessage>) {
    let from = store.alert(series).await.unwrap().map(|row| row.version);
    let news = Some(AlertNews { episode: episode.to_owned(), good, messages });
    let change = AlertChange { news, ..change(series, from, Vec::new()) };
    assert!(store.change_alert(&change, minute(0)).await.unwrap());
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

async fn good_news_waits_for_the_bad(store: &dyn Store) {
    say(store, "s", "e1", false, vec![message("broke", "c"), message("broke-d", "d")]).await;
    let first = take(store, "c", minute(1)).await.unwrap();
    let urgent = NewMessage { urgent: true, ..message("well", "c") };
    say(store, "s", "e1", true, vec![urgent]).await;
    say(store, "t", "e1", false, vec![message("other", "c")]).await;
    sends(store, "c", minute(1), "other").await;
    assert_eq!(take(store, "c", minute(1)).await, None, "the first one is on its way");
    let again = Sent::Again { at: minute(5), error: String::new() };
    assert!(store.finish_message(&first, &again, minute(1)).await.unwrap());
    let soon = minute(1) + TimeDelta::seconds(30);
    assert_eq!(take(store, "c", soon).await, None, "and it is still to come");
    let first = take(store, "c", minute(5)).await.unwrap();
    assert_eq!(first.key, "broke");
    assert!(store.finish_message(&first, &Sent::Done, minute(5)).await.unwrap());
    let well = take(store, "c", minute(5)).await.unwrap();
    assert_eq!(well.key, "well");
    assert!(store.finish_message(&well, &Sent::Done, minute(5)).await.unwrap());
}

async fn bad_news_waits_for_nothing(store: &dyn Store) {
    let fail = async |claimed: Claimed| {
        let again = Sent::Again { at: minute(15), error: String::new() };
        assert!(store.finish_message(&claimed, &again, minute(1)).await.unwrap());
    };
    // A warning that cannot be sent, and then it gets worse.
    say(store, "s", "e1", false, vec![message("broke", "c")]).await;
    fail(take(store, "c", minute(1)).await.unwrap()).await;
    say(store, "s", "e1", false, vec![NewMessage { urgent: true, ..message("worse", "c") }]).await;
    let worse = take(store, "c", minute(1)).await.unwrap();
    assert_eq!(worse.key, "worse");
    assert!(store.finish_message(&worse, &Sent::Done, minute(1)).await.unwrap());
    // That it is well again cannot be sent, and then it breaks anew.
    say(store, "s", "e1", true, vec![NewMessage { urgent: true, ..message("well", "c") }]).await;
    fail(take(store, "c", minute(1)).await.unwrap()).await;
    say(store, "s", "e2", false, vec![NewMessage { urgent: true, ..message("broke-2", "c") }]).await;
    let broke = take(store, "c", minute(1)).await.unwrap();
    assert_eq!(broke.key, "broke-2");
    assert!(store.finish_message(&broke, &Sent::Done, minute(1)).await.unwrap());
    assert_eq!(take(store, "c", minute(30)).await, None, "what is no longer true is not said");
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.sent, counts.cancelled, counts.waiting), (2, 2, 0));
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
    let later = NewMessage { due_at: minute(9), ..message("b", "d") };
    say(store, "s", "e1", false, vec![message("a", "c"), later]).await;
    say(store, "t", "e1", false, vec![message("other", "d")]).await;
    let tried = take(store, "c", minute(1)).await.unwrap();
    say(store, "s", "e1", true, Vec::new()).await;
    assert_eq!(take_key(store, "d", minute(10)).await.as_deref(), Some("other"));
    assert_eq!(take(store, "d", minute(10)).await, None);
    assert!(store.finish_message(&tried, &Sent::Done, minute(2)).await.unwrap(), "what is on its way stays");
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.cancelled, counts.sent, counts.waiting), (1, 1, 1));
}

/// Sends the next message of a channel, which is this one.
async fn sends(store: &dyn Store, channel: &str, now: DateTime<Utc>, key: &str) {
    let claimed = take(store, channel, now).await.unwrap_or_else(|| panic!("{key} is not there"));
    assert_eq!(claimed.key, key);
    assert!(store.finish_message(&claimed, &Sent::Done, now).await.unwrap());
}

async fn bad_news_takes_back_what_it_makes_untrue(store: &dyn Store) {
    say(store, "s", "e1", false, vec![message("broke", "c")]).await;
    sends(store, "c", minute(1), "broke").await;
    say(store, "s", "e1", true, vec![message("well", "c")]).await;
    // It is on its way when it breaks anew, and does not arrive.
    let well = take(store, "c", minute(2)).await.unwrap();
    say(store, "s", "e2", false, vec![NewMessage { due_at: minute(7), ..message("broke-2", "c") }]).await;
    let again = Sent::Again { at: minute(3), error: String::new() };
    assert!(store.finish_message(&well, &again, minute(2)).await.unwrap());
    assert_eq!(take(store, "c", minute(4)).await, None, "it is not well");
    sends(store, "c", minute(7), "broke-2").await;
    assert_eq!(take(store, "c", minute(7)).await, None);
    say(store, "s", "e2", true, vec![message("well-2", "c")]).await;
    sends(store, "c", minute(8), "well-2").await;
    assert_eq!(take(store, "c", minute(60)).await, None);
}

async fn good_news_goes_where_the_bad_went(store: &dyn Store) {
    let channels = ["sent", "trying", "given-up", "not-tried"];
    say(store, "s", "e1", false, channels.map(|channel| message(channel, channel)).to_vec()).await;
    let sent = take(store, "sent", minute(1)).await.unwrap();
    assert!(store.finish_message(&sent, &Sent::Done, minute(1)).await.unwrap());
    take(store, "trying", minute(1)).await.unwrap();
    let lost = take(store, "given-up", minute(1)).await.unwrap();
    let given_up = Sent::GivenUp { error: String::new() };
    assert!(store.finish_message(&lost, &given_up, minute(1)).await.unwrap());

    let well = |channel: &str| message(&format!("{channel}-well"), channel);
    let more = message("never-told", "another");
    say(store, "s", "e1", true, channels.map(well).into_iter().chain([more]).collect()).await;

    sends(store, "sent", minute(5), "sent-well").await;
    assert_eq!(take(store, "sent", minute(5)).await, None);
    let again = take(store, "trying", minute(5)).await.unwrap();
    assert_eq!((again.key.as_str(), again.attempt), ("trying", 2));
    assert!(store.finish_message(&again, &Sent::Done, minute(5)).await.unwrap());
    sends(store, "trying", minute(5), "trying-well").await;
    for nothing in ["given-up", "not-tried", "another"] {
        assert_eq!(take(store, nothing, minute(5)).await, None, "{nothing}");
    }
    // Once is enough.
    say(store, "s", "e1", true, vec![message("sent-well-2", "sent")]).await;
    assert_eq!(take(store, "sent", minute(6)).await, None);
}

async fn a_trouble_that_was_told_is_told_to_be_over_whatever_came_between(store: &dyn Store) {
    say(store, "s", "e1", false, vec![message("broke", "c"), message("broke-d", "d")]).await;
    sends(store, "c", minute(1), "broke").await;
    sends(store, "d", minute(1), "broke-d").await;
    let quiet = |key: &str, channel: &str| NewMessage { due_at: minute(500), ..message(key, channel) };
    say(store, "s", "e1", true, vec![quiet("well", "c"), quiet("well-d", "d")]).await;
    // Another trouble comes and goes before anybody has heard of the end of the first one.
    say(store, "s", "e2", false, vec![quiet("broke-2", "c")]).await;
    say(store, "s", "e2", true, vec![message("well-2", "c"), message("well-2-d", "d")]).await;
    sends(store, "c", minute(2), "well-2").await;
    sends(store, "d", minute(2), "well-2-d").await;
    assert_eq!(take(store, "c", minute(600)).await, None);
    assert_eq!(take(store, "d", minute(600)).await, None);
}

async fn what_nobody_sends_any_more_is_given_up(store: &dyn Store) {
    say(store, "s", "e1", false, vec![message("a", "removed")]).await;
    say(store, "t", "e1", false, vec![message("b", "c")]).await;
    assert_eq!(store.give_up_messages(minute(0), minute(1)).await.unwrap(), Vec::<String>::new());
    let mine = take(store, "c", minute(1)).await.unwrap();
    let gone = store.give_up_messages(minute(1), minute(1)).await.unwrap();
    assert_eq!(gone, ["removed"], "what is on its way is not");
    assert!(store.finish_message(&mine, &Sent::Done, minute(1)).await.unwrap());
    let counts = OutboxCounts { given_up: 1, sent: 1, ..OutboxCounts::default() };
    assert_eq!(store.outbox_counts().await.unwrap(), counts);
}

async fn good_news_that_came_too_late_is_taken_back(store: &dyn Store) {
    say(store, "s", "e1", false, vec![message("broke", "c")]).await;
    sends(store, "c", minute(1), "broke").await;
    say(store, "s", "e1", true, vec![message("well", "c")]).await;
    // It is on its way when it breaks anew, and does not arrive.
    let well = take(store, "c", minute(2)).await.unwrap();
    say(store, "s", "e2", false, vec![message("broke-2", "c")]).await;
    let again = Sent::Again { at: minute(3), error: String::new() };
    assert!(store.finish_message(&well, &again, minute(2)).await.unwrap());
    sends(store, "c", minute(3), "broke-2").await;
    // This one could still be sent.
    say(store, "t", "e1", false, vec![message("other", "d")]).await;
    sends(store, "d", minute(3), "other").await;
    say(store, "t", "e1", true, vec![message("other-well", "d")]).await;
    assert_eq!(store.give_up_messages(minute(1), minute(4)).await.unwrap(), ["d"]);
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.sent, counts.cancelled, counts.given_up, counts.waiting), (3, 1, 1, 0));
}

async fn the_same_message_is_there_once(store: &dyn Store) {
    write(store, "s", None, vec![message("a", "c"), message("a", "c")]).await;
    let claimed = take(store, "c", minute(1)).await.unwrap();
    write(store, "s", Some(1), vec![message("a", "c")]).await;
    assert!(store.finish_message(&claimed, &Sent::Done, minute(1)).await.unwrap());
    assert_eq!(take(store, "c", minute(1)).await, None);
    assert_eq!(store.outbox_counts().await.unwrap(), OutboxCounts { sent: 1, ..OutboxCounts::default() });
}

async fn old_messages_are_forgotten_but_for_a_trouble_that_goes_on(store: &dyn Store) {
    write(store, "over", None, vec![message("a", "c")]).await;
    write(store, "goes-on", None, vec![message("b", "d")]).await;
    write(store, "waits", None, vec![message("w", "e")]).await;
    for channel in ["c", "d"] {
        let claimed = take(store, channel, minute(1)).await.unwrap();
        assert!(store.finish_message(&claimed, &Sent::Done, minute(1)).await.unwrap());
    }
    let well = AlertChange { episode: None, news: None, ..change("over", Some(1), Vec::new()) };
    assert!(store.change_alert(&well, minute(2)).await.unwrap());
    for (until, count) in [(minute(1), 0), (minute(2), 1)] {
        assert_eq!(store.forget_messages(until, true).await.unwrap(), count);
        assert_eq!(store.outbox_counts().await.unwrap().sent, 2, "a dry run deletes nothing");
        assert_eq!(store.forget_messages(until, false).await.unwrap(), count);
    }
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.sent, counts.waiting), (1, 1));
}
