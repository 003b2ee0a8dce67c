//! A run that is measured and not judged yet.

use crate::domain::{BaselineRecord, RunRecord};
use crate::gate::{GateOptions, evaluate};

/// Everything that a run found, short of what it was held against and of the verdict.
#[derive(Debug, Clone)]
pub struct Measured {
    pub(super) record: RunRecord,
    pub(super) gates: GateOptions,
}

impl Measured {
    /// What was found so far, for a comparison; its verdict means nothing yet.
    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Judges the run, held against a baseline or against nothing.
    pub fn conclude(self, baseline: Option<BaselineRecord>) -> RunRecord {
        let Self { mut record, gates } = self;
        record.baseline = baseline;
        record.verdict = evaluate(&record, &gates);
        record
    }
}
