//! What is said after which run.

use proptest::prelude::*;
use thrash::notify::{AlertState, Event, Outcome, Severity, Told};

use super::{CRITICAL, WARNING, found, minute};

/// What is said at each of these runs, a minute apart.
fn said(outcomes: &[Outcome]) -> Vec<Option<Event>> {
    let mut state = AlertState::default();
    let mut said = Vec::new();
    for (at, outcome) in (0..).zip(outcomes) {
        let (next, saying) = state.after(&found(at, *outcome)).expect("it is news");
        said.push(saying.map(|saying| saying.event));
        state = next;
    }
    said
}

#[test]
fn a_failure_is_told_once_and_a_recovery_once() {
    use Outcome::Passed;
    assert_eq!(said(&[Passed, Passed]), [None, None]);
    assert_eq!(
        said(&[Passed, CRITICAL, CRITICAL, CRITICAL, Passed, Passed, WARNING, Passed]),
        [
            None,
            Some(Event::Broke),
            None,
            None,
            Some(Event::Well),
            None,
            Some(Event::Broke),
            Some(Event::Well)
        ]
    );
}

#[test]
fn the_first_run_of_all_may_be_told_of() {
    assert_eq!(said(&[CRITICAL]), [Some(Event::Broke)]);
}

#[test]
fn what_gets_critical_is_told_again_and_what_gets_less_bad_is_not() {
    assert_eq!(
        said(&[WARNING, CRITICAL, WARNING, CRITICAL, Outcome::Passed]),
        [Some(Event::Broke), Some(Event::Worse), None, None, Some(Event::Well)]
    );
}

#[test]
fn a_target_that_answered_wrongly_and_then_not_at_all_is_told_of_again() {
    use Outcome::{Away, Passed};
    assert_eq!(
        said(&[CRITICAL, Away, Away, CRITICAL, Away, Passed]),
        [Some(Event::Broke), Some(Event::Worse), None, None, None, Some(Event::Well)]
    );
    // It is as bad as can be.
    assert_eq!(said(&[Away, CRITICAL, WARNING, Passed]), [Some(Event::Broke), None, None, Some(Event::Well)]);
}

#[test]
fn a_state_from_before_targets_could_be_away_is_read() {
    let old = r#"{"told":"broken","severity":"critical","episode":"a","since":"2026-01-01T00:00:00Z","unclear":0,"last":null}"#;
    let state: AlertState = serde_json::from_str(old).unwrap();
    let (_, saying) = state.after(&found(1, Outcome::Away)).unwrap();
    assert_eq!(saying.map(|saying| saying.event), Some(Event::Worse));
}

#[test]
fn could_not_tell_is_told_when_it_comes_twice_in_a_row() {
    use Outcome::{Passed, Unknown};
    assert_eq!(said(&[Unknown, Passed, Unknown, Passed]), [None; 4]);
    assert_eq!(
        said(&[Passed, Unknown, Unknown, Unknown, Unknown, Passed]),
        [None, None, Some(Event::Unclear), None, None, Some(Event::Well)]
    );
    assert_eq!(
        said(&[Unknown, Unknown, CRITICAL, Passed]),
        [None, Some(Event::Unclear), Some(Event::Broke), Some(Event::Well)]
    );
}

#[test]
fn could_not_tell_is_never_taken_for_well() {
    use Outcome::{Passed, Unknown};
    assert_eq!(
        said(&[CRITICAL, Unknown, Unknown, Unknown, CRITICAL, Passed]),
        [Some(Event::Broke), None, None, None, None, Some(Event::Well)]
    );
}

#[test]
fn older_news_and_the_same_news_are_none() {
    let (state, _) = AlertState::default().after(&found(5, CRITICAL)).unwrap();
    assert_eq!(state.after(&found(5, CRITICAL)), None);
    assert_eq!(state.after(&found(4, Outcome::Passed)), None);
    assert!(state.after(&found(6, Outcome::Passed)).is_some());
}

#[test]
fn what_is_said_later_names_the_same_trouble() {
    let (state, broke) = AlertState::default().after(&found(0, WARNING)).unwrap();
    let (state, worse) = state.after(&found(1, CRITICAL)).unwrap();
    let (state, well) = state.after(&found(2, Outcome::Passed)).unwrap();
    let (_, again) = state.after(&found(3, WARNING)).unwrap();
    let [broke, worse, well, again] = [broke, worse, well, again].map(Option::unwrap);
    assert_eq!((&broke.episode, broke.since), (&"run-0".to_owned(), minute(0)));
    assert_eq!((&worse.episode, worse.since), (&broke.episode, minute(0)));
    assert_eq!((&well.episode, well.severity), (&broke.episode, Severity::Critical));
    assert_ne!(again.episode, broke.episode);
    assert_eq!(state.told, Told::Well);
}

#[test]
fn what_could_not_begin_is_told_at_once_and_once() {
    use Outcome::{NotBegun, Passed, Unknown};
    assert_eq!(
        said(&[Passed, NotBegun, NotBegun, Unknown, Passed]),
        [None, Some(Event::Unclear), None, None, Some(Event::Well)]
    );
    assert_eq!(said(&[Unknown, NotBegun, CRITICAL]), [None, Some(Event::Unclear), Some(Event::Broke)]);
    assert_eq!(said(&[NotBegun, Passed, Unknown]), [Some(Event::Unclear), Some(Event::Well), None]);
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let unclear = prop_oneof![Just(Outcome::Unknown), Just(Outcome::NotBegun)];
    let one = prop_oneof![Just(Outcome::Passed), unclear, Just(WARNING), Just(CRITICAL), Just(Outcome::Away)];
    proptest::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn bad_and_good_news_take_turns(outcomes in outcomes()) {
        let events: Vec<Event> = said(&outcomes).into_iter().flatten().collect();
        let mut bad = Vec::new();
        for event in events {
            if event == Event::Well {
                prop_assert!(!bad.is_empty(), "good news without bad news before");
                bad.clear();
            } else {
                // First it is critical, and then it does not even answer.
                prop_assert!(event == Event::Worse || !bad.contains(&event), "the same twice: {event:?}");
                bad.push(event);
            }
        }
        // Whoever has heard the last word knows how it stands.
        let ends_well = outcomes.last().is_none_or(|last| *last == Outcome::Passed);
        prop_assert!(!ends_well || bad.is_empty());
        let ends_broken = matches!(outcomes.last(), Some(Outcome::Failed(_) | Outcome::Away));
        prop_assert!(!ends_broken || !bad.is_empty());
    }

    #[test]
    fn a_state_is_read_as_it_was_written(outcomes in outcomes()) {
        let mut state = AlertState::default();
        for (at, outcome) in (0..).zip(outcomes) {
            state = state.after(&found(at, outcome)).unwrap().0;
            let text = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(&serde_json::from_str::<AlertState>(&text).unwrap(), &state);
        }
    }
}
