//! Workflow commands: lines of a step's output that are meant for the runner,
//! `::name key=value::data` and the older `##[name key=value;]data`.
//!
//! GitHub runner: `ActionCommand`, `ActionCommandManager`.

/// The commands that a step may give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandName {
    /// `add-mask`
    AddMask,
    /// `add-matcher`
    AddMatcher,
    /// `add-path`, which is refused.
    AddPath,
    /// `debug`
    Debug,
    /// `echo`
    Echo,
    /// `endgroup`
    EndGroup,
    /// `error`
    Error,
    /// `group`
    Group,
    /// `notice`
    Notice,
    /// `remove-matcher`
    RemoveMatcher,
    /// `save-state`
    SaveState,
    /// `set-env`, which is refused.
    SetEnv,
    /// `set-output`
    SetOutput,
    /// `stop-commands`
    StopCommands,
    /// `warning`
    Warning,
}

const NAMES: &[(&str, CommandName)] = &[
    ("add-mask", CommandName::AddMask),
    ("add-matcher", CommandName::AddMatcher),
    ("add-path", CommandName::AddPath),
    ("debug", CommandName::Debug),
    ("echo", CommandName::Echo),
    ("endgroup", CommandName::EndGroup),
    ("error", CommandName::Error),
    ("group", CommandName::Group),
    ("notice", CommandName::Notice),
    ("remove-matcher", CommandName::RemoveMatcher),
    ("save-state", CommandName::SaveState),
    ("set-env", CommandName::SetEnv),
    ("set-output", CommandName::SetOutput),
    ("stop-commands", CommandName::StopCommands),
    ("warning", CommandName::Warning),
];

impl CommandName {
    /// By its word, in any case.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, name)| *name)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, name)| *name == self)
            .map_or("", |(word, _)| word)
    }

    /// Whether `echo on` does not show the command: what it does shows it, or
    /// nothing may.
    #[must_use]
    pub fn is_never_echoed(self) -> bool {
        matches!(
            self,
            Self::AddMask
                | Self::Debug
                | Self::Echo
                | Self::EndGroup
                | Self::Error
                | Self::Group
                | Self::Notice
                | Self::StopCommands
                | Self::Warning
        )
    }
}

/// A command as it stands in a line, its name not yet looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// As written.
    pub name: String,
    /// `key=value` pairs; the last of a name wins.
    pub properties: Vec<(String, String)>,
    /// What follows.
    pub data: String,
}

impl Command {
    /// A property by its name, in any case; empty ones count as missing.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .rev()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Reads a line. Only names that `knows` says yes to make it a command.
    #[must_use]
    pub fn parse(line: &str, knows: impl Fn(&str) -> bool) -> Option<Self> {
        Self::with_colons(line, &knows).or_else(|| Self::with_brackets(line, &knows))
    }

    fn with_colons(line: &str, knows: &impl Fn(&str) -> bool) -> Option<Self> {
        let (info, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        let (name, properties) = split_info(info);
        knows(name).then(|| Self {
            name: name.to_owned(),
            properties: pairs(properties, ',', unescape_property),
            data: unescape_data(data),
        })
    }

    fn with_brackets(line: &str, knows: &impl Fn(&str) -> bool) -> Option<Self> {
        let (_, rest) = line.split_once("##[")?;
        let (info, data) = rest.split_once(']')?;
        let (name, properties) = split_info(info);
        knows(name).then(|| Self {
            name: name.to_owned(),
            properties: pairs(properties, ';', unescape_bracketed),
            data: unescape_bracketed(data),
        })
    }
}

/// Whether a line may hold a command: a quick look for those that cannot.
#[must_use]
pub fn may_be_command(line: &[u8]) -> bool {
    let start = line.iter().position(|byte| !byte.is_ascii_whitespace());
    let Some(text) = start.map(|start| &line[start..]) else {
        return false;
    };
    // Blanks beyond ASCII may stand before it too.
    text.starts_with(b"::") || !text[0].is_ascii() || text.windows(3).any(|part| part == b"##[")
}

fn split_info(info: &str) -> (&str, &str) {
    info.split_once(' ').unwrap_or((info, ""))
}

fn pairs(text: &str, separator: char, unescape: fn(&str) -> String) -> Vec<(String, String)> {
    text.trim()
        .split(separator)
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), unescape(value)))
        .collect()
}

fn unescape_data(text: &str) -> String {
    replace(text, &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")])
}

fn unescape_property(text: &str) -> String {
    let pairs = [
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%3A", ":"),
        ("%2C", ","),
        ("%25", "%"),
    ];
    replace(text, &pairs)
}

fn unescape_bracketed(text: &str) -> String {
    let pairs = [
        ("%3B", ";"),
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%5D", "]"),
        ("%25", "%"),
    ];
    replace(text, &pairs)
}

fn replace(text: &str, pairs: &[(&str, &str)]) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parse(line: &str) -> Option<Command> {
        Command::parse(line, |name| CommandName::of(name).is_some())
    }

    fn shown(line: &str) -> Option<String> {
        assert!(may_be_command(line.as_bytes()) || parse(line).is_none());
        parse(line).map(|command| {
            let properties: Vec<_> = command
                .properties
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            format!("{}|{}|{}", command.name, properties.join("&"), command.data)
        })
    }

    #[rstest]
    #[case("::debug::text", "debug||text")]
    #[case("::debug::", "debug||")]
    #[case("  \t::debug::after blanks", "debug||after blanks")]
    #[case(
        "\u{a0}::debug::after a blank of another kind",
        "debug||after a blank of another kind"
    )]
    #[case("::error file=a.js,line=1::msg", "error|file=a.js&line=1|msg")]
    #[case(
        "::error file=a%2Cb%3Ac%25,line=::m%0An%25%0D",
        "error|file=a,b:c%&line=|m\nn%\r"
    )]
    #[case("::set-output name=x::a::b", "set-output|name=x|a::b")]
    #[case("::set-output name=x=y::v", "set-output|name=x=y|v")]
    #[case("::WARNING::case does not matter", "WARNING||case does not matter")]
    #[case("::error novalue,,line=3::m", "error|line=3|m")]
    #[case("##[group]title", "group||title")]
    #[case("text before ##[warning]w", "warning||w")]
    #[case(
        "##[set-output name=x;other=y%3Bz%5D;]v%0Aw",
        "set-output|name=x&other=y;z]|v\nw"
    )]
    #[case("::error::%2C is not for data", "error||%2C is not for data")]
    #[case("::debug::%250A", "debug||%0A")]
    fn commands_are_read(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(shown(line).as_deref(), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("hello")]
    #[case("::")]
    #[case("::debug:text")]
    #[case("::unknown::text")]
    #[case("x ::debug::not at the start")]
    #[case("##[debug text")]
    #[case("##[section]text")]
    #[case("std::vector::new")]
    fn other_lines_are_none(#[case] line: &str) {
        assert_eq!(shown(line), None);
    }

    #[test]
    fn a_property_is_found_in_any_case_and_its_last_value_wins() {
        let command = parse("::error LINE=1,line=2,title=::m").unwrap();
        assert_eq!(command.property("Line"), Some("2"));
        assert_eq!(command.property("title"), None);
    }
}
