//! ONNX Runtime: the library, and pools of sessions that run a network.
//!
//! Sessions have one thread each: on shared cores two sessions of one thread do more than
//! one session of two. What tensors mean is the labellers' part.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, Once, PoisonError};

use glassplate_pipeline::fault::{Fault, FaultKind};
use ort::environment::Environment;
use ort::ep::CUDA;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::TensorRef;
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Where networks run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Device {
    /// On the processor.
    #[default]
    Cpu,
    /// On NVIDIA's card of this number, by ONNX Runtime's CUDA provider.
    Cuda(u16),
}

impl FromStr for Device {
    type Err = Fault;

    /// Reads `cpu`, `cuda` and `cuda:1`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let card = match text {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => Some(0),
            text => text.strip_prefix("cuda:").and_then(|card| card.parse().ok()),
        };
        card.map(Self::Cuda)
            .ok_or_else(|| Fault::bad_input(format!("{text:?} is no device: cpu, or cuda:0")))
    }
}

impl TryFrom<String> for Device {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(card) => write!(f, "cuda:{card}"),
        }
    }
}

/// ONNX Runtime, loaded; there is one in a process.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
    device: Device,
}

/// The one runtime: the library lets an environment be made once in a process, never again.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Loads the library at `path`, or returns the one that this process has loaded already.
    ///
    /// # Errors
    /// `Broken` when the file is missing, not this machine's or too old; says what to do.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        Self::load_on(path, Device::Cpu)
    }

    /// Loads the library at `path`, which networks are to run on a device by.
    ///
    /// # Errors
    /// As [`Self::load`]; `Refused` when the library or the machine has no such device: then
    /// nothing is loaded, and another library may be. `Conflict` when this process has loaded one
    /// for another device.
    pub fn load_for(path: &Path, device: Device) -> Result<Self, Fault> {
        if let Device::Cuda(card) = device {
            let nowhere = |why| Fault::new(FaultKind::Refused, why);
            // Asked of the driver first: once a library is loaded there is no other.
            if !Path::new(&format!("/dev/nvidia{card}")).exists() {
                return Err(nowhere(format!("this machine has no NVIDIA card {card}")));
            }
            let provider = path.with_file_name("libonnxruntime_providers_cuda.so");
            if !provider.exists() {
                let what = format!("{} is missing", provider.display());
                return Err(nowhere(what));
            }
        }
        let runtime = Self::load_on(path, device)?;
        if runtime.device != device {
            let message = format!("networks run on {} in this process already", runtime.device);
            return Err(Fault::new(FaultKind::Conflict, message));
        }
        Ok(runtime)
    }

    fn load_on(path: &Path, device: Device) -> Result<Self, Fault> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let environment = environment(path).map_err(|error| {
            Fault::broken(format!(
                "cannot load ONNX Runtime from {}: run `glassplate models pull onnxruntime`",
                path.display()
            ))
            .because(error)
        })?;
        let runtime = Self { environment, device };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }
}

fn environment(path: &Path) -> Result<Environment, Box<dyn std::error::Error + Send + Sync>> {
    let builder = ort::init_from(path)?.with_name("glassplate").with_telemetry(false);
    Ok(builder.build()?)
}

/// Several sessions of one network, lent to one caller each.
#[derive(Debug, Clone)]
pub struct SessionPool {
    idle: Arc<Mutex<Vec<Session>>>,
    permits: Arc<Semaphore>,
    name: Arc<str>,
    sessions: usize,
}

/// A network's output: each tensor's name, shape and values.
pub type Outputs = Vec<(String, Vec<usize>, Vec<f32>)>;

/// A session that is lent; it goes back when dropped, after a panic too.
struct Lent<'a> {
    session: Option<Session>,
    pool: &'a SessionPool,
}

impl SessionPool {
    /// Opens `sessions` sessions of the network at `path`.
    ///
    /// # Errors
    /// `Broken` when the file is not a network that this runtime can run.
    pub fn open(runtime: &Runtime, path: &Path, sessions: usize) -> Result<Self, Fault> {
        let mut idle = Vec::with_capacity(sessions);
        for _ in 0..sessions.max(1) {
            idle.push(open_session(runtime, path).map_err(|error| {
                Fault::broken(format!("cannot open the network {}", path.display())).because(error)
            })?);
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into();
        let sessions = idle.len();
        let permits = Arc::new(Semaphore::new(sessions));
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits, name, sessions })
    }

    /// How many callers it serves at once.
    pub fn sessions(&self) -> usize {
        self.sessions
    }

    /// Runs the network off the async threads, once a session is free.
    ///
    /// `work` makes the input tensor, shape `[1, 3, side, side]`, and reads the outputs;
    /// both are done where the network runs, so no more than `sessions` pictures are at work.
    ///
    /// # Errors
    /// What `work` says; `Broken` when the network fails or `work` panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Network<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut lent = pool.lend();
            let session = lent.session.as_mut().expect("a lent session is there until dropped");
            let done = work(&mut Network { session, name: &pool.name });
            drop(lent);
            drop(permit);
            done
        });
        done.await.unwrap_or_else(|error| {
            Err(Fault::broken(format!("{} was interrupted", self.name)).because(error))
        })
    }

    fn lend(&self) -> Lent<'_> {
        let session = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lent { session, pool: self }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.session.take());
    }
}

/// A network that can be run once an input is made.
#[derive(Debug)]
pub struct Network<'a> {
    session: &'a mut Session,
    name: &'a str,
}

impl Network<'_> {
    /// Runs the network on one picture's tensor, `[1, 3, side, side]`.
    ///
    /// `wanted` are the names of the outputs that are copied, in this order.
    ///
    /// # Errors
    /// `Broken` when the network does not take the tensor or lacks an output.
    pub fn run(&mut self, values: &[f32], side: u32, wanted: &[String]) -> Result<Outputs, Fault> {
        let name = self.name;
        let failed =
            |error: ort::Error| Fault::broken(format!("the network {name} failed")).because(error);
        let side = side as usize;
        let tensor = TensorRef::from_array_view(([1, 3, side, side], values)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        copied(&outputs, name, wanted)
    }

    /// Runs the network on tensors by name, each with its shape.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_named(
        &mut self,
        inputs: &[(&str, [usize; 4], &[f32])],
        wanted: &[String],
    ) -> Result<Outputs, Fault> {
        let name = self.name;
        let failed =
            |error: ort::Error| Fault::broken(format!("the network {name} failed")).because(error);
        let mut fed = Vec::with_capacity(inputs.len());
        for &(input, shape, values) in inputs {
            let tensor = TensorRef::from_array_view((shape, values)).map_err(failed)?;
            fed.push((input, SessionInputValue::from(tensor)));
        }
        let outputs = self.session.run(fed).map_err(failed)?;
        copied(&outputs, name, wanted)
    }
}

/// Copies the outputs that are wanted, in this order.
fn copied(outputs: &SessionOutputs<'_>, name: &str, wanted: &[String]) -> Result<Outputs, Fault> {
    let failed =
        |error: ort::Error| Fault::broken(format!("the network {name} failed")).because(error);
    wanted
        .iter()
        .map(|wanted| {
            let value = outputs.get(wanted).ok_or_else(|| {
                Fault::broken(format!("the network {name} has no output {wanted}"))
            })?;
            let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
            let shape = shape.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
            Ok((wanted.clone(), shape, values.to_vec()))
        })
        .collect()
}

fn open_session(runtime: &Runtime, path: &Path) -> ort::Result<Session> {
    let mut builder = Session::builder(&runtime.environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?;
    if let Device::Cuda(card) = runtime.device {
        let provider = CUDA::default().with_device_id(card.into()).build();
        match builder.clone().with_execution_providers([provider.error_on_failure()]) {
            Ok(on_card) => builder = on_card,
            Err(error) => NO_CARD.call_once(|| {
                let device = runtime.device;
                tracing::warn!("networks run on the processor, not on {device}: {error}");
            }),
        }
    }
    builder.commit_from_file(path)
}

/// That the card cannot be had is said once.
static NO_CARD: Once = Once::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_read_as_they_are_written() {
        for (text, device) in
            [("cpu", Device::Cpu), ("cuda:0", Device::Cuda(0)), ("cuda:3", Device::Cuda(3))]
        {
            assert_eq!(text.parse::<Device>().unwrap(), device);
            assert_eq!(device.to_string(), text);
        }
        assert_eq!("cuda".parse::<Device>().unwrap(), Device::Cuda(0));
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(wrong.parse::<Device>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_card_that_is_not_there_loads_nothing() {
        let fault = Runtime::load_for(Path::new("/nowhere/lib.so"), Device::Cuda(999)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Refused);
        assert!(fault.to_string().contains("no NVIDIA card 999"), "{fault}");
    }

    #[test]
    fn a_missing_library_is_a_fault_that_says_what_to_do() {
        let fault = Runtime::load(Path::new("/nowhere/libonnxruntime.so")).unwrap_err();
        assert!(fault.to_string().contains("glassplate models pull onnxruntime"), "{fault}");
    }

    #[test]
    fn a_file_that_is_no_library_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libonnxruntime.so");
        std::fs::write(&path, b"not a library").unwrap();
        assert!(Runtime::load(&path).is_err());
    }
}
