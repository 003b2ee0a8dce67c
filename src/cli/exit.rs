//! What the exit code says. Scripts depend on it.

use crate::domain::Conclusion;

/// How the program ended; the number is what the shell sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Every check passed, or the command did what it was asked.
    Passed = 0,
    /// A gate failed.
    GateFailed = 1,
    /// The arguments, the configuration or the suite are wrong; nothing selected is wrong too.
    Usage = 2,
    /// The target or its surroundings failed: unreachable, or too many phrases unanswered.
    TargetFailed = 3,
    /// The data was too little for a gate to tell.
    Inconclusive = 4,
    /// Our own storage or output failed after the run; the record is in the spool.
    Storage = 5,
    /// A bug in this program.
    Bug = 70,
    /// Stopped by hand; a partial record is kept.
    Interrupted = 130,
}

impl Exit {
    /// The order in which exits win over one another, first to last.
    const ORDER: [Self; 8] = [
        Self::Bug,
        Self::Interrupted,
        Self::Usage,
        Self::TargetFailed,
        Self::GateFailed,
        Self::Storage,
        Self::Inconclusive,
        Self::Passed,
    ];

    /// The one of two that the shell should see.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let place = |exit| Self::ORDER.iter().position(|known| *known == exit);
        if place(other) < place(self) { other } else { self }
    }
}

impl From<Conclusion> for Exit {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Passed => Self::Passed,
            Conclusion::GateFailed => Self::GateFailed,
            Conclusion::TargetFailed => Self::TargetFailed,
            Conclusion::Inconclusive => Self::Inconclusive,
            Conclusion::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let table = [
            (Exit::Passed, 0),
            (Exit::GateFailed, 1),
            (Exit::Usage, 2),
            (Exit::TargetFailed, 3),
            (Exit::Inconclusive, 4),
            (Exit::Storage, 5),
            (Exit::Bug, 70),
            (Exit::Interrupted, 130),
        ];
        for (exit, number) in table {
            assert_eq!(exit as u8, number);
        }
    }

    #[test]
    fn the_worse_one_wins_in_the_documented_order() {
        let documented = [
            Exit::Interrupted,
            Exit::Usage,
            Exit::TargetFailed,
            Exit::GateFailed,
            Exit::Storage,
            Exit::Inconclusive,
            Exit::Passed,
        ];
        for (i, first) in documented.into_iter().enumerate() {
            for second in &documented[i..] {
                assert_eq!(first.or(*second), first);
                assert_eq!(second.or(first), first);
            }
        }
    }
}
