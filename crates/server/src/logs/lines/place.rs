//! A place between two lines of a log, with what has to be known of all that
//! stands before it. As text it is what clients hand back to go on.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tappet_model::Timestamp;

use crate::logs::stamp::Stream;

/// Sections inside sections beyond this are not told apart.
const MAX_DEPTH: usize = 8;
/// Bytes of a heading.
const LONGEST_TITLE: usize = 200;

/// A part of the log that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OpenSection {
    pub(super) name: String,
    pub(super) title: String,
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub(super) offset: u64,
    pub(super) time: Timestamp,
    out: u32,
    err: u32,
    pub(super) sections: Vec<OpenSection>,
}

/// A text that no [`Place`] was written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAPlace;

impl Place {
    pub(super) fn beginning(time: Timestamp) -> Self {
        Self {
            offset: 0,
            time,
            out: 0,
            err: 0,
            sections: Vec::new(),
        }
    }

    /// Stored bytes before it.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of the next line of a stream.
    pub(super) fn count(&mut self, stream: Stream) -> u32 {
        let count = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        *count = count.saturating_add(1);
        *count
    }

    pub(super) fn begin(&mut self, name: &str) {
        if self.sections.len() < MAX_DEPTH {
            self.sections.push(OpenSection {
                name: name.to_owned(),
                title: String::new(),
            });
        }
    }

    /// Ends a section and whatever was left open inside it.
    pub(super) fn end(&mut self, name: &str) {
        if let Some(at) = self.sections.iter().rposition(|open| open.name == name) {
            self.sections.truncate(at);
        }
    }

    /// Gives the section that was begun last its heading.
    pub(super) fn entitle(&mut self, title: &str) {
        if let Some(section) = self.sections.last_mut() {
            let end = title.floor_char_boundary(LONGEST_TITLE);
            title[..end].clone_into(&mut section.title);
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (offset, time) = (self.offset, self.time.0);
        write!(f, "{offset}.{}.{}.{time}", self.out, self.err)?;
        for section in &self.sections {
            f.write_char('.')?;
            for text in [&section.name, &section.title] {
                write!(f, "{}~", utf8_percent_encode(text, NON_ALPHANUMERIC))?;
            }
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let mut parts = text.split('.');
        let mut place = Self {
            offset: number(parts.next())?,
            out: number(parts.next())?,
            err: number(parts.next())?,
            time: Timestamp(number(parts.next())?),
            sections: Vec::new(),
        };
        for part in parts {
            let (name, rest) = part.split_once('~').ok_or(NotAPlace)?;
            let title = rest.strip_suffix('~').ok_or(NotAPlace)?;
            if place.sections.len() == MAX_DEPTH {
                return Err(NotAPlace);
            }
            place.sections.push(OpenSection {
                name: decoded(name)?,
                title: decoded(title)?,
            });
        }
        Ok(place)
    }
}

fn number<T: FromStr>(text: Option<&str>) -> Result<T, NotAPlace> {
    text.and_then(|text| text.parse().ok()).ok_or(NotAPlace)
}

fn decoded(text: &str) -> Result<String, NotAPlace> {
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| NotAPlace)?.into_owned())
}
