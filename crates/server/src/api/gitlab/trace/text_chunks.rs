//! Cuts bytes into text without tearing a character that two pieces share.

/// Turns pieces of a log into texts, each with the offset behind it.
#[derive(Debug)]
pub struct TextChunks {
    offset: u64,
    held: Vec<u8>,
}

impl TextChunks {
    /// Pieces come from this offset on.
    pub fn new(offset: u64) -> Self {
        Self {
            offset,
            held: Vec::new(),
        }
    }

    /// The text of a piece without a character that it only begins; bytes that
    /// are no UTF-8 become U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> Option<(u64, String)> {
        self.held.extend_from_slice(bytes);
        let whole = self.held.len() - begun(&self.held);
        self.take(whole)
    }

    /// What is left at the end.
    pub fn rest(mut self) -> Option<(u64, String)> {
        self.take(self.held.len())
    }

    fn take(&mut self, count: usize) -> Option<(u64, String)> {
        if count == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&self.held[..count]).into_owned();
        self.held.drain(..count);
        self.offset += count as u64;
        Some((self.offset, text))
    }
}

/// How many bytes at the end begin a character that is not whole: 0 to 3.
fn begun(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return 0,
            Err(error) => match error.error_len() {
                Some(length) => rest = &rest[error.valid_up_to() + length..],
                None => return rest.len() - error.valid_up_to(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_across_two_pieces_stays_whole() {
        let mut chunks = TextChunks::new(10);
        let bytes = "a€b".as_bytes();
        assert_eq!(chunks.push(&bytes[..2]), Some((11, "a".into())));
        assert_eq!(chunks.push(&bytes[2..3]), None);
        assert_eq!(chunks.push(&bytes[3..]), Some((15, "€b".into())));
        assert_eq!(chunks.rest(), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_counted() {
        let mut chunks = TextChunks::new(0);
        assert_eq!(chunks.push(b"\xffa\x00"), Some((3, "\u{fffd}a\0".into())));
        assert_eq!(chunks.push(b"\xe2\x82"), None);
        assert_eq!(chunks.rest(), Some((5, "\u{fffd}".into())));
    }
}
