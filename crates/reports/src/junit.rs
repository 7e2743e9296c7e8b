//! JUnit XML into test results, with the reading of GitLab
//! (`lib/gitlab/ci/parsers/test/junit.rb`): `testsuites` at the top, `testsuite`
//! nested at will, `testcase` in either, everything else passed over.
//!
//! The text is read as a stream. There is no document type, no entity but the
//! five that XML has, and no place outside the text that it could name.

mod draft;
mod position;

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use self::draft::{Draft, Part};
use self::position::{Position, Positioned};
use crate::TestSuite;
use crate::gzip;

/// Bytes of all files of one upload, unpacked.
pub const SIZE_LIMIT: u64 = 100 * 1024 * 1024;

/// Test cases of one file, at most.
pub const CASE_LIMIT: usize = 500_000;

/// Elements inside one another, as libxml2 has it.
const DEPTH_LIMIT: usize = 256;

/// Adds the results of an upload of the job `job_id`, as the runner packed it, to
/// `suite`. What cannot be read becomes the suite's error.
pub fn read_upload(packed: impl BufRead, job_id: i64, suite: &mut TestSuite) {
    let unpacked = gzip::each_file(packed, SIZE_LIMIT, |file| {
        read(file, job_id, suite);
        true
    });
    if let Err(error) = unpacked {
        suite.fail(format!("JUnit data parsing failed: {error}"));
    }
}

/// Adds the results of one file of the job `job_id` to `suite`.
pub fn read(file: impl BufRead, job_id: i64, suite: &mut TestSuite) {
    read_at_most(CASE_LIMIT, file, job_id, suite);
}

fn read_at_most(limit: usize, file: impl BufRead, job_id: i64, suite: &mut TestSuite) {
    let mut parser = Parser {
        job_id,
        suite,
        open: Vec::new(),
        has_root: false,
        cases_left: limit,
    };
    let mut reader = Reader::from_reader(Positioned::new(file));
    let mut buffer = Vec::new();
    let outcome = loop {
        buffer.clear();
        let start = reader.get_ref().position;
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break parser.end(),
            Ok(event) => {
                if let Err(error) = parser.event(event, start) {
                    break Err(error);
                }
            }
            Err(error) => break Err(parser.syntax(&error)),
        }
    };
    let end = reader.get_ref().position;
    match outcome {
        Ok(()) => {}
        Err(Wrong::Text(text)) => {
            suite.fail(format!("JUnit XML parsing failed: {end}: FATAL: {text}"));
        }
        Err(Wrong::TextAt(at, text)) => {
            suite.fail(format!("JUnit XML parsing failed: {at}: FATAL: {text}"));
        }
        Err(Wrong::TooManyCases) => suite.fail(format!(
            "JUnit data parsing failed: number of test cases exceeded the limit of {limit}"
        )),
    }
}

/// Why a file counts as broken.
enum Wrong {
    /// Where the reader stands now.
    Text(String),
    /// Somewhere else.
    TextAt(Position, String),
    TooManyCases,
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Wrong::Text(error.to_string())
    }
}

/// An element that is not closed yet.
struct Open {
    name: String,
    line: u64,
    meaning: Meaning,
}

enum Meaning {
    /// `testsuites` at the top or `testsuite`, with its name.
    Suite(Option<String>),
    Case(Box<Draft>),
    Part(Part, String),
    Other,
}

struct Parser<'s> {
    job_id: i64,
    suite: &'s mut TestSuite,
    open: Vec<Open>,
    has_root: bool,
    cases_left: usize,
}

impl Parser<'_> {
    fn event(&mut self, event: Event<'_>, start: Position) -> Result<(), Wrong> {
        match event {
            Event::Start(tag) => self.start(&tag, start),
            Event::Empty(tag) => {
                self.start(&tag, start)?;
                self.close()
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content(), start),
            Event::CData(text) => self.text(&text.xml10_content(), start),
            Event::GeneralRef(name) => {
                let text = match name.resolve_char_ref()? {
                    Some(character) => character.to_string(),
                    None => resolve_predefined_entity(&name)
                        .ok_or_else(|| Wrong::Text(format!("Entity '{}' not defined", &*name)))?
                        .to_owned(),
                };
                self.text(&text, start)
            }
            // Without declarations it says nothing but the name of the root.
            Event::DocType(text) if text.contains('[') => Err(Wrong::TextAt(
                start,
                "a document type with declarations is not allowed".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, at: Position) -> Result<(), Wrong> {
        if self.open.is_empty() && self.has_root {
            let text = "Extra content at the end of the document";
            return Err(Wrong::TextAt(at, text.to_owned()));
        }
        if self.open.len() >= DEPTH_LIMIT {
            let text = format!("Excessive depth in document: {DEPTH_LIMIT}");
            return Err(Wrong::TextAt(at, text));
        }
        self.has_root = true;
        let local = tag.local_name();
        let name: &str = local.as_ref();
        let meaning = match (self.open.last().map(|open| &open.meaning), name) {
            (None, "testsuites" | "testsuite") | (Some(Meaning::Suite(_)), "testsuite") => {
                Meaning::Suite(attribute(tag, "name")?)
            }
            (Some(Meaning::Suite(suite)), "testcase") => {
                let suite = suite
                    .clone()
                    .unwrap_or_else(|| self.suite.name().to_owned());
                let mut draft = Draft::new(self.job_id, suite);
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|error| Wrong::Text(error.to_string()))?;
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
                    draft.attribute(attribute.key.local_name().as_ref(), &value);
                }
                Meaning::Case(Box::new(draft))
            }
            (Some(Meaning::Case(_)), name) => match Part::of(name) {
                Some(part) => {
                    let message = attribute(tag, "message")?.unwrap_or_default();
                    Meaning::Part(part.with_message(message), String::new())
                }
                None => Meaning::Other,
            },
            _ => Meaning::Other,
        };
        self.open.push(Open {
            name: tag.name().as_ref().to_owned(),
            line: at.line,
            meaning,
        });
        Ok(())
    }

    fn text(&mut self, text: &str, start: Position) -> Result<(), Wrong> {
        match self.open.last_mut() {
            Some(Open {
                meaning: Meaning::Part(_, content),
                ..
            }) => content.push_str(text),
            Some(_) => {}
            None if text
                .trim_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
                .is_empty() => {}
            None if self.has_root => {
                let text = "Extra content at the end of the document";
                return Err(Wrong::TextAt(start, text.to_owned()));
            }
            None => {
                let text = "Start tag expected, '<' not found";
                return Err(Wrong::TextAt(start, text.to_owned()));
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Wrong> {
        let Some(closed) = self.open.pop() else {
            return Ok(());
        };
        match closed.meaning {
            Meaning::Part(part, content) => {
                if let Some(Open {
                    meaning: Meaning::Case(draft),
                    ..
                }) = self.open.last_mut()
                {
                    draft.part(part, content);
                }
            }
            Meaning::Case(draft) if !draft.is_blank() => {
                self.cases_left = self.cases_left.checked_sub(1).ok_or(Wrong::TooManyCases)?;
                self.suite.add(draft.finish());
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Wrong> {
        match self.open.last() {
            None if self.has_root => Ok(()),
            None => Err(Wrong::TextAt(
                Position::START,
                "Document is empty".to_owned(),
            )),
            Some(open) => Err(Wrong::Text(format!(
                "Premature end of data in tag {} line {}",
                open.name, open.line
            ))),
        }
    }

    /// The more frequent errors in the words of libxml2.
    fn syntax(&self, error: &Error) -> Wrong {
        match (error, self.open.last()) {
            (Error::IllFormed(IllFormedError::MismatchedEndTag { found, .. }), Some(open)) => {
                Wrong::Text(format!(
                    "Opening and ending tag mismatch: {} line {} and {found}",
                    open.name, open.line
                ))
            }
            _ => Wrong::Text(error.to_string()),
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, Wrong> {
    match tag.try_get_attribute(name).map_err(Error::from)? {
        Some(attribute) => {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
            Ok(Some(value.into_owned()))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
