//! Sample planes: luma and chroma, where the picture lies on them, reducing and turning them.
//!
//! Everything between a decoded JPEG and the encoded renditions happens on planes, because
//! three quarters of a picture's chroma never needs to exist. This module knows sample grids
//! only; coding is `jpeg` and `encode`, the order of the work is `render`.

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::fault::Fault;

/// A rectangle in samples of one plane; fractions of a sample are meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A rectangle in fractions of a whole picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Part {
    /// Lays the part on a picture of so many samples.
    pub(crate) fn on(self, width: f64, height: f64) -> Frame {
        Frame {
            left: settled(self.left * width),
            top: settled(self.top * height),
            width: settled(self.width * width),
            height: settled(self.height * height),
        }
    }
}

/// One component's samples, and where on them the picture lies.
///
/// The frame is fractional: a picture 4:2:0 of odd width ends in the middle of a chroma sample,
/// and a DCT-scaled one anywhere. Keeping it exact is what keeps chroma in register with luma
/// (samples are sited in the centre of the pixels that they stand for, as JFIF 1.02 has it).
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    pub(crate) samples: Vec<u8>,
    /// Samples from one row to the next.
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    pub(crate) frame: Frame,
}

/// A picture as luma and, unless it is grey, Cb and Cr: full-range BT.601 as JFIF codes it.
#[derive(Debug, Clone)]
pub(crate) struct Planes {
    /// Width of the picture in pixels.
    pub(crate) width: u32,
    /// Height of the picture in pixels.
    pub(crate) height: u32,
    pub(crate) luma: Plane,
    pub(crate) chroma: Option<[Plane; 2]>,
}

/// How coded pixels are turned to stand upright: the source's axes are flipped, then swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    flip_x: bool,
    flip_y: bool,
    swap: bool,
}

impl Turn {
    /// No turn at all.
    pub(crate) const NONE: Self = Self { flip_x: false, flip_y: false, swap: false };

    /// Reads EXIF orientation 1 to 8 (EXIF 2.32, tag 0x0112); anything else is upright.
    pub(crate) const fn from_exif(orientation: u8) -> Self {
        Self {
            flip_x: matches!(orientation, 2 | 3 | 7 | 8),
            flip_y: matches!(orientation, 3 | 4 | 6 | 7),
            swap: matches!(orientation, 5..=8),
        }
    }

    /// Gives the upright size of a picture coded at `width` x `height`.
    pub(crate) const fn upright(self, width: u32, height: u32) -> (u32, u32) {
        if self.swap { (height, width) } else { (width, height) }
    }

    /// Tells where a part of the upright picture lies in the picture as coded.
    pub(crate) fn coded(self, part: Part) -> Part {
        let Part { left, top, width, height } = part;
        let part = if self.swap {
            Part { left: top, top: left, width: height, height: width }
        } else {
            part
        };
        let flipped = |flip: bool, from: f64, length: f64| {
            if flip { 1.0 - from - length } else { from }
        };
        Part {
            left: flipped(self.flip_x, part.left, part.width),
            top: flipped(self.flip_y, part.top, part.height),
            ..part
        }
    }
}

impl Plane {
    /// Makes a plane of mid-grey, all of it picture.
    pub(crate) fn grey(stride: usize, rows: usize) -> Self {
        let frame = Frame { left: 0.0, top: 0.0, width: stride as f64, height: rows as f64 };
        Self { samples: vec![128; stride * rows], stride, rows, frame }
    }

    /// Sets where the picture lies.
    pub(crate) fn framed(mut self, width: f64, height: f64) -> Self {
        self.frame = Frame { left: 0.0, top: 0.0, width, height };
        self
    }

    /// Resamples the region `from` into a new plane whose first `columns` x `rows` samples it fills.
    ///
    /// `from` may reach over the plane's edges, where the outermost samples go on. The new plane
    /// has `stride` x `new_rows` samples; those beyond `columns` and `rows` repeat the edge.
    fn resample(
        &self,
        resizer: &mut Resizer,
        from: Frame,
        (columns, rows): (usize, usize),
        (stride, new_rows): (usize, usize),
        filter: FilterType,
    ) -> Result<Vec<u8>, Fault> {
        let wrong = |cause| Fault::broken("cannot resample a plane").because(cause);
        let extended;
        let (plane, from) = match self.reaching(from) {
            Some((plane, moved)) => {
                extended = plane;
                (&extended, moved)
            }
            None => (self, from),
        };
        let source =
            TypedImageRef::<U8>::from_buffer(side(plane.stride), side(plane.rows), &plane.samples)
                .map_err(|cause| Fault::broken("a plane has lost samples").because(cause))?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(
            from.left,
            from.top,
            from.width,
            from.height,
        );

        let mut samples = vec![0; stride * new_rows];
        let mut target = TypedImage::<U8>::from_buffer(side(stride), side(new_rows), &mut samples)
            .map_err(|cause| Fault::broken("a plane has lost samples").because(cause))?;
        let mut target =
            TypedCroppedImageMut::from_ref(&mut target, 0, 0, side(columns), side(rows))
                .expect("a plane is at least as large as what fills it");
        resizer.resize_typed(&source, &mut target, &options).map_err(wrong)?;
        repeat_edges(&mut samples, stride, columns, rows);
        Ok(samples)
    }

    /// Cuts out what resampling a part to `columns` x `rows` samples looks at; its frame is the part.
    fn window(&self, part: Part, columns: u32, rows: u32) -> Self {
        let on = part.on(self.frame.width, self.frame.height);
        let frame = Frame { left: self.frame.left + on.left, top: self.frame.top + on.top, ..on };
        let span = |from: f64, length: f64, to: u32, whole: usize| {
            // Three lobes of the filter on each side, and half a pixel for chroma's pairs.
            let reach = 4.0 * (length / f64::from(to)).max(1.0) + 1.0;
            let first = ((from - reach).floor().max(0.0) as usize).min(whole - 1);
            let last = ((from + length + reach).ceil() as usize).clamp(first + 1, whole);
            (first, last)
        };
        let (left, right) = span(frame.left, frame.width, columns, self.stride);
        let (top, bottom) = span(frame.top, frame.height, rows, self.rows);
        let mut samples = Vec::with_capacity((right - left) * (bottom - top));
        for line in self.samples[top * self.stride..bottom * self.stride].chunks(self.stride) {
            samples.extend_from_slice(&line[left..right]);
        }
        Self {
            samples,
            stride: right - left,
            rows: bottom - top,
            frame: Frame { left: frame.left - left as f64, top: frame.top - top as f64, ..frame },
        }
    }

    /// Gives a copy with repeated edges when `from` reaches over them, and `from` on that copy.
    fn reaching(&self, from: Frame) -> Option<(Self, Frame)> {
        let over = |past: f64| past.max(0.0).ceil() as usize;
        let left = over(-from.left);
        let top = over(-from.top);
        let right = over(from.left + from.width - self.stride as f64);
        let bottom = over(from.top + from.height - self.rows as f64);
        if left + top + right + bottom == 0 {
            return None;
        }
        let stride = left + self.stride + right;
        let mut samples = Vec::with_capacity(stride * (top + self.rows + bottom));
        for row in 0..top + self.rows + bottom {
            let at = row.saturating_sub(top).min(self.rows - 1) * self.stride;
            let line = &self.samples[at..at + self.stride];
            samples.extend(std::iter::repeat_n(line[0], left));
            samples.extend_from_slice(line);
            samples.extend(std::iter::repeat_n(line[self.stride - 1], right));
        }
        let moved = Frame { left: from.left + left as f64, top: from.top + top as f64, ..from };
        let rows = top + self.rows + bottom;
        Some((Self { samples, stride, rows, frame: moved }, moved))
    }

    /// Turns the first `columns` x `rows` samples; the turned ones fill a plane of the given size.
    fn turned(
        &self,
        turn: Turn,
        (columns, rows): (usize, usize),
        (stride, new_rows): (usize, usize),
    ) -> Vec<u8> {
        /// Blocks of 16 x 16 keep both the rows read and the rows written in the first cache.
        const BLOCK: usize = 16;

        let mut samples = vec![0; stride * new_rows];
        let row_of = |y: usize| if turn.flip_y { rows - 1 - y } else { y };
        if turn.swap {
            for top in (0..rows).step_by(BLOCK) {
                let height = BLOCK.min(rows - top);
                for left in (0..columns).step_by(BLOCK) {
                    for x in left..columns.min(left + BLOCK) {
                        let column = if turn.flip_x { columns - 1 - x } else { x };
                        let line = &mut samples[x * stride + top..][..height];
                        for (y, sample) in line.iter_mut().enumerate() {
                            *sample = self.samples[row_of(top + y) * self.stride + column];
                        }
                    }
                }
            }
            repeat_edges(&mut samples, stride, rows, columns);
        } else {
            for (y, line) in samples.chunks_exact_mut(stride).take(rows).enumerate() {
                let line = &mut line[..columns];
                line.copy_from_slice(&self.samples[row_of(y) * self.stride..][..columns]);
                if turn.flip_x {
                    line.reverse();
                }
            }
            repeat_edges(&mut samples, stride, columns, rows);
        }
        samples
    }
}

impl Planes {
    /// The memory that the samples take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let chroma = self.chroma.iter().flatten();
        self.luma.samples.len() + chroma.map(|plane| plane.samples.len()).sum::<usize>()
    }

    /// Cuts out what resampling a part of the picture to `width` x `height` looks at, so that the
    /// work that follows is the part's and not the picture's; what comes out is the same.
    pub(crate) fn window(&self, part: Part, width: u32, height: u32) -> Self {
        let window = |plane: &Plane| plane.window(part, width, height);
        Self {
            width: self.width,
            height: self.height,
            luma: window(&self.luma),
            chroma: self.chroma.as_ref().map(|[cb, cr]| [window(cb), window(cr)]),
        }
    }

    /// Resamples to packed RGB of `width` x `height`, chroma in full, in the picture's own colours.
    ///
    /// # Errors
    /// `Broken` when the planes do not hold what their frames say: a defect.
    pub(crate) fn rgb(
        &self,
        resizer: &mut Resizer,
        width: u32,
        height: u32,
    ) -> Result<Vec<u8>, Fault> {
        let size = (width as usize, height as usize);
        let mut full =
            |plane: &Plane, filter| plane.resample(resizer, plane.frame, size, size, filter);
        let luma = full(&self.luma, FilterType::Lanczos3)?;
        let Some([cb, cr]) = &self.chroma else {
            return Ok(luma.into_iter().flat_map(|grey| [grey; 3]).collect());
        };
        // A triangle between the sites of halved chroma is what decoders do; lobes would ring.
        let enlarged = cb.frame.width < f64::from(width);
        let filter = if enlarged { FilterType::Bilinear } else { FilterType::Lanczos3 };
        let (cb, cr) = (full(cb, filter)?, full(cr, filter)?);
        let mut rgb = Vec::with_capacity(luma.len() * 3);
        for ((&y, &cb), &cr) in luma.iter().zip(&cb).zip(&cr) {
            rgb.extend(rgb_of(y, cb, cr));
        }
        Ok(rgb)
    }

    /// Resamples to `width` x `height` in 4:2:0, by Lanczos with three lobes.
    ///
    /// The result is ready for [`Planes::turned`] with the same turn and for coding: luma padded
    /// to even sides by repeating the edge, because an encoder reads it padded. Where the turn
    /// flips an odd side, chroma begins half a sample before the picture, so that after the turn
    /// pairs of luma samples share their chroma sample from the upright picture's first on.
    ///
    /// # Errors
    /// `Broken` when the planes do not hold what their frames say: a defect.
    pub(crate) fn reduced(
        &self,
        resizer: &mut Resizer,
        width: u32,
        height: u32,
        turn: Turn,
    ) -> Result<Self, Fault> {
        let (columns, rows) = (width as usize, height as usize);
        let (chroma_columns, chroma_rows) = (columns.div_ceil(2), rows.div_ceil(2));
        let padded = (chroma_columns * 2, chroma_rows * 2);
        let luma = Plane {
            samples: self.luma.resample(
                resizer,
                self.luma.frame,
                (columns, rows),
                padded,
                FilterType::Lanczos3,
            )?,
            stride: padded.0,
            rows: padded.1,
            frame: Frame {
                left: 0.0,
                top: 0.0,
                width: f64::from(width),
                height: f64::from(height),
            },
        };
        let odd = |flipped: bool, side: u32| if flipped { f64::from(side % 2) } else { 0.0 };
        let (lead_x, lead_y) = (odd(turn.flip_x, width), odd(turn.flip_y, height));
        let mut reduce_chroma = |plane: &Plane| {
            let across = plane.frame.width / f64::from(width);
            let down = plane.frame.height / f64::from(height);
            let from = Frame {
                left: settled(plane.frame.left - lead_x * across),
                top: settled(plane.frame.top - lead_y * down),
                width: settled(padded.0 as f64 * across),
                height: settled(padded.1 as f64 * down),
            };
            let size = (chroma_columns, chroma_rows);
            Ok::<_, Fault>(Plane {
                samples: plane.resample(resizer, from, size, size, FilterType::Lanczos3)?,
                stride: chroma_columns,
                rows: chroma_rows,
                frame: Frame {
                    left: lead_x / 2.0,
                    top: lead_y / 2.0,
                    width: f64::from(width) / 2.0,
                    height: f64::from(height) / 2.0,
                },
            })
        };
        let chroma = match &self.chroma {
            Some([cb, cr]) => Some([reduce_chroma(cb)?, reduce_chroma(cr)?]),
            None => None,
        };
        Ok(Self { width, height, luma, chroma })
    }

    /// Turns planes that [`Planes::reduced`] made for this turn.
    pub(crate) fn turned(self, turn: Turn) -> Self {
        if turn == Turn::NONE {
            return self;
        }
        let (width, height) = turn.upright(self.width, self.height);
        let coded = (self.width as usize, self.height as usize);
        let halves = ((width as usize).div_ceil(2), (height as usize).div_ceil(2));
        let padded = (halves.0 * 2, halves.1 * 2);
        let plane = |samples, (stride, rows), scale: f64| Plane {
            samples,
            stride,
            rows,
            frame: Frame {
                left: 0.0,
                top: 0.0,
                width: f64::from(width) * scale,
                height: f64::from(height) * scale,
            },
        };
        let luma = plane(self.luma.turned(turn, coded, padded), padded, 1.0);
        let chroma = self.chroma.map(|both| {
            both.map(|from| plane(from.turned(turn, (from.stride, from.rows), halves), halves, 0.5))
        });
        Self { width, height, luma, chroma }
    }
}

/// Converts a pixel to RGB, in fixed point as libjpeg does (JFIF 1.02, section 7).
fn rgb_of(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let [y, cb, cr] = [i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128];
    [
        y + ((91_881 * cr + 32_768) >> 16),
        y + ((-22_554 * cb - 46_802 * cr + 32_768) >> 16),
        y + ((116_130 * cb + 32_768) >> 16),
    ]
    .map(|sample| sample.clamp(0, 255) as u8)
}

/// Rounds away what floating point added to a whole number, so that a plain copy stays one.
fn settled(position: f64) -> f64 {
    let whole = position.round();
    if (position - whole).abs() < 1e-6 { whole } else { position }
}

/// Repeats the last column and the last row of the filled part over the rest of a plane.
fn repeat_edges(samples: &mut [u8], stride: usize, columns: usize, rows: usize) {
    if columns < stride {
        for line in samples.chunks_exact_mut(stride).take(rows) {
            let last = line[columns - 1];
            line[columns..].fill(last);
        }
    }
    let (filled, rest) = samples.split_at_mut(stride * rows);
    for line in rest.chunks_exact_mut(stride) {
        line.copy_from_slice(&filled[stride * (rows - 1)..]);
    }
}

/// Narrows a side: sides come from pictures, whose sides are 32 bits.
fn side(samples: usize) -> u32 {
    u32::try_from(samples).expect("a plane's side fits 32 bits")
}
