//! rten: pure Rust, inside the program, on the processor.

use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use super::engine::{Array, Batch, Engine, EngineError, Port, Weights, chain};
use super::placement::Node;

const NAME: &str = "rten";

/// The version that `Cargo.toml` pins; the crate does not tell its own.
const VERSION: &str = "0.27.0";

/// A model in rten.
pub(super) struct RtenEngine {
    model: Arc<Model>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    thread: Arc<ThreadPool>,
}

fn failed(doing: &'static str, error: &dyn std::error::Error) -> EngineError {
    EngineError::Failed { engine: NAME, doing, reason: chain(error) }
}

impl RtenEngine {
    /// Loads a model and gives it to so many threads. Each reads batches of its own: two at one batch wait for each other
    /// more than they help.
    pub(super) fn load(weights: Weights<'_>, threads: usize) -> Result<Vec<Self>, EngineError> {
        let model = match weights {
            Weights::File(path) => Model::load_file(path),
            Weights::Inside(bytes) => Model::load_static_slice(bytes),
        }
        .map_err(|error| failed("load the model", &error))?;
        let model = Arc::new(model);
        let ports = |ids: &[NodeId]| ids.iter().map(|id| port(&model, *id)).collect();
        let one = |_| Self {
            model: Arc::clone(&model),
            inputs: ports(model.input_ids()),
            outputs: ports(model.output_ids()),
            thread: Arc::new(ThreadPool::with_num_threads(1)),
        };
        Ok((0..threads).map(one).collect())
    }
}

fn port(model: &Model, id: NodeId) -> Port {
    let info = model.node_info(id);
    let name = info.as_ref().and_then(rten::NodeInfo::name).unwrap_or_default();
    let element = info.as_ref().and_then(rten::NodeInfo::dtype).map(|dtype| dtype.to_string());
    let rank = info.as_ref().and_then(rten::NodeInfo::shape).map(|shape| shape.len());
    Port::new(name, element.as_deref(), rank)
}

impl Engine for RtenEngine {
    fn name(&self) -> String {
        format!("{NAME} {VERSION}")
    }

    fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    fn run(&mut self, batch: &Batch, output: &str) -> Result<Array, EngineError> {
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> = Vec::new();
        for (port, id) in self.inputs.iter().zip(self.model.input_ids()) {
            let Some(values) = batch.values(&port.name) else { continue };
            // rten keeps int64 as int32; token numbers are small.
            let values: Vec<i32> =
                values.iter().map(|value| i32::try_from(*value).unwrap_or(i32::MAX)).collect();
            let tensor = NdTensor::from_data([batch.rows, batch.length], values);
            inputs.push((*id, Value::from(tensor).into()));
        }
        let output = self.model.node_id(output).map_err(|error| failed("find the output", &error))?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.thread)));
        let [value] = self
            .model
            .run_n(inputs, [output], Some(options))
            .map_err(|error| failed("run the model", &error))?;
        match value {
            Value::FloatTensor(tensor) => {
                Ok(Array { shape: tensor.shape().to_vec(), values: tensor.into_data() })
            }
            other => Err(EngineError::Failed {
                engine: NAME,
                doing: "read the output",
                reason: format!("expected float32, found {:?}", other.dtype()),
            }),
        }
    }

    fn nodes(&mut self) -> Result<Vec<Node>, EngineError> {
        Ok(Vec::new())
    }
}
