//! The prefix of each line that newer runners write (GitLab Runner:
//! `FF_TIMESTAMPS`): `2026-11-21T20:00:00.000000Z 00O ` and then the text. The
//! letter tells standard output from standard error; a `+` instead of the last
//! blank goes on with a line that was cut.

use tappet_model::Timestamp;

/// Bytes before the text.
const SHAPE: &[u8; 32] = b"0000-00-00T00:00:00.000000Z xxE ";

/// Where a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stream {
    /// Standard output.
    #[default]
    Out,
    /// Standard error.
    Err,
}

/// What the prefix of a line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// When the line was written.
    pub time: Timestamp,
    /// Where to.
    pub stream: Stream,
}

/// The prefix of a line, when it has one, and the text behind it.
pub fn split(line: &[u8]) -> (Option<Stamp>, &[u8]) {
    let stamp = line.split_at_checked(SHAPE.len()).and_then(|(head, rest)| {
        let (start, last) = head.split_at(SHAPE.len() - 1);
        let fits = start
            .iter()
            .zip(SHAPE)
            .all(|(&byte, &shape)| fits(byte, shape));
        if !fits || !matches!(last, b" " | b"+") {
            return None;
        }
        let time = Timestamp::parse(std::str::from_utf8(&head[..27]).ok()?)?;
        let stream = match head[30] {
            b'E' => Stream::Err,
            _ => Stream::Out,
        };
        Some((Stamp { time, stream }, rest))
    });
    match stamp {
        Some((stamp, rest)) => (Some(stamp), rest),
        None => (None, line),
    }
}

/// The text of a line behind its prefix, if it has one.
pub fn text(line: &str) -> &str {
    let behind = split(line.as_bytes()).1.len();
    &line[line.len() - behind..]
}

fn fits(byte: u8, shape: u8) -> bool {
    match shape {
        b'0' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        b'E' => matches!(byte, b'E' | b'O'),
        _ => byte == shape,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2024-05-09T10:11:12.123456Z 00O hello", Some(Stream::Out), "hello")]
    #[case("2024-05-09T10:11:12.123456Z 00E oh", Some(Stream::Err), "oh")]
    #[case("2024-05-09T10:11:12.123456Z 01O+more", Some(Stream::Out), "more")]
    #[case("2024-05-09T10:11:12.123456Z 00O ", Some(Stream::Out), "")]
    #[case(
        "2024-13-09T10:11:12.123456Z 00O x",
        None,
        "2024-13-09T10:11:12.123456Z 00O x"
    )]
    #[case(
        "2024-05-09T10:11:12.123456Z hello",
        None,
        "2024-05-09T10:11:12.123456Z hello"
    )]
    #[case("hello", None, "hello")]
    fn the_prefix_is_taken_apart(
        #[case] line: &str,
        #[case] stream: Option<Stream>,
        #[case] text: &str,
    ) {
        let (stamp, rest) = split(line.as_bytes());
        assert_eq!(stamp.map(|stamp| stamp.stream), stream);
        assert_eq!(rest, text.as_bytes());
        let time = Timestamp::parse("2024-05-09T10:11:12.123456Z").unwrap();
        assert!(stamp.is_none_or(|stamp| stamp.time == time));
    }
}
