//! What the measuring commands share: processor time, peak memory, the machine, the peer.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use glassplate_pipeline::rendition::Recipe;
use nix::sys::resource::{UsageWho, getrusage};

/// What a measuring command's functions give.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs vipsthumbnail once a size over the files, at the same quality; gives its CPU time.
///
/// # Errors
/// When vipsthumbnail is missing or fails.
pub fn vips(files: &[PathBuf], folder: &Path) -> Outcome<Duration> {
    let recipe = Recipe::default();
    let before = cpu(UsageWho::RUSAGE_CHILDREN)?;
    for size in &recipe.sizes {
        let target = format!("{}/%s_{size}.jpg[Q={}]", folder.display(), recipe.quality);
        let status = Command::new("vipsthumbnail")
            .args(files)
            .args(["-s", &size.to_string(), "-o", &target])
            .status()
            .map_err(|cause| format!("cannot run vipsthumbnail (libvips-tools): {cause}"))?;
        if !status.success() {
            return Err(format!("vipsthumbnail failed: {status}").into());
        }
    }
    Ok(cpu(UsageWho::RUSAGE_CHILDREN)? - before)
}

/// Processor time, user and system, of this process or of its children so far.
///
/// # Errors
/// When the kernel does not tell.
pub fn cpu(who: UsageWho) -> Outcome<Duration> {
    let usage = getrusage(who)?;
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

/// Reads this process's peak memory; getrusage's would count the parent's before the exec.
///
/// # Errors
/// When the kernel does not tell.
pub fn peak_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.ok_or("no VmHWM in /proc/self/status")?.trim().trim_end_matches(" kB").parse()?)
}

#[allow(clippy::print_stdout, reason = "commands print their measurements")]
/// Prints machine, commit and peer.
pub fn describe_machine() {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("machine  {}, {cores} cores", model.map_or("unknown", |(_, name)| name));
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (!text.is_empty()).then(|| text.trim().to_owned())
    };
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    println!("commit   {}", commit.as_deref().unwrap_or("unknown"));
    let vips = said("vipsthumbnail", &["--version"]);
    println!("peer     {}", vips.as_deref().unwrap_or("vipsthumbnail"));
}
