//! What a model folder amounts to: labels, levels and how to decide, from `thrash.yaml` and `config.json`.

use std::collections::BTreeMap;

use super::ReferenceError;
use super::fit;
use super::folder::{HubConfig, ModelFolder};
use super::opinion::{Activation, Label, Reading};
use super::side_file::{Decide, InputKind, ScoreActivation, SideFile, TOLERANCE_IN_EIGHT_BITS, Task};
use crate::document::Path;
use crate::domain::Level;

/// Longer windows than this cost more than they tell.
const LONGEST: usize = 512;

/// How far a golden score may be off in floating point.
const TOLERANCE: f64 = 0.02;

/// How far a side file may let it be off there: half precision costs a tenth of this.
const LOOSEST: f64 = 0.05;

/// Everything there is to know about a model but its weights.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) name: String,
    pub(super) revision: Option<String>,
    pub(super) task: Task,
    pub(super) reading: Reading,
    /// For [`Task::ZeroShot`]: a hypothesis a label, and which outputs tell.
    pub(super) zero_shot: Option<ZeroShot>,
    /// Tokens in a window.
    pub(super) length: usize,
    pub(super) padding: i64,
    pub(super) golden: Vec<Golden>,
    pub(super) tolerance: f64,
    /// In eight bits, where batch mates and engines change answers.
    pub(super) is_quantized: bool,
}

/// A text whose answer is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Golden {
    pub(super) text: String,
    /// In the labels' order.
    pub(super) scores: Vec<f64>,
    pub(super) level: Option<Level>,
}

/// How entailment is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ZeroShot {
    pub(super) hypotheses: Vec<String>,
    /// How many outputs the model has.
    pub(super) outputs: usize,
    pub(super) entailment: usize,
    /// None where the labels exclude one another.
    pub(super) contradiction: Option<usize>,
}

impl Recipe {
    pub(super) fn new(folder: &ModelFolder) -> Result<Self, ReferenceError> {
        let (side, config) = (&folder.side, folder.config.clone().unwrap_or_default());
        let outputs = outputs(&config);
        let task = task(folder, &config, &outputs)?;
        let longest = longest(folder, &config);
        fit::check(folder, task, &outputs, longest)?;
        let zero_shot = match task {
            Task::ZeroShot => Some(zero_shot(folder, &outputs)?),
            Task::Classify | Task::MultiLabel | Task::Score | Task::Embedding => None,
        };
        let is_quantized = folder.graph.is_quantized;
        let reading = reading(folder, task, &outputs)?;
        let golden = golden(folder, &reading)?;
        Ok(Self {
            name: side.name.clone().unwrap_or_else(|| folder.name.clone()),
            revision: side.revision.clone(),
            task,
            reading,
            zero_shot,
            length: side.max_length.unwrap_or(longest),
            padding: config.pad_token_id.unwrap_or(0),
            golden,
            tolerance: tolerance(folder, is_quantized)?,
            is_quantized,
        })
    }
}

fn golden(folder: &ModelFolder, reading: &Reading) -> Result<Vec<Golden>, ReferenceError> {
    let labels = || reading.labels.iter().map(|label| label.name.as_str());
    let one = |golden: &super::side_file::Golden| {
        let scores = golden.scores.of(labels()).ok_or_else(|| ReferenceError::Misfit {
            model: folder.shown.clone(),
            expected: format!("{} scores a golden phrase, one a label", reading.labels.len()),
            found: golden.scores.values().len().to_string(),
            hint: None,
        })?;
        Ok(Golden { text: golden.text.clone(), scores, level: golden.level })
    };
    folder.side.golden.iter().map(one).collect()
}

/// The names that the model's own files give its outputs, in order.
fn outputs(config: &HubConfig) -> Vec<String> {
    let numbered: BTreeMap<usize, &String> =
        config.id2label.iter().filter_map(|(id, label)| Some((id.parse().ok()?, label))).collect();
    let is_whole = numbered.keys().copied().eq(0..numbered.len());
    if is_whole { numbered.into_values().cloned().collect() } else { Vec::new() }
}

fn is_entailment(label: &str) -> bool {
    label.to_lowercase().starts_with("entail")
}

fn task(folder: &ModelFolder, config: &HubConfig, outputs: &[String]) -> Result<Task, ReferenceError> {
    let side = &folder.side;
    if let Some(task) = side.task {
        return Ok(task);
    }
    let needs = |expected: &str, found: String, hint: &str| ReferenceError::Misfit {
        model: folder.shown.clone(),
        expected: expected.to_owned(),
        found,
        hint: Some(hint.to_owned()),
    };
    if outputs.iter().any(|label| is_entailment(label)) {
        return Err(needs(
            "`task: zero_shot` and its labels in `thrash.yaml`",
            format!("a model of entailment (labels {}) and no such task", quoted(outputs)),
            "docs/reference.md has an example to start from",
        ));
    }
    match config.problem_type.as_deref() {
        Some("multi_label_classification") => Ok(Task::MultiLabel),
        Some("regression") => Ok(Task::Score),
        _ if side.labels.is_some() || !outputs.is_empty() => Ok(Task::Classify),
        _ => Err(needs(
            "`id2label` in `config.json`, or `task` and `labels` in `thrash.yaml`",
            match &folder.config {
                Some(_) => "a `config.json` without labels".to_owned(),
                None => "no `config.json`".to_owned(),
            },
            "docs/reference.md says what a model folder holds",
        )),
    }
}

fn quoted(labels: &[String]) -> String {
    labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}

fn zero_shot(folder: &ModelFolder, outputs: &[String]) -> Result<ZeroShot, ReferenceError> {
    let side = &folder.side;
    let misfit = |expected: &str, found: String| ReferenceError::Misfit {
        model: folder.shown.clone(),
        expected: expected.to_owned(),
        found,
        hint: Some("docs/reference.md has an example to start from".to_owned()),
    };
    let Some(labels) = side.labels.as_ref().filter(|labels| !labels.is_empty()) else {
        return Err(misfit("the candidate `labels` in `thrash.yaml`", "none".to_owned()));
    };
    if side.input == InputKind::Characters {
        return Err(misfit("`input: tokens` for `task: zero_shot`", "`input: characters`".to_owned()));
    }
    let place = |word: &str| outputs.iter().position(|label| label.to_lowercase().starts_with(word));
    let entailment = side.entailment.or_else(|| place("entail"));
    // Of two outputs the other one is "not entailment".
    let contradiction = side.contradiction.or_else(|| place("contra")).or_else(|| place("not_entail"));
    let found = || if outputs.is_empty() { "no names of outputs".to_owned() } else { quoted(outputs) };
    let Some(entailment) = entailment else {
        return Err(misfit("an output called `entailment`, or its place (`entailment: 2`)", found()));
    };
    if side.independent && contradiction.is_none() {
        let expected =
            "an output called `contradiction`, or its place (`contradiction: 0`), for `independent: true`";
        return Err(misfit(expected, found()));
    }
    let template = side.hypothesis.as_deref().unwrap_or("This example is {}.");
    Ok(ZeroShot {
        hypotheses: labels.iter().map(|label| template.replace("{}", label)).collect(),
        outputs: outputs.len().max(entailment + 1).max(contradiction.map_or(0, |place| place + 1)),
        entailment,
        contradiction: contradiction.filter(|_| side.independent),
    })
}

fn reading(folder: &ModelFolder, task: Task, outputs: &[String]) -> Result<Reading, ReferenceError> {
    let side = &folder.side;
    let activation = match task {
        Task::MultiLabel => Activation::Sigmoid,
        Task::ZeroShot if side.independent => Activation::Sigmoid,
        Task::Classify | Task::Embedding | Task::ZeroShot => Activation::Softmax,
        Task::Score => match side.activation {
            ScoreActivation::Sigmoid => Activation::Sigmoid,
            ScoreActivation::None => Activation::None,
        },
    };
    let names: Vec<String> = match (&side.labels, task) {
        (Some(labels), _) => labels.clone(),
        (None, Task::Score) => vec!["score".to_owned()],
        (None, _) => outputs.to_vec(),
    };
    let decide = side.decide.clone().unwrap_or(match activation {
        Activation::Softmax => Decide::Top,
        Activation::Sigmoid | Activation::None => Decide::Threshold(0.5),
    });
    let misfit = |expected: String, found: String, hint: Option<String>| ReferenceError::Misfit {
        model: folder.shown.clone(),
        expected,
        found,
        hint,
    };
    if names.is_empty() {
        return Err(misfit("`labels` in `thrash.yaml`".to_owned(), "none".to_owned(), None));
    }
    if let Some((_, twice)) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        return Err(misfit("labels that differ".to_owned(), format!("`{twice}` twice"), None));
    }
    match (activation, &decide, task) {
        (_, Decide::Bands(_), _)
        | (Activation::Softmax, Decide::Top | Decide::AtLeast(_), _)
        | (Activation::Sigmoid, Decide::Threshold(_), Task::MultiLabel | Task::ZeroShot) => {}
        (_, _, Task::Score) => {
            return Err(misfit(
                "`decide: {bands: …}` in `thrash.yaml`: a score alone is no level".to_owned(),
                "none".to_owned(),
                Some(
                    "such as `decide: {bands: {low: 0.3, medium: 0.5, high: 0.7, critical: 0.85}}`"
                        .to_owned(),
                ),
            ));
        }
        (Activation::Softmax, Decide::Threshold(_), _) => {
            return Err(misfit(
                "`top`, `at_least` or `bands` for labels that exclude one another".to_owned(),
                "`threshold`".to_owned(),
                None,
            ));
        }
        (Activation::Sigmoid | Activation::None, _, _) => {
            return Err(misfit(
                "`threshold` or `bands` for labels that do not exclude one another".to_owned(),
                "`top` or `at_least`".to_owned(),
                None,
            ));
        }
    }
    let labels = labels(side, names, task, &decide).map_err(|unknown| {
        let map = unknown.iter().map(|label| format!("{label}: none")).collect::<Vec<_>>().join(", ");
        let hint = format!("in `thrash.yaml` beside the model, with the right levels: `levels: {{{map}}}`");
        let (expected, hint) = match decide {
            Decide::Bands(_) => ("a level or a weight for each label", format!("{hint}, or `weights`")),
            Decide::Top | Decide::AtLeast(_) | Decide::Threshold(_) => ("a level for each label", hint),
        };
        misfit(expected.to_owned(), format!("none for {}", quoted(&unknown)), Some(hint))
    })?;
    let reading = Reading { activation, labels, decide };
    match reading.unreachable() {
        None => Ok(reading),
        Some(found) => Err(misfit("labels that can say how badly".to_owned(), found, None)),
    }
}

/// The labels with their levels, or those without one where one is needed.
fn labels(
    side: &SideFile,
    names: Vec<String>,
    task: Task,
    decide: &Decide,
) -> Result<Vec<Label>, Vec<String>> {
    let mut unknown = Vec::new();
    let mut labels = Vec::new();
    for name in names {
        let level = side.levels.get(&name).copied().or_else(|| name.to_lowercase().parse::<Level>().ok());
        let given = side.weights.get(&name).copied();
        let is_plain_score = task == Task::Score;
        let is_weighed = matches!(decide, Decide::Bands(_)) && (given.is_some() || is_plain_score);
        if level.is_none() && !is_weighed {
            unknown.push(name);
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "0 to 4")]
        let by_level = level.map(|level| level.index() as f64 / 4.0);
        let weight = given.or(if is_plain_score { Some(1.0) } else { by_level }).unwrap_or(0.0);
        labels.push(Label { name, level, weight });
    }
    if unknown.is_empty() { Ok(labels) } else { Err(unknown) }
}

/// How far a golden score may be off.
fn tolerance(folder: &ModelFolder, is_quantized: bool) -> Result<f64, ReferenceError> {
    match (folder.side.tolerance, &folder.written) {
        (Some(tolerance), Some(written)) if tolerance > LOOSEST && !is_quantized => {
            let message = format!("the tolerance is at most {LOOSEST} for a model that is not in eight bits");
            Err(ReferenceError::SideFile(written.problem(&Path::of("tolerance"), message).into()))
        }
        (Some(tolerance), _) => Ok(tolerance),
        (None, _) => Ok(if is_quantized { TOLERANCE_IN_EIGHT_BITS } else { TOLERANCE }),
    }
}

/// The tokens that the model takes at once.
fn longest(folder: &ModelFolder, config: &HubConfig) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at before")]
    let tokenizer = folder
        .tokenizer_config
        .model_max_length
        .filter(|length| (8.0..=100_000.0).contains(length))
        .map(|length| length as usize);
    // These count positions from the padding's number on.
    let offset = match config.model_type.as_deref() {
        Some("roberta" | "xlm-roberta" | "camembert" | "mpnet" | "bart") => 2,
        _ => 0,
    };
    let positions = config.max_position_embeddings.map(|most| most.saturating_sub(offset).max(8));
    [tokenizer, positions].into_iter().flatten().fold(LONGEST, usize::min)
}
