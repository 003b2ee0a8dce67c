//! When a message that could not be sent is tried again.

use std::time::Duration;

/// What a failure lets us hope for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    /// It may go better at any time.
    Soon,
    /// It asked for a wait.
    After(Duration),
    /// The channel refuses us: somebody has to mend something first.
    Mended,
}

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(15);
/// Between tries at a channel that refuses us.
const REFUSED: Duration = Duration::from_mins(10);

/// How long to wait after so many attempts: twice as long each time, and by a draw from 0 to 1 up to a quarter longer, so
/// that many do not come at once.
pub(super) fn wait(attempts: u32, hope: Hope, draw: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST);
    let wait = match hope {
        Hope::Soon => doubled,
        Hope::After(asked) => doubled.max(asked),
        Hope::Mended => doubled.max(REFUSED),
    };
    wait.mul_f64(1.0 + draw.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_are_never_shorter_than_asked() {
        let soon: Vec<u64> = (1..=10).map(|attempt| wait(attempt, Hope::Soon, 0.0).as_secs()).collect();
        assert_eq!(soon, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(wait(u32::MAX, Hope::Soon, 0.0), LONGEST);
        assert_eq!(wait(1, Hope::After(Duration::from_mins(3)), 0.0), Duration::from_mins(3));
        assert_eq!(wait(9, Hope::After(Duration::from_secs(1)), 0.0), LONGEST);
        assert_eq!(wait(1, Hope::Mended, 0.0), REFUSED);
        assert_eq!(wait(1, Hope::Soon, 1.0), Duration::from_millis(6250));
        assert!(wait(1, Hope::Soon, f64::MAX) <= Duration::from_millis(6250));
    }
}
