//! The program as the zip of a Lambda function, for where there is no registry of images.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::Path;

use glassplate_infra::START;
use glassplate_pipeline::fault::Fault;
use tempfile::NamedTempFile;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Writes the zip; a file of that name stays whole until the new one is.
pub(super) fn write(file: &Path) -> Result<(), Fault> {
    replace(file)
        .map_err(|e| Fault::broken(format!("cannot write the zip {}", file.display())).because(e))
}

fn replace(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let whole = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    fill(whole.as_file())?;
    whole.persist(file)?;
    Ok(())
}

fn fill(file: &File) -> std::io::Result<()> {
    let runs = SimpleFileOptions::default().unix_permissions(0o755);
    let mut zip = ZipWriter::new(file);
    zip.start_file("bootstrap", runs)?;
    zip.write_all(START.as_bytes())?;
    zip.start_file("glassplate", runs)?;
    let program = File::open(std::env::current_exe()?)?;
    std::io::copy(&mut BufReader::new(program), &mut zip)?;
    zip.finish()?;
    Ok(())
}
