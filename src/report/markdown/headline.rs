//! The verdict: one word, one sentence, and a loud line if it is about the demo.

use super::escape::{code, prose};
use super::page::Page;
use crate::domain::{Conclusion, RunRecord};
use crate::report::headline::{counts, removed};

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    page.block(format!(
        "## {}: {} against {}",
        verdict(record.verdict.conclusion),
        code(&record.suite.name),
        code(&record.target.name)
    ));
    let counts = counts(record);
    match record.verdict.sentence.as_str() {
        "" => page.block(format!("**{counts}**")),
        sentence => page.block(format!("**{counts}**: {}", prose(sentence))),
    }
    if let Some(removed) = removed(record) {
        page.block(format!("> {removed}"));
    }
    if record.target.demo {
        page.block(
            "> This was the **built-in demo**, not your service: name yours with `--target` or `--url`.",
        );
    }
}

/// A sign and a word.
pub(super) const fn verdict(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Passed => "✅ Passed",
        Conclusion::GateFailed => "❌ Failed",
        Conclusion::TargetFailed => "❌ Target failed",
        Conclusion::Inconclusive => "⚠️ Could not tell",
        Conclusion::Interrupted => "⚠️ Interrupted",
    }
}
