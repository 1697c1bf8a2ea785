//! Restore: repairs one picture as its plan says, from the original's bytes to a file that says
//! what it is.

use std::sync::Arc;
use std::time::Instant;

use fast_image_resize::Resizer;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::assessment::Condition;
use crate::asset::{Asset, Digest};
use crate::enrich::House;
use crate::fault::Fault;
use crate::image::canvas::{PixelCanvas, PlaneCanvas};
use crate::image::condition::condition;
use crate::image::jpeg::turbo;
use crate::image::plane::{Planes, Turn};
use crate::image::provenance::Provenance;
use crate::image::render::fitted;
use crate::image::{Technical, decode, probe};
use crate::opinion::Maker;
use crate::ports::{Pace, Restorer};
use crate::raster::Raster;
use crate::rendition::Rendition;
use crate::restoration::{Mode, Plan, Repair, Repaired, Restoration, SOURCE_TYPE};
use crate::run::Run;
use crate::stage::register::key_of;
use crate::store::{Body, Key};

/// Changes whenever restore would make something else with the same restorers.
const VERSION: &str = "1";
/// The quality of restored JPEGs: above that of renditions, for they are worked on further.
const QUALITY: u8 = 92;
/// A restoration larger than this gets a smaller file beside it, to be shown.
const SHOWN: u32 = 2048;
/// The side of the middle of the picture in which the strength of damage is measured, in pixels.
const MEASURED: u32 = 2048;
/// The longest side that a JPEG can have (ITU-T T.81, B.2.2), less what libjpeg keeps for itself.
const LONGEST: u32 = 65_500;

/// Everybody who can repair.
#[derive(Clone, Default)]
pub struct Workshop {
    restorers: Vec<Arc<dyn Restorer>>,
}

impl Workshop {
    /// Opens a workshop of these.
    pub fn new(restorers: Vec<Arc<dyn Restorer>>) -> Self {
        Self { restorers }
    }

    /// The one who repairs so; of several in one mode the first.
    ///
    /// # Errors
    /// `NotFound` when nobody does.
    pub fn who(&self, repair: Repair, mode: Mode) -> Result<&Arc<dyn Restorer>, Fault> {
        let suits = |one: &&Arc<dyn Restorer>| {
            one.repair() == repair && one.mode().is_none_or(|its| its == mode)
        };
        self.restorers.iter().find(suits).ok_or_else(|| match repair {
            Repair::Upscale => {
                Fault::not_found(format!("nobody here can upscale in mode {}", mode.name()))
            }
            repair => Fault::not_found(format!("nobody here can {}", repair.name())),
        })
    }

    /// Those whom a plan asks, in order.
    ///
    /// # Errors
    /// As [`Self::who`].
    pub fn team(&self, plan: &Plan) -> Result<Vec<Arc<dyn Restorer>>, Fault> {
        let who = |&repair: &Repair| self.who(repair, plan.mode()).cloned();
        plan.repairs().iter().map(who).collect()
    }
}

/// Says who restores: all who repair, in order.
pub fn maker(team: &[Arc<dyn Restorer>]) -> Maker {
    let repairs: Vec<_> = team.iter().map(|one| json!(one.maker())).collect();
    Maker {
        backend: "glassplate".to_owned(),
        model: "restore".to_owned(),
        version: VERSION.to_owned(),
        parameters: json!({ "quality": QUALITY, "repairs": repairs }).to_string(),
    }
}

/// Repairs an asset's picture and puts the files into the store.
///
/// # Errors
/// `BadInput`, `Unsupported` or `TooLarge`: the original cannot be decoded, or what comes out is
/// larger than a JPEG can be; `Busy` when the pace says to stop; what a restorer or the store says.
pub async fn restore(
    house: &House,
    run: &Run,
    asset: &Asset,
    plan: &Plan,
    team: &[Arc<dyn Restorer>],
    pace: &dyn Pace,
) -> Result<Restoration, Fault> {
    let _file = house.floor.room_for_file(asset.bytes).await;
    let bytes = Arc::new(house.store.read(&key_of(asset)).await?);
    let technical = probe::probe(&bytes, &house.limits)?;
    let _pixels = house.floor.room_for_pixels(memory(&technical, team)?).await;
    let limits = house.limits.clone();
    let raster = off_the_runtime(move || decode::decode(&bytes, &technical, &limits)).await?.raster;
    let (planes, repairs) = repaired(raster, team, pace).await?;
    let at = house.clock.now();
    let provenance = Provenance {
        source_type: SOURCE_TYPE,
        original: asset.id.as_str(),
        digest: &asset.digest.to_string(),
        name: &plan.name(),
        software: &format!("glassplate {}", run.version),
        at,
        history: repairs.iter().map(told).collect(),
    };
    let mut sides = vec![(planes.width, planes.height)];
    let smaller = fitted(planes.width, planes.height, SHOWN);
    if smaller != sides[0] {
        sides.push(smaller);
    }
    let planes = Arc::new(planes);
    let (mut files, mut digest) = (Vec::new(), None);
    for (width, height) in sides {
        let source = planes.clone();
        let coded = off_the_runtime(move || coded(&source, width, height)).await?;
        let bytes = provenance.written_into(&coded)?;
        let hash = Digest::new(Sha256::digest(&bytes).into());
        digest.get_or_insert(hash);
        let file =
            format!("{}-{}-{width}.jpg", plan.name().replace('+', "_"), &hash.to_string()[..8]);
        let key = Key::Restoration { tenant: house.tenant.clone(), asset: asset.id.clone(), file };
        house.store.replace(&key, &Body::Bytes(Arc::new(bytes))).await?;
        files.push(Rendition {
            name: format!("{}-{}", plan.name(), width.max(height)),
            width,
            height,
            media_type: "image/jpeg".to_owned(),
            path: key.path(),
        });
    }
    Ok(Restoration {
        name: plan.name(),
        repairs,
        files,
        digest: digest.expect("there is one file at least"),
        source_type: SOURCE_TYPE.to_owned(),
    })
}

/// Measures the damage of a picture at its own size, in its middle.
pub fn measured(picture: &Raster) -> Condition {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) <= MEASURED {
        return condition(picture);
    }
    let (across, down) = (width.min(MEASURED), height.min(MEASURED));
    let (left, top) = ((width - across) / 2, (height - down) / 2);
    let rows = picture.rgb().chunks_exact(width as usize * 3).skip(top as usize);
    let middle = rows
        .take(down as usize)
        .flat_map(|row| &row[left as usize * 3..][..across as usize * 3])
        .copied();
    condition(&Raster::new(across, down, middle.collect()))
}

/// Hands the picture from one to the next; the last one's rows go onto planes.
async fn repaired(
    raster: Raster,
    team: &[Arc<dyn Restorer>],
    pace: &dyn Pace,
) -> Result<(Planes, Vec<Repaired>), Fault> {
    let (mut picture, mut repairs) = (Arc::new(raster), Vec::new());
    let mut planes = None;
    for (at, one) in team.iter().enumerate() {
        let began = Instant::now();
        let seen = picture.clone();
        let found = off_the_runtime(move || Ok(measured(&seen))).await?;
        let strength = one.strength(&found);
        let (width, height) = (picture.width() * one.scale(), picture.height() * one.scale());
        let stretch = Stretch { pace, at, of: team.len() };
        let remark;
        if at + 1 == team.len() {
            let mut canvas = PlaneCanvas::new(width, height);
            remark = one.restore(&picture, strength, &mut canvas, &stretch).await?;
            planes = Some(canvas.done()?);
        } else {
            let mut canvas = PixelCanvas::new(width, height);
            remark = one.restore(&picture, strength, &mut canvas, &stretch).await?;
            picture = Arc::new(canvas.done()?);
        }
        repairs.push(Repaired {
            repair: one.repair(),
            maker: one.maker().clone(),
            strength,
            remark,
            seconds: began.elapsed().as_secs_f32(),
        });
    }
    let planes = planes.ok_or_else(|| Fault::broken("a plan without a repair"))?;
    Ok((planes, repairs))
}

/// One repair's part of the whole.
struct Stretch<'a> {
    pace: &'a dyn Pace,
    at: usize,
    of: usize,
}

impl Pace for Stretch<'_> {
    fn goes_on(&self, share: f32) -> bool {
        self.pace.goes_on((self.at as f32 + share) / self.of as f32)
    }
}

/// How much memory a plan takes: the picture and each result, at most two at a time.
fn memory(technical: &Technical, team: &[Arc<dyn Restorer>]) -> Result<u64, Fault> {
    let (mut width, mut height) = (u64::from(technical.width), u64::from(technical.height));
    let mut most = 0;
    for one in team {
        let before = width * height * 3;
        let beside = one.memory(width, height);
        let scale = u64::from(one.scale());
        (width, height) = (width * scale, height * scale);
        // The last result is on planes, one and a half bytes a pixel; the coded file fits into as
        // much again.
        most = most.max(before + width * height * 3 + beside);
    }
    if width.max(height) > u64::from(LONGEST) {
        return Err(Fault::too_large(format!(
            "the restored picture would have {width} x {height} pixels: a JPEG has at most {LONGEST} a side"
        )));
    }
    Ok(most)
}

fn coded(planes: &Planes, width: u32, height: u32) -> Result<Vec<u8>, Fault> {
    if (width, height) == (planes.width, planes.height) {
        return turbo::compress(planes, QUALITY, None);
    }
    let reduced = planes.reduced(&mut Resizer::new(), width, height, Turn::NONE)?;
    turbo::compress(&reduced, QUALITY, None)
}

fn told(repaired: &Repaired) -> [String; 3] {
    let Maker { backend, model, version, parameters } = &repaired.maker;
    let strength = repaired.strength.map(|strength| format!("strength {strength}"));
    let said = [strength, repaired.remark.clone(), Some(parameters.clone())];
    let said: Vec<String> = said.into_iter().flatten().filter(|one| !one.is_empty()).collect();
    [repaired.repair.name().to_owned(), format!("{backend} {model} {version}"), said.join("; ")]
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Fault::broken("a defect in a repair stopped it").because(e)))
}
