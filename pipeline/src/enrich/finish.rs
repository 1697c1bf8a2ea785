//! The work on the pixels of one asset, and the one append that records all of it.

use std::sync::Arc;
use std::time::Duration;

use super::settled::Settled;
use super::{House, Way, outcome_of};
use crate::ask::{Asking, in_order, worth};
use crate::asset::{Asset, PixelDigest};
use crate::aws::patiently;
use crate::catalogue::Entry;
use crate::fault::{Fault, FaultKind};
use crate::image::{Rendered, RenderedFile, Technical};
use crate::opinion::{Finding, Identified, Maker, Opinion, Subject, Verdict};
use crate::ports::{Shown, ShownFile, Worth};
use crate::raster::Raster;
use crate::record::{ASSESS, IDENTIFY, Parts, RENDER};
use crate::run::{Item, Outcome};
use crate::stage::identify::Sight;
use crate::stage::label::nearest_shown;
use crate::stage::register::Intake;
use crate::stage::{Stage, assess, identify, render};

/// What one pass over the bytes gave.
struct Look {
    identified: Result<Identified, Fault>,
    /// Absent when identify failed.
    rendered: Option<Result<Rendered, Fault>>,
}

impl Way<'_> {
    /// Does what is not settled yet, and records all of it in one append with `entries`.
    pub(super) async fn finish(
        &self,
        parts: Parts,
        entries: Vec<Entry>,
        intake: &Intake,
        settled: Settled,
    ) -> Result<Item, Fault> {
        let look = self.look(intake).await?;
        let asset = parts.asset.clone();
        let mut ledger = Ledger { way: self, asset: &asset, parts, entries, trouble: None };
        let pixels = look.identified.as_ref().ok().and_then(|found| found.pixels);
        // Of a family one is asked about, and the others take its answers over.
        let _alone = match &pixels {
            Some(pixels) => Some(self.house.floor.alone_with_picture(pixels).await),
            None => None,
        };
        ledger.identified(look.identified, &settled);
        let picture = match look.rendered {
            None => Err("it could not be identified"),
            Some(rendered) => ledger.rendered(rendered, pixels, &settled).await?,
        };
        if let Err(why) = picture {
            ledger.not_run(why, &settled);
        }
        let mut note = None;
        if let (Ok((picture, damage)), Some(pixels)) = (picture, pixels) {
            note = damage;
            ledger.assessed(&picture.raster, Subject::Pixels(pixels), &settled).await?;
            ledger.labelled(&picture, Subject::Pixels(pixels), &settled).await?;
        }
        let item = match ledger.trouble {
            Some((kind, reason)) => {
                self.item(Some(&asset.id), outcome_of(kind), Some(kind), Some(reason))
            }
            None => self.item(Some(&asset.id), Outcome::Enriched, None, note),
        };
        self.conclude(ledger.entries, item).await
    }

    /// Identifies and renders on a thread of its own, within the limits of memory and seconds.
    async fn look(&self, intake: &Intake) -> Result<Look, Fault> {
        let limits = &self.house.limits;
        let refused = |fault| Ok(Look { identified: Err(fault), rendered: None });
        let technical = match identify::admissible(intake, limits) {
            Ok(technical) => technical,
            Err(fault) => return refused(fault),
        };
        let bytes = intake.bytes.as_ref().expect("what is admissible was kept in memory");
        let room = self.house.floor.room_for_pixels(identify::memory_needed(&technical)).await;
        let seconds = Duration::try_from_secs_f64(limits.seconds).unwrap_or(Duration::MAX);
        let looked =
            tokio::time::timeout(seconds, self.identify_and_render(bytes, technical)).await;
        drop(room);
        looked.unwrap_or_else(|_| {
            refused(Fault::too_large(format!(
                "decoding took longer than limits.seconds = {}",
                limits.seconds
            )))
        })
    }

    async fn identify_and_render(
        &self,
        bytes: &Arc<Vec<u8>>,
        technical: Technical,
    ) -> Result<Look, Fault> {
        let (seen, limits) = (bytes.clone(), self.house.limits.clone());
        let identify = move || identify::identify(&seen, technical, &limits);
        let Sight { identified, pixels } = self.work(Stage::Identify, identify).await?;
        let (seen, limits) = (bytes.clone(), self.house.limits.clone());
        let (technical, recipe) = (identified.technical.clone(), self.house.recipe.clone());
        let render = move || render::render(&seen, &technical, pixels, &recipe, &limits);
        let rendered = self.work(Stage::Render, render).await?;
        Ok(Look { identified: Ok(identified), rendered: Some(rendered) })
    }
}

/// Collects what is to be appended for one asset, and the first trouble met.
struct Ledger<'a> {
    way: &'a Way<'a>,
    asset: &'a Asset,
    /// All that is known of the asset, what this way adds included.
    parts: Parts,
    entries: Vec<Entry>,
    trouble: Option<(FaultKind, String)>,
}

/// The picture that labellers look at and what is wrong with it, or why there is none.
type Picture = Result<(Shown, Option<String>), &'static str>;

impl Ledger<'_> {
    fn identified(&mut self, identified: Result<Identified, Fault>, settled: &Settled) {
        let refused = identified.is_err().then_some(&self.way.house.limits);
        let verdict = match identified {
            Ok(found) => Verdict::Found(Finding::Identified(found)),
            Err(fault) => self.failed(&fault),
        };
        if !settled.identify {
            let subject = Subject::Bytes(self.asset.digest);
            self.say(IDENTIFY, subject, &identify::maker(refused), verdict);
        }
    }

    async fn rendered(
        &mut self,
        rendered: Result<Rendered, Fault>,
        pixels: Option<PixelDigest>,
        settled: &Settled,
    ) -> Result<Picture, Fault> {
        let house = self.way.house;
        let (rendered, pixels) = match (rendered, pixels) {
            (Ok(rendered), Some(pixels)) => (rendered, pixels),
            (rendered, pixels) => {
                let fault = rendered
                    .err()
                    .unwrap_or_else(|| Fault::broken("rendered pixels without a digest"));
                let verdict = self.failed(&fault);
                if !settled.render {
                    let subject = pixels.map_or(Subject::Bytes(self.asset.digest), Subject::Pixels);
                    let maker = render::maker(&house.recipe, Some(&house.limits));
                    self.say(RENDER, subject, &maker, verdict);
                }
                return Ok(Err("it could not be decoded"));
            }
        };
        let Rendered { files, working, phash, damage: note } = rendered;
        let shown = shown(house, working, pixels, &files);
        if !settled.render {
            let stored = render::store(house, &pixels, files, phash, note.clone());
            let renditions = house.meter.wait(Stage::Render, stored).await?;
            let verdict = Verdict::Found(Finding::Rendered(renditions));
            let maker = render::maker(&house.recipe, None);
            self.say(RENDER, Subject::Pixels(pixels), &maker, verdict);
        }
        Ok(Ok((shown, note)))
    }

    /// Says of every later step that it had nothing to do, and why.
    fn not_run(&mut self, why: &str, settled: &Settled) {
        let house = self.way.house;
        let subject = Subject::Bytes(self.asset.digest);
        let verdict = Verdict::NotRun { reason: why.to_owned() };
        let rendered = self
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Opinion(opinion) if opinion.step == RENDER));
        if !rendered && !settled.render {
            self.say(RENDER, subject, &render::maker(&house.recipe, None), verdict.clone());
        }
        if !settled.assess {
            self.say(ASSESS, subject, &assess::maker(), verdict.clone());
        }
        for (labeller, settled) in house.labellers.iter().zip(&settled.labels) {
            if !settled {
                self.say(labeller.step(), subject, labeller.maker(), verdict.clone());
            }
        }
    }

    async fn assessed(
        &mut self,
        picture: &Arc<Raster>,
        subject: Subject,
        settled: &Settled,
    ) -> Result<(), Fault> {
        if !settled.assess {
            let picture = picture.clone();
            let found = self.way.work(Stage::Assess, move || assess::assess(&picture)).await?;
            self.say(ASSESS, subject, &assess::maker(), Verdict::Found(Finding::Assessed(found)));
        }
        Ok(())
    }

    /// Asks each labeller, unless its answer about these pixels is known.
    async fn labelled(
        &mut self,
        picture: &Shown,
        subject: Subject,
        settled: &Settled,
    ) -> Result<(), Fault> {
        let Way { house, run, collection, .. } = *self.way;
        let asking = Asking { house, run, collection, asset: &self.asset.id, subject };
        for at in in_order(&house.labellers) {
            let labeller = &*house.labellers[at];
            if settled.labels[at] {
                continue;
            }
            if let Some(known) = asking.known(labeller).await? {
                self.keep(known);
                continue;
            }
            if labeller.price().is_some()
                && let Worth::Nothing(reason) = worth(house, &self.parts)
            {
                self.keep(asking.not_asked(labeller, &reason));
                continue;
            }
            let answer = asking.answer(labeller, picture).await?;
            if let Verdict::Failed { fault, reason } = &answer.opinion.verdict {
                let trouble = (*fault, format!("{}: {reason}", labeller.step()));
                self.trouble.get_or_insert(trouble);
            }
            self.parts.opinions.push(answer.opinion.clone());
            let paid = answer.paid.is_some();
            self.entries.extend(answer.entries());
            if paid {
                // Before anything else can go wrong: what was bought must not be bought again.
                let entries = std::mem::take(&mut self.entries);
                patiently(|| self.way.append(entries.clone())).await?;
            }
        }
        Ok(())
    }

    fn failed(&mut self, fault: &Fault) -> Verdict {
        self.trouble.get_or_insert((fault.kind(), fault.reason()));
        Verdict::Failed { fault: fault.kind(), reason: fault.reason() }
    }

    fn say(&mut self, step: &str, subject: Subject, maker: &Maker, verdict: Verdict) {
        let (run, at) = (self.way.run, self.way.house.clock.now());
        self.keep(Opinion::new(&self.asset.id, step, subject, maker, run, at, verdict));
    }

    fn keep(&mut self, opinion: Opinion) {
        self.parts.opinions.push(opinion.clone());
        self.entries.push(Entry::Opinion(opinion));
    }
}

/// What labellers are shown: the working raster, and the rendition nearest to it.
fn shown(house: &House, working: Raster, pixels: PixelDigest, files: &[RenderedFile]) -> Shown {
    let sides: Vec<_> = files.iter().map(|file| (file.width, file.height)).collect();
    let file = nearest_shown(&sides).map(|at| &files[at]).map(|file| ShownFile {
        key: render::key(house, &pixels, &file.name),
        media_type: house.recipe.format.media_type().to_owned(),
        width: file.width,
        height: file.height,
        bytes: file.bytes.clone(),
    });
    Shown { raster: Arc::new(working), file }
}
