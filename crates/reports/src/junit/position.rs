//! Where in a text a reader stands, for error messages.

use std::fmt;
use std::io::{self, BufRead, Read};

/// A place in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    /// From 1.
    pub line: u64,
    /// Bytes, from 1.
    pub column: u64,
}

impl Position {
    /// Before the first byte.
    pub const START: Self = Self { line: 1, column: 1 };

    fn advance(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Follows what is read through it.
pub(super) struct Positioned<R> {
    inner: R,
    /// Behind the last byte read.
    pub position: Position,
}

impl<R> Positioned<R> {
    /// At the start of `inner`.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            position: Position::START,
        }
    }
}

impl<R: BufRead> Read for Positioned<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position.advance(&buffer[..count]);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Positioned<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed is in the buffer already, so nothing is read here.
        if let Ok(buffer) = self.inner.fill_buf() {
            self.position.advance(&buffer[..amount.min(buffer.len())]);
        }
        self.inner.consume(amount);
    }
}
