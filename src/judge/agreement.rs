//! How far the people who labelled the phrases agree.

use crate::domain::{HumanAgreement, Level, Phrase};
use crate::stats::krippendorff_alpha;

/// The agreement over the phrases that two people or more labelled; none where there is no such phrase.
pub fn human_agreement<'a>(phrases: impl IntoIterator<Item = &'a Phrase>) -> Option<HumanAgreement> {
    let labelled: Vec<Vec<usize>> = phrases
        .into_iter()
        .filter(|phrase| phrase.annotations.len() > 1)
        .map(|phrase| phrase.annotations.iter().map(|(_, level)| level.index()).collect())
        .collect();
    (!labelled.is_empty()).then(|| HumanAgreement {
        alpha: krippendorff_alpha(&labelled, Level::ALL.len()),
        phrases: labelled.len() as u64,
        annotations: labelled.iter().map(|levels| levels.len() as u64).sum(),
    })
}
