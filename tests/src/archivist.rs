//! An archivist at a terminal: runs the real binary in a home and a cache of its own.
//!
//! What a command prints, says and returns is looked at together. The binary is built once a
//! test process, with the profile that the tests themselves were built with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest time for one command, a hang being a failure.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often a running command is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// One user with a home, an empty cache and a folder for pictures, all removed at the end.
#[derive(Debug)]
pub struct Archivist {
    desk: tempfile::TempDir,
    home: PathBuf,
    environment: Vec<(String, String)>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Said {
    /// The exit status; absent when a signal ended it.
    pub status: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
    /// The most memory it held, in kB; 0 for a command that ended before a first look.
    pub peak_kb: u64,
    /// How long it ran.
    pub took: Duration,
}

impl Archivist {
    /// Sits down at an empty desk.
    ///
    /// # Panics
    /// Panics when no temporary folder can be made.
    #[allow(clippy::new_without_default, reason = "it makes folders")]
    pub fn new() -> Self {
        let desk = tempfile::tempdir().expect("a temporary folder");
        let home = desk.path().join("home");
        std::fs::create_dir(desk.path().join("pictures")).expect("a folder for pictures");
        Self { desk, home, environment: Vec::new() }
    }

    /// Keeps the same pictures but works in another home.
    pub fn in_home(mut self, home: &Path) -> Self {
        self.home = home.to_owned();
        self
    }

    /// Sets a variable for every command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Writes the home's settings.
    ///
    /// # Panics
    /// Panics when they cannot be written.
    pub fn configure(&self, settings: &str) {
        std::fs::create_dir_all(&self.home).expect("a home");
        std::fs::write(self.home.join("config.toml"), settings).expect("written settings");
    }

    /// Changes to another home below the desk.
    pub fn move_home(&mut self, name: &str) {
        self.home = self.desk.path().join(name);
    }

    /// The home that the commands are given.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder that holds everything of this archivist.
    pub fn desk(&self) -> &Path {
        self.desk.path()
    }

    /// The folder for pictures.
    pub fn pictures(&self) -> PathBuf {
        self.desk.path().join("pictures")
    }

    /// Puts a file below the folder for pictures.
    ///
    /// # Panics
    /// Panics when it cannot be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.pictures().join(name);
        let folder = path.parent().expect("it lies below the pictures");
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(&path, bytes).expect("a written file");
        path
    }

    /// The command, ready to be run: no setting of the tester's own leaks in.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.desk.path().join("user"))
            .env("GLASSPLATE_HOME", &self.home)
            .env("GLASSPLATE_CACHE", self.desk.path().join("cache"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.desk.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Said {
        collect(self.command(arguments))
    }

    /// Ingests the folder for pictures without labels, answering in JSON.
    pub fn ingest(&self, collection: &str) -> Said {
        self.run(&self.ingest_words(collection))
    }

    /// The words of [`Archivist::ingest`].
    pub fn ingest_words(&self, collection: &str) -> Vec<String> {
        let pictures = self.pictures().display().to_string();
        ["ingest", &pictures, "--collection", collection, "--without-labels", "--json"]
            .map(str::to_owned)
            .into()
    }

    /// Every record, as `export` prints them.
    ///
    /// # Panics
    /// Panics when export fails or does not print JSON.
    pub fn records(&self) -> Vec<Value> {
        self.run(&["export", "--format", "jsonl", "--min-confidence", "0"]).exits(0).lines()
    }
}

impl Said {
    /// Insists on an exit status; shows everything otherwise.
    ///
    /// # Panics
    /// Panics when it is another.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }

    /// Insists that stderr says something.
    ///
    /// # Panics
    /// Panics when it does not.
    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "stderr lacks {part:?}: {self:#?}");
        self
    }

    /// Insists that stdout prints something.
    ///
    /// # Panics
    /// Panics when it does not.
    #[track_caller]
    pub fn prints(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "stdout lacks {part:?}: {self:#?}");
        self
    }

    /// Reads stdout as one JSON value.
    ///
    /// # Panics
    /// Panics when it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("not one JSON: {e}: {self:#?}"))
    }

    /// Reads stdout as one JSON value a line.
    ///
    /// # Panics
    /// Panics when a line is not JSON.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|e| panic!("not JSON: {e}: {line}"))
        };
        self.stdout.lines().map(parse).collect()
    }
}

/// Runs a command to its end, watching its memory; one that does not end is killed.
///
/// # Panics
/// Panics when it cannot be started or does not end.
#[track_caller]
pub fn collect(mut command: Command) -> Said {
    let began = Instant::now();
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let mut peak_kb = 0;
    while child.try_wait().expect("a child to wait for").is_none() {
        peak_kb = peak_kb.max(peak_of(&child));
        if began.elapsed() > PATIENCE {
            child.kill().expect("a child to kill");
            child.wait().expect("a child to wait for");
            panic!("it did not end: {:?}", stderr.join());
        }
        std::thread::sleep(GLANCE);
    }
    let status = child.wait().expect("a child to wait for").code();
    Said {
        status,
        stdout: stdout.join().expect("UTF-8"),
        stderr: stderr.join().expect("UTF-8"),
        peak_kb,
        took: began.elapsed(),
    }
}

fn drain(stream: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    let mut stream = stream.expect("a pipe was asked for");
    std::thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("UTF-8");
        text
    })
}

/// Reads a process's peak of resident memory; getrusage would count the builder's children too.
fn peak_of(child: &Child) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Where the binary lies, freshly built: cargo builds none for a test in another package.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let own = std::env::current_exe().expect("a program knows its own path");
        let folder = own.parent().expect("it lies in a folder");
        // A measurement lies beside the binary, which is built with it.
        if !folder.ends_with("deps") {
            return folder.join("glassplate");
        }
        let built = folder.parent().expect("TARGET/PROFILE/deps/TEST");
        let target = built.parent().expect("TARGET/PROFILE");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            // As `.ci/test` builds, so that nothing is built twice with other features.
            .args(["build", "--quiet", "--workspace", "--all-targets", "--target-dir"])
            .arg(target)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        if built.ends_with("release") {
            cargo.arg("--release");
        }
        let status = cargo.status().expect("cargo starts");
        assert!(status.success(), "the binary cannot be built: {status}");
        built.join("glassplate")
    })
}
