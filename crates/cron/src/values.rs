//! Sets of small numbers.

/// Numbers from 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Values(u64);

impl Values {
    pub(crate) fn contains(self, value: i8) -> bool {
        u32::try_from(value)
            .ok()
            .and_then(|value| self.0.checked_shr(value))
            .is_some_and(|bits| bits & 1 == 1)
    }

    /// In rising order.
    pub(crate) fn iter(self) -> impl Iterator<Item = i8> {
        (0..64).filter(move |value| self.contains(*value))
    }
}

impl FromIterator<i8> for Values {
    fn from_iter<T: IntoIterator<Item = i8>>(values: T) -> Self {
        let bit = |value: i8| {
            u32::try_from(value)
                .ok()
                .and_then(|at| 1u64.checked_shl(at))
        };
        let bits = values.into_iter().filter_map(bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}
