//! The way of one picture to its record, as in the pipeline but in memory alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use glassplate_pipeline::asset::{Asset, AssetId, Tenant};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::opinion::{Finding, Identified, Opinion, Subject, Verdict};
use glassplate_pipeline::ports::{Interpreter, Labeller, Maker, Shown};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::record::{ASSESS, IDENTIFY, Parts, Record, fold};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::RunId;
use glassplate_pipeline::stage::identify::Sight;
use glassplate_pipeline::stage::{assess, identify, label, register, render};
use jiff::Timestamp;
use tokio::task::{JoinSet, spawn_blocking};

use super::truth::Case;

/// Who is asked of every picture, and who reads the answers.
pub struct Examiner {
    /// The labellers, in the order asked.
    pub labellers: Vec<Arc<dyn Labeller>>,
    /// What makes one answer of theirs.
    pub interpreter: Arc<dyn Interpreter>,
    /// What a picture may claim.
    pub limits: Limits,
    /// The renditions on whose way the pixels that labellers see are made.
    pub recipe: Recipe,
}

/// A decoded picture, as labellers see it.
#[derive(Debug, Clone)]
pub struct Picture {
    asset: Asset,
    identified: Identified,
    subject: Subject,
    raster: Arc<Raster>,
}

/// A picture whose content is known, and its record.
#[derive(Debug)]
pub struct Looked {
    /// What is known.
    pub case: Case,
    /// What the record says.
    pub record: Record,
    /// What it says of the picture without its colours; where objects are known.
    pub grey: Option<Record>,
}

/// A picture that could not be measured.
#[derive(Debug)]
pub struct Unseen {
    /// The name in the table.
    pub file: String,
    /// Why.
    pub fault: Fault,
}

impl Examiner {
    /// Reads and decodes a picture, within the limits.
    ///
    /// # Errors
    /// What the stages say of a file that cannot be read, decoded or trusted.
    pub async fn picture(&self, path: &Path) -> Result<Picture, Fault> {
        let (path, limits, recipe) = (path.to_owned(), self.limits.clone(), self.recipe.clone());
        let seconds = Duration::try_from_secs_f64(limits.seconds).unwrap_or(Duration::MAX);
        let decoded = spawn_blocking(move || decode(&path, &limits, &recipe));
        match tokio::time::timeout(seconds, decoded).await {
            Ok(done) => done.unwrap_or_else(|error| {
                Err(Fault::broken("decoding was interrupted").because(error))
            }),
            Err(_) => Err(Fault::too_large("decoding took longer than limits.seconds")),
        }
    }

    /// Asks every labeller and makes the record.
    ///
    /// # Errors
    /// Why a labeller failed: half of an answer is not what is to be measured.
    pub async fn record(&self, picture: &Picture) -> Result<Record, Fault> {
        let raster = Arc::clone(&picture.raster);
        let assessed = assess::assess(&raster);
        let identified = Finding::Identified(picture.identified.clone());
        let mut opinions = vec![
            picture.opinion(IDENTIFY, &identify::maker(None), Verdict::Found(identified)),
            picture.opinion(ASSESS, &assess::maker(), Verdict::Found(Finding::Assessed(assessed))),
        ];
        for labeller in &self.labellers {
            let heard = label::ask(&**labeller, &Shown::from(raster.clone())).await?;
            if let Verdict::Failed { fault, reason } = heard.verdict {
                return Err(Fault::new(fault, format!("{}: {reason}", labeller.step())));
            }
            let said = picture.opinion(labeller.step(), labeller.maker(), heard.verdict);
            opinions.push(Opinion { embedding: heard.embedding, ..said });
        }
        let parts = Parts {
            asset: picture.asset.clone(),
            occurrences: Vec::new(),
            opinions,
            decisions: Vec::new(),
            withdrawn: BTreeSet::new(),
        };
        Ok(fold(&parts, &*self.interpreter))
    }

    async fn look(&self, case: &Case) -> Result<(Record, Option<Record>), Fault> {
        let picture = self.picture(&case.path).await?;
        let record = self.record(&picture).await?;
        let grey = match case.truth.objects {
            Some(_) => Some(self.record(&picture.grey()).await?),
            None => None,
        };
        Ok((record, grey))
    }

    /// Looks at every picture, so many at once; calls `done` after each.
    pub async fn look_at_all(
        self: &Arc<Self>,
        cases: Vec<Case>,
        lanes: usize,
        done: impl Fn() + Send + Sync + 'static,
    ) -> (Vec<Looked>, Vec<Unseen>) {
        let (cases, next, done) = (Arc::new(cases), Arc::new(AtomicUsize::new(0)), Arc::new(done));
        let mut at_work = JoinSet::new();
        for _ in 0..lanes.max(1) {
            let (examiner, cases) = (Arc::clone(self), Arc::clone(&cases));
            let (next, done) = (Arc::clone(&next), Arc::clone(&done));
            at_work.spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { return seen };
                    seen.push((at, examiner.look(case).await));
                    done();
                }
            });
        }
        let mut seen: Vec<_> = at_work.join_all().await.into_iter().flatten().collect();
        seen.sort_by_key(|(at, _)| *at);
        let (mut looked, mut unseen) = (Vec::new(), Vec::new());
        for (at, answer) in seen {
            let case = cases[at].clone();
            match answer {
                Ok((record, grey)) => looked.push(Looked { case, record, grey }),
                Err(fault) => unseen.push(Unseen { file: case.file, fault }),
            }
        }
        (looked, unseen)
    }
}

impl std::fmt::Debug for Examiner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps: Vec<_> = self.labellers.iter().map(|labeller| labeller.step()).collect();
        f.debug_struct("Examiner").field("labellers", &steps).finish_non_exhaustive()
    }
}

impl Picture {
    /// The same picture without its colours: luma by Rec. ITU-R BT.601.
    pub fn grey(&self) -> Self {
        let mut rgb = Vec::with_capacity(self.raster.rgb().len());
        for pixel in self.raster.rgb().chunks_exact(3) {
            let [red, green, blue] = [0, 1, 2].map(|at| u32::from(pixel[at]));
            let luma = (299 * red + 587 * green + 114 * blue + 500) / 1000;
            rgb.extend([luma as u8; 3]);
        }
        self.showing(Raster::new(self.raster.width(), self.raster.height(), rgb))
    }

    /// The same picture with other pixels for the labellers to see: damaged or repaired ones.
    pub fn showing(&self, raster: Raster) -> Self {
        Self { raster: Arc::new(raster), ..self.clone() }
    }

    /// The pixels that labellers see.
    pub fn raster(&self) -> &Arc<Raster> {
        &self.raster
    }

    fn opinion(&self, step: &str, maker: &Maker, verdict: Verdict) -> Opinion {
        let run = RunId::from_text("evaluate");
        Opinion::new(
            &self.asset.id,
            step,
            self.subject,
            maker,
            &run,
            Timestamp::UNIX_EPOCH,
            verdict,
        )
    }
}

fn decode(path: &Path, limits: &Limits, recipe: &Recipe) -> Result<Picture, Fault> {
    let intake = register::read(path, limits.bytes)?;
    let technical = identify::admissible(&intake, limits)?;
    let bytes = intake.bytes.as_ref().expect("what is admissible was kept in memory");
    let Sight { identified, pixels } = identify::identify(bytes, technical, limits);
    let rendered = render::render(bytes, &identified.technical, pixels, recipe, limits)?;
    let tenant: Tenant = "evaluate".parse().expect("a name that is fine");
    let asset = Asset {
        id: AssetId::derive(&tenant, &intake.digest),
        tenant,
        digest: intake.digest,
        blake3: intake.blake3,
        bytes: intake.length,
        registered: Timestamp::UNIX_EPOCH,
    };
    let subject = identified.pixels.map_or(Subject::Bytes(intake.digest), Subject::Pixels);
    Ok(Picture { asset, identified, subject, raster: Arc::new(rendered.working) })
}
