//! Which users may ask at a moment: a pure function of the scenario's ramps.
//!
//! User `n` (from 0) is there while the load is above `n`. goose starts the users, early rather than late, and never stops
//! one: those that the load has no room for wait until it has.

use std::time::Duration;

use crate::load::schedule::Ramp;

/// goose ends a hold up to so much late.
const GRAIN: Duration = Duration::from_millis(500);
/// Seconds that are longer than any run: what ends a run is ours.
const FOR_EVER: u64 = 365 * 24 * 3600;
/// Beyond the moment when the load reaches a user, so that it is above.
const BEYOND: Duration = Duration::from_micros(50);

/// The ramps, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Plan(Vec<Ramp>);

/// Whether a user may ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Turn {
    /// Now.
    Now,
    /// From this time after the run's start on.
    At(Duration),
    /// Never again.
    Never,
}

impl Plan {
    pub(super) fn new(ramps: &[Ramp]) -> Self {
        Self(ramps.to_vec())
    }

    /// How many users there are at most.
    pub(super) fn users(&self) -> usize {
        self.0.iter().map(|ramp| whole(ramp.from.max(ramp.to))).max().unwrap_or_default()
    }

    /// How long it takes.
    pub(super) fn length(&self) -> Duration {
        self.0.iter().map(|ramp| ramp.duration).sum()
    }

    /// Whether a user may ask at a time after the run's start.
    pub(super) fn turn(&self, user: usize, at: Duration) -> Turn {
        let user = user as f64;
        let mut begin = Duration::ZERO;
        for ramp in &self.0 {
            let end = begin + ramp.duration;
            if at < end {
                let within = at.saturating_sub(begin);
                let load = ramp.at(within);
                if load > user {
                    return if begin <= at { Turn::Now } else { Turn::At(begin) };
                }
                if ramp.to > user {
                    let share = (user - ramp.from) / (ramp.to - ramp.from);
                    let time = begin + ramp.duration.mul_f64(share.clamp(0.0, 1.0)) + BEYOND;
                    if time < end {
                        return Turn::At(time.max(at + BEYOND));
                    }
                }
            }
            begin = end;
        }
        Turn::Never
    }

    /// When goose starts users: how many there are at the end of each step, and how many seconds it takes. goose knows whole
    /// seconds, and they are rounded down.
    pub(super) fn steps(&self) -> Vec<(usize, u64)> {
        let mut steps: Vec<(usize, u64)> = Vec::new();
        let mut users = 0;
        let mut held = Duration::ZERO;
        for ramp in &self.0 {
            // A jump up at its beginning, then the part of it that is above everything before.
            for (load, rise) in [(ramp.from, Duration::ZERO), (ramp.to, ramp.duration)] {
                let target = whole(load);
                if target <= users {
                    held += rise;
                    continue;
                }
                let known = (users as f64 - ramp.from) / (load - ramp.from);
                let flat = rise.mul_f64(if rise.is_zero() { 0.0 } else { known.clamp(0.0, 1.0) });
                // It wakes twice a second while it holds, so it is told less.
                let seconds = (held + flat).saturating_sub(GRAIN).as_secs();
                if seconds > 0 {
                    steps.push((users, seconds));
                }
                steps.push((target, rise.saturating_sub(flat).as_secs()));
                (users, held) = (target, Duration::ZERO);
            }
        }
        steps.push((users, FOR_EVER));
        steps
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the reader of scenarios has looked"
)]
fn whole(users: f64) -> usize {
    users.ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(ramps: &[(f64, f64, u64)]) -> Plan {
        let ramp = |&(from, to, seconds)| Ramp { from, to, duration: Duration::from_secs(seconds) };
        Plan::new(&ramps.iter().map(ramp).collect::<Vec<_>>())
    }

    fn seconds(time: f64) -> Duration {
        Duration::from_secs_f64(time)
    }

    /// How many may ask at a time.
    fn there(plan: &Plan, at: f64) -> usize {
        (0..plan.users()).filter(|user| plan.turn(*user, seconds(at)) == Turn::Now).count()
    }

    #[test]
    fn users_are_there_while_the_load_is_above_them() {
        let plan = plan(&[(0.0, 10.0, 10), (10.0, 10.0, 5), (10.0, 0.0, 10)]);
        assert_eq!(plan.users(), 10);
        for (at, users) in [(0.5, 1), (1.5, 2), (9.5, 10), (12.0, 10), (15.5, 10), (16.5, 9), (24.5, 1)] {
            assert_eq!(there(&plan, at), users, "at {at}");
        }
        assert_eq!(there(&plan, 25.0), 0);
        assert_eq!(plan.turn(0, seconds(25.0)), Turn::Never);
    }

    #[test]
    fn who_is_not_there_yet_is_told_when() {
        let plan = plan(&[(0.0, 10.0, 10), (10.0, 2.0, 0), (2.0, 2.0, 5), (2.0, 4.0, 2)]);
        let soon = |turn, time: f64| match turn {
            Turn::At(at) => (at.as_secs_f64() - time).abs() < 1e-3,
            Turn::Now | Turn::Never => false,
        };
        assert!(soon(plan.turn(4, seconds(1.0)), 4.0));
        // Sent away by the jump down, and back when the load rises again.
        assert!(soon(plan.turn(2, seconds(11.0)), 15.0));
        assert!(soon(plan.turn(3, seconds(11.0)), 16.0));
        assert_eq!(plan.turn(4, seconds(11.0)), Turn::Never);
    }

    #[test]
    fn whoever_waits_for_the_time_they_were_told_may_ask_then() {
        let plan = plan(&[(0.0, 7.0, 3), (7.0, 1.0, 2), (1.0, 9.5, 4), (9.5, 9.5, 1)]);
        for user in 0..plan.users() {
            for tenth in 0..100 {
                if let Turn::At(time) = plan.turn(user, Duration::from_millis(tenth * 100)) {
                    assert!(time > Duration::from_millis(tenth * 100));
                    assert_eq!(plan.turn(user, time), Turn::Now, "user {user} at {time:?}");
                }
            }
        }
    }

    #[test]
    fn goose_starts_every_user_once_and_not_after_it_is_wanted() {
        let plan = plan(&[
            (3.0, 3.0, 10),
            (3.0, 1.0, 2),
            (1.0, 5.0, 4),
            (5.0, 5.0, 60),
            (5.0, 8.0, 3),
            (8.0, 0.0, 9),
        ]);
        let (last, steps) = plan.steps().split_last().map(|(last, steps)| (*last, steps.to_vec())).unwrap();
        assert_eq!(last, (8, FOR_EVER), "goose does not end a run");
        // Three at once; the dip and the half of the rise below three are a hold of 14 s.
        assert_eq!(steps, [(3, 0), (3, 13), (5, 2), (5, 59), (8, 3)]);
    }

    #[test]
    fn a_silence_at_the_beginning_holds_nobody() {
        let plan = plan(&[(0.0, 0.0, 4), (0.0, 2.0, 2)]);
        assert_eq!(plan.steps()[..2], [(0, 3), (2, 2)]);
        assert_eq!(there(&plan, 3.9), 0);
    }
}
