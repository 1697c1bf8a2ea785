//! What can be shown of an asset: how large it is, and the files that hold its pixels.

use glassplate_pipeline::asset::{AssetId, Digest, Tenant};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::print::{Print, PrintFormat, Tones};
use glassplate_pipeline::image::{Format, Technical};
use glassplate_pipeline::opinion::{Finding, Verdict};
use glassplate_pipeline::record::{IDENTIFY, Parts, RENDER, current_opinions};
use glassplate_pipeline::store::Key;

use crate::http::Site;

/// What can be shown of an asset.
#[derive(Debug, Clone)]
pub(super) struct Showing {
    /// Width of the upright picture, in pixels.
    pub(super) width: u32,
    /// Height of the upright picture, in pixels.
    pub(super) height: u32,
    /// The original's digest.
    pub(super) digest: Digest,
    /// The renditions, smallest first.
    pub(super) renditions: Vec<Source>,
    /// The original, where its own pixels can be had.
    pub(super) original: Option<Source>,
}

/// A file that holds the picture, or a reduction of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) key: Key,
    /// Width of the upright picture in it, in pixels.
    pub(super) width: u32,
    /// Height of the upright picture in it, in pixels.
    pub(super) height: u32,
    /// Its media type; nothing of an original.
    pub(super) media_type: Option<String>,
}

impl Showing {
    /// Finds out what can be shown of one of a tenant's assets.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no such asset, or no pixels of it.
    pub(super) async fn of(site: &Site, tenant: &Tenant, asset: &AssetId) -> Result<Self, Fault> {
        let parts = site.catalogue.parts(tenant, asset).await?;
        let parts = parts.ok_or_else(|| Fault::not_found(format!("there is no asset {asset}")))?;
        Self::in_parts(&parts)
    }

    /// Finds out what can be shown of an asset whose parts are at hand.
    ///
    /// # Errors
    /// `NotFound` when there are no pixels of it.
    pub(super) fn in_parts(parts: &Parts) -> Result<Self, Fault> {
        let current = current_opinions(parts);
        let found = |step: &str| match current.get(step).map(|opinion| &opinion.verdict) {
            Some(Verdict::Found(finding)) => Some(finding),
            _ => None,
        };
        let technical = match found(IDENTIFY) {
            Some(Finding::Identified(identified)) => Some(&identified.technical),
            _ => None,
        };
        let mut renditions = Vec::new();
        if let Some(Finding::Rendered(rendered)) = found(RENDER) {
            for file in &rendered.files {
                renditions.push(Source {
                    key: Key::from_path(&file.path)?,
                    width: file.width,
                    height: file.height,
                    media_type: Some(file.media_type.clone()),
                });
            }
        }
        renditions.sort_by_key(|source| u64::from(source.width) * u64::from(source.height));
        renditions.dedup_by_key(|source| (source.width, source.height));
        let original = technical.filter(|technical| decodes(technical)).map(|technical| {
            let (width, height) = upright(technical);
            let (tenant, digest) = (parts.asset.tenant.clone(), parts.asset.digest);
            Source { key: Key::Original { tenant, digest }, width, height, media_type: None }
        });
        let size = original.as_ref().or(renditions.last());
        let (width, height) =
            size.map(|source| (source.width, source.height)).ok_or_else(|| {
                Fault::not_found(format!("there are no pixels of the asset {}", parts.asset.id))
            })?;
        Ok(Self { width, height, digest: parts.asset.digest, renditions, original })
    }

    /// Lists the files that a print can be made from, the best first.
    ///
    /// The smallest rendition that has the pixels, then the original, then what is left for a
    /// print from an original that cannot be decoded: the largest rendition.
    pub(super) fn sources(&self, print: &Print) -> Vec<Source> {
        let region = print.region;
        let scale = (f64::from(print.width) / f64::from(region.width))
            .max(f64::from(print.height) / f64::from(region.height));
        // Half a pixel less: a rendition's sides are rounded.
        let enough = |source: &&Source| {
            let has = |side: u32, whole: u32| f64::from(side) + 0.5 >= f64::from(whole) * scale;
            has(source.width, self.width) && has(source.height, self.height)
        };
        let reduced = |source: &&Source| source.width < self.width || source.height < self.height;
        let rendition = self.renditions.iter().filter(reduced).find(enough);
        let all = [rendition, self.original.as_ref(), self.renditions.last()];
        let mut sources: Vec<Source> = all.into_iter().flatten().cloned().collect();
        sources.dedup();
        sources
    }

    /// Finds the rendition that is the print, file and all.
    pub(super) fn as_is(&self, print: &Print) -> Option<&Source> {
        let whole = (print.region.width, print.region.height) == (self.width, self.height);
        let plain = !print.mirrored && print.degrees == 0.0 && print.tones == Tones::Colour;
        let media_type = match print.format {
            PrintFormat::Jpeg => "image/jpeg",
            PrintFormat::Webp => "image/webp",
            PrintFormat::Png => "image/png",
        };
        self.renditions.iter().filter(|_| whole && plain).find(|source| {
            let size = (source.width, source.height);
            size == (print.width, print.height)
                && (size != (self.width, self.height) || self.original.is_none())
                && source.media_type.as_deref() == Some(media_type)
        })
    }
}

/// Tells whether a format's own pixels are decoded here, and not a preview in their place.
fn decodes(technical: &Technical) -> bool {
    let lacking = [Format::Heic, Format::Raw, Format::Exr, Format::Eps, Format::Svg];
    !lacking.contains(&technical.format)
}

fn upright(technical: &Technical) -> (u32, u32) {
    if technical.orientation >= 5 {
        (technical.height, technical.width)
    } else {
        (technical.width, technical.height)
    }
}
