//! The markers that runners write around the parts of a log
//! (GitLab: `lib/gitlab/ci/trace/section_parser.rb`):
//! `section_start:UNIX:NAME[options]` and `section_end:UNIX:NAME`, each with a
//! carriage return and an erasing sequence behind it.

/// What stands behind a marker.
pub const MARKER_END: &str = "\r\u{1b}[0K";

/// A part of a log, as its marker names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section<'a> {
    /// Unix seconds.
    pub time: i64,
    /// Letters, digits, `_`, `.` and `-`.
    pub name: &'a str,
    /// Folded at first.
    pub collapsed: bool,
}

/// A marker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marker<'a> {
    /// The part begins; the rest of the line is its heading.
    Start(Section<'a>),
    /// The part ends.
    End(Section<'a>),
}

/// The marker at the end of `text`, when `rest` begins as it must behind one,
/// and the text before it.
pub fn split<'a>(text: &'a str, rest: &str) -> Option<(&'a str, Marker<'a>)> {
    if !rest.starts_with(MARKER_END) {
        return None;
    }
    let at = text.rfind("section_")?;
    let (before, marker) = text.split_at(at);
    let mut parts = marker.splitn(3, ':');
    let word = parts.next()?;
    let time = parts.next()?.parse().ok().filter(|time| *time >= 0)?;
    let name_and_options = parts.next()?;
    let (name, options) = match name_and_options.split_once('[') {
        Some((name, options)) => (name, options.strip_suffix(']')?),
        None => (name_and_options, ""),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || !name.bytes().all(fits) {
        return None;
    }
    let collapsed = options
        .split(',')
        .any(|option| option.trim() == "collapsed=true");
    let section = Section {
        time,
        name,
        collapsed,
    };
    match word {
        "section_start" => Some((before, Marker::Start(section))),
        "section_end" => Some((before, Marker::End(section))),
        _ => None,
    }
}
