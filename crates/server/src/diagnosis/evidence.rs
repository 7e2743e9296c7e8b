//! Which lines of a log tell why a job failed.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};
use tappet_model::FailureReason;

use super::cause::Cause;
use crate::logs::lines::LogLine;

/// Lines at the end of a log that are looked at.
const TAIL_LINES: usize = 400;
/// Lines that are told.
pub const MOST_LINES: usize = 20;
/// Lines before and after one that speaks of an error.
const AROUND: usize = 1;

/// Words of lines that speak of an error, in lower case.
const WORDS: [&str; 13] = [
    "error",
    "failed",
    "failure",
    "fatal",
    "panic",
    "exception",
    "traceback",
    "not found",
    "no such file",
    "denied",
    "cannot",
    "assert",
    "unable to",
];

/// What is known of one failure.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Evidence {
    /// The line that tells most.
    pub message: String,
    /// The same for failures of the same cause.
    pub fingerprint: String,
    /// Lines of the log, in order.
    pub lines: Vec<LogLine>,
    /// What it means.
    pub cause: Cause,
}

impl Evidence {
    /// A message that comes from no log.
    pub fn of_text(message: &str, cause: Cause) -> Self {
        Self {
            message: message.to_owned(),
            fingerprint: fingerprint("", message),
            lines: Vec::new(),
            cause,
        }
    }
}

/// The end of a log.
#[derive(Default, Debug)]
pub struct Tail(VecDeque<LogLine>);

impl Tail {
    /// One more line.
    pub fn push(&mut self, line: LogLine) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// What it tells about a failure. When the step that failed is known and wrote
    /// something, only its lines count.
    pub fn evidence(
        self,
        reason: Option<FailureReason>,
        failed_step: Option<&str>,
        cause: Cause,
    ) -> Evidence {
        let mut lines: Vec<LogLine> = self.0.into();
        let is_of_step =
            |line: &LogLine| failed_step.is_some() && line.step.as_deref() == failed_step;
        if lines.iter().any(is_of_step) {
            lines.retain(is_of_step);
        }
        let telling = telling(&lines);
        let message = telling.last().map(|&at| plain(&lines[at].text));
        let message = message.unwrap_or_else(|| cause.diagnosis.clone());
        let kind = reason.map_or("", FailureReason::as_str);
        Evidence {
            fingerprint: fingerprint(kind, &message),
            message,
            lines: chosen(&telling, lines),
            cause,
        }
    }
}

/// Which lines speak of an error. What the runner says about the end of the job
/// tells nothing about its cause, unless it is all there is.
fn telling(lines: &[LogLine]) -> Vec<usize> {
    let all = lines.iter().enumerate().filter(|(_, line)| {
        let text = plain(&line.text).to_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    });
    let all: Vec<usize> = all.map(|(at, _)| at).collect();
    let of_job: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&at| !is_runners(&plain(&lines[at].text)))
        .collect();
    if of_job.is_empty() { all } else { of_job }
}

fn is_runners(text: &str) -> bool {
    text.starts_with("ERROR: Job failed") || text.starts_with("Process completed with exit code")
}

/// The telling lines with their neighbours; without any, the end of the log.
fn chosen(telling: &[usize], lines: Vec<LogLine>) -> Vec<LogLine> {
    let from = lines.len().saturating_sub(MOST_LINES);
    let is_near = |at: usize| telling.iter().any(|&one| one.abs_diff(at) <= AROUND);
    let wanted = |at: usize| {
        if telling.is_empty() {
            at >= from
        } else {
            is_near(at)
        }
    };
    let mut chosen: Vec<LogLine> = lines
        .into_iter()
        .enumerate()
        .filter(|(at, _)| wanted(*at))
        .map(|(_, line)| line)
        .collect();
    // The end is nearest to the failure.
    chosen.drain(..chosen.len().saturating_sub(MOST_LINES));
    chosen
}

/// A line without colours, and with what a progress bar overwrote left out.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                if characters.next() == Some('[') {
                    characters
                        .by_ref()
                        .find(|c| ('\u{40}'..='\u{7e}').contains(c));
                }
            }
            '\r' => plain.clear(),
            character => plain.push(character),
        }
    }
    plain.trim().to_owned()
}

/// Numbers, addresses and names of temporary things differ between failures of one
/// cause, so every digit counts as the same.
fn fingerprint(kind: &str, message: &str) -> String {
    let mut same = String::with_capacity(message.len());
    for character in message.chars() {
        match character {
            '0'..='9' if same.ends_with('#') => {}
            '0'..='9' => same.push('#'),
            c if c.is_whitespace() && same.ends_with(' ') => {}
            c if c.is_whitespace() => same.push(' '),
            c => same.extend(c.to_lowercase()),
        }
    }
    let mut digest = Sha256::new();
    digest.update(kind);
    digest.update([0]);
    digest.update(&same);
    let digest: [u8; 32] = digest.finalize().into();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Timestamp;

    use super::*;
    use crate::logs::lines::LineReader;

    fn tail(log: &str) -> Tail {
        let mut tail = Tail::default();
        let mut reader = LineReader::new(Timestamp(0));
        reader.feed(log.as_bytes(), |line, _| tail.push(line));
        tail
    }

    fn evidence(log: &str) -> Evidence {
        of_step(log, None)
    }

    fn of_step(log: &str, step: Option<&str>) -> Evidence {
        let cause = Cause {
            diagnosis: "A command failed.".to_owned(),
            possible_fix: String::new(),
        };
        tail(log).evidence(Some(FailureReason::ScriptFailure), step, cause)
    }

    #[test]
    fn only_the_step_that_failed_counts() {
        let log = "\
2026-11-21T20:00:00.000000Z 00O section_start:1:step_build\r\u{1b}[0KBuild\n\
2026-11-21T20:00:00.000000Z 00E error: broken\n\
2026-11-21T20:00:00.000000Z 00O section_end:2:step_build\r\u{1b}[0K\n\
2026-11-21T20:00:00.000000Z 00O section_start:2:step_clean\r\u{1b}[0KClean\n\
2026-11-21T20:00:00.000000Z 00E error: nothing to clean\n";
        assert_eq!(of_step(log, Some("build")).message, "error: broken");
        assert_eq!(
            of_step(log, Some("none")).message,
            "error: nothing to clean"
        );
    }

    #[rstest]
    #[case::the_last_error(
        "compiling\nerror: first\nerror[E0425]: cannot find value `x`\nmake: done\nERROR: Job failed: exit code 1\n",
        "error[E0425]: cannot find value `x`"
    )]
    #[case::colours("\u{1b}[31mFATAL: no disk\u{1b}[0m\n", "FATAL: no disk")]
    #[case::only_the_runner(
        "ok\nERROR: Job failed: exit code 1\n",
        "ERROR: Job failed: exit code 1"
    )]
    #[case::nothing("ok\n", "A command failed.")]
    #[case::no_log("", "A command failed.")]
    fn the_line_that_tells_most(#[case] log: &str, #[case] expected: &str) {
        assert_eq!(evidence(log).message, expected);
    }

    #[test]
    fn lines_come_with_their_neighbours_in_order() {
        let log = "a\nb\nerror: here\nc\nd\n";
        let lines = evidence(log).lines;
        let texts: Vec<(u32, &str)> = lines
            .iter()
            .map(|line| (line.number, line.text.as_str()))
            .collect();
        assert_eq!(texts, [(2, "b"), (3, "error: here"), (4, "c")]);
    }

    #[test]
    fn of_many_lines_the_last_ones_are_told() {
        let log: String = (0..1000).map(|n| format!("error {n}\n")).collect();
        let lines = evidence(&log).lines;
        assert_eq!(lines.len(), MOST_LINES);
        assert_eq!(lines[MOST_LINES - 1].text, "error 999");
    }

    #[test]
    fn failures_of_one_cause_have_one_fingerprint() {
        let first = evidence("error: port 8080 is taken\n");
        let second = evidence("Error:  port 51234 is taken\n");
        let other = evidence("error: no disk\n");
        assert_eq!(first.fingerprint, second.fingerprint);
        assert_ne!(first.fingerprint, other.fingerprint);
    }
}
