//! ONNX Runtime through `ort`: a library found at run time, on the processor or on an NVIDIA card.

use std::borrow::Cow;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor, TensorElementType, ValueType};
use tempfile::TempDir;

use super::engine::{Array, Batch, Device, Engine, EngineError, Port, Weights, chain};
use super::library::{self, Library};
use super::placement::{self, Node};
use super::runtime::{RuntimeFacts, RuntimeOptions};

const NAME: &str = "ONNX Runtime";

/// Weights are held as often as there are threads, where that makes no more bytes than this; else once.
const LIGHT: u64 = 256 << 20;

/// A model in ONNX Runtime.
pub(super) struct OnnxRuntime {
    version: String,
    session: Session,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    /// Where the first runs are written down; none once they have been looked at, and in a session beside the first.
    profile: Option<TempDir>,
}

fn failed(doing: &'static str, error: &dyn std::error::Error) -> EngineError {
    EngineError::Failed { engine: NAME, doing, reason: chain(error) }
}

/// Whether the library that can be opened was built for NVIDIA cards.
pub(super) fn has_cuda(options: &RuntimeOptions) -> bool {
    library::open(options).is_ok() && ep::CUDA::is_available().unwrap_or(false)
}

/// The library that can be opened.
pub(super) fn facts(options: &RuntimeOptions) -> Result<RuntimeFacts, EngineError> {
    let Library { path, version, .. } = library::open(options)?;
    let is_there = |found: ort::Result<bool>| found.unwrap_or(false);
    Ok(RuntimeFacts {
        path,
        version,
        cuda: is_there(ep::CUDA::is_available()),
        tensorrt: is_there(ep::TensorRT::is_available()),
    })
}

impl OnnxRuntime {
    /// Loads a model, once for each batch that is read at the same time; a device other than the processor is used or is
    /// an error.
    pub(super) fn load(
        weights: Weights<'_>,
        options: &RuntimeOptions,
        device: Device,
        threads: usize,
    ) -> Result<Vec<Self>, EngineError> {
        let library = library::open(options)?;
        let providers = providers(device, &library, &options.folders)?;
        // Threads at one batch wait for each other, and here without spinning. With a session each they do not, but each
        // session holds the weights.
        let is_light = weights.size().saturating_mul(threads as u64) <= LIGHT;
        let (sessions, threads) = if providers.is_empty() && is_light { (threads, 1) } else { (1, threads) };
        let one = |profile| Self::session(weights, &library, (device, &providers), threads, profile);
        let profile = tempfile::tempdir().map_err(|error| failed("keep its profile", &error))?;
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..sessions).map(|_| scope.spawn(|| one(None))).collect();
            let first = std::iter::once(one(Some(profile)));
            let joined =
                |other: ScopedJoinHandle<'_, _>| other.join().unwrap_or_else(|panic| resume_unwind(panic));
            first.chain(others.into_iter().map(joined)).collect()
        })
    }

    fn session(
        weights: Weights<'_>,
        library: &Library,
        (device, providers): (Device, &[ExecutionProviderDispatch]),
        threads: usize,
        profile: Option<TempDir>,
    ) -> Result<Self, EngineError> {
        let into = profile.as_ref().map(TempDir::path);
        let session = session(library, weights, providers, threads, into).map_err(|error| {
            if providers.is_empty() {
                failed("load the model", &error)
            } else {
                EngineError::Device { device: device.as_str(), reason: chain(&error) }
            }
        })?;
        let (inputs, outputs) = (ports(session.inputs()), ports(session.outputs()));
        Ok(Self { version: library.version.clone(), session, inputs, outputs, profile })
    }
}

/// Builder errors hold the builder and cannot be passed on; within this function they lose it.
fn session(
    library: &Library,
    weights: Weights<'_>,
    providers: &[ExecutionProviderDispatch],
    threads: usize,
    profile: Option<&Path>,
) -> ort::Result<Session> {
    let mut builder = Session::builder(&library.environment)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        // A thread that spins while it waits takes the processor from the requests that are being timed.
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?;
    if let Some(folder) = profile {
        builder = builder.with_profiling(folder.join("run"))?;
    }
    if !providers.is_empty() {
        builder = builder.with_execution_providers(providers)?;
    }
    match weights {
        Weights::File(path) => builder.commit_from_file(path),
        Weights::Inside(bytes) => builder.commit_from_memory(bytes),
    }
}

/// The providers to register, each of which must register; none for the processor, which is always there.
fn providers(
    device: Device,
    library: &Library,
    packages: &[PathBuf],
) -> Result<Vec<ExecutionProviderDispatch>, EngineError> {
    let missing = |device: Device, provider: &str| EngineError::Device {
        device: device.as_str(),
        reason: format!("`{}` was built without {provider}", library.path.display()),
    };
    // Without TF32, so that levels are those of the processor.
    let cuda = || ep::CUDA::default().with_device_id(0).with_tf32(false).build().error_on_failure();
    match device {
        Device::Auto | Device::Cpu => return Ok(Vec::new()),
        Device::Cuda | Device::TensorRt if !ep::CUDA::is_available().unwrap_or(false) => {
            return Err(missing(device, "CUDA"));
        }
        Device::TensorRt if !ep::TensorRT::is_available().unwrap_or(false) => {
            return Err(missing(device, "TensorRT"));
        }
        Device::Cuda | Device::TensorRt => {}
    }
    preload_cuda(&library.path, packages);
    Ok(match device {
        Device::TensorRt => {
            vec![ep::TensorRT::default().with_device_id(0).build().error_on_failure(), cuda()]
        }
        _ => vec![cuda()],
    })
}

/// Opens NVIDIA's libraries where Python packages put them, beside a package that holds or may hold the library, so that
/// nobody has to set a search path. What is not there is looked for in the system's places.
fn preload_cuda(library: &Path, packages: &[PathBuf]) {
    const ORDER: [&str; 8] = [
        "libcudart.so",
        "libcublasLt.so",
        "libcublas.so",
        "libcurand.so",
        "libcufft.so",
        "libnvrtc.so",
        "libnvJitLink.so",
        "libcudnn.so",
    ];
    let library = library.canonicalize().unwrap_or_else(|_| library.to_owned());
    let mut folders: Vec<PathBuf> = library.parent().map(Path::to_owned).into_iter().collect();
    // site-packages/onnxruntime/capi/libonnxruntime.so, site-packages/nvidia/*/lib/
    // `…/site-packages/onnxruntime/capi` and `…/site-packages/nvidia/*/lib`.
    let beside = folders.iter().chain(packages).filter_map(|folder| folder.ancestors().nth(2));
    let nvidia: Vec<PathBuf> = beside.map(|packages| packages.join("nvidia")).collect();
    let below = nvidia.iter().filter_map(|nvidia| std::fs::read_dir(nvidia).ok()).flatten();
    folders.extend(below.filter_map(Result::ok).map(|entry| entry.path().join("lib")));
    for name in ORDER {
        for folder in &folders {
            let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            let mut files: Vec<PathBuf> = files
                .map(|entry| entry.path())
                .filter(|path| {
                    let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
                    file.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
                .collect();
            files.sort();
            for file in files {
                if let Err(error) = ort::util::preload_dylib(&file) {
                    tracing::debug!(file = %file.display(), reason = chain(&error), "not opened");
                }
            }
        }
    }
}

fn ports(outlets: &[Outlet]) -> Vec<Port> {
    let port = |outlet: &Outlet| match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => {
            Port::new(outlet.name(), Some(&ty.to_string()), Some(shape.len()))
        }
        other => Port::new(outlet.name(), Some(&other.to_string()), None),
    };
    outlets.iter().map(port).collect()
}

impl Engine for OnnxRuntime {
    fn name(&self) -> String {
        format!("{NAME} {}", self.version)
    }

    fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    fn run(&mut self, batch: &Batch, output: &str) -> Result<Array, EngineError> {
        let run = |error: ort::Error| failed("run the model", &error);
        let mut inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = Vec::new();
        for outlet in self.session.inputs() {
            let Some(values) = batch.values(outlet.name()) else { continue };
            let shape = [batch.rows, batch.length];
            let is_narrow = outlet.dtype().tensor_type() == Some(TensorElementType::Int32);
            let value: SessionInputValue<'_> = if is_narrow {
                let values = values.iter().map(|value| i32::try_from(*value).unwrap_or(i32::MAX));
                Tensor::from_array((shape, values.collect::<Vec<i32>>())).map_err(run)?.into()
            } else {
                Tensor::from_array((shape, values.to_vec())).map_err(run)?.into()
            };
            inputs.push((Cow::Owned(outlet.name().to_owned()), value));
        }
        let outputs = self.session.run(inputs).map_err(run)?;
        let value = outputs.get(output).ok_or_else(|| EngineError::Failed {
            engine: NAME,
            doing: "find the output",
            reason: format!("there is no `{output}`"),
        })?;
        let (shape, values) =
            value.try_extract_tensor::<f32>().map_err(|error| failed("read the output", &error))?;
        let shape = shape.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
        Ok(Array { shape, values: values.to_vec() })
    }

    fn nodes(&mut self) -> Result<Vec<Node>, EngineError> {
        let Some(folder) = self.profile.take() else { return Ok(Vec::new()) };
        self.session.end_profiling().map_err(|error| failed("end its profile", &error))?;
        let unread =
            |reason: String| EngineError::Failed { engine: NAME, doing: "tell who ran what", reason };
        let mut nodes = Vec::new();
        for entry in std::fs::read_dir(folder.path()).map_err(|error| unread(error.to_string()))? {
            let path = entry.map_err(|error| unread(error.to_string()))?.path();
            let text = std::fs::read_to_string(&path).map_err(|error| unread(error.to_string()))?;
            let found = placement::nodes(&text).map_err(|error| unread(format!("its profile: {error}")))?;
            nodes.extend(found);
        }
        if nodes.is_empty() {
            return Err(unread("its profile names no node".to_owned()));
        }
        Ok(nodes)
    }
}
