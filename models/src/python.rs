//! Runs Python, pip and npm for the shelf, and says in one line what went wrong.
//!
//! Python is only asked to fetch pinned packages, to read one URL and to run our own
//! converters, which need nothing but its standard library. What the programs print is
//! kept back and shown only when they fail.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use glassplate_pipeline::fault::{Fault, FaultKind};

use crate::archive::cannot_write;

/// Every file that a conversion may need; they import each other.
const SCRIPTS: [(&str, &str); 8] = [
    ("onnx_writer.py", include_str!("../convert/onnx_writer.py")),
    ("efficientnet_lite.py", include_str!("../convert/efficientnet_lite.py")),
    ("efficientnet_taps.py", include_str!("../convert/efficientnet_taps.py")),
    ("nanodet_tfjs.py", include_str!("../convert/nanodet_tfjs.py")),
    ("ncnn.py", include_str!("../convert/ncnn.py")),
    ("picodet_ncnn.py", include_str!("../convert/picodet_ncnn.py")),
    ("realesrgan_ncnn.py", include_str!("../convert/realesrgan_ncnn.py")),
    ("squeezenet_places.py", include_str!("../convert/squeezenet_places.py")),
];

/// Reads one URL into a file: the argument list is the URL, the file, the greatest length.
const READ_URL: &str = "
import sys, urllib.request
url, path, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
with urllib.request.urlopen(url, timeout=10) as answer, open(path, 'wb') as file:
    left = limit + 1
    while left > 0:
        part = answer.read(min(left, 1 << 16))
        if not part:
            break
        file.write(part)
        left -= len(part)
";

/// How many of a failed program's last lines are shown.
const SHOWN_LINES: usize = 6;

/// The Python of this machine and the environment of its own that pip runs in.
#[derive(Debug)]
pub(crate) struct Python {
    program: PathBuf,
    environment: PathBuf,
}

impl Python {
    /// Names the program and the folder of its environment; nothing is run yet.
    pub(crate) fn new(program: PathBuf, environment: PathBuf) -> Self {
        Self { program, environment }
    }

    /// Fetches one wheel, whose hash pip checks, into `folder` and returns its path.
    ///
    /// The wheel's own tags are asked for, so any Python fetches the same one.
    ///
    /// # Errors
    /// `NotFound` without Python or pip, `TimedOut` without a network, `Conflict` for
    /// another hash, `Broken` for a full disk or anything else.
    pub(crate) fn fetch_wheel(
        &self,
        package: &str,
        version: &str,
        wheel: &str,
        sha256: &str,
        folder: &Path,
    ) -> Result<PathBuf, Fault> {
        let python = self.with_pip()?;
        let requirements = folder.join("requirements.txt");
        let pinned = format!("{package}=={version} --hash=sha256:{sha256}\n");
        fs::write(&requirements, pinned).map_err(|error| cannot_write(&requirements, error))?;
        let mut command = Command::new(python);
        command
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
            .args(["--require-hashes", "--no-input", "--disable-pip-version-check"])
            .args(["--retries", "1", "--timeout", "15", "--progress-bar", "off"])
            .args(wheel_tags(wheel))
            .arg("--dest")
            .arg(folder)
            .arg("--requirement")
            .arg(&requirements);
        run(&mut command, &format!("fetch {package}=={version}"))?;
        Ok(folder.join(wheel))
    }

    /// Fetches one npm package into `folder` and returns the archive's path.
    ///
    /// # Errors
    /// `NotFound` without npm; otherwise as [`Self::fetch_wheel`].
    pub(crate) fn fetch_npm(
        &self,
        package: &str,
        version: &str,
        folder: &Path,
    ) -> Result<PathBuf, Fault> {
        let mut command = Command::new("npm");
        command
            .args(["pack", "--ignore-scripts", "--fetch-retries=1", "--pack-destination"])
            .arg(folder)
            .arg(format!("{package}@{version}"))
            .current_dir(folder);
        run(&mut command, &format!("fetch {package}@{version}"))?;
        // `@scope/name` is packed as `scope-name-version.tgz`.
        let plain = package.trim_start_matches('@').replace('/', "-");
        Ok(folder.join(format!("{plain}-{version}.tgz")))
    }

    /// Reads a URL into `target`, no more than one byte over `bytes`.
    ///
    /// # Errors
    /// As [`Self::fetch_wheel`].
    pub(crate) fn fetch_url(&self, url: &str, bytes: u64, target: &Path) -> Result<(), Fault> {
        let mut command = self.plain();
        command.args(["-c", READ_URL, url]).arg(target).arg(bytes.to_string());
        run(&mut command, &format!("fetch {url}"))
    }

    /// Runs one of our converters on `source`, writing `target`, in `folder`.
    ///
    /// # Errors
    /// `NotFound` for a script that does not exist or without Python; `Broken` when the
    /// script fails.
    pub(crate) fn convert(
        &self,
        script: &str,
        source: &Path,
        target: &Path,
        arguments: &[String],
        folder: &Path,
    ) -> Result<(), Fault> {
        if !SCRIPTS.iter().any(|(name, _)| *name == script) {
            return Err(Fault::not_found(format!("there is no converter {script}")));
        }
        for (name, text) in SCRIPTS {
            let path = folder.join(name);
            fs::write(&path, text).map_err(|error| cannot_write(&path, error))?;
        }
        let mut command = self.plain();
        // Without bytecode: the folder is thrown away.
        command.arg("-B").arg(folder.join(script)).arg(source).arg(target).args(arguments);
        run(&mut command, &format!("convert {}", source.display()))
    }

    /// Python without its user's own packages and settings.
    fn plain(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-E", "-s"]);
        command
    }

    /// Returns a Python that has pip: the environment's, made first if it is missing or broken.
    fn with_pip(&self) -> Result<PathBuf, Fault> {
        let inside = self.environment.join("bin").join("python");
        let works = |python: &Path| {
            let mut command = Command::new(python);
            command.args(["-c", "import pip"]).stdin(Stdio::null());
            command.output().is_ok_and(|output| output.status.success())
        };
        if works(&inside) {
            return Ok(inside);
        }
        let mut command = self.plain();
        command.args(["-m", "venv", "--clear"]).arg(&self.environment);
        match run(&mut command, "make a Python environment for pip") {
            Ok(()) => Ok(inside),
            Err(fault) if fault.to_string().contains("ensurepip") => Err(Fault::not_found(
                "Python cannot make an environment: install its venv module (python3-venv on Debian)",
            )
            .because(fault)),
            Err(fault) => Err(fault),
        }
    }
}

/// Returns the options that make pip choose the wheel of this name on any machine.
///
/// A wheel's name ends in its Python, ABI and platform tags (PEP 427); several platforms
/// are joined by dots.
fn wheel_tags(wheel: &str) -> Vec<String> {
    let stem = wheel.trim_end_matches(".whl");
    let mut tags = stem.rsplit('-');
    let (platforms, abi, python) = (tags.next(), tags.next(), tags.next());
    let (Some(platforms), Some(abi), Some(python)) = (platforms, abi, python) else {
        return Vec::new();
    };
    let Some(version) = python.strip_prefix("cp").filter(|_| platforms != "any") else {
        return Vec::new();
    };
    let mut options = vec![
        "--implementation=cp".to_owned(),
        format!("--python-version={version}"),
        format!("--abi={abi}"),
    ];
    options.extend(platforms.split('.').map(|platform| format!("--platform={platform}")));
    options
}

/// Runs a program to its end with its output kept back.
fn run(command: &mut Command, doing: &str) -> Result<(), Fault> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_owned();
    tracing::debug!(?command, "running");
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Fault::not_found(format!("cannot {doing}: {}", hint(&program))).because(error)
        } else {
            Fault::broken(format!("cannot {doing}")).because(error)
        }
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(explain(doing, &String::from_utf8_lossy(&said)))
}

fn hint(program: &OsStr) -> String {
    let name = program.to_string_lossy();
    match &*name {
        "npm" => "npm is not installed".to_owned(),
        _ => format!("{name} is not installed or not on the path; install Python 3.9 or later"),
    }
}

/// Turns a failed program's output into one fault, the last lines kept as its cause.
fn explain(doing: &str, said: &str) -> Fault {
    let mentions = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let (kind, why) = if mentions(&["DO NOT MATCH THE HASHES", "EINTEGRITY"]) {
        (FaultKind::Conflict, "the package is not the pinned one: its hash differs")
    } else if mentions(&["No space left on device", "ENOSPC"]) {
        (FaultKind::Broken, "the disk is full")
    } else if mentions(&[
        "NewConnectionError",
        "ConnectTimeoutError",
        "Failed to establish a new connection",
        "Temporary failure in name resolution",
        "Name or service not known",
        "nodename nor servname",
        "ProxyError",
        "Network is unreachable",
        "timed out",
        "URLError",
        "HTTPError",
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ETIMEDOUT",
    ]) {
        (FaultKind::TimedOut, "there is no network, or the server does not answer")
    } else if mentions(&["No matching distribution found", "E404"]) {
        (FaultKind::NotFound, "the package index does not have it")
    } else if mentions(&["ensurepip"]) {
        (FaultKind::NotFound, "ensurepip is missing")
    } else {
        (FaultKind::Broken, "it failed")
    };
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
    Fault::new(kind, format!("cannot {doing}: {why}")).because(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_for_one_machine_is_asked_for_by_its_tags_and_a_pure_one_by_name() {
        assert_eq!(
            wheel_tags("a-1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl"),
            [
                "--implementation=cp",
                "--python-version=311",
                "--abi=cp311",
                "--platform=manylinux_2_24_x86_64",
                "--platform=manylinux_2_28_x86_64",
            ]
        );
        assert!(wheel_tags("a-1-py2.py3-none-any.whl").is_empty());
    }

    #[test]
    fn a_failure_is_told_in_one_line_with_the_last_words_as_its_cause() {
        for (said, kind, why) in [
            (
                "URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
                FaultKind::TimedOut,
                "no network",
            ),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
                FaultKind::Conflict,
                "hash",
            ),
            ("OSError: [Errno 28] No space left on device", FaultKind::Broken, "disk is full"),
            (
                "ERROR: No matching distribution found for x",
                FaultKind::NotFound,
                "does not have it",
            ),
            ("boom", FaultKind::Broken, "it failed"),
        ] {
            let fault = explain("fetch x", said);
            assert_eq!(fault.kind(), kind, "{said}");
            assert!(
                fault.to_string().contains(why) && !fault.to_string().contains('\n'),
                "{fault}"
            );
            assert!(fault.reason().contains(said));
        }
    }

    #[test]
    fn without_python_the_fault_says_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let python = Python::new("no-such-python".into(), folder.path().join("venv"));
        let fault = python.fetch_url("http://localhost/", 1, &folder.path().join("x")).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::NotFound);
        assert!(fault.to_string().contains("install Python 3"), "{fault}");
    }

    #[test]
    fn the_weights_reader_refuses_a_pickle_that_asks_for_anything_but_tensors() {
        refuses("efficientnet_lite.py", &["224"]);
        refuses("squeezenet_places.py", &[]);
    }

    fn refuses(script: &str, arguments: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join("ran");
        // A pickle of protocol 0 that would call os.system, as an attacker would write it.
        let attack = format!("cos\nsystem\n(S'touch {}'\ntR.", marker.display());
        let source = folder.path().join("weights.pth");
        fs::write(&source, attack).unwrap();
        let python = Python::new("python3".into(), folder.path().join("venv"));
        let target = folder.path().join("out.onnx");
        let arguments: Vec<_> = arguments.iter().map(|&word| word.to_owned()).collect();
        let fault =
            python.convert(script, &source, &target, &arguments, folder.path()).unwrap_err();
        assert!(
            fault.reason().contains("refused: the weights ask for os.system"),
            "{}",
            fault.reason()
        );
        assert!(!marker.exists() && !target.exists());
    }
}
