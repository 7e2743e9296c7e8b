//! What `~` stands for: chosen once, the same for the same seed.

/// A row of choices (splitmix64).
pub(crate) struct Random {
    state: u64,
    is_used: bool,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            is_used: false,
        }
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.is_used = true;
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % count as u64).unwrap_or_default()
    }

    /// Whether anything was left to chance.
    pub(crate) fn is_used(&self) -> bool {
        self.is_used
    }
}
