//! One output as lines in GitLab Runner's timestamped format
//! (`2026-11-21T20:00:00.000000Z 00O text`; `00E`: standard error; `+` instead
//! of the blank: goes on with the line before), secrets masked.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use tappet_masks::{HeldBack, Masker};
use tappet_model::Timestamp;

use crate::supervise::Stream;

/// A longer line is given out in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// The time before each line of one piece of output: the clock is read once per piece.
pub(super) struct Stamp(String);

impl Stamp {
    /// Now.
    pub fn now() -> Self {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = elapsed.map_or(0, |elapsed| elapsed.as_micros());
        Self(Timestamp(i64::try_from(micros).unwrap_or(i64::MAX)).to_micros_text())
    }

    /// Appends `text`, each of its lines with a stamp; `continues`: the first
    /// goes on with the line before.
    pub fn write(&self, stream: Stream, continues: bool, text: &[u8], to: &mut Vec<u8>) {
        let letter = match stream {
            Stream::Out => b" 00O",
            Stream::Err => b" 00E",
        };
        let mut mark = if continues { b'+' } else { b' ' };
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            to.extend_from_slice(self.0.as_bytes());
            to.extend_from_slice(letter);
            to.push(mark);
            to.extend_from_slice(line);
            mark = b' ';
        }
        if !text.ends_with(b"\n") {
            to.push(b'\n');
        }
    }
}

/// Cuts an output into lines, whatever the pieces in which it comes.
#[derive(Debug)]
pub(super) struct Lines {
    stream: Stream,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Something of the line was given out already.
    is_continued: bool,
    held: HeldBack,
}

impl Lines {
    /// For an output that has just begun.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            partial: Vec::new(),
            is_continued: false,
            held: HeldBack::default(),
        }
    }

    /// Takes the next piece and answers with the lines that are complete now.
    pub fn take<'b>(&mut self, piece: &'b [u8]) -> Cow<'b, [u8]> {
        let Some(last) = piece.iter().rposition(|byte| *byte == b'\n') else {
            self.partial.extend_from_slice(piece);
            return Cow::Borrowed(b"");
        };
        let (complete, rest) = piece.split_at(last + 1);
        if self.partial.is_empty() {
            self.partial.extend_from_slice(rest);
            return Cow::Borrowed(complete);
        }
        let mut lines = std::mem::replace(&mut self.partial, rest.to_vec());
        lines.extend_from_slice(complete);
        Cow::Owned(lines)
    }

    /// The beginning of the next line was given out already, so it is no command.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// What came of the line so far.
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// So much came of the line that its end is not waited for.
    pub fn is_too_long(&self) -> bool {
        self.partial.len() >= LONGEST_LINE
    }

    /// Appends complete lines as they go into the log.
    pub fn write(&mut self, lines: &[u8], masker: &Masker, stamp: &Stamp, to: &mut Vec<u8>) {
        let (shown, held) = masker.feed(&self.held, lines);
        self.held = held;
        if shown.is_empty() {
            return;
        }
        stamp.write(self.stream, self.is_continued, &shown, to);
        self.is_continued = false;
    }

    /// Appends what is there of a line whose end has not come.
    pub fn write_partial(&mut self, masker: &Masker, stamp: &Stamp, to: &mut Vec<u8>) {
        let partial = std::mem::take(&mut self.partial);
        let (shown, held) = masker.feed(&self.held, &partial);
        self.held = held;
        if !shown.is_empty() {
            stamp.write(self.stream, self.is_continued, &shown, to);
            self.is_continued = true;
        }
    }

    /// Appends what is left when nothing more comes.
    pub fn finish(&mut self, masker: &Masker, stamp: &Stamp, to: &mut Vec<u8>) {
        let mut rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() || !self.held.bytes.is_empty() {
            rest.push(b'\n');
            self.write(&rest, masker, stamp, to);
        }
        self.is_continued = false;
    }
}

#[cfg(test)]
mod tests {
    use tappet_masks::masker::STARS;

    use super::*;

    fn shown(pieces: &[&str]) -> String {
        let masker = Masker::new(&[b"secret".to_vec()], STARS).unwrap();
        let stamp = Stamp("T".into());
        let mut lines = Lines::new(Stream::Err);
        let mut out = Vec::new();
        for piece in pieces {
            let complete = lines.take(piece.as_bytes());
            lines.write(&complete, &masker, &stamp, &mut out);
            if lines.is_too_long() {
                lines.write_partial(&masker, &stamp, &mut out);
            }
        }
        lines.finish(&masker, &stamp, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_line_is_stamped_whatever_its_pieces() {
        assert_eq!(
            shown(&["a\nb", "c\n", "\nd"]),
            "T 00E a\nT 00E bc\nT 00E \nT 00E d\n"
        );
    }

    #[test]
    fn a_long_line_goes_on_with_a_plus_and_hides_what_lies_on_the_cut() {
        let long = format!("{}sec", "x".repeat(LONGEST_LINE));
        let text = shown(&[&long, "ret!\nnext\n"]);
        let expected = format!(
            "T 00E {}\nT 00E+***!\nT 00E next\n",
            "x".repeat(LONGEST_LINE)
        );
        assert!(text == expected, "{}", &text[LONGEST_LINE..]);
    }

    #[test]
    fn stamps_have_microseconds() {
        let Stamp(text) = Stamp::now();
        assert_eq!(text.len(), "2026-11-21T20:00:00.000000Z".len());
    }
}
