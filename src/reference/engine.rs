//! What runs a model: ONNX Runtime or rten, behind one trait.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placement::Node;

/// Which engine is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The first ONNX Runtime that can be used, else rten.
    #[default]
    Auto,
    /// ONNX Runtime, a library found at run time.
    #[serde(rename = "ort", alias = "onnxruntime")]
    OnnxRuntime,
    /// rten, inside the program.
    Rten,
}

impl EngineChoice {
    /// The choice, as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::OnnxRuntime => "ort",
            Self::Rten => "rten",
        }
    }
}

impl std::str::FromStr for EngineChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Auto, Self::OnnxRuntime, Self::Rten]
            .into_iter()
            .find(|choice| choice.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not one of auto, ort, rten"))
    }
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// An NVIDIA card if one can be used, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA card, or nothing.
    Cuda,
    /// An NVIDIA card through `TensorRT`, or nothing.
    TensorRt,
}

impl Device {
    /// The device's name, as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
        }
    }
}

impl std::str::FromStr for Device {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Auto, Self::Cpu, Self::Cuda, Self::TensorRt]
            .into_iter()
            .find(|device| device.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not one of auto, cpu, cuda, tensorrt"))
    }
}

/// An input or output that a model declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    /// Its name.
    pub name: String,
    /// The type of its elements, such as `int64`; none if the model does not say.
    pub element: Option<String>,
    /// How many axes it has; none if the model does not say.
    pub rank: Option<usize>,
}

impl Port {
    /// A port, its element type as an engine calls it: `tensor(i64)`, `f32`.
    pub(super) fn new(name: &str, element: Option<&str>, rank: Option<usize>) -> Self {
        let plain = |element: &str| {
            let inner =
                element.strip_prefix("tensor(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(element);
            let is_bits = |bits: &str| bits.chars().all(|c| c.is_ascii_digit());
            match inner.split_at_checked(1) {
                Some(("i", bits)) if is_bits(bits) => format!("int{bits}"),
                Some(("f", bits)) if is_bits(bits) => format!("float{bits}"),
                _ => inner.to_owned(),
            }
        };
        Self { name: name.to_owned(), element: element.map(|element| plain(&element.to_lowercase())), rank }
    }

    /// Whether its elements are, as far as it says, one of these.
    pub(super) fn holds(&self, elements: &[&str]) -> bool {
        self.element.as_deref().is_none_or(|element| elements.contains(&element))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        if let Some(element) = &self.element {
            write!(f, " {element}")?;
        }
        match self.rank {
            Some(1) => f.write_str(" with 1 axis"),
            Some(rank) => write!(f, " with {rank} axes"),
            None => Ok(()),
        }
    }
}

/// Rows of numbers of one length: what a model is given at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Batch {
    /// How many rows.
    pub rows: usize,
    /// Numbers in a row, padding included.
    pub length: usize,
    /// `input_ids`, row by row.
    pub ids: Vec<i64>,
    /// `attention_mask`: 1 for text, 0 for padding.
    pub mask: Vec<i64>,
    /// `token_type_ids`: 1 for the second text of a pair.
    pub types: Vec<i64>,
}

impl Batch {
    /// The values for an input of this name; none for an input that nobody knows.
    pub(super) fn values(&self, input: &str) -> Option<&[i64]> {
        match input {
            "input_ids" => Some(&self.ids),
            "attention_mask" => Some(&self.mask),
            "token_type_ids" => Some(&self.types),
            _ => None,
        }
    }
}

/// What a model answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// Its axes.
    pub shape: Vec<usize>,
    /// Its values, the last axis fastest.
    pub values: Vec<f32>,
}

/// A model, loaded, that reads one batch at a time.
pub(super) trait Engine: Send + Sync {
    /// The engine with its version.
    fn name(&self) -> String;

    /// What the model wants.
    fn inputs(&self) -> &[Port];

    /// What the model offers.
    fn outputs(&self) -> &[Port];

    /// Runs the model over a batch and takes one of its outputs.
    ///
    /// # Errors
    /// The engine cannot run it, or the output is none of numbers.
    fn run(&mut self, batch: &Batch, output: &str) -> Result<Array, EngineError>;

    /// The nodes that ran so far, and who ran them; looked at once, after the first runs. None where the engine has but
    /// one way to run them.
    ///
    /// # Errors
    /// The engine did not say.
    fn nodes(&mut self) -> Result<Vec<Node>, EngineError>;
}

impl fmt::Debug for dyn Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Where a model's bytes are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Weights<'a> {
    /// In a file, perhaps with more beside it.
    File(&'a std::path::Path),
    /// In the program.
    Inside(&'static [u8]),
}

impl Weights<'_> {
    /// How many bytes they are, at most: what is beyond one file stands in others beside it, of any name.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(path) => {
                let beside = path.parent().and_then(|folder| folder.read_dir().ok()).into_iter().flatten();
                beside
                    .filter_map(|entry| std::fs::metadata(entry.ok()?.path()).ok())
                    .map(|about| about.len())
                    .sum()
            }
            Self::Inside(bytes) => bytes.len() as u64,
        }
    }
}

/// Why an engine cannot do it. The texts hold the whole chain of causes: the libraries hide them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The program was built without it.
    #[error("this program was built without {0}")]
    NotBuilt(&'static str),
    /// There is no ONNX Runtime.
    #[error("no ONNX Runtime can be used: {}", tried.join("; "))]
    NoRuntime {
        /// What was tried, and what came of it.
        tried: Vec<String>,
        /// Whether one was named or found; else this machine just has none.
        is_there: bool,
    },
    /// The device cannot be used.
    #[error("device `{device}` cannot be used: {reason}")]
    Device {
        /// The device.
        device: &'static str,
        /// Why not.
        reason: String,
    },
    /// It failed.
    #[error("{engine} cannot {doing}: {reason}")]
    Failed {
        /// The engine.
        engine: &'static str,
        /// What it was doing.
        doing: &'static str,
        /// What it said.
        reason: String,
    },
}

impl EngineError {
    /// Whether it says that this machine or this program lacks something, and nothing of the model.
    pub const fn is_absence(&self) -> bool {
        match self {
            Self::NotBuilt(_) | Self::NoRuntime { .. } | Self::Device { .. } => true,
            Self::Failed { .. } => false,
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRuntime { .. } => {
                Some("`thrash model runtime` shows where it is looked for and how to get it")
            }
            Self::Device { .. } => {
                Some("`thrash model runtime` shows what this machine has; `--device cpu` always works")
            }
            Self::NotBuilt(_) | Self::Failed { .. } => None,
        }
    }
}

/// An error and its causes, each said once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}
