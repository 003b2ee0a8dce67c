//! Thresholds over the numbers of a record: pass, fail, or "could not tell".
//!
//! [`evaluate()`] is the only place where a run's verdict is made. It reads a record and nothing else, so a stored run
//! can be judged again, by other gates.

mod evaluate;
mod families;
mod held;
mod metric;
mod threshold;
mod variants;
mod waiver;

pub use evaluate::{GATED_FROM, GateOptions, evaluate};
pub use held::held_gates;
pub use metric::Metric;
pub use threshold::{Gate, GateParseError};
pub use variants::Variants;
