//! The local reference model: a second opinion beside the target.
//!
//! [`Model::load`] takes a folder in the layout of Hugging Face's Optimum, or the model inside the program, into the
//! first engine that runs it as it was made; [`Model::answer`] gives opinions in the words of the domain. What the
//! folder holds, and how text becomes numbers for a model without a tokenizer, stands in `docs/reference.md`.
//!
//! Nothing here is trusted that can be looked at: golden phrases are computed at every load, and which device really
//! ran the model is read back from the engine.

mod agreement;
mod batch;
mod characters;
mod download;
mod engine;
mod error;
mod fetch;
mod fit;
mod folder;
mod graph;
mod head;
mod hub;
mod hub_listing;
#[cfg(feature = "onnxruntime")]
mod library;
mod load;
mod model;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod opinion;
mod placement;
mod recipe;
#[cfg(feature = "rten")]
mod rten_engine;
mod runtime;
mod side_file;
mod tokens;
mod wheel;

pub use agreement::Apart;
pub use characters::{CharacterScheme, SchemeName, fold};
pub use download::DownloadError;
pub use engine::{Device, EngineChoice, EngineError};
pub use error::ReferenceError;
pub use fetch::{FetchError, fetch};
pub use folder::ModelSource;
pub use hub::{Hub, PullError, Pulled, pull};
pub use hub_listing::HubModel;
pub use load::ReferenceOptions;
pub use model::{Model, ModelFacts};
pub use opinion::Opinion;
pub use placement::Placement;
pub use runtime::{RuntimeFacts, RuntimeOptions};
pub use side_file::Task;
pub use wheel::{Variant, Wheel};
