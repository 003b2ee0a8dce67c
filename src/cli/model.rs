//! `thrash model`: what a reference model is, whether it computes rightly, and the library that runs it faster.

use std::fmt::Write;
use std::time::Instant;

use clap::{Args, Subcommand};

use super::args::{Flags, add};
use super::exit::Exit;
use super::failure::Failure;
use super::model_pull::{self, PullArgs};
use super::model_runtime::{self, RuntimeArgs};
use super::output::Output;
use crate::config::Config;
use crate::dispatch::DispatchError;
use crate::reference::{
    Apart, Device, EngineChoice, Model, ModelFacts, ModelSource, Opinion, ReferenceError, ReferenceOptions,
};

/// How a run asks for a reference.
#[derive(Debug, Args)]
pub(super) struct ReferenceArgs {
    /// A second opinion beside the target: a model folder (also by its name among the got ones), an ONNX file, builtin or none
    #[arg(long, value_name = "DIR|builtin|none", help_heading = "Reference")]
    reference: Option<String>,
    /// The same as `--reference none`
    #[arg(long, conflicts_with = "reference", help_heading = "Reference")]
    no_reference: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

impl ReferenceArgs {
    pub(super) fn flags(&self) -> Flags {
        let mut flags = self.engine.flags();
        let none = self.no_reference.then(|| "none".to_owned());
        add(&mut flags, "reference.model", self.reference.clone().or(none));
        flags
    }
}

/// How a model is run.
#[derive(Debug, Args)]
pub(super) struct EngineArgs {
    /// What runs the model: auto, ort (ONNX Runtime, a library found at run time) or rten
    #[arg(long, value_name = "NAME", help_heading = "Reference")]
    engine: Option<EngineChoice>,
    /// Where it runs: auto, cpu, cuda or tensorrt; the last two use an NVIDIA card or nothing
    #[arg(long, value_name = "NAME", help_heading = "Reference")]
    device: Option<Device>,
}

impl EngineArgs {
    fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        add(&mut flags, "reference.engine", self.engine.map(EngineChoice::as_str));
        add(&mut flags, "reference.device", self.device.map(Device::as_str));
        flags
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Load a model and show what it is, what runs it and how fast
    Info(ModelArgs),
    /// Prove that every engine here gives the same answers, and that nothing fell back
    Check(ModelArgs),
    /// Fetch a model from a hub, at one commit, every file checked against its hash
    Pull(PullArgs),
    /// Show which ONNX Runtime library is used, or fetch one
    Runtime(RuntimeArgs),
}

/// Which model.
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// A model folder, an ONNX file or builtin; else the configured one
    #[arg(value_name = "DIR|builtin")]
    model: Option<String>,
    #[command(flatten)]
    engine: EngineArgs,
}

impl ModelArgs {
    fn options(&self, config: &Config) -> ReferenceOptions {
        match self.model.as_deref() {
            Some(name) => config.reference_with(config.model_named(name)),
            None => config.reference().unwrap_or_else(|| config.reference_with(ModelSource::Builtin)),
        }
    }
}

pub(super) async fn model(
    command: ModelCommand,
    load: impl Fn(Flags) -> Result<Config, Failure>,
    output: Output,
) -> Result<Exit, Failure> {
    match command {
        ModelCommand::Info(args) => info(&load(args.engine.flags())?, &args, output),
        ModelCommand::Check(args) => check(&load(args.engine.flags())?, &args, output),
        ModelCommand::Pull(args) => model_pull::run(&load(Flags::new())?, &args, output).await,
        ModelCommand::Runtime(args) => model_runtime::runtime(&load(Flags::new())?, &args, output).await,
    }
}

/// The phrases of the comprehensive suite: what a model will be asked.
fn texts(config: &Config) -> Result<Vec<String>, Failure> {
    let suite = config.catalog().load(&["comprehensive".to_owned()], None).map_err(DispatchError::from)?;
    Ok(suite.phrases.into_iter().map(|phrase| phrase.text).collect())
}

/// A model's opinions, and how many a second.
#[expect(clippy::cast_precision_loss, reason = "a suite's phrases")]
fn ask(model: &mut Model, texts: &[&str]) -> Result<(Vec<Opinion>, f64), ReferenceError> {
    let started = Instant::now();
    let opinions = model.opinions(texts)?;
    Ok((opinions, texts.len() as f64 / started.elapsed().as_secs_f64().max(1e-9)))
}

fn info(config: &Config, args: &ModelArgs, output: Output) -> Result<Exit, Failure> {
    let mut model = Model::load(&args.options(config))?;
    let texts = texts(config)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (_, speed) = ask(&mut model, &texts)?;
    let facts = model.facts();
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "{what:<10} {value}");
    };
    let revision = facts.revision.as_ref().map_or_else(String::new, |revision| format!(" {revision}"));
    line("model", format!("{}{revision}, {}", facts.name, facts.file));
    line("task", format!("{}: {}", facts.task, facts.labels.join(", ")));
    line("engine", engine(facts));
    line("golden", golden(facts));
    line("loaded in", format!("{:.0} ms", facts.loaded_in.as_secs_f64() * 1e3));
    line("speed", format!("{speed:.0} phrases/s over the {} of the comprehensive suite", texts.len()));
    line("hash", facts.hash.clone());
    for note in &facts.notes {
        line("note", note.clone());
    }
    for (name, hash) in &facts.files {
        let _ = writeln!(text, "{hash}  {name}");
    }
    output.show(&text)?;
    Ok(Exit::Passed)
}

/// What runs it, where, and which provider has which share of its nodes.
fn engine(facts: &ModelFacts) -> String {
    let threads = if facts.threads == 1 { "thread" } else { "threads" };
    let nodes: Vec<String> =
        facts.placement.iter().map(|(provider, nodes)| format!("{provider} {nodes}")).collect();
    let nodes = if nodes.is_empty() { String::new() } else { format!("; nodes: {}", nodes.join(", ")) };
    format!(
        "{} on {}, {} {threads}, batches of {}{nodes}",
        facts.engine,
        facts.device.as_str(),
        facts.threads,
        facts.batch
    )
}

fn golden(facts: &ModelFacts) -> String {
    match facts.golden {
        0 => "none: its arithmetic was not checked".to_owned(),
        1 => "1 phrase came out as it should".to_owned(),
        golden => format!("{golden} phrases came out as they should"),
    }
}

/// A line of the check: what was looked at, and how it ended; a note has no end.
type Line = (Option<Exit>, String);

/// Loads the model in every engine that is here and holds their answers against one another.
fn check(config: &Config, args: &ModelArgs, output: Output) -> Result<Exit, Failure> {
    let wanted = args.options(config);
    let texts = texts(config)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut lines: Vec<Line> = Vec::new();
    let mut answers: Option<(String, Vec<Opinion>)> = None;
    let mut refused: Option<ReferenceError> = None;
    let (mut answered, mut unchecked) = (0_usize, 0);
    // Then it is what a run tries first.
    let has_cuda = wanted.engine != EngineChoice::Rten && wanted.runtime.open().is_ok_and(|facts| facts.cuda);
    for (name, options) in ways(&wanted, has_cuda) {
        let mut model = match Model::load(&options) {
            Ok(model) => model,
            // That a machine has no such library or card says nothing against the model. rten lacks a card anywhere.
            Err(ReferenceError::Engine(error))
                if error.is_absence() && wanted.engine != EngineChoice::Rten =>
            {
                lines.push((Some(Exit::Inconclusive), format!("{name}: {error}")));
                continue;
            }
            Err(error) => {
                lines.push((Some(Exit::GateFailed), format!("{name}: {}", error.explained())));
                refused = refused.or(Some(error));
                continue;
            }
        };
        let (opinions, speed) = ask(&mut model, &texts)?;
        let facts = model.facts();
        let shown = format!("{name}: {}, {speed:.0} phrases/s", engine(facts));
        lines.push((Some(Exit::Passed), format!("{shown}; golden: {}", golden(facts))));
        // On a card they say what is not proved, such as nodes that fell back.
        let noted = (facts.device != Device::Cpu).then_some(Exit::Inconclusive);
        lines.extend(facts.notes.iter().map(|note| (noted, format!("{name}: {note}"))));
        if !facts.about_shapes.is_empty() {
            let operators = facts.about_shapes.iter().map(|(operator, nodes)| format!("{operator} {nodes}"));
            let operators = operators.collect::<Vec<_>>().join(", ");
            lines
                .push((None, format!("{name}: on the processor what is computed about shapes: {operators}")));
        }
        unchecked += usize::from(facts.golden == 0);
        answered += 1;
        lines.push(steady(&name, &mut model, &texts)?);
        match &answers {
            None => answers = Some((name, opinions)),
            Some((first, others)) => {
                let apart = Apart::between(others, &opinions);
                lines.push(agreement(first, &name, &apart, &model));
            }
        }
    }
    // Refused by all of them: it is the model, and the reason stands alone.
    if let (None, Some(error)) = (&answers, refused) {
        return Err(error.into());
    }
    if answered == 1 && unchecked == 1 {
        let alone = "one engine and no golden phrases: nothing shows that it computes what it should";
        lines.push((Some(Exit::Inconclusive), alone.to_owned()));
    }
    let mut exit = Exit::Passed;
    let mut text = String::new();
    for (ended, line) in lines {
        let sign = match ended {
            None => "  ",
            Some(Exit::Passed) => "ok",
            Some(Exit::Inconclusive) => "??",
            Some(_) => "NO",
        };
        exit = exit.or(ended.unwrap_or(Exit::Passed));
        let _ = writeln!(text, "{sign}  {line}");
    }
    Ok(exit.after(output.show(&text), output))
}

/// Every engine that was built in, on the processor and on the device that is asked for, which without a word is a card
/// where the library was built for one; `--engine` asks for one of them alone.
fn ways(wanted: &ReferenceOptions, has_cuda: bool) -> Vec<(String, ReferenceOptions)> {
    let with = |engine, device| ReferenceOptions { engine, device, ..wanted.clone() };
    let mut ways = Vec::new();
    if wanted.engine == EngineChoice::Rten {
        // A card is refused there, as by any command.
        ways.push(("rten".to_owned(), wanted.clone()));
    } else if wanted.engine != EngineChoice::OnnxRuntime {
        ways.push(("rten".to_owned(), with(EngineChoice::Rten, Device::Cpu)));
    }
    if wanted.engine != EngineChoice::Rten {
        ways.push(("ort on cpu".to_owned(), with(EngineChoice::OnnxRuntime, Device::Cpu)));
        let card = match wanted.device {
            device @ (Device::Cuda | Device::TensorRt) => Some(device),
            Device::Auto => has_cuda.then_some(Device::Cuda),
            Device::Cpu => None,
        };
        ways.extend(
            card.map(|device| {
                (format!("ort on {}", device.as_str()), with(EngineChoice::OnnxRuntime, device))
            }),
        );
    }
    ways
}

/// Whether an answer is the same alone as beside longer ones.
fn steady(name: &str, model: &mut Model, texts: &[&str]) -> Result<Line, ReferenceError> {
    let (apart, tolerance) = (model.batch_effect(texts)?, model.tolerance());
    let what = format!("{name}: alone or beside longer texts");
    Ok(apart_by(&what, &apart, tolerance, model))
}

fn agreement(first: &str, second: &str, apart: &Apart, model: &Model) -> Line {
    apart_by(&format!("{first} and {second}"), apart, model.tolerance_between_engines(), model)
}

/// Whether two sets of answers are the same. Where eight bits explain other levels, nobody can tell.
fn apart_by(what: &str, apart: &Apart, tolerance: f64, model: &Model) -> Line {
    let ended = match apart.levels {
        _ if apart.texts == 0 => Exit::Inconclusive,
        _ if apart.scores > tolerance => Exit::GateFailed,
        0 => Exit::Passed,
        _ if model.is_exact() => Exit::GateFailed,
        _ => Exit::Inconclusive,
    };
    let why = if apart.texts == 0 {
        "; nothing was compared"
    } else if ended == Exit::Inconclusive {
        "; eight bits round otherwise in each engine and batch"
    } else {
        ""
    };
    let text = format!(
        "{what}: {} of {} levels differ, scores by {:.6} at most ({tolerance} allowed){why}",
        apart.levels, apart.texts, apart.scores
    );
    (Some(ended), text)
}

#[cfg(test)]
mod tests {
    use super::ways;
    use crate::reference::{Device, EngineChoice, ModelSource, ReferenceOptions, RuntimeOptions};

    fn names(engine: EngineChoice, device: Device, has_cuda: bool) -> Vec<String> {
        let wanted = ReferenceOptions {
            model: ModelSource::Builtin,
            engine,
            device,
            threads: 1,
            batch: None,
            is_unsorted: false,
            runtime: RuntimeOptions::default(),
        };
        ways(&wanted, has_cuda).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_card_that_a_run_would_try_is_checked_without_a_word() {
        let auto = EngineChoice::Auto;
        assert_eq!(names(auto, Device::Auto, false), ["rten", "ort on cpu"]);
        assert_eq!(names(auto, Device::Auto, true), ["rten", "ort on cpu", "ort on cuda"]);
        assert_eq!(names(EngineChoice::OnnxRuntime, Device::Auto, true), ["ort on cpu", "ort on cuda"]);
        assert_eq!(names(auto, Device::Cpu, true), ["rten", "ort on cpu"]);
        // Asked for, it is looked for whatever the library is.
        assert_eq!(names(auto, Device::Cuda, false), ["rten", "ort on cpu", "ort on cuda"]);
        assert_eq!(names(auto, Device::TensorRt, false), ["rten", "ort on cpu", "ort on tensorrt"]);
    }
}
