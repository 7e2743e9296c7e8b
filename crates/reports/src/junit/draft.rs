//! One `testcase` while its parts are read.

use crate::{Outcome, TestCase};

/// A part of a test case that counts, with its `message` attribute.
pub(super) enum Part {
    Failure(String),
    Error(String),
    Skipped(String),
    Out,
    Err,
}

impl Part {
    /// The part that an element of this name is. Dashes and underscores are the
    /// same to GitLab.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "failure" => Part::Failure(String::new()),
            "error" => Part::Error(String::new()),
            "skipped" => Part::Skipped(String::new()),
            "system-out" | "system_out" => Part::Out,
            "system-err" | "system_err" => Part::Err,
            _ => return None,
        })
    }

    /// The same with what its `message` attribute says.
    pub fn with_message(self, message: String) -> Self {
        match self {
            Part::Failure(_) => Part::Failure(message),
            Part::Error(_) => Part::Error(message),
            Part::Skipped(_) => Part::Skipped(message),
            Part::Out | Part::Err => self,
        }
    }
}

/// What is known of a test case so far.
pub(super) struct Draft {
    case: TestCase,
    is_blank: bool,
    failures: Option<Vec<String>>,
    errors: Option<Vec<String>>,
    skips: Option<Vec<String>>,
    out: Option<Vec<String>>,
    err: Option<Vec<String>>,
}

impl Draft {
    /// A test case without anything, in the suite of this name.
    pub fn new(job_id: i64, suite_name: String) -> Self {
        Self {
            case: TestCase {
                outcome: Outcome::Success,
                job_id,
                suite_name,
                name: None,
                classname: None,
                file: None,
                execution_time: 0.0,
                system_output: None,
                attachment: None,
            },
            is_blank: true,
            failures: None,
            errors: None,
            skips: None,
            out: None,
            err: None,
        }
    }

    /// Neither attribute nor part: GitLab does not count it.
    pub fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// Takes an attribute.
    pub fn attribute(&mut self, name: &str, value: &str) {
        self.is_blank = false;
        let value = || Some(value.to_owned());
        match name {
            "name" => self.case.name = value(),
            "classname" => self.case.classname = value(),
            "file" => self.case.file = value(),
            "time" => self.case.execution_time = leading_number(&value().unwrap_or_default()),
            _ => {}
        }
    }

    /// Takes a part with the text in it. Where there is no text, the message stands for it.
    pub fn part(&mut self, part: Part, content: String) {
        self.is_blank = false;
        let (place, message) = match part {
            Part::Failure(message) => (&mut self.failures, message),
            Part::Error(message) => (&mut self.errors, message),
            Part::Skipped(message) => (&mut self.skips, message),
            Part::Out => (&mut self.out, String::new()),
            Part::Err => (&mut self.err, String::new()),
        };
        let text = if content.trim().is_empty() && !message.is_empty() {
            message
        } else {
            content
        };
        place.get_or_insert_default().push(text);
    }

    /// The test case: a failure counts before an error, and that before a skip.
    pub fn finish(self) -> TestCase {
        let mut case = self.case;
        let own = match (self.failures, self.errors, self.skips) {
            (Some(failures), ..) => {
                case.outcome = Outcome::Failed;
                failures
            }
            (None, Some(errors), _) => {
                case.outcome = Outcome::Error;
                errors
            }
            (None, None, Some(skips)) => {
                case.outcome = Outcome::Skipped;
                let text = joined(skips);
                case.system_output = (!text.is_empty()).then_some(text);
                return case;
            }
            (None, None, None) => return case,
        };
        case.attachment = self.out.iter().flatten().find_map(|text| attachment(text));
        let titled = |title: &str, texts: Option<Vec<String>>| {
            texts.map(|texts| format!("{title}:\n\n{}", joined(texts)))
        };
        let parts = [
            Some(joined(own)).filter(|text| !text.is_empty()),
            titled("System Out", self.out),
            titled("System Err", self.err),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        case.system_output = Some(parts.join("\n\n"));
        case
    }
}

fn joined(mut texts: Vec<String>) -> String {
    texts.retain(|text| !text.is_empty());
    texts.join("\n\n")
}

/// The path in `[[ATTACHMENT|path]]`.
fn attachment(text: &str) -> Option<String> {
    text.split("[[ATTACHMENT|").skip(1).find_map(|rest| {
        let end = rest.find(['[', ']', '|'])?;
        let is_closed = end > 0 && rest[end..].starts_with("]]") && !rest[..end].contains('\n');
        is_closed.then(|| rest[..end].to_owned())
    })
}

/// The number at the start of a text, as Ruby's `to_f` reads it; else 0.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['-', '+']));
    let whole = digits(&text[sign..]);
    if whole == 0 && !text[sign..].starts_with('.') {
        return 0.0;
    }
    let mut end = sign + whole;
    if let Some(rest) = text[end..].strip_prefix('.') {
        let fraction = digits(rest);
        end += if fraction > 0 { 1 + fraction } else { 0 };
    }
    if let Some(rest) = text[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(rest.starts_with(['-', '+']));
        let exponent = digits(&rest[sign..]);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let number = text[..end].parse().unwrap_or(0.0);
    if f64::is_finite(number) { number } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0.01", 0.01)]
    #[case(" 12s", 12.0)]
    #[case("1,234.5", 1.0)]
    #[case("1.", 1.0)]
    #[case(".5", 0.5)]
    #[case("-1.5e2x", -150.0)]
    #[case("1e", 1.0)]
    #[case("1e999", 0.0)]
    #[case("NaN", 0.0)]
    #[case("", 0.0)]
    fn times_are_read_as_far_as_they_are_numbers(#[case] text: &str, #[case] number: f64) {
        assert_eq!(leading_number(text), number);
    }

    #[rstest]
    #[case("[[ATTACHMENT|some/path.png]]", Some("some/path.png"))]
    #[case("a [[ATTACHMENT|[[ATTACHMENT|b.png]] c", Some("b.png"))]
    #[case("[[ATTACHMENT|a]][[ATTACHMENT|b]]", Some("a"))]
    #[case("[[ATTACHMENT|]]", None)]
    #[case("[[ATTACHMENT|a]", None)]
    #[case("nothing", None)]
    fn attachments_are_named_in_the_output(#[case] text: &str, #[case] path: Option<&str>) {
        assert_eq!(attachment(text).as_deref(), path);
    }
}
