//! What a load scenario asks of every answer besides what the contract does: rules over status, headers and body.

use serde_json::Value as Json;

use super::expression::{Expression, Scope};
use super::reading::RawAnswer;

/// What a rule can see.
const SEEN: [&str; 3] = ["status", "headers", "body"];
/// As many as a number has bits.
pub const MOST_CHECKS: usize = 64;

/// Whether this can be a rule.
///
/// # Errors
/// What is wrong with it.
pub fn check_rule(rule: &str) -> Result<(), String> {
    Expression::compile(rule, &SEEN).map(drop)
}

/// Rules that every answer is held against.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<Expression>);

impl Checks {
    pub(super) fn compile(rules: &[String]) -> Result<Self, String> {
        rules.iter().map(|rule| Expression::compile(rule, &SEEN)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a rule looks at headers.
    pub(super) fn name_headers(&self) -> bool {
        self.0.iter().any(|rule| rule.source().contains("headers"))
    }

    /// The rules that an answer breaks, a bit each; none where there are no rules. One that cannot be evaluated is
    /// broken. A body that is no JSON is null.
    pub(super) fn broken_by(&self, raw: &RawAnswer) -> Option<u64> {
        if self.0.is_empty() {
            return None;
        }
        let scope = Scope::new(raw.status, &raw.headers, raw.json(true).unwrap_or(Json::Null));
        let broken = self.0.iter().enumerate().filter(|(_, rule)| !matches!(rule.holds(&scope), Ok(true)));
        Some(broken.fold(0, |bits, (place, _)| bits | 1 << place))
    }
}
