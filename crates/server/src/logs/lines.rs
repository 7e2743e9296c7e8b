//! A stored log as lines that know when they were written, where to and in which
//! part of the job.
//!
//! Logs of workflows have all of that in themselves ([`stamp`]); other logs tell
//! parts only, whose beginning is then the time of their lines. A [`LineReader`]
//! takes bytes as they come and can be put down and taken up between any two lines
//! ([`LineReader::place`]).

mod place;

use tappet_model::Timestamp;

use super::section_marker::{self, MARKER_END, Marker};
use super::stamp::{self, Stream};

pub use place::{NotAPlace, Place};

/// A line longer than this is cut, so that none is held without an end.
const LONGEST_LINE: usize = 256 * 1024;

/// What our own runner calls the part of a log that one step writes, before its key.
const STEP_PREFIX: &str = "step_";

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// The part of the log: the name of its section, empty outside of all.
    pub section: String,
    /// The heading of that part.
    pub title: String,
    /// The key of the step, when the part is a step of a workflow.
    pub step: Option<String>,
    /// When it was written, as well as that is known.
    pub time: Timestamp,
    /// Where to.
    pub stream: Stream,
    /// From 1, counted for each stream.
    pub number: u32,
    /// Without the line's end, colours kept.
    pub text: String,
}

/// Turns the bytes of a log into lines.
#[derive(Clone, Debug)]
pub struct LineReader {
    place: Place,
    held: Vec<u8>,
}

impl LineReader {
    /// Reads from the beginning. Lines of which nothing better is known have the
    /// time `start`.
    pub fn new(start: Timestamp) -> Self {
        Self::at(Place::beginning(start))
    }

    /// Goes on at a place: the next bytes are those from [`Place::offset`] on.
    pub fn at(place: Place) -> Self {
        Self {
            place,
            held: Vec::new(),
        }
    }

    /// Behind the last line that was given out.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The lines that these bytes complete, each with the place behind it.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(LogLine, &Place)) {
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let taken = match end {
                Some(at) => at + 1,
                None if rest.len() > LONGEST_LINE => character_end(rest, LONGEST_LINE),
                None => break,
            };
            self.take(&rest[..taken], &mut each);
            rest = &rest[taken..];
        }
        self.held = rest.to_vec();
    }

    /// The last line of a log that has ended, when it lacks its end.
    pub fn finish(&mut self, mut each: impl FnMut(LogLine, &Place)) {
        let rest = std::mem::take(&mut self.held);
        if !rest.is_empty() {
            self.take(&rest, &mut each);
        }
    }

    fn take(&mut self, line: &[u8], each: &mut impl FnMut(LogLine, &Place)) {
        self.place.offset += line.len() as u64;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (stamp, text) = stamp::split(line);
        if let Some(stamp) = stamp {
            self.place.time = stamp.time;
        }
        let text = String::from_utf8_lossy(text);
        let (text, has_marker) = self.sections(&text, stamp.is_some());
        if has_marker && text.is_empty() {
            return;
        }
        let stream = stamp.map_or(Stream::Out, |stamp| stamp.stream);
        let number = self.place.count(stream);
        let (section, title) = match self.place.sections.last() {
            Some(section) => (section.name.clone(), section.title.clone()),
            None => (String::new(), String::new()),
        };
        let step = section
            .strip_prefix(STEP_PREFIX)
            .filter(|_| stamp.is_some())
            .map(str::to_owned);
        let line = LogLine {
            section,
            title,
            step,
            time: self.place.time,
            stream,
            number,
            text,
        };
        each(line, &self.place);
    }

    /// Follows the markers of a line; gives the text that stands beside them.
    fn sections(&mut self, line: &str, is_stamped: bool) -> (String, bool) {
        let mut text = String::with_capacity(line.len());
        let mut rest = line;
        let mut has_marker = false;
        let mut opens = false;
        while let Some(at) = rest.find(MARKER_END) {
            let (head, tail) = rest.split_at(at);
            match section_marker::split(head, tail) {
                Some((before, marker)) => {
                    text.push_str(before);
                    has_marker = true;
                    let section = match marker {
                        Marker::Start(section) => {
                            opens = true;
                            self.place.begin(section.name);
                            section
                        }
                        Marker::End(section) => {
                            opens = false;
                            self.place.end(section.name);
                            section
                        }
                    };
                    if !is_stamped {
                        self.place.time = Timestamp(section.time.saturating_mul(1_000_000));
                    }
                }
                None => text.push_str(&rest[..at + MARKER_END.len()]),
            }
            rest = &tail[MARKER_END.len()..];
        }
        text.push_str(rest);
        if opens {
            self.place.entitle(&without_colours(&text));
        }
        (text, has_marker)
    }
}

/// Where to cut at most `limit` bytes off, so that no character is torn.
fn character_end(bytes: &[u8], limit: usize) -> usize {
    let is_inside = |at: usize| bytes[at] & 0xc0 == 0x80;
    (limit - 3..=limit)
        .rev()
        .find(|&at| !is_inside(at))
        .unwrap_or(limit)
}

/// A heading without the sequences that colour it.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        if characters.next() == Some('[') {
            for inner in characters.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&inner) {
                    break;
                }
            }
        }
    }
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests;
