//! When schedules ran, and what somebody said of them: alike on both databases.

use thrash::store::{ScheduleState, Store};

use super::conformance::every_store;
use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::hour;

every_store! {
    a_new_schedule_has_nothing_to_catch_up_with,
    a_schedule_that_is_begun_again_goes_on_where_it_was,
    another_line_begins_anew,
    one_of_two_instances_advances_a_schedule,
    a_schedule_is_switched_and_what_it_missed_stays_missed,
    a_run_is_owed_from_the_last_change_on_or_from_what_was_given_up,
}

const LINE: &str = "0 6 * * * UTC";

async fn one(store: &dyn Store) -> ScheduleState {
    let mut all = store.schedule_states().await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn a_new_schedule_has_nothing_to_catch_up_with(store: &dyn Store) {
    assert_eq!(store.schedule_states().await.unwrap(), []);
    let begun = store.begin_schedule("nightly", LINE, hour(1)).await.unwrap();
    let expected = ScheduleState {
        name: "nightly".to_owned(),
        line: LINE.to_owned(),
        enabled: None,
        seen_at: hour(1),
        last_at: None,
        owed_from: hour(1),
    };
    assert_eq!(begun, expected);
    assert_eq!(one(store).await, expected);
}

async fn a_schedule_that_is_begun_again_goes_on_where_it_was(store: &dyn Store) {
    store.begin_schedule("nightly", LINE, hour(1)).await.unwrap();
    assert!(store.advance_schedule("nightly", hour(6), Some(hour(6)), false).await.unwrap());
    let again = store.begin_schedule("nightly", LINE, hour(30)).await.unwrap();
    assert_eq!((again.seen_at, again.last_at), (hour(6), Some(hour(6))));
}

async fn another_line_begins_anew(store: &dyn Store) {
    store.begin_schedule("nightly", LINE, hour(1)).await.unwrap();
    store.advance_schedule("nightly", hour(6), Some(hour(6)), false).await.unwrap();
    store.switch_schedule("nightly", LINE, Some(false), hour(7)).await.unwrap();
    let begun = store.begin_schedule("nightly", "0 5 * * * UTC", hour(30)).await.unwrap();
    assert_eq!((begun.line.as_str(), begun.seen_at), ("0 5 * * * UTC", hour(30)));
    assert_eq!((begun.last_at, begun.enabled), (Some(hour(6)), Some(false)), "the rest stays");
}

async fn one_of_two_instances_advances_a_schedule(store: &dyn Store) {
    store.begin_schedule("nightly", LINE, hour(1)).await.unwrap();
    let (one_of, other) = tokio::join!(
        store.advance_schedule("nightly", hour(6), Some(hour(6)), false),
        store.advance_schedule("nightly", hour(6), Some(hour(6)), false),
    );
    assert_ne!(one_of.unwrap(), other.unwrap());
    assert!(!store.advance_schedule("nightly", hour(5), Some(hour(5)), false).await.unwrap(), "not back");
    assert!(store.advance_schedule("nightly", hour(7), None, false).await.unwrap(), "passed over");
    let state = one(store).await;
    assert_eq!((state.seen_at, state.last_at), (hour(7), Some(hour(6))));
    assert!(!store.advance_schedule("unknown", hour(9), None, false).await.unwrap());
}

async fn a_schedule_is_switched_and_what_it_missed_stays_missed(store: &dyn Store) {
    let off = store.switch_schedule("nightly", LINE, Some(false), hour(2)).await.unwrap();
    assert_eq!((off.enabled, off.seen_at), (Some(false), hour(2)), "known before it was ever begun");
    store.begin_schedule("nightly", LINE, hour(3)).await.unwrap();
    let on = store.switch_schedule("nightly", LINE, Some(true), hour(50)).await.unwrap();
    assert_eq!((on.enabled, on.seen_at), (Some(true), hour(50)));
    let configured = store.switch_schedule("nightly", LINE, None, hour(40)).await.unwrap();
    assert_eq!((configured.enabled, configured.seen_at), (None, hour(50)), "time goes forward only");
}

async fn a_run_is_owed_from_the_last_change_on_or_from_what_was_given_up(store: &dyn Store) {
    store.begin_schedule("nightly", LINE, hour(1)).await.unwrap();
    store.advance_schedule("nightly", hour(6), Some(hour(6)), false).await.unwrap();
    store.advance_schedule("nightly", hour(30), None, false).await.unwrap();
    let again = store.begin_schedule("nightly", LINE, hour(31)).await.unwrap();
    assert_eq!(again.owed_from, hour(1), "passed over is not done");
    store.advance_schedule("nightly", hour(54), None, true).await.unwrap();
    assert_eq!(one(store).await.owed_from, hour(54));
    let switched = store.switch_schedule("nightly", LINE, Some(true), hour(60)).await.unwrap();
    assert_eq!(switched.owed_from, hour(60));
    let changed = store.begin_schedule("nightly", "0 5 * * * UTC", hour(70)).await.unwrap();
    assert_eq!(changed.owed_from, hour(70));
}
