//! Looking at a suite before anything is sent: what it holds, what it can prove, and whether it could fail at all.

mod baseline_plan;
mod cases;
mod check;
mod disjoint;
mod null_service;
mod plan;
mod similar;
mod summary;

pub use baseline_plan::BaselineGatePlan;
pub use check::{Finding, Gravity, NEARLY_THE_SAME, check, sort};
pub use disjoint::shared;
pub use null_service::{NullService, null_services};
pub use plan::{Chance, GatePlan, Plan, RegressionPlan, plan};
pub use similar::{Likeness, similar};
pub use summary::{SuiteSummary, summarise};
