//! The settings of the reference model.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Config;
use crate::domain::{Secret, Wait};
use crate::reference::{Device, EngineChoice, ModelSource, ReferenceOptions, RuntimeOptions};

/// The reference model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSettings {
    /// `none`, `builtin`, a model folder or an ONNX file in one; nothing: the built-in one, if there is one.
    pub model: Option<String>,
    /// The engine.
    pub engine: EngineChoice,
    /// Where it runs.
    pub device: Device,
    /// Threads that compute.
    pub threads: usize,
    /// Windows of text that are computed together.
    pub batch: Option<usize>,
    /// The ONNX Runtime library, or the folder that holds it.
    pub runtime: Option<PathBuf>,
    /// How long it is waited for after the target's last answer.
    pub wait: Wait,
}

impl Config {
    /// The reference that is wanted; none where none is wanted, or there is none to take.
    pub fn reference(&self) -> Option<ReferenceOptions> {
        let model = match self.settings.reference.model.as_deref() {
            Some("none") => return None,
            Some(name) => self.model_named(name),
            None if ModelSource::has_builtin() => ModelSource::Builtin,
            None => return None,
        };
        Some(self.reference_with(model))
    }

    /// The model of this name: the one inside the program, a path, or what is so called among those that were got.
    pub fn model_named(&self, name: &str) -> ModelSource {
        if name == "builtin" {
            return ModelSource::Builtin;
        }
        let (path, kept) = (PathBuf::from(name), self.models_folder().join(name));
        // What cannot be looked at, or is a link to nothing, is there: opening it says why it cannot be used.
        let is_there = |path: &Path| path.is_symlink() || !matches!(path.try_exists(), Ok(false));
        if name.is_empty() || path.is_absolute() || is_there(&path) {
            ModelSource::Path(path)
        } else if is_there(&kept) {
            ModelSource::Path(kept)
        } else {
            ModelSource::Absent { name: name.to_owned(), kept }
        }
    }

    /// How a model would be run.
    pub fn reference_with(&self, model: ModelSource) -> ReferenceOptions {
        let settings = &self.settings.reference;
        ReferenceOptions {
            model,
            engine: settings.engine,
            device: settings.device,
            threads: settings.threads,
            is_unsorted: false,
            batch: settings.batch,
            runtime: self.runtime(),
        }
    }

    /// Where the ONNX Runtime library is looked for.
    pub fn runtime(&self) -> RuntimeOptions {
        RuntimeOptions { library: self.settings.reference.runtime.clone(), folders: self.runtime_folders() }
    }

    /// Where an ONNX Runtime library is put by `thrash model runtime`.
    pub fn runtime_folder(&self) -> PathBuf {
        self.data_folder().join("runtime")
    }

    /// Where models are put that `thrash model pull` gets.
    pub fn models_folder(&self) -> PathBuf {
        self.data_folder().join("models")
    }

    /// The hub that models are pulled from.
    pub fn hub(&self, flag: Option<&str>) -> String {
        let named = flag.map(str::to_owned).or_else(|| self.variable("HF_ENDPOINT"));
        named.filter(|url| !url.is_empty()).unwrap_or_else(|| "https://huggingface.co".to_owned())
    }

    /// The key to what the hub does not give to everybody.
    pub fn hub_token(&self) -> Option<Secret> {
        self.variable("HF_TOKEN").filter(|token| !token.is_empty()).map(Secret::new)
    }

    /// The index of Python packages that the library is fetched from: pip's, if it has one of its own.
    pub fn package_index(&self) -> String {
        self.variable("PIP_INDEX_URL").unwrap_or_else(|| "https://pypi.org/simple".to_owned())
    }

    /// Where an ONNX Runtime library may be: fetched, beside the program, or in the Python environment that is active.
    fn runtime_folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.runtime_folder()];
        folders.extend(std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned())));
        for environment in ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(|name| self.variable(name))
        {
            let lib = PathBuf::from(environment).join(if cfg!(windows) { "Lib" } else { "lib" });
            let versions = std::fs::read_dir(&lib).into_iter().flatten().filter_map(Result::ok);
            let mut packages: Vec<PathBuf> =
                versions.map(|entry| entry.path().join("site-packages")).collect();
            packages.sort();
            packages.push(lib.join("site-packages"));
            folders.extend(packages.into_iter().map(|packages| packages.join("onnxruntime").join("capi")));
        }
        folders
    }
}
