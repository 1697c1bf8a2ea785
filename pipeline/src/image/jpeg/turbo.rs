//! The one door to libjpeg-turbo: planes in, planes out, warnings kept apart from errors.
//!
//! The safe crate reports a warning as an error and throws the pixels away, and it cannot
//! write into planes with strides; this module calls the TurboJPEG 3 API instead
//! (<https://libjpeg-turbo.org/Documentation/Documentation>). Nothing unsafe leaves it.
#![allow(unsafe_code, reason = "calls a C library; each call states why it is sound")]

use std::ffi::{CStr, c_int};
use std::ptr;

use turbojpeg::raw;

use crate::fault::Fault;
use crate::image::plane::{Plane, Planes};

/// Chroma samples for luma samples, across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subsampling {
    pub(crate) across: u32,
    pub(crate) down: u32,
}

/// What a JPEG's header says, as far as planes are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// How the components lie; nothing when they cannot be had as luma and chroma planes:
    /// RGB, CMYK, lossless, 12-bit, or sampled in a way that has no name.
    pub(crate) layout: Option<Layout>,
}

/// The components of a JPEG that can be had as planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Grey,
    Colour(Subsampling),
}

/// An open JPEG.
pub(crate) struct Decoder<'a> {
    handle: Handle,
    bytes: &'a [u8],
    header: Header,
}

impl<'a> Decoder<'a> {
    /// Reads the header; decoding will use at most `memory_mib` MiB for coefficients.
    ///
    /// # Errors
    /// `BadInput` when there is none, `Unsupported` for a process that libjpeg-turbo lacks.
    pub(crate) fn open(bytes: &'a [u8], memory_mib: i32) -> Result<Self, Fault> {
        let mut handle = Handle::new(raw::TJINIT_TJINIT_DECOMPRESS)?;
        handle.set(raw::TJPARAM_TJPARAM_MAXMEMORY, memory_mib)?;
        // The profile is read by the segment walk, which does not copy it.
        handle.set(raw::TJPARAM_TJPARAM_SAVEMARKERS, 0)?;
        // SAFETY: the handle is live and the slice is readable for its length.
        let status =
            unsafe { raw::tj3DecompressHeader(handle.0, bytes.as_ptr(), length(bytes.len())) };
        if status != 0 && handle.is_fatal() {
            return Err(handle.fault("cannot read the JPEG header"));
        }
        let side = |value: c_int| u32::try_from(value).unwrap_or(0);
        let width = side(handle.get(raw::TJPARAM_TJPARAM_JPEGWIDTH));
        let height = side(handle.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT));
        if width == 0 || height == 0 {
            return Err(Fault::bad_input("a JPEG that holds tables but no picture"));
        }
        let header = Header { width, height, layout: handle.layout() };
        Ok(Self { handle, bytes, header })
    }

    /// What the header says.
    pub(crate) fn header(&self) -> Header {
        self.header
    }

    /// Bounds the scans of a progressive JPEG, from 1.
    ///
    /// # Errors
    /// `Broken` when the number is negative: a defect.
    pub(crate) fn bound_scans(&mut self, scans: i32) -> Result<(), Fault> {
        self.handle.set(raw::TJPARAM_TJPARAM_SCANLIMIT, scans)
    }

    /// Decodes at 1 / `shrink` of the size (1, 2, 4 or 8); returns the planes and the first warning, if any.
    ///
    /// Where a damaged file has nothing to say the planes stay mid-grey.
    ///
    /// # Errors
    /// `BadInput` when decoding stops for good; `TooLarge` when the bounds are exceeded.
    pub(crate) fn planes(
        &mut self,
        layout: Layout,
        shrink: u32,
    ) -> Result<(Planes, Option<String>), Fault> {
        let factor = raw::tjscalingfactor { num: 1, denom: shrink as c_int };
        // SAFETY: the handle is live; the factor is passed by value and checked by the callee.
        if unsafe { raw::tj3SetScalingFactor(self.handle.0, factor) } != 0 {
            return Err(self.handle.fault("cannot scale the JPEG"));
        }
        let mut planes = empty_planes(self.header.width, self.header.height, layout, shrink);
        let mut pointers = [ptr::null_mut(); 3];
        let mut strides = [0; 3];
        for (at, plane) in every_mut(&mut planes).into_iter().enumerate() {
            pointers[at] = plane.samples.as_mut_ptr();
            strides[at] = plane.stride as c_int;
        }
        // SAFETY: the callee writes PAD(scaled side, subsampling) / subsampling samples a row and
        // as many rows (TurboJPEG "YUV Image Format Notes"), which is what `empty_planes`
        // allocates for the same bytes, header and factor; unused planes are null only for grey.
        let status = unsafe {
            raw::tj3DecompressToYUVPlanes8(
                self.handle.0,
                self.bytes.as_ptr(),
                length(self.bytes.len()),
                pointers.as_mut_ptr(),
                strides.as_mut_ptr(),
            )
        };
        match status {
            0 => Ok((planes, None)),
            _ if self.handle.is_fatal() => Err(self.handle.fault("cannot decode the JPEG")),
            _ => Ok((planes, Some(self.handle.message()))),
        }
    }
}

/// Codes planes as baseline JPEG, 4:2:0 or grey, with the profile if one is given.
///
/// The planes come from [`Planes::reduced`], upright, or from [`planes_of_rgb`].
///
/// # Errors
/// `Broken` when memory runs out.
pub(crate) fn compress(planes: &Planes, quality: u8, icc: Option<&[u8]>) -> Result<Vec<u8>, Fault> {
    let mut handle = Handle::new(raw::TJINIT_TJINIT_COMPRESS)?;
    handle.set(raw::TJPARAM_TJPARAM_QUALITY, c_int::from(quality))?;
    handle.set(raw::TJPARAM_TJPARAM_SUBSAMP, subsampling_of(planes))?;
    if let Some(icc) = icc {
        // SAFETY: the slice is readable for its length and the callee copies it.
        let status =
            unsafe { raw::tj3SetICCProfile(handle.0, icc.as_ptr().cast_mut(), length(icc.len())) };
        if status != 0 {
            return Err(handle.fault("cannot carry the ICC profile"));
        }
    }
    let (pointers, strides) = parts(planes);
    let mut out = Output { bytes: ptr::null_mut(), length: 0 };
    // SAFETY: luma is padded to even sides and chroma has half of each, as the callee reads them
    // (`parts` checks); the callee allocates the output, which `Output` frees.
    let status = unsafe {
        raw::tj3CompressFromYUVPlanes8(
            handle.0,
            pointers.as_ptr(),
            planes.width as c_int,
            strides.as_ptr(),
            planes.height as c_int,
            &mut out.bytes,
            &mut out.length,
        )
    };
    if status != 0 || out.bytes.is_null() {
        return Err(Fault::broken(format!("cannot code a JPEG: {}", handle.message())));
    }
    // SAFETY: the callee reported that many bytes at that address.
    Ok(unsafe { std::slice::from_raw_parts(out.bytes, out.length as usize) }.to_vec())
}

/// Converts planes to packed RGB, chroma interpolated between its sites.
///
/// # Errors
/// `Broken` when memory runs out.
pub(crate) fn rgb_of_planes(planes: &Planes) -> Result<Vec<u8>, Fault> {
    let mut handle = Handle::new(raw::TJINIT_TJINIT_DECOMPRESS)?;
    handle.set(raw::TJPARAM_TJPARAM_SUBSAMP, subsampling_of(planes))?;
    let mut rgb = vec![0; planes.width as usize * planes.height as usize * 3];
    let (pointers, strides) = parts(planes);
    // SAFETY: the planes are as large as the callee reads them (`parts` checks), and `rgb` holds
    // width * height triples without padding, as pitch 0 means.
    let status = unsafe {
        raw::tj3DecodeYUVPlanes8(
            handle.0,
            pointers.as_ptr(),
            strides.as_ptr(),
            rgb.as_mut_ptr(),
            planes.width as c_int,
            0,
            planes.height as c_int,
            raw::TJPF_TJPF_RGB,
        )
    };
    if status != 0 {
        return Err(Fault::broken(format!("cannot convert planes to RGB: {}", handle.message())));
    }
    Ok(rgb)
}

/// Converts packed RGB to planes in 4:2:0.
///
/// # Errors
/// `Broken` when memory runs out.
///
/// # Panics
/// When `rgb` does not hold `width * height * 3` bytes.
pub(crate) fn planes_of_rgb(rgb: &[u8], width: u32, height: u32) -> Result<Planes, Fault> {
    assert_eq!(rgb.len(), width as usize * height as usize * 3, "packed RGB");
    let mut handle = Handle::new(raw::TJINIT_TJINIT_COMPRESS)?;
    handle.set(raw::TJPARAM_TJPARAM_SUBSAMP, raw::TJSAMP_TJSAMP_420)?;
    let layout = Layout::Colour(Subsampling { across: 2, down: 2 });
    let mut planes = empty_planes(width, height, layout, 1);
    let mut pointers = [ptr::null_mut(); 3];
    let mut strides = [0; 3];
    for (at, plane) in every_mut(&mut planes).into_iter().enumerate() {
        pointers[at] = plane.samples.as_mut_ptr();
        strides[at] = plane.stride as c_int;
    }
    // SAFETY: `rgb` was checked above; `empty_planes` allocates what the callee writes for 4:2:0.
    let status = unsafe {
        raw::tj3EncodeYUVPlanes8(
            handle.0,
            rgb.as_ptr(),
            width as c_int,
            0,
            height as c_int,
            raw::TJPF_TJPF_RGB,
            pointers.as_mut_ptr(),
            strides.as_mut_ptr(),
        )
    };
    if status != 0 {
        return Err(Fault::broken(format!("cannot convert RGB to planes: {}", handle.message())));
    }
    Ok(planes)
}

/// Allocates the planes that libjpeg-turbo fills for a picture at 1 / `shrink` of its size.
fn empty_planes(width: u32, height: u32, layout: Layout, shrink: u32) -> Planes {
    let scale = 1.0 / f64::from(shrink);
    let scaled = |side: u32| side.div_ceil(shrink) as usize;
    let (across, down) = match layout {
        Layout::Grey => (1, 1),
        Layout::Colour(Subsampling { across, down }) => (across as usize, down as usize),
    };
    let columns = scaled(width).next_multiple_of(across);
    let rows = scaled(height).next_multiple_of(down);
    let (exact_width, exact_height) = (f64::from(width) * scale, f64::from(height) * scale);
    let luma = Plane::grey(columns, rows).framed(exact_width, exact_height);
    let chroma = matches!(layout, Layout::Colour(_)).then(|| {
        let plane = Plane::grey(columns / across, rows / down)
            .framed(exact_width / across as f64, exact_height / down as f64);
        [plane.clone(), plane]
    });
    Planes { width: scaled(width) as u32, height: scaled(height) as u32, luma, chroma }
}

/// Lists the planes in the order that libjpeg-turbo takes them.
fn every_mut(planes: &mut Planes) -> Vec<&mut Plane> {
    std::iter::once(&mut planes.luma).chain(planes.chroma.iter_mut().flatten()).collect()
}

/// Gives the planes' addresses and strides, having checked that they hold what is read.
fn parts(planes: &Planes) -> ([*const u8; 3], [c_int; 3]) {
    let (width, height) = (planes.width as usize, planes.height as usize);
    let mut pointers = [ptr::null(); 3];
    let mut strides = [0; 3];
    let chroma = planes.chroma.iter().flatten();
    for (at, plane) in std::iter::once(&planes.luma).chain(chroma).enumerate() {
        let (columns, rows) = match (at, &planes.chroma) {
            (0, None) => (width, height),
            (0, Some(_)) => (width.next_multiple_of(2), height.next_multiple_of(2)),
            _ => (width.div_ceil(2), height.div_ceil(2)),
        };
        assert!(plane.stride >= columns && plane.rows >= rows, "a plane holds its picture");
        assert_eq!(plane.samples.len(), plane.stride * plane.rows, "a plane holds its samples");
        pointers[at] = plane.samples.as_ptr();
        strides[at] = plane.stride as c_int;
    }
    (pointers, strides)
}

fn subsampling_of(planes: &Planes) -> c_int {
    if planes.chroma.is_some() { raw::TJSAMP_TJSAMP_420 } else { raw::TJSAMP_TJSAMP_GRAY }
}

fn length(bytes: usize) -> raw::size_t {
    bytes as raw::size_t
}

/// A buffer that libjpeg-turbo allocated.
struct Output {
    bytes: *mut u8,
    length: raw::size_t,
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: null or allocated by libjpeg-turbo, and nobody else frees it.
        unsafe { raw::tj3Free(self.bytes.cast()) }
    }
}

/// An instance of libjpeg-turbo, used by one thread at a time.
struct Handle(raw::tjhandle);

impl Handle {
    fn new(kind: raw::TJINIT) -> Result<Self, Fault> {
        // SAFETY: takes no pointers.
        let handle = unsafe { raw::tj3Init(kind as c_int) };
        if handle.is_null() {
            return Err(Fault::broken("cannot start libjpeg-turbo: out of memory"));
        }
        Ok(Self(handle))
    }

    fn get(&self, parameter: raw::TJPARAM) -> c_int {
        // SAFETY: the handle is live.
        unsafe { raw::tj3Get(self.0, parameter as c_int) }
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: c_int) -> Result<(), Fault> {
        // SAFETY: the handle is live; values out of range are refused.
        match unsafe { raw::tj3Set(self.0, parameter as c_int, value) } {
            0 => Ok(()),
            _ => Err(Fault::broken(format!("libjpeg-turbo: {}", self.message()))),
        }
    }

    /// Tells how the components lie, from the parameters that the header set.
    fn layout(&self) -> Option<Layout> {
        let colour = u32::try_from(self.get(raw::TJPARAM_TJPARAM_COLORSPACE)).ok()?;
        let lossless = self.get(raw::TJPARAM_TJPARAM_LOSSLESS) != 0;
        if lossless || self.get(raw::TJPARAM_TJPARAM_PRECISION) != 8 {
            return None;
        }
        let (across, down) = match self.get(raw::TJPARAM_TJPARAM_SUBSAMP) {
            raw::TJSAMP_TJSAMP_GRAY if colour == raw::TJCS_TJCS_GRAY => return Some(Layout::Grey),
            _ if colour != raw::TJCS_TJCS_YCbCr => return None,
            raw::TJSAMP_TJSAMP_444 => (1, 1),
            raw::TJSAMP_TJSAMP_422 => (2, 1),
            raw::TJSAMP_TJSAMP_420 => (2, 2),
            raw::TJSAMP_TJSAMP_440 => (1, 2),
            raw::TJSAMP_TJSAMP_411 => (4, 1),
            raw::TJSAMP_TJSAMP_441 => (1, 4),
            _ => return None,
        };
        Some(Layout::Colour(Subsampling { across, down }))
    }

    /// Tells a fatal error from a warning after a call failed.
    fn is_fatal(&self) -> bool {
        // SAFETY: the handle is live.
        unsafe { raw::tj3GetErrorCode(self.0) == raw::TJERR_TJERR_FATAL as c_int }
    }

    fn message(&self) -> String {
        // SAFETY: the handle is live and owns the text, which ends in a NUL.
        unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.0)) }.to_string_lossy().into_owned()
    }

    /// Makes a fault of what libjpeg-turbo said of a stranger's bytes.
    fn fault(&self, what: &str) -> Fault {
        let said = self.message();
        let text = format!("{what}: {said}");
        if said.contains("Unsupported") || said.contains("not supported") {
            Fault::unsupported(text)
        } else if said.contains("scans") || said.contains("Memory limit") {
            Fault::too_large(text)
        } else {
            Fault::bad_input(text)
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is live and not used again.
        unsafe { raw::tj3Destroy(self.0) }
    }
}
