//! `glassplate doctor`: looks at everything that a run needs, and says what to do.

use glassplate_models::session::Runtime;
use glassplate_models::shelf::{Shelf, State};
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::stage::register;
use serde::Serialize;
use serde_json::json;

use crate::arguments::Doctor;
use crate::compose::{Desk, RUNTIME, make_folder};
use crate::exit::Exit;
use crate::output::{self, bytes, data, plain};
use crate::settings::CatalogueSettings;

/// Below this much free disk a run of any size is likely to end early, in bytes.
const LITTLE_DISK: u64 = 2_000_000_000;
/// How many assets are read at a time.
const PAGE: usize = 500;

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    checked: &'static str,
    /// `ok`, `hint` (a run works, or will fetch what is missing) or `problem`.
    state: &'static str,
    detail: String,
    /// What to do.
    remedy: Option<String>,
}

pub(crate) async fn run(desk: &Desk, arguments: &Doctor) -> Result<Exit, Fault> {
    let mut findings = vec![home(desk), disk(desk)];
    if desk.has_catalogue() {
        findings.push(catalogue(desk).await);
        findings.push(index(desk).await);
        if arguments.originals {
            findings.push(originals(desk).await);
        }
    }
    match desk.shelf() {
        Ok(shelf) => {
            findings.extend(models(&shelf));
            findings.push(runtime(&shelf));
        }
        Err(fault) => findings.push(problem("models", &fault, "check the folder named")),
    }
    findings.push(python());
    let sound = findings.iter().all(|finding| finding.state != "problem");
    if desk.json {
        output::json(&json!({ "sound": sound, "findings": findings }));
    } else {
        findings.iter().for_each(tell);
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

fn tell(finding: &Finding) {
    let Finding { checked, state, detail, remedy } = finding;
    data(format!("{state:<8} {checked}: {}", plain(detail)));
    if let Some(remedy) = remedy {
        data(format!("         {remedy}"));
    }
}

fn ok(checked: &'static str, detail: impl Into<String>) -> Finding {
    Finding { checked, state: "ok", detail: detail.into(), remedy: None }
}

fn hint(checked: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { checked, state: "hint", detail: detail.into(), remedy: Some(remedy.into()) }
}

fn problem(checked: &'static str, fault: &Fault, remedy: impl Into<String>) -> Finding {
    Finding { checked, state: "problem", detail: fault.reason(), remedy: Some(remedy.into()) }
}

fn home(desk: &Desk) -> Finding {
    let home = desk.home.display();
    let written = make_folder(&desk.home).and_then(|()| {
        let probe = desk.home.join(".doctor");
        std::fs::write(&probe, b"")
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| Fault::broken(format!("cannot write into {home}")).because(e))
    });
    match written {
        Ok(()) => ok("home", home.to_string()),
        Err(fault) => problem("home", &fault, "give another folder with --home, or its rights"),
    }
}

fn disk(desk: &Desk) -> Finding {
    match rustix::fs::statvfs(&desk.home) {
        Ok(disk) => {
            let free = disk.f_bavail * disk.f_frsize;
            let detail = format!("{} free", bytes(free));
            if free < LITTLE_DISK {
                hint("disk", detail, "an ingest copies every original: make room first")
            } else {
                ok("disk", detail)
            }
        }
        Err(e) => problem(
            "disk",
            &Fault::broken("cannot ask for free room").because(e),
            "check that the home's disk is mounted",
        ),
    }
}

async fn catalogue(desk: &Desk) -> Finding {
    let look = async {
        let catalogue = desk.catalogue().await?;
        catalogue.check().await
    };
    match look.await {
        Ok(()) => ok("catalogue", "sound"),
        Err(fault) => problem("catalogue", &fault, remedy_of(desk)),
    }
}

/// What to do about a catalogue that is not sound.
fn remedy_of(desk: &Desk) -> &'static str {
    match desk.settings.catalogue {
        CatalogueSettings::Sqlite => "restore catalogue.sqlite from a backup",
        CatalogueSettings::Dynamodb(_) => {
            "see to region, credentials and table, or restore the table to a point in time"
        }
    }
}

async fn index(desk: &Desk) -> Finding {
    let look = async {
        let index = desk.index()?;
        index.check()?;
        let caught_up = index.catch_up(&*desk.catalogue().await?).await?;
        Ok::<_, Fault>(caught_up.documents)
    };
    match look.await {
        Ok(documents) => ok("index", format!("sound, {documents} records were behind")),
        Err(fault) => problem("index", &fault, "`glassplate reindex` builds it anew"),
    }
}

/// Reads every original back: the fixity check of an archive.
async fn originals(desk: &Desk) -> Finding {
    let mut damaged = Vec::new();
    let mut count = 0_u64;
    let look = async {
        let (catalogue, store) = (desk.catalogue().await?, desk.store().await?);
        let mut after: Option<AssetId> = None;
        loop {
            let page = catalogue.assets(&desk.tenant, None, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok::<_, Fault>(()) };
            after = Some(last.clone());
            for parts in catalogue.parts_of_many(&desk.tenant, &page).await? {
                count += 1;
                let key = register::key_of(&parts.asset);
                if let Err(fault) = register::verify(&*store, &key, &parts.asset.blake3).await {
                    damaged.push(format!("{}: {}", parts.asset.id, fault.reason()));
                }
            }
        }
    };
    let remedy =
        "move a damaged file away, then ingest its source again: lost originals are put back";
    match look.await {
        Err(fault) => problem("originals", &fault, remedy),
        Ok(()) if damaged.is_empty() => ok("originals", format!("{count} read back, all whole")),
        Ok(()) => {
            let fault = Fault::broken(format!(
                "{} of {count} are lost or damaged: {}",
                damaged.len(),
                damaged.join("; ")
            ));
            problem("originals", &fault, remedy)
        }
    }
}

fn models(shelf: &Shelf) -> Vec<Finding> {
    shelf
        .list()
        .iter()
        .filter(|status| status.card.rank.is_some())
        .map(|status| {
            let name = format!("{} ({})", status.card.name, status.card.licence);
            let pull = format!("`glassplate models pull {}` fetches it", status.card.name);
            match status.state {
                State::Present => ok("model", name),
                State::Missing => hint("model", format!("{name} is not here"), pull),
                State::Damaged => {
                    let fault = Fault::broken(format!("{name} is damaged"));
                    problem("model", &fault, pull)
                }
            }
        })
        .collect()
}

fn runtime(shelf: &Shelf) -> Finding {
    match shelf.path(RUNTIME).and_then(|path| Runtime::load(&path).map(|_| path)) {
        Ok(path) => ok("runtime", format!("ONNX Runtime loads from {}", path.display())),
        Err(fault) => hint("runtime", fault.reason(), "`glassplate models pull` fetches it"),
    }
}

fn python() -> Finding {
    let asked = std::process::Command::new("python3").arg("--version").output();
    match asked {
        Ok(output) if output.status.success() => {
            ok("python3", String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => hint("python3", "not found", "it is needed only to fetch models: install Python 3"),
    }
}
