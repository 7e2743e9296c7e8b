//! The lines of a file from its end, a little of it in memory at a time.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read at once.
const CHUNK: u64 = 64 * 1024;

/// A longer line comes in pieces, the last one first.
const MAX_LINE: usize = 1024 * 1024;

/// Lines without their ends, the last one first.
pub struct LinesBackwards<F> {
    file: F,
    /// Where the bytes in hand begin.
    start: u64,
    /// Bytes that no line was made of yet.
    rest: Vec<u8>,
    is_done: bool,
}

impl<F: Read + Seek> LinesBackwards<F> {
    /// Of the first `length` bytes of a file.
    pub fn new(file: F, length: u64) -> Self {
        Self {
            file,
            start: length,
            rest: Vec::new(),
            is_done: false,
        }
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') {
                let line = self.rest.split_off(end + 1);
                self.rest.truncate(end);
                return Ok(line);
            }
            if self.start == 0 {
                self.is_done = true;
                return Ok(std::mem::take(&mut self.rest));
            }
            if self.rest.len() >= MAX_LINE {
                return Ok(std::mem::take(&mut self.rest));
            }
            self.read_before()?;
        }
    }

    /// Puts the chunk before the bytes in hand in front of them.
    fn read_before(&mut self) -> io::Result<()> {
        let length = self.start.min(CHUNK);
        self.start -= length;
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Vec::with_capacity(self.rest.len() + CHUNK as usize);
        self.file.by_ref().take(length).read_to_end(&mut bytes)?;
        bytes.append(&mut self.rest);
        self.rest = bytes;
        Ok(())
    }
}

impl<F: Read + Seek> Iterator for LinesBackwards<F> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let line = self.line().map(|mut line| {
            line.pop_if(|last| *last == b'\r');
            line
        });
        self.is_done |= line.is_err();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let lines = LinesBackwards::new(Cursor::new(text), text.len() as u64);
        lines.collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn lines_come_from_the_end_without_their_ends() {
        assert_eq!(lines(b"a\r\n\nb\nc"), [&b"c"[..], b"b", b"", b"a"]);
    }

    #[test]
    fn lines_across_chunks_are_whole() {
        let mut text = Vec::new();
        for number in 0..40_000 {
            text.extend_from_slice(format!("line {number}\n").as_bytes());
        }
        let lines = lines(&text);
        assert_eq!(lines.len(), 40_001);
        for (line, number) in lines[1..].iter().zip((0..40_000).rev()) {
            assert_eq!(line, format!("line {number}").as_bytes());
        }
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_pieces() {
        let text = vec![b'x'; 3 * MAX_LINE];
        let lines = lines(&text);
        assert!(
            lines
                .iter()
                .all(|line| line.len() <= MAX_LINE + CHUNK as usize)
        );
        assert_eq!(lines.iter().map(Vec::len).sum::<usize>(), text.len());
    }
}
