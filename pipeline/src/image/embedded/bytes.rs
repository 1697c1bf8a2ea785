//! Bounds-checked reading of numbers and slices from strangers' bytes.
//!
//! Every function answers `None` rather than panic; nothing here allocates.

/// The order of a number's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// Reads two bytes at `at`.
    pub(super) fn u16(self, data: &[u8], at: usize) -> Option<u16> {
        let bytes = array(data, at)?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    /// Reads four bytes at `at`.
    pub(super) fn u32(self, data: &[u8], at: usize) -> Option<u32> {
        let bytes = array(data, at)?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }

    /// Reads eight bytes at `at`.
    pub(super) fn u64(self, data: &[u8], at: usize) -> Option<u64> {
        let bytes = array(data, at)?;
        Some(match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        })
    }
}

/// Returns `length` bytes from `at`, or `None` when they are not all there.
pub(super) fn slice(data: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(length)?)
}

/// Returns up to `length` bytes from `at`; fewer when the data ends before.
pub(super) fn slice_up_to(data: &[u8], at: usize, length: usize) -> &[u8] {
    let rest = data.get(at..).unwrap_or_default();
    &rest[..length.min(rest.len())]
}

/// Widens a 32-bit length or offset.
///
/// It saturates where `usize` is narrower, so that a bounds check refuses it.
pub(super) fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Finds `needle` at or after `from`.
pub(super) fn find(data: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(data.get(from..)?, needle).map(|at| from + at)
}

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    slice(data, at, N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_past_the_end_are_none() {
        assert_eq!(Endian::Big.u16(&[1, 2], 0), Some(0x0102));
        assert_eq!(Endian::Little.u32(&[1, 2, 3, 4], 0), Some(0x0403_0201));
        assert_eq!(Endian::Big.u16(&[1, 2], 1), None);
        assert_eq!(Endian::Big.u64(&[0; 8], usize::MAX), None);
        assert_eq!(slice_up_to(&[1, 2, 3], 1, usize::MAX), &[2, 3]);
    }
}
