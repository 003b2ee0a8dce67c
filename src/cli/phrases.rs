//! `thrash phrases`: what a suite holds, what it can prove, and whether it could fail at all.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::slice;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::phrases_io::{self, ExportArgs, ImportArgs};
use crate::audit::{
    Finding, GatePlan, Gravity, Plan, RegressionPlan, SuiteSummary, check, plan, shared, sort, summarise,
};
use crate::config::Config;
use crate::dispatch::DispatchError;
use crate::document::Problem;
use crate::domain::Level;
use crate::gate::{Gate, GateOptions, GateProfile};
use crate::suite::lines::{Line, messages, read_lines};
use crate::suite::{Suite, SuiteError};

#[derive(Debug, Subcommand)]
pub(super) enum PhrasesCommand {
    /// Refuse a suite that could not fail, or shows less than it seems to
    Check(CheckArgs),
    /// Count what is in a suite
    Stats(SuiteArgs),
    /// Tell what a suite can prove, before anything is sent
    Plan(SuiteArgs),
    /// Bring phrases from elsewhere into the format of this program
    Import(ImportArgs),
    /// Write a suite as a table
    Export(ExportArgs),
}

/// Which suite, and how the answer is given.
#[derive(Debug, Args)]
pub(super) struct SuiteArgs {
    /// Suites, phrase files or folders of them
    #[arg(default_value = "comprehensive", value_name = "SUITE|FILE|DIR")]
    suites: Vec<String>,
    /// One more gate, such as `false_positive_rate <= 4% (bound 95%)` (repeatable)
    #[arg(long, value_name = "EXPR")]
    gate: Vec<Gate>,
    /// A ready set of gates, such as `regression` (repeatable)
    #[arg(long, value_name = "NAME")]
    gate_profile: Vec<GateProfile>,
    /// The level from which a human is alerted
    #[arg(long, value_name = "LEVEL", default_value = "low")]
    alert_level: Level,
    /// As JSON
    #[arg(long, value_name = "FILE|-", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
}

/// What is looked at, and what it must not share.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    suite: SuiteArgs,
    /// Texts that must share no phrase, near-duplicate or template with the suite, such as those a model learns from:
    /// a phrase file, a TSV, CSV or JSONL file, lines of text, a folder of them, or a suite (repeatable)
    #[arg(long, value_name = "FILE|DIR|SUITE")]
    disjoint_from: Vec<String>,
}

pub(super) fn phrases(config: &Config, command: PhrasesCommand, output: Output) -> Result<Exit, Failure> {
    match command {
        PhrasesCommand::Import(args) => phrases_io::import(args, output),
        PhrasesCommand::Export(args) => phrases_io::export(&config.catalog(), &args, output),
        PhrasesCommand::Check(args) => check_suite(config, &args, output),
        PhrasesCommand::Stats(args) => {
            let summary = summarise(&load(config, &args)?, args.alert_level);
            give(&args, &summary, &stats_page(&summary), output)?;
            Ok(Exit::Passed)
        }
        PhrasesCommand::Plan(args) => {
            let gates = all_gates(config, &args).gates;
            let plan = plan(&load(config, &args)?, &gates, args.alert_level);
            give(&args, &plan, &plan_page(&plan, output.width()), output)?;
            Ok(Exit::Passed)
        }
    }
}

fn load(config: &Config, args: &SuiteArgs) -> Result<Suite, Failure> {
    Ok(config.catalog().load(&args.suites, None).map_err(DispatchError::from)?)
}

/// The configured gates and those that were asked for.
fn all_gates(config: &Config, args: &SuiteArgs) -> GateOptions {
    let mut all = config.gates();
    all.gates.extend(args.gate_profile.iter().flat_map(|profile| profile.gates()));
    all.gates.extend(args.gate.iter().cloned());
    all
}

/// What `phrases check` found, for scripts.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// Whether the suite may be used.
    accepted: bool,
    /// Phrases in it; none when it could not be read.
    phrases: Option<usize>,
    /// Texts that it was held against, and must share nothing with.
    others: usize,
    /// Everything that is wrong.
    findings: Vec<Finding>,
}

fn check_suite(config: &Config, args: &CheckArgs, output: Output) -> Result<Exit, Failure> {
    let CheckArgs { suite: args, disjoint_from } = args;
    let others = other_lines(config, disjoint_from)?;
    let all = all_gates(config, args);
    let (phrases, findings, page) = match config.catalog().load(&args.suites, None) {
        Ok(suite) => {
            let mut findings = check(&suite, &config.gates(), &all, args.alert_level);
            findings.extend(shared(&suite, &others));
            sort(&mut findings);
            let page = check_page(&suite, &findings, others.len());
            (Some(suite.phrases.len()), findings, page)
        }
        Err(SuiteError::Invalid { problems }) => {
            let findings: Vec<Finding> = problems.iter().map(finding).collect();
            (None, findings, format!("{problems}\n\nrefused: {} problems\n", problems.iter().count()))
        }
        Err(error) => return Err(DispatchError::from(error).into()),
    };
    let accepted = findings.iter().all(|finding| finding.gravity != Gravity::Error);
    let given = give(args, &Checked { accepted, phrases, others: others.len(), findings }, &page, output);
    Ok(if accepted { Exit::Passed } else { Exit::Usage }.after(given, output))
}

/// The texts that the suite must not share anything with.
fn other_lines(config: &Config, names: &[String]) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for name in names {
        let path = Path::new(name);
        let read = if path.exists() {
            read_lines(path)
        } else {
            config.catalog().load(slice::from_ref(name), None).map(|suite| messages(&suite.phrases))
        };
        lines.extend(read.map_err(DispatchError::from)?);
    }
    Ok(lines)
}

fn finding(problem: &Problem) -> Finding {
    Finding {
        gravity: Gravity::Error,
        kind: "invalid",
        file: Some(problem.file.clone()),
        line: u32::try_from(problem.position.line).ok(),
        message: problem.message.clone(),
        with: None,
    }
}

/// Prints the page, or the data where that was asked for.
fn give(args: &SuiteArgs, data: &impl Serialize, page: &str, output: Output) -> Result<(), Failure> {
    let json = || serde_json::to_string_pretty(data).map(|json| json + "\n").unwrap_or_default();
    match &args.json {
        Some(path) if path.as_os_str() == "-" => output.data(&json())?,
        Some(path) => {
            std::fs::write(path, json())?;
            output.show(page)?;
        }
        None => output.show(page)?,
    }
    Ok(())
}

fn check_page(suite: &Suite, findings: &[Finding], others: usize) -> String {
    let mut page = String::new();
    for finding in findings {
        let word = match finding.gravity {
            Gravity::Error => "error",
            Gravity::Warning => "warning",
        };
        let place = match (&finding.file, finding.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            _ => String::new(),
        };
        let _ = writeln!(page, "{word}: {place}{}", finding.message);
    }
    let errors = findings.iter().filter(|finding| finding.gravity == Gravity::Error).count();
    let warnings = findings.len() - errors;
    let verdict = if errors == 0 { "accepted" } else { "refused" };
    let held_against =
        if others == 0 { String::new() } else { format!(", held against {others} other texts") };
    let _ = writeln!(
        page,
        "{verdict}: suite `{}`, {} phrases in {} categories{held_against}\n{errors} errors, {warnings} warnings",
        suite.name,
        suite.phrases.len(),
        suite.categories.len(),
    );
    page
}

fn stats_page(summary: &SuiteSummary) -> String {
    let mut page = String::new();
    let SuiteSummary { suite, hash, phrases, alert_level, .. } = summary;
    let _ = writeln!(page, "{suite}: {phrases} phrases, hash {hash}");
    let _ = writeln!(
        page,
        "alert level {alert_level}: {} negatives, {} positives, {} in neither rate",
        summary.negatives, summary.positives, summary.straddling
    );
    let _ = writeln!(
        page,
        "{} contrast pairs, {} variants of a seed in {} families\n{} must pass, {} with earlier messages",
        summary.pairs, summary.variants, summary.families, summary.must_pass, summary.with_history
    );
    if let Some(agreement) = summary.human_agreement {
        let alpha = agreement.alpha.map_or_else(|| "not defined".to_owned(), |alpha| format!("{alpha:.2}"));
        let _ = writeln!(
            page,
            "people agree with each other: Krippendorff's alpha {alpha},\n  {} labels on {} phrases",
            agreement.annotations, agreement.phrases
        );
    }
    if let Some([shortest, middle, longest]) = summary.lengths {
        let _ = writeln!(page, "texts of {shortest} to {longest} characters, {middle} in the middle");
    }
    let categories: BTreeMap<String, usize> = summary.categories.iter().cloned().collect();
    for (title, counts) in [
        ("categories", &categories),
        ("capabilities", &summary.capabilities),
        ("contrast pairs by capability", &summary.pairs_by_capability),
        ("expected", &summary.expected),
        ("languages", &summary.languages),
        ("tags", &summary.tags),
    ] {
        if !counts.is_empty() {
            let _ = writeln!(page, "\n{title}");
            page.push_str(&columns(counts));
        }
    }
    page
}

/// Names with counts in as many columns as 80 characters hold.
fn columns(counts: &BTreeMap<String, usize>) -> String {
    let name_width = counts.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let across = (78 / (name_width + 8)).max(1);
    let cells: Vec<String> =
        counts.iter().map(|(name, count)| format!("  {name:<name_width$} {count:>5}")).collect();
    cells.chunks(across).map(|row| row.concat() + "\n").collect()
}

fn plan_page(plan: &Plan, width: usize) -> String {
    let mut page = String::new();
    let _ = writeln!(
        page,
        "{}: {} phrases that count\n  {} negatives, {} positives, {} in neither rate\n",
        plan.suite, plan.phrases, plan.negatives, plan.positives, plan.straddling
    );
    page.push_str(
        "The chance in % to pass, if the true error rate is this share of what the gate\nallows:\n\n",
    );
    let mut table = Builder::new();
    table.push_record(["gate", "cases", "allows", "1/8", "1/4", "3/8", "1/2", "3/4", "all"]);
    for gate in &plan.gates {
        table.push_record(gate_row(gate, width.saturating_sub(42).clamp(20, 60)));
    }
    let mut table = table.build();
    table.with(Style::blank()).with(Padding::zero());
    table.modify(Columns::new(1..), Alignment::right());
    for line in table.to_string().lines() {
        let _ = writeln!(page, "{}", line.trim_end());
    }
    if plan.gates.iter().any(|gate| gate.effective.is_some()) {
        let _ = writeln!(
            page,
            "\nIn brackets: what cases are worth of which some are variants of one seed,\n\
             planned with a correlation of {} within a family. A run takes the correlation\n\
             that it finds, if that is higher.",
            plan.family_correlation
        );
    }
    for gate in plan.gates.iter().filter(|gate| gate.allowed_errors.is_none()) {
        let needed =
            gate.min_cases.map_or_else(String::new, |cases| format!("; it takes {cases} without an error"));
        let _ = writeln!(page, "\n`{}` cannot pass with {} cases{needed}.", gate.gate, gate.cases);
    }
    if let Some(chance) = plan.category_false_alarm {
        let _ = writeln!(
            page,
            "\nIf every category were exactly at its target, at least one would fail in\n{:.0} % of runs.",
            chance * 100.0
        );
    }
    page.push_str(&against_baseline(plan, width));
    let _ = writeln!(
        page,
        "\nThe chance to see a change against a baseline (paired, one-sided, 5 %), if 0.5 %\ngot better and"
    );
    for regression in &plan.regressions {
        let _ = writeln!(
            page,
            "  {:>4.1} % got worse: {:>3.0} %",
            regression.regressing * 100.0,
            regression.power * 100.0
        );
    }
    page
}

/// What the gates against a baseline could see; nothing where there is none.
fn against_baseline(plan: &Plan, width: usize) -> String {
    if plan.baseline_gates.is_empty() {
        return String::new();
    }
    let mut page = String::from(
        "\nAgainst a baseline, the chance that a gate stops it if 0.5 % of its phrases got\n\
         better and so many worse; `from` is how many worse ones it sees if none got\n\
         better:\n\n",
    );
    let mut table = Builder::new();
    let chances = &plan.regressions;
    let share = |chance: &RegressionPlan| format!("{:.1} %", chance.regressing * 100.0);
    let heads = ["gate", "cases", "from"].map(str::to_owned);
    table.push_record(heads.into_iter().chain(chances.iter().map(share)));
    for gate in &plan.baseline_gates {
        let mut row = vec![
            cut(&gate.gate, width.saturating_sub(14 + 6 * chances.len()).clamp(20, 60)),
            gate.cases.to_string(),
            gate.seen_from.to_string(),
        ];
        row.extend((0..chances.len()).map(|i| match gate.chances.get(i) {
            Some(chance) => format!("{:.0} %", chance.power * 100.0),
            None => "–".to_owned(),
        }));
        table.push_record(row);
    }
    let mut table = table.build();
    table.with(Style::blank()).with(Padding::zero());
    table.modify(Columns::new(1..), Alignment::right());
    for line in table.to_string().lines() {
        let _ = writeln!(page, "{}", line.trim_end());
    }
    for gate in &plan.baseline_gates {
        let (name, cases) = (&gate.gate, gate.cases);
        let _ = match (&gate.slice, gate.seen_from) {
            (_, 0) => writeln!(page, "\n`{name}` cannot pass with {cases} cases, even if nothing changed."),
            (Some(slice), _) => {
                writeln!(page, "\n`{name}`:\n  for `{slice}`, the smallest one that it looks at.")
            }
            (None, _) => continue,
        };
    }
    page
}

fn cut(name: &str, most: usize) -> String {
    if name.chars().count() > most {
        name.chars().take(most - 1).chain(['…']).collect()
    } else {
        name.to_owned()
    }
}

fn gate_row(gate: &GatePlan, width: usize) -> Vec<String> {
    let allows = gate.allowed_errors.map_or_else(|| "never".to_owned(), |errors| errors.to_string());
    let chance = |i: usize| {
        gate.chances.get(i).map_or_else(|| "–".to_owned(), |chance| format!("{:.0}", chance.passes * 100.0))
    };
    let cases = match gate.effective {
        Some(worth) => format!("{} ({worth:.0})", gate.cases),
        None => gate.cases.to_string(),
    };
    let mut row = vec![cut(&gate.gate, width), cases, allows];
    row.extend((0..6).map(chance));
    row
}
