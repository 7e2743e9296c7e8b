use rstest::rstest;

use super::*;

/// Lines in short: `section|stream|number|text`.
fn shown(line: &LogLine) -> String {
    let stream = match line.stream {
        Stream::Out => 0,
        Stream::Err => 1,
    };
    format!("{}|{stream}|{}|{}", line.section, line.number, line.text)
}

fn read(log: &str) -> Vec<LogLine> {
    let mut reader = LineReader::new(Timestamp(0));
    let mut lines = Vec::new();
    reader.feed(log.as_bytes(), |line, _| lines.push(line));
    reader.finish(|line, _| lines.push(line));
    lines
}

const STAMPED: &str = "\
2026-11-21T20:00:00.000000Z 00O Job starts\n\
2026-11-21T20:00:01.000000Z 00O section_start:1795291201:step_build\r\u{1b}[0K\u{1b}[36;1mBuild it\u{1b}[0;m\n\
2026-11-21T20:00:01.500000Z 00O making\n\
2026-11-21T20:00:01.600000Z 00E oh dear\n\
2026-11-21T20:00:01.700000Z 00O+ and more\n\
2026-11-21T20:00:02.000000Z 00O section_end:1795291202:step_build\r\u{1b}[0K\n\
2026-11-21T20:00:02.100000Z 00O Job ends\n";

#[test]
fn a_stamped_log_tells_time_stream_and_step() {
    let lines = read(STAMPED);
    let short: Vec<String> = lines.iter().map(shown).collect();
    assert_eq!(
        short,
        [
            "|0|1|Job starts",
            "step_build|0|2|\u{1b}[36;1mBuild it\u{1b}[0;m",
            "step_build|0|3|making",
            "step_build|1|1|oh dear",
            "step_build|0|4| and more",
            "|0|5|Job ends",
        ]
    );
    assert_eq!(lines[2].time.to_string(), "2026-11-21T20:00:01.500Z");
    assert_eq!(lines[2].step.as_deref(), Some("build"));
    assert_eq!(lines[2].title, "Build it");
    assert_eq!(lines[5].step, None);
}

#[test]
fn lines_of_a_plain_log_have_the_time_of_their_section() {
    let lines = read(
        "Running with tappet\n\
         section_start:1700000000:step_script\r\u{1b}[0KExecuting\n$ make\n\
         section_end:1700000009:step_script\r\u{1b}[0Ksection_start:1700000009:after\r\u{1b}[0KAfter\n",
    );
    let short: Vec<String> = lines.iter().map(shown).collect();
    assert_eq!(
        short,
        [
            "|0|1|Running with tappet",
            "step_script|0|2|Executing",
            "step_script|0|3|$ make",
            "after|0|4|After",
        ]
    );
    let seconds: Vec<i64> = lines.iter().map(|line| line.time.unix_seconds()).collect();
    assert_eq!(seconds, [0, 1_700_000_000, 1_700_000_000, 1_700_000_009]);
    assert_eq!(lines[2].step, None);
}

#[rstest]
#[case::no_line_end("a\nb", &["|0|1|a", "|0|2|b"])]
#[case::carriage_return("a\r\nb\r\n", &["|0|1|a", "|0|2|b"])]
#[case::empty_lines("\n\nx\n", &["|0|1|", "|0|2|", "|0|3|x"])]
#[case::progress("10%\r\u{1b}[0K20%\n", &["|0|1|10%\r\u{1b}[0K20%"])]
#[case::nothing("", &[])]
fn lines_of_one_stream(#[case] log: &str, #[case] expected: &[&str]) {
    let short: Vec<String> = read(log).iter().map(shown).collect();
    assert_eq!(short, expected);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let mut reader = LineReader::new(Timestamp(0));
    let mut lines = Vec::new();
    reader.feed(b"a\xffb\n", |line, _| lines.push(line.text));
    assert_eq!(lines, ["a\u{fffd}b"]);
}

#[test]
fn a_line_without_an_end_is_cut_between_two_characters() {
    let log = "€".repeat(LONGEST_LINE / 2);
    let mut reader = LineReader::new(Timestamp(0));
    let mut text = String::new();
    let mut count = 0;
    for piece in log.as_bytes().chunks(1000) {
        reader.feed(piece, |line, _| {
            text.push_str(&line.text);
            count += 1;
        });
    }
    reader.finish(|line, _| text.push_str(&line.text));
    assert_eq!(count, 1);
    assert_eq!(text, log);
}

/// However the log is cut into pieces, and wherever the reader stops and another
/// goes on, the lines are the same.
#[test]
fn a_reader_can_be_put_down_and_taken_up_behind_any_line() {
    let whole = read(STAMPED);
    for stop in 0..whole.len() {
        let mut reader = LineReader::new(Timestamp(0));
        let mut places = Vec::new();
        for piece in STAMPED.as_bytes().chunks(7) {
            reader.feed(piece, |_, place| places.push(place.to_string()));
        }
        let place: Place = places[stop].parse().unwrap();
        let offset = usize::try_from(place.offset()).unwrap();
        let mut reader = LineReader::at(place);
        let mut lines = Vec::new();
        reader.feed(&STAMPED.as_bytes()[offset..], |line, _| lines.push(line));
        assert_eq!(lines, whole[stop + 1..], "after line {stop}");
    }
}

#[rstest]
#[case("")]
#[case("1.2.3")]
#[case("x.0.0.0")]
#[case("-1.0.0.0")]
#[case("1.0.0.0.name")]
#[case("1.0.0.0.name~%FF~")]
#[case("1.0.0.0.a~~.a~~.a~~.a~~.a~~.a~~.a~~.a~~.a~~")]
fn other_texts_are_no_places(#[case] text: &str) {
    assert_eq!(text.parse::<Place>(), Err(NotAPlace));
}
