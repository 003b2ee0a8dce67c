//! The known APIs, in the same format as everybody's own targets.

use serde_yaml::Value;

use super::compile::missing;
use super::contract::{Contract, ContractError};
use crate::document::{Document, Path, nearest};

/// The presets' names.
pub const PRESET_NAMES: [&str; 6] = ["ash-guide", "ash-v3", "ash-v5", "ash-vigil", "demo", "safety-system"];

/// A preset's text, comments and all.
pub fn preset_text(name: &str) -> Option<&'static str> {
    match name {
        "ash-guide" => Some(include_str!("presets/ash-guide.yaml")),
        "ash-v3" => Some(include_str!("presets/ash-v3.yaml")),
        "ash-v5" => Some(include_str!("presets/ash-v5.yaml")),
        "ash-vigil" => Some(include_str!("presets/ash-vigil.yaml")),
        "demo" => Some(include_str!("presets/demo.yaml")),
        "safety-system" => Some(include_str!("presets/safety-system.yaml")),
        _ => None,
    }
}

/// A preset's contract.
///
/// # Errors
/// There is no such preset.
pub fn preset(name: &str) -> Result<Contract, ContractError> {
    let document = preset_document(name)?;
    let value = extended(document.value().clone())?;
    Contract::compile(name, &document, &Path::root(), &value)
}

impl Contract {
    /// The contract of a target that stands at `path` in a configuration file, on top of the preset it `extends`.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub fn configured(
        name: &str,
        document: &Document,
        path: &Path,
        value: &Value,
    ) -> Result<Self, ContractError> {
        if let Some(base) = value.get("extends") {
            let known = base.as_str().is_some_and(|base| preset_text(base).is_some());
            if !known {
                let problem = document.problem(&path.join("extends"), "`extends` names no preset");
                let hint = match base.as_str().and_then(|base| nearest(base, &PRESET_NAMES)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("presets: {}", PRESET_NAMES.join(", ")),
                };
                return Err(ContractError { problems: problem.with_hint(hint).into() });
            }
        }
        Self::compile(name, document, path, &extended(value.clone())?)
    }
}

fn preset_document(name: &str) -> Result<Document, ContractError> {
    let text =
        preset_text(name).ok_or_else(|| ContractError { problems: missing(name, &PRESET_NAMES).into() })?;
    Document::parse(&format!("preset {name}"), text).map_err(|problems| ContractError { problems })
}

/// Lays the value over the preset it extends: mappings key by key, everything else as a whole.
fn extended(value: Value) -> Result<Value, ContractError> {
    let Some(base) = value.get("extends").and_then(Value::as_str) else { return Ok(value) };
    let base = extended(preset_document(base)?.value().clone())?;
    Ok(laid_over(base, value))
}

fn laid_over(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Mapping(mut base), Value::Mapping(over)) => {
            for (key, value) in over {
                let merged = match base.remove(&key) {
                    Some(below) => laid_over(below, value),
                    None => value,
                };
                base.insert(key, merged);
            }
            Value::Mapping(base)
        }
        (_, over) => over,
    }
}
