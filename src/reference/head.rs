//! A small head of our own on sentence embeddings.

use serde::Deserialize;

use super::ReferenceError;
use super::engine::Array;
use super::folder::ModelFolder;
use super::side_file::Pooling;

/// Layers one after another, with a ramp (`max(0, x)`) between them; the last one gives a number a label.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    /// A row of weights an output.
    weights: Vec<Vec<f32>>,
    /// A number an output.
    bias: Vec<f32>,
}

impl Head {
    /// Reads the head that the side file names (`head.json` if it names none).
    pub(super) fn load(folder: &ModelFolder, labels: usize) -> Result<Self, ReferenceError> {
        let file = folder.head_file();
        let misfit = |expected: String, found: String| ReferenceError::Misfit {
            model: folder.shown.clone(),
            expected,
            found,
            hint: Some("docs/reference.md describes a head".to_owned()),
        };
        let bytes =
            folder.read(file)?.ok_or_else(|| misfit(format!("a head in `{file}`"), "none".to_owned()))?;
        let head: Self = serde_json::from_slice(&bytes)
            .map_err(|error| misfit(format!("a head in `{file}`"), error.to_string()))?;
        let mut width = None;
        for layer in &head.layers {
            let inputs = layer.weights.first().map_or(0, Vec::len);
            let is_even = layer.weights.iter().all(|row| row.len() == inputs);
            if !is_even
                || layer.weights.len() != layer.bias.len()
                || width.is_some_and(|width| width != inputs)
            {
                return Err(misfit(
                    "layers that fit one another".to_owned(),
                    format!(
                        "a layer of {} rows and {} biases in `{file}`",
                        layer.weights.len(),
                        layer.bias.len()
                    ),
                ));
            }
            width = Some(layer.bias.len());
        }
        match width {
            Some(outputs) if outputs == labels => Ok(head),
            outputs => Err(misfit(
                format!("{labels} outputs, one a label"),
                format!("{} in `{file}`", outputs.unwrap_or(0)),
            )),
        }
    }

    /// The length of the embeddings that it takes.
    pub(super) fn width(&self) -> usize {
        self.layers.first().and_then(|layer| layer.weights.first()).map_or(0, Vec::len)
    }

    pub(super) fn apply(&self, embedding: Vec<f32>) -> Vec<f32> {
        let last = self.layers.len().saturating_sub(1);
        self.layers.iter().enumerate().fold(embedding, |values, (index, layer)| {
            let outputs = layer.weights.iter().zip(&layer.bias).map(|(row, bias)| {
                row.iter().zip(&values).map(|(weight, value)| weight * value).sum::<f32>() + bias
            });
            if index == last { outputs.collect() } else { outputs.map(|value| value.max(0.0)).collect() }
        })
    }
}

/// The embedding of a row: the model's own where it gives one a row, else pooled from its tokens'.
pub(super) fn embedding(
    array: &Array,
    row: usize,
    length: usize,
    pooling: Pooling,
    normalize: bool,
) -> Option<Vec<f32>> {
    let mut values = match *array.shape.as_slice() {
        [_, width] => array.values.get(row * width..(row + 1) * width)?.to_vec(),
        [_, time, width] => {
            let tokens = array.values.get(row * time * width..(row + 1) * time * width)?;
            match pooling {
                Pooling::Cls => tokens.get(..width)?.to_vec(),
                Pooling::Mean => {
                    let length = length.clamp(1, time);
                    let mut sum = vec![0.0; width];
                    for token in tokens.chunks(width.max(1)).take(length) {
                        sum.iter_mut().zip(token).for_each(|(sum, value)| *sum += value);
                    }
                    #[expect(clippy::cast_precision_loss, reason = "at most a few hundred tokens")]
                    sum.iter().map(|value| value / length as f32).collect()
                }
            }
        }
        _ => return None,
    };
    if normalize {
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
        for value in &mut values {
            *value /= norm;
        }
    }
    Some(values)
}
