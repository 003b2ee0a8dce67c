//! Loading a model: into the first engine that takes it, fits it and computes it rightly.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::engine::{Device, Engine, EngineChoice, EngineError, Port, Weights};
use super::folder::{ModelFolder, ModelSource, hex};
use super::head::Head;
use super::model::{Input, Model, ModelFacts};
use super::opinion::Opinion;
use super::placement::{self, Node, Placed, Placement};
use super::recipe::Recipe;
use super::side_file::{InputKind, Task};
use super::tokens::Tokens;
use super::{ReferenceError, RuntimeOptions};

/// Rows that are computed together, on the processor and on a card.
const BATCH: (usize, usize) = (16, 256);

/// A text for a first run where there is no golden phrase.
const HARMLESS: &str = "What a lovely day it is.";

/// Which model, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceOptions {
    /// The model.
    pub model: ModelSource,
    /// The engine.
    pub engine: EngineChoice,
    /// Where it runs.
    pub device: Device,
    /// Threads that compute, at most; never more than there are cores.
    pub threads: usize,
    /// Rows that are computed together; none is 16, on a card 256.
    pub batch: Option<usize>,
    /// Whether batches are of rows as they come, each padded to its longest: only to measure what sorting them is worth.
    pub is_unsorted: bool,
    /// Where ONNX Runtime is looked for.
    pub runtime: RuntimeOptions,
}

/// A way to run a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    OnnxRuntime(Device),
    Rten,
}

impl Way {
    const fn device(self) -> Device {
        match self {
            Self::OnnxRuntime(device) => device,
            Self::Rten => Device::Cpu,
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OnnxRuntime(device) => write!(f, "ONNX Runtime on {}", device.as_str()),
            Self::Rten => f.write_str("rten"),
        }
    }
}

/// The ways to try, in order.
fn ways(options: &ReferenceOptions) -> Result<Vec<Way>, ReferenceError> {
    let on = |device| Way::OnnxRuntime(device);
    Ok(match (options.engine, options.device) {
        (EngineChoice::Rten, Device::Auto | Device::Cpu) => vec![Way::Rten],
        (EngineChoice::Rten, device @ (Device::Cuda | Device::TensorRt)) => {
            return Err(EngineError::Device {
                device: device.as_str(),
                reason: "rten runs on the processor only".to_owned(),
            }
            .into());
        }
        (_, device @ (Device::Cuda | Device::TensorRt)) => vec![on(device)],
        (EngineChoice::OnnxRuntime, Device::Auto) if has_cuda(options) => {
            vec![on(Device::Cuda), on(Device::Cpu)]
        }
        (EngineChoice::OnnxRuntime, Device::Auto | Device::Cpu) => vec![on(Device::Cpu)],
        (EngineChoice::Auto, Device::Auto) if has_cuda(options) => {
            vec![on(Device::Cuda), on(Device::Cpu), Way::Rten]
        }
        (EngineChoice::Auto, Device::Auto | Device::Cpu) => vec![on(Device::Cpu), Way::Rten],
    })
}

#[cfg(feature = "onnxruntime")]
fn has_cuda(options: &ReferenceOptions) -> bool {
    super::onnxruntime::has_cuda(&options.runtime)
}

#[cfg(not(feature = "onnxruntime"))]
fn has_cuda(_: &ReferenceOptions) -> bool {
    false
}

/// The model in an engine, once for each batch that is read at the same time.
fn engines(
    way: Way,
    weights: Weights<'_>,
    options: &ReferenceOptions,
    threads: usize,
) -> Result<Vec<Box<dyn Engine>>, EngineError> {
    match way {
        #[cfg(feature = "onnxruntime")]
        Way::OnnxRuntime(device) => {
            let loaded = super::onnxruntime::OnnxRuntime::load(weights, &options.runtime, device, threads)?;
            Ok(loaded.into_iter().map(|engine| Box::new(engine) as _).collect())
        }
        #[cfg(not(feature = "onnxruntime"))]
        Way::OnnxRuntime(_) => Err(EngineError::NotBuilt("ONNX Runtime (feature `onnxruntime`)")),
        #[cfg(feature = "rten")]
        Way::Rten => {
            let loaded = super::rten_engine::RtenEngine::load(weights, threads)?;
            Ok(loaded.into_iter().map(|engine| Box::new(engine) as _).collect())
        }
        #[cfg(not(feature = "rten"))]
        Way::Rten => Err(EngineError::NotBuilt("rten (feature `rten`)")),
    }
}

impl Model {
    /// Finds a model's files, loads it and checks its golden phrases.
    ///
    /// # Errors
    /// The files are not what they should be, or no engine runs the model as it was made.
    pub fn load(options: &ReferenceOptions) -> Result<Self, ReferenceError> {
        let started = Instant::now();
        let folder = ModelFolder::open(&options.model)?;
        let recipe = Recipe::new(&folder)?;
        // Of a large model this takes as long as loading it.
        let (loaded, files) = std::thread::scope(|scope| {
            let hashing = scope.spawn(|| folder.hashes(recipe.task));
            let loaded = load(&folder, &recipe, options);
            (loaded, hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let files = files?;
        check_hashes(&folder, &files)?;
        let mut model = loaded?;
        model.facts.hash = total_hash(&files);
        model.facts.files = files;
        model.facts.loaded_in = started.elapsed();
        Ok(model)
    }
}

fn load(folder: &ModelFolder, recipe: &Recipe, options: &ReferenceOptions) -> Result<Model, ReferenceError> {
    let (mut failed, mut absent, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let ways = ways(options)?;
    let is_only = ways.len() == 1;
    for way in ways {
        match load_in(way, folder, recipe, options) {
            Ok(mut model) => {
                model.facts.notes.splice(0..0, notes);
                return Ok(model);
            }
            Err(error) if is_only => return Err(error),
            // No other engine will make these fit.
            Err(
                error @ (ReferenceError::Folder { .. }
                | ReferenceError::Read { .. }
                | ReferenceError::Misfit { .. }),
            ) => return Err(error),
            Err(error) => {
                let text = match &error {
                    ReferenceError::Engine(EngineError::NoRuntime { .. }) => error.to_string(),
                    _ => format!("{way}: {error}"),
                };
                // That a machine has no such library is how most are, and the engine's name says it.
                if !matches!(&error, ReferenceError::Engine(EngineError::NoRuntime { is_there: false, .. })) {
                    notes.push(text.clone());
                }
                let is_absence = matches!(&error, ReferenceError::Engine(error) if error.is_absence());
                if is_absence { &mut absent } else { &mut failed }.push((text, error.hint()));
            }
        }
    }
    // What came of the model goes first: what the machine lacks is not the reason where something read it.
    let reasons = if failed.is_empty() { &absent } else { &failed };
    let hint = reasons.iter().find_map(|(_, hint)| hint.clone());
    let tried = failed.into_iter().chain(absent).map(|(text, _)| text).collect();
    Err(ReferenceError::NoEngine { model: folder.shown.clone(), tried, hint })
}

fn load_in(
    way: Way,
    folder: &ModelFolder,
    recipe: &Recipe,
    options: &ReferenceOptions,
) -> Result<Model, ReferenceError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // More threads than cores take turns: four on two cores are three times slower than two.
    let threads = options.threads.clamp(1, cores);
    let mut path = PathBuf::new();
    let weights = folder.weights(&mut path);
    // A tokenizer takes a good part of the time that the engine takes.
    let (engines, input) = std::thread::scope(|scope| {
        let input = scope.spawn(|| input(folder, recipe));
        let engines = engines(way, weights, options, threads);
        (engines, input.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut engines = engines?;
    // What the first one proves holds for the others: they are the same model in the same engine.
    let others = engines.split_off(1);
    let output = ports(folder, recipe, engines[0].as_ref())?;
    let (input, head) = (input?, head(folder, recipe)?);
    let (small, large) = BATCH;
    let on_card = way.device() != Device::Cpu;
    let facts = ModelFacts {
        name: recipe.name.clone(),
        revision: recipe.revision.clone(),
        file: folder.model_file.clone(),
        hash: String::new(),
        files: BTreeMap::new(),
        task: recipe.task,
        labels: recipe.reading.labels.iter().map(|label| label.name.clone()).collect(),
        engine: engines[0].name(),
        device: way.device(),
        placement: Placement::new(),
        about_shapes: BTreeMap::new(),
        threads,
        batch: options.batch.unwrap_or(if on_card { large } else { small }).max(1),
        notes: Vec::new(),
        loaded_in: std::time::Duration::ZERO,
        golden: 0,
    };
    let is_unsorted = options.is_unsorted;
    let mut model = Model { recipe: recipe.clone(), input, head, engines, output, is_unsorted, facts };
    model.check_golden()?;
    if on_card {
        model.read_together(HARMLESS)?;
    }
    let nodes = model.engines[0].nodes()?;
    model.facts.placement = placement::counts(&nodes);
    check_placement(way.device(), &nodes, &mut model.facts)?;
    model.engines.extend(others);
    Ok(model)
}

fn input(folder: &ModelFolder, recipe: &Recipe) -> Result<Input, ReferenceError> {
    Ok(match (folder.side.input, &folder.side.characters) {
        (InputKind::Characters, Some(scheme)) => Input::Characters(scheme.clone()),
        _ => Input::Tokens(Box::new(Tokens::new(folder, recipe)?)),
    })
}

fn head(
    folder: &ModelFolder,
    recipe: &Recipe,
) -> Result<Option<(Head, super::side_file::Pooling, bool)>, ReferenceError> {
    if recipe.task != Task::Embedding {
        return Ok(None);
    }
    let head = Head::load(folder, recipe.reading.labels.len())?;
    Ok(Some((head, folder.side.pooling, folder.side.normalize)))
}

/// Looks whether the model takes what we have, and finds the output to read.
fn ports(folder: &ModelFolder, recipe: &Recipe, engine: &dyn Engine) -> Result<String, ReferenceError> {
    let misfit = |expected: &str, found: String, hint: Option<&str>| ReferenceError::Misfit {
        model: folder.shown.clone(),
        expected: expected.to_owned(),
        found,
        hint: hint.map(str::to_owned),
    };
    let all = |ports: &[Port]| match ports {
        [] => "none".to_owned(),
        ports => ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let known = |port: &Port| {
        ["input_ids", "attention_mask", "token_type_ids"].contains(&port.name.as_str())
            && port.rank.is_none_or(|rank| rank == 2)
            && port.holds(&["int64", "int32"])
    };
    let inputs = engine.inputs();
    if !inputs.iter().any(|port| port.name == "input_ids") || !inputs.iter().all(known) {
        return Err(misfit(
            "whole-number inputs `input_ids` and, if wanted, `attention_mask` and `token_type_ids`, of two axes",
            all(inputs),
            None,
        ));
    }
    let names: &[&str] = match recipe.task {
        Task::Embedding => &["sentence_embedding", "last_hidden_state", "token_embeddings"],
        Task::Classify | Task::MultiLabel | Task::Score | Task::ZeroShot => &["logits"],
    };
    let outputs = engine.outputs();
    let output = names.iter().find_map(|name| outputs.iter().find(|port| port.name == *name));
    let ((Some(output), _) | (None, [output])) = (output, outputs) else {
        let expected = format!("an output `{}`, or only one", names.join("` or `"));
        return Err(misfit(&expected, all(outputs), None));
    };
    if !output.holds(&["float32"]) {
        return Err(misfit(
            "an output of float32",
            output.to_string(),
            Some("convert with float32 in and out (`keep_io_types=True`)"),
        ));
    }
    Ok(output.name.clone())
}

/// Which device really ran it: it must have run something, and what it left to others is said.
fn check_placement(device: Device, nodes: &[Node], facts: &mut ModelFacts) -> Result<(), EngineError> {
    const MOST_NAMED: usize = 5;
    let wanted = match device {
        Device::Auto | Device::Cpu => return Ok(()),
        Device::Cuda => "CUDAExecutionProvider",
        Device::TensorRt => "TensorrtExecutionProvider",
    };
    let placed = Placed::of(nodes, wanted);
    let elsewhere = placed.fell_back.len();
    if placed.there == 0 {
        return Err(EngineError::Device {
            device: device.as_str(),
            reason: format!("it took none of the model's nodes, and {elsewhere} ran elsewhere"),
        });
    }
    if elsewhere > 0 {
        let mut named = placed.fell_back.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
        if elsewhere > MOST_NAMED {
            named = format!("{named} and {} more", elsewhere - MOST_NAMED);
        }
        let all = elsewhere + placed.there;
        facts.notes.push(format!("{elsewhere} of {all} nodes fell back from {}: {named}", device.as_str()));
    }
    facts.about_shapes = placed.about_shapes;
    Ok(())
}

fn check_hashes(folder: &ModelFolder, found: &BTreeMap<String, String>) -> Result<(), ReferenceError> {
    for (file, wanted) in &folder.side.sha256 {
        let found = found.get(file).map_or("no such file", String::as_str);
        if !found.eq_ignore_ascii_case(wanted) {
            return Err(ReferenceError::Misfit {
                model: folder.shown.clone(),
                expected: format!("`{file}` with SHA-256 {wanted}"),
                found: found.to_owned(),
                hint: Some("the file is not the one that `thrash.yaml` was written for".to_owned()),
            });
        }
    }
    Ok(())
}

fn total_hash(files: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for (name, digest) in files {
        hash.update(format!("{digest}  {name}\n"));
    }
    hex(&hash.finalize())
}

impl Model {
    /// Runs the golden phrases; without any, one harmless text, so that something has run.
    fn check_golden(&mut self) -> Result<(), ReferenceError> {
        let golden = self.recipe.golden.clone();
        if golden.is_empty() {
            self.opinions(&[HARMLESS])?;
            self.facts.notes.push("it has no golden phrases, so its arithmetic was not checked".to_owned());
            return Ok(());
        }
        let texts: Vec<&str> = golden.iter().map(|golden| golden.text.as_str()).collect();
        let opinions: Vec<Opinion> = self.opinions(&texts)?;
        let tolerance = self.recipe.tolerance;
        for (index, (golden, opinion)) in golden.iter().zip(&opinions).enumerate() {
            let far = |(wanted, found): (&f64, &f64)| (wanted - found).abs() > tolerance;
            if golden.scores.iter().zip(&opinion.scores).any(far) {
                return Err(ReferenceError::Golden {
                    model: self.facts.name.clone(),
                    engine: self.facts.engine.clone(),
                    phrase: index + 1,
                    expected: shown(&golden.scores),
                    found: shown(&opinion.scores),
                    tolerance,
                });
            }
            if let Some(expected) = golden.level.filter(|level| *level != opinion.level) {
                return Err(ReferenceError::GoldenLevel {
                    model: self.facts.name.clone(),
                    engine: self.facts.engine.clone(),
                    phrase: index + 1,
                    expected,
                    found: opinion.level,
                });
            }
        }
        self.facts.golden = golden.len();
        Ok(())
    }
}

fn shown(scores: &[f64]) -> String {
    let scores: Vec<String> = scores.iter().map(|score| format!("{score:.3}")).collect();
    format!("[{}]", scores.join(", "))
}
