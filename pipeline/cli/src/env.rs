//! Every environment variable that glassplate reads, in one place.

use std::path::PathBuf;

/// The folder that holds catalogue, originals, renditions and index; `--home` beats it.
pub(crate) const HOME: &str = "GLASSPLATE_HOME";
/// The folder that fetched models and the runtime are kept in, shared by all homes.
pub(crate) const CACHE: &str = "GLASSPLATE_CACHE";
/// A mirror folder of model files, looked into before anything is fetched; `--mirror` beats it.
pub(crate) const MIRROR: &str = "GLASSPLATE_MODELS";
/// What is logged to stderr, such as `debug` or `glassplate_search=trace`; default `warn`.
pub(crate) const LOG: &str = "GLASSPLATE_LOG";

/// Under whose name decisions are kept; the setting `people.name` and `--by` beat it.
pub(crate) const BY: &str = "GLASSPLATE_BY";

/// Who is at the keyboard: `$GLASSPLATE_BY`, else the login name in `$USER` or `$LOGNAME`.
pub(crate) fn by() -> Option<String> {
    let named = |name: &&str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let name = [BY, "USER", "LOGNAME"].into_iter().find(|name| named(name))?;
    std::env::var(name).ok()
}

/// The default home: `$XDG_DATA_HOME/glassplate`, else `~/.local/share/glassplate`.
pub(crate) fn default_home() -> Option<PathBuf> {
    below("XDG_DATA_HOME", ".local/share")
}

/// The cache folder: `$GLASSPLATE_CACHE`, else `$XDG_CACHE_HOME/glassplate`, else `~/.cache/glassplate`.
pub(crate) fn cache() -> Option<PathBuf> {
    std::env::var_os(CACHE).map(PathBuf::from).or_else(|| below("XDG_CACHE_HOME", ".cache"))
}

fn below(base: &str, under_home: &str) -> Option<PathBuf> {
    let base = std::env::var_os(base).filter(|b| !b.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(under_home)))?;
    Some(base.join("glassplate"))
}
