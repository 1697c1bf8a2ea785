//! Reads numbers out of strangers' bytes; whatever lies past the end is `None`, never a panic.

/// The order of a number's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Most significant byte first: Motorola, network.
    Big,
    /// Least significant byte first: Intel.
    Little,
}

impl Order {
    /// Reads two bytes at `at`.
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = array(bytes, at)?;
        Some(match self {
            Self::Big => u16::from_be_bytes(raw),
            Self::Little => u16::from_le_bytes(raw),
        })
    }

    /// Reads four bytes at `at`.
    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = array(bytes, at)?;
        Some(match self {
            Self::Big => u32::from_be_bytes(raw),
            Self::Little => u32::from_le_bytes(raw),
        })
    }

    /// Reads eight bytes at `at`.
    pub(crate) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw = array(bytes, at)?;
        Some(match self {
            Self::Big => u64::from_be_bytes(raw),
            Self::Little => u64::from_le_bytes(raw),
        })
    }
}

/// Takes `length` bytes at `at`, when they are all there.
pub(crate) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_orders_and_never_past_the_end() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(Order::Big.u16(&bytes, 0), Some(0x0102));
        assert_eq!(Order::Little.u32(&bytes, 1), Some(0x0504_0302));
        assert_eq!(Order::Big.u64(&bytes, 1), Some(0x0203_0405_0607_0809));
        assert_eq!(Order::Big.u64(&bytes, 2), None);
        assert_eq!(Order::Big.u16(&bytes, usize::MAX), None);
        assert_eq!(slice(&bytes, 4, usize::MAX), None);
    }
}
