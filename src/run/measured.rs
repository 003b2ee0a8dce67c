//! A run that is measured and not judged yet.

use crate::domain::{BaselineRecord, Beside, RunRecord, RunStatus};
use crate::gate::{GateOptions, ended_by, evaluate};

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

    /// Notes that a load may not have been the only one. `ended` is whether that ended it, and not somebody who stopped it.
    #[must_use]
    pub fn beside(mut self, beside: Beside, ended: bool) -> Self {
        if let Some(load) = &mut self.record.load {
            load.beside = Some(beside);
            if ended && self.record.status == RunStatus::Interrupted {
                self.record.status = RunStatus::Aborted;
                load.ended_by = ended_by(RunStatus::Aborted, load);
            }
        }
        self
    }

    /// Judges the run, held against a baseline or against nothing.
    pub fn conclude(self, baseline: Option<BaselineRecord>) -> RunRecord {
        let Self { mut record, gates } = self;
        record.baseline = baseline;
        record.verdict = evaluate(&record, &gates);
        record
    }
}
