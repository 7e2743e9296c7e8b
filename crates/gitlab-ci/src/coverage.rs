//! `coverage` of a job: which number of its log is the test coverage (GitLab:
//! `entry/coverage.rb`, `lib/gitlab/ci/trace/stream.rb`).

use regex::Regex;

use crate::entry::Field;
use crate::expression::{compile, delimited};
use crate::validation::{Location, Report};

/// A compiled `coverage`.
#[derive(Clone, Debug)]
pub struct CoveragePattern {
    regex: Regex,
    number: Regex,
}

/// What a line of a log says of coverage.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum InLine {
    /// Nothing; an earlier line may.
    Nothing,
    /// This many percent.
    Percent(f64),
    /// The pattern matches without the group that should hold the number, and
    /// GitLab looks no further.
    Unclear,
}

impl CoveragePattern {
    /// Compiles a pattern as written, `/\d+%/`. None for what RE2 would refuse.
    pub fn new(text: &str) -> Option<Self> {
        let (body, flags) = delimited(text)?;
        Some(Self {
            regex: compile(body, flags)?,
            number: compile("\\d+(\\.\\d+)?", "")?,
        })
    }

    /// Looks at one line, which is without its end: of the last match the last
    /// group, or all of it when there is no group, and therein the first number.
    pub fn in_line(&self, line: &str) -> InLine {
        let Some(last) = self.regex.captures_iter(line).last() else {
            return InLine::Nothing;
        };
        let Some(text) = last.get(last.len() - 1) else {
            return InLine::Unclear;
        };
        match self.number.find(text.as_str()) {
            Some(number) => match number.as_str().parse::<f64>() {
                Ok(percent) if percent.is_finite() => InLine::Percent(percent),
                _ => InLine::Nothing,
            },
            None => InLine::Nothing,
        }
    }
}

/// The pattern as written, when it is one.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<String> {
    let text = field.node.as_str();
    let pattern = text.filter(|text| CoveragePattern::new(text).is_some());
    if pattern.is_none() {
        let text = "config must be a regular expression with re2 syntax";
        report.invalid(field.position, location, text);
    }
    pattern.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_group(
        "/Code coverage: \\d+\\.\\d+/",
        "Code coverage: 90.25%",
        InLine::Percent(90.25)
    )]
    #[case::whole_number("/\\d+%/", "TOTAL 7 3 98%", InLine::Percent(98.0))]
    #[case::last_match("/\\d+%/", "10% 20% 30%", InLine::Percent(30.0))]
    #[case::last_group("/(\\w+): (\\d+)/", "lines: 81", InLine::Percent(81.0))]
    #[case::first_number("/TOTAL.*/", "TOTAL 12.5 of 40", InLine::Percent(12.5))]
    #[case::other_line("/\\d+%/", "no figure", InLine::Nothing)]
    #[case::no_number("/Coverage: (.*)/", "Coverage: none", InLine::Nothing)]
    #[case::missing_group("/(\\d+)%|(\\d+) percent/", "7%", InLine::Unclear)]
    #[case::flags("/total: \\d+/i", "TOTAL: 5", InLine::Percent(5.0))]
    #[case::too_long_a_number("/\\d+/", &"9".repeat(400), InLine::Nothing)]
    fn the_last_number_of_a_line(#[case] pattern: &str, #[case] line: &str, #[case] found: InLine) {
        let pattern = CoveragePattern::new(pattern).unwrap();
        assert_eq!(pattern.in_line(line), found);
    }

    #[rstest]
    #[case("\\d+%")]
    #[case("/(\\d+%/")]
    #[case("/(?=a)/")]
    #[case("")]
    fn what_is_no_pattern(#[case] text: &str) {
        assert!(CoveragePattern::new(text).is_none());
    }
}
