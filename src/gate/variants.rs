//! Which variants of the phrases a gate over their flips is about.

use std::fmt;

use super::metric::Metric;
use super::threshold::Gate;
use crate::document::nearest;
use crate::domain::{
    Check, CheckOutcome, PerturbationCounts, PerturbationGroup, PerturbationKind, RunRecord,
};
use crate::stats::acceptance::point_max_errors;

/// A set of variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Variants {
    /// Every variant.
    #[default]
    All,
    /// Those of a group.
    Group(PerturbationGroup),
    /// Those of a kind.
    Kind(PerturbationKind),
}

impl Variants {
    /// Reads `typing`, `typo`, `group=typing` or `kind=typo`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (what, name) =
            text.split_once('=').map_or(("", text.trim()), |(what, name)| (what.trim(), name.trim()));
        let group =
            || PerturbationGroup::ALL.into_iter().find(|group| group.as_str() == name).map(Self::Group);
        let kind = || PerturbationKind::ALL.into_iter().find(|kind| kind.as_str() == name).map(Self::Kind);
        let groups = PerturbationGroup::ALL.map(PerturbationGroup::as_str);
        let kinds = PerturbationKind::ALL.map(PerturbationKind::as_str);
        let (found, known) = match what {
            "group" => (group(), groups.to_vec()),
            "kind" => (kind(), kinds.to_vec()),
            "" => (group().or_else(kind), [groups.as_slice(), kinds.as_slice()].concat()),
            other => return Err(format!("variants have a `group` or a `kind`, and no `{other}`")),
        };
        found.ok_or_else(|| match nearest(name, &known) {
            Some(near) => format!("there are no variants `{name}`; did you mean `{near}`?"),
            None => format!("there are no variants `{name}`; there are {}", known.join(", ")),
        })
    }

    /// What became of them in a run; none where none were sent.
    pub(super) fn counts(self, record: &RunRecord) -> Option<PerturbationCounts> {
        let report = record.perturbations.as_ref()?;
        match self {
            Self::All => Some(report.total),
            Self::Group(group) => report.groups.get(&group).copied(),
            Self::Kind(kind) => report.kinds.get(&kind).copied(),
        }
    }

    /// As a check names its slice; none for all.
    pub(super) fn slice_text(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Group(group) => Some(format!("group={group}")),
            Self::Kind(kind) => Some(format!("kind={kind}")),
        }
    }
}

impl fmt::Display for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Group(group) => write!(f, "[{group}]"),
            Self::Kind(kind) => write!(f, "[kind={kind}]"),
        }
    }
}

/// Says why nothing is known of flips, and takes back a pass that variants without an answer could have prevented.
pub(super) fn doubt(check: &mut Check, gate: &Gate, record: &RunRecord) {
    let Metric::FlipRate(variants) = gate.metric else { return };
    let Some(counts) = variants.counts(record) else {
        let which = variants.slice_text().map(|slice| format!(" of {slice}")).unwrap_or_default();
        check.reason = format!("no variants{which} were sent: `--perturb` says which are");
        return;
    };
    let (flips, of) = (counts.flips + counts.unanswered, counts.rate.of + counts.unanswered);
    let worst_holds = point_max_errors(gate.limit, of).is_some_and(|allowed| flips <= allowed);
    if check.outcome == CheckOutcome::Pass && !worst_holds {
        check.outcome = CheckOutcome::Inconclusive;
        check.reason = format!("{} of {of} variants got no answer, and may have flipped", counts.unanswered);
    }
}
