//! How much one evaluation may build: a short expression of nested `format`
//! calls could otherwise fill the memory.

use super::ExpressionError;

/// Bytes of text and items that one evaluation may build, those that it drops
/// again too. GitHub runner: the memory of a template.
pub(super) const LIMIT: usize = 10 * 1024 * 1024;

pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: LIMIT }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), ExpressionError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(exceeded)?;
        Ok(())
    }

    /// Room for items of an array that is being built.
    pub(super) fn spend_items(&mut self, items: usize) -> Result<(), ExpressionError> {
        self.spend(items.saturating_mul(size_of::<crate::value::Value>()))
    }
}

pub(super) fn exceeded() -> ExpressionError {
    ExpressionError::evaluation("The maximum allowed memory size was exceeded")
}
