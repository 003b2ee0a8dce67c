//! Thresholds over the numbers of a record: pass, fail, or "could not tell".
//!
//! [`evaluate()`] makes the verdict on a run, [`evaluate_comparison()`] the one on two of them; nothing else makes any.
//! They read a record and nothing else, so a stored run can be judged again, by other gates.

mod answer_shares;
mod asked;
mod baseline;
mod comparison;
mod draft;
mod entry;
mod evaluate;
mod families;
mod held;
mod line;
mod load;
mod metric;
mod paired_case;
mod profile;
mod quantile;
mod sound;
mod threshold;
mod variants;
mod verdict;
mod waiver;

pub use comparison::evaluate_comparison;
pub use evaluate::{GATED_FROM, GateOptions, evaluate};
pub use held::held_gates;
pub use load::ended_by;
pub use metric::Metric;
pub use profile::GateProfile;
pub use threshold::{Gate, GateParseError};
pub use variants::Variants;
