//! What a log may and may not do to a page.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn html(log: &str) -> String {
    render(log.as_bytes(), None, true).html
}

#[rstest]
#[case::markup(
    "<script>alert(\"1\")</script>&'",
    "<div>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</div>"
)]
#[case::colour(
    "\x1b[31mred\x1b[0m plain",
    "<div><span class=\"f1\">red</span> plain</div>"
)]
#[case::markup_in_colour("\x1b[1m<b>\x1b[m", "<div><span class=\"sb\">&lt;b&gt;</span></div>")]
#[case::style_over_lines(
    "\x1b[32ma\nb\n",
    "<div><span class=\"f2\">a</span></div><div><span class=\"f2\">b</span></div>"
)]
#[case::link("\x1b]8;;javascript:alert(1)\x07here\x1b]8;;\x07", "<div>here</div>")]
#[case::link_to_the_web(
    "\x1b]8;;https://a.example/\"onx=\x1b\\here\x1b]8;;\x1b\\",
    "<div>here</div>"
)]
#[case::title("\x1b]2;owned\x07ok", "<div>ok</div>")]
#[case::cursor("a\x1b[1;1H\x1b[2Jb", "<div>ab</div>")]
#[case::overwritten("10%\r50%\r100%\n", "<div>100%</div>")]
#[case::windows_line_end("one\r\ntwo\r\n", "<div>one</div><div>two</div>")]
#[case::erased("secret\r\x1b[Kdone\n", "<div>done</div>")]
#[case::bidi("user\u{202e}txt.exe", "<div>user<i>U+202E</i>txt.exe</div>")]
#[case::stamped(
    "2026-11-21T20:00:00.000000Z 00O one\n2026-11-21T20:00:01.000000Z 00E+two\n",
    "<div>one</div><div>two</div>"
)]
#[case::nothing("", "")]
#[case::empty_lines("\n\n", "<div></div><div></div>")]
fn a_log_becomes_harmless_html(#[case] log: &str, #[case] expected: &str) {
    assert_eq!(html(log), expected);
}

#[test]
fn a_section_folds_and_tells_how_long_it_took() {
    let log = "section_start:100:build[collapsed=true]\r\x1b[0KBuild it\nmake\n\
               section_end:165:build\r\x1b[0K\nafter\n";
    assert_eq!(
        html(log),
        "<details data-section=\"build\" data-time=\"100\"><summary>Build it<b>1m 5s</b></summary>\
         <div>make</div></details><div>after</div>"
    );
}

#[test]
fn a_section_without_a_title_shows_its_name_and_stays_open_to_the_end() {
    assert_eq!(
        html("section_start:1:fetch\r\x1b[0K\nx\n"),
        "<details data-open data-section=\"fetch\" data-time=\"1\" open>\
         <summary>fetch</summary><div>x</div></details>"
    );
}

#[rstest]
#[case::end_without_start("section_end:1:x\r\x1b[0K\na\n", "<div>a</div>")]
#[case::markup_in_name("section_start:1:x\"onclick=\r\x1b[0Ka\n", "<div>a</div>")]
#[case::negative_time("section_start:-1:x\r\x1b[0Ka\n", "<div>a</div>")]
fn a_forged_marker_changes_nothing(#[case] log: &str, #[case] expected: &str) {
    assert_eq!(html(log), expected);
}

#[test]
fn ending_an_outer_section_ends_the_inner_ones() {
    let log = "section_start:1:a\r\x1b[0KA\nsection_start:2:b\r\x1b[0KB\n\
               section_end:5:a\r\x1b[0K\nout\n";
    let html = html(log);
    assert!(
        html.ends_with("</details></details><div>out</div>"),
        "{html}"
    );
    assert!(html.contains("<summary>A<b>4s</b></summary>"), "{html}");
}

#[test]
fn sections_nest_only_so_deep() {
    let log: String = (0..1000)
        .map(|at| format!("section_start:1:s{at}\r\x1b[0Kt\n"))
        .collect();
    assert_eq!(html(&log).matches("<details").count(), MAX_DEPTH);
}

#[test]
fn a_million_colours_without_text_are_nothing() {
    let log = "\x1b[31m\x1b[1m".repeat(500_000);
    assert_eq!(
        html(&format!("{log}x")),
        "<div><span class=\"f1 sb\">x</span></div>"
    );
}

#[test]
fn spans_never_nest() {
    let html = html(&"\x1b[31ma\x1b[1mb\x1b[44mc".repeat(1000));
    let mut depth = 0_i32;
    for part in html.split('<').skip(1) {
        if part.starts_with("span") {
            depth += 1;
        } else if part.starts_with("/span") {
            depth -= 1;
        }
        assert!((0..=1).contains(&depth));
    }
}

#[test]
fn an_unfinished_line_waits_for_its_end() {
    let view = render(b"\x1b[1mone\ntw", Some(7), false);
    assert_eq!(
        view.html,
        "<div id=\"L7\" data-n=\"7\"><span class=\"sb\">one</span></div>"
    );
    assert_eq!(view.consumed, 8);
    assert_eq!(view.style, "1");
    assert_eq!(view.next_line, Some(8));
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(
        render(b"a\xff\x00b", None, true).html,
        "<div>a\u{fffd}b</div>"
    );
}

proptest! {
    /// Whatever the log holds, its tags are ours and they balance.
    #[test]
    fn nothing_escapes(log in "(section_(start|end):[0-9]{1,3}:[ab<\"]\r\x1b\\[0K|\x1b\\[[0-9;:]{0,6}[mKHJ]|\x1b[\\]PX\\\\]|[a<>&\"'\r\n\t\u{202e}\u{7}é]){0,40}") {
        let html = html(&log);
        let mut stack = Vec::new();
        for part in html.split('<').skip(1) {
            let (tag, text) = part.split_once('>').unwrap();
            let forbidden = ['"', '\'', '\u{1b}', '\r', '\n', '\u{202e}'];
            prop_assert!(!text.contains(forbidden), "{}", text);
            match tag.strip_prefix('/') {
                Some(name) => prop_assert_eq!(stack.pop(), Some(name.to_owned())),
                None => stack.push(tag.split(' ').next().unwrap().to_owned()),
            }
        }
        prop_assert!(stack.is_empty());
    }
}
