//! `glassplate calibrate`: learns from what people ruled how sure labels really are.

use std::io::Write as _;
use std::path::Path;

use glassplate_models::interpret::{Calibration, Reader, Ruled};
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{LabelState, fold};
use serde_json::json;

use crate::arguments::Calibrate;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, say};

/// How many assets are read at a time.
const PAGE: usize = 500;

pub(crate) async fn run(desk: &Desk, arguments: &Calibrate) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let file = desk.calibration_file();
    let (calibration, ruled) = if arguments.reset {
        (Calibration::default(), Vec::new())
    } else {
        let ruled = rulings(desk, &*catalogue).await?;
        (Calibration::fit(&ruled), ruled)
    };
    if !arguments.dry_run {
        if calibration == Calibration::default() {
            remove(&file)?;
        } else {
            write(&file, &calibration)?;
        }
        // Every record reads otherwise from now on: the index is made anew.
        super::search::catch_up(&desk.index()?, &*catalogue).await?;
    }
    tell(desk, arguments, &calibration, &ruled);
    Ok(Exit::Done)
}

/// Collects every label that a machine claimed and a person ruled on, as sure as it was before
/// any recalibration.
async fn rulings(desk: &Desk, catalogue: &dyn Catalogue) -> Result<Vec<Ruled>, Fault> {
    let reader = Reader::load(Objects::load(), Calibration::default());
    let mut ruled = Vec::new();
    let mut after: Option<AssetId> = None;
    loop {
        let page = catalogue.assets(&desk.tenant, None, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(ruled) };
        after = Some(last.clone());
        let parts = catalogue.parts_of_many(&desk.tenant, &page).await?;
        for parts in parts.iter().filter(|parts| !parts.decisions.is_empty()) {
            let record = fold(parts, &reader);
            let monochrome = record.assessment.is_some_and(|found| found.tone.is_monochrome());
            ruled.extend(record.labels.iter().filter_map(|label| {
                let holds = match label.state {
                    LabelState::Approved => true,
                    LabelState::Rejected => false,
                    LabelState::Proposed | LabelState::Added => return None,
                };
                Some(Ruled { kind: label.kind, monochrome, confidence: label.confidence, holds })
            }));
        }
    }
}

/// Writes the file beside its place and renames it, so that there is always a whole one.
fn write(file: &Path, calibration: &Calibration) -> Result<(), Fault> {
    let written = || -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(
            new,
            "# Written by `glassplate calibrate`; without this file labels are as sure as fitted.\n"
        )?;
        new.write_all(calibration.to_toml().as_bytes())?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok(())
    };
    written().map_err(|e| Fault::broken(format!("cannot write {}", file.display())).because(e))
}

fn remove(file: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Fault::broken(format!("cannot remove {}", file.display())).because(e))
        }
        _ => Ok(()),
    }
}

fn tell(desk: &Desk, arguments: &Calibrate, calibration: &Calibration, ruled: &[Ruled]) {
    if desk.json {
        output::json(&json!({
            "rulings": ruled.len(),
            "calibration": calibration,
            "written": !arguments.dry_run,
        }));
        return;
    }
    if arguments.reset {
        data("labels are as sure as fitted, whatever was ruled");
        return;
    }
    for (kind, name) in [
        (LabelKind::Object, "objects"),
        (LabelKind::Scene, "scenes"),
        (LabelKind::Concept, "concepts"),
    ] {
        let of_kind: Vec<_> = ruled.iter().filter(|one| one.kind == kind).collect();
        let count = of_kind.len();
        if count > 0 {
            let said: f32 = of_kind.iter().map(|one| one.confidence).sum::<f32>() / count as f32;
            let held = of_kind.iter().filter(|one| one.holds).count();
            data(format!(
                "{name}: {count} ruled on, said {said:.2} on average, confirmed {:.2}",
                held as f32 / count as f32
            ));
        }
    }
    for (name, curve) in calibration.parts() {
        if let Some(curve) = curve {
            data(format!(
                "{name}: log-odds x {:.2} {:+.2}, from {} rulings",
                curve.slope, curve.constant, curve.rulings
            ));
        }
    }
    if *calibration == Calibration::default() {
        say("too few rulings to learn from: at least 20 of a kind, in colour or without");
    } else if arguments.dry_run {
        say("nothing was changed; without --dry-run it is");
    }
}
