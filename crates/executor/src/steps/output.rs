//! The output of a step on its way to the log: lines that are workflow
//! commands are obeyed, the others are passed on.
//!
//! GitHub runner: `OutputManager`, `ActionCommandManager`.

use std::path::PathBuf;

use tappet_actions::step::command::{Command, CommandName, may_be_command};
use tappet_actions::step::stop_token;

use super::lines::{Lines, Stamp};
use super::log::StepLog;
use crate::io::AttemptIo;
use crate::launcher::Outputs;
use crate::supervise::{Sink, Stream};

const SAVE_STATE_AND_SET_OUTPUT: &str = "https://github.blog/changelog/2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/";
const SET_ENV_AND_ADD_PATH: &str = "https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/";

/// What decides how commands are obeyed.
#[derive(Clone, Debug)]
pub(super) struct Manners {
    /// `::debug::` lines are shown.
    pub debug: bool,
    /// `ACTIONS_ALLOW_UNSECURE_COMMANDS` is set.
    pub allow_unsecure: bool,
    /// Where relative paths begin.
    pub workspace: PathBuf,
}

/// What the commands of a step asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Wishes {
    /// `set-output`.
    pub outputs: Vec<(String, String)>,
    /// `set-env`.
    pub env: Vec<(String, String)>,
    /// `add-path`.
    pub paths: Vec<String>,
    /// A command could not be obeyed, which fails the step.
    pub failed: bool,
}

/// Takes the output of one step.
pub(super) struct StepOutput<'a, I> {
    log: &'a StepLog<'a, I>,
    manners: Manners,
    lines: [Lines; 2],
    stop_token: Option<String>,
    echo: bool,
    /// What it asked for so far.
    pub wishes: Wishes,
}

/// A line as it is meant.
enum Meaning {
    Text,
    Command(CommandName, Command),
    Resume,
}

impl<'a, I: AttemptIo> StepOutput<'a, I> {
    /// For a step that begins.
    pub fn new(log: &'a StepLog<'a, I>, manners: Manners) -> Self {
        Self {
            log,
            echo: manners.debug,
            manners,
            lines: [Lines::new(Stream::Out), Lines::new(Stream::Err)],
            stop_token: None,
            wishes: Wishes::default(),
        }
    }

    fn lines(&mut self, stream: Stream) -> &mut Lines {
        match stream {
            Stream::Out => &mut self.lines[0],
            Stream::Err => &mut self.lines[1],
        }
    }

    /// Passes on what is left when nothing more comes.
    pub async fn finish(&mut self) {
        let stamp = Stamp::now();
        let mut out = Vec::new();
        for stream in [Stream::Out, Stream::Err] {
            if !self.lines(stream).partial().is_empty() {
                let rest = self.lines(stream).take(b"\n").into_owned();
                self.obey_lines(stream, &rest, &stamp, &mut out);
            }
            let masker = self.log.masker();
            self.lines(stream).finish(&masker, &stamp, &mut out);
        }
        self.log.send(&out).await;
    }

    fn obey_lines(&mut self, stream: Stream, lines: &[u8], stamp: &Stamp, out: &mut Vec<u8>) {
        let mut plain = 0;
        let mut start = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let end = start + line.len();
            let is_whole = start > 0 || !self.lines(stream).is_continued();
            if is_whole && may_be_command(line) {
                let text = String::from_utf8_lossy(line);
                let text = text.trim_end_matches(['\r', '\n']);
                let meaning = self.meaning(text);
                if !matches!(meaning, Meaning::Text) {
                    self.pass(stream, &lines[plain..start], stamp, out);
                    plain = end;
                    let shown = match meaning {
                        Meaning::Command(name, command) => self.obey(name, &command, text),
                        _ => self.resume(text),
                    };
                    for line in shown {
                        self.pass(stream, format!("{line}\n").as_bytes(), stamp, out);
                    }
                }
            }
            start = end;
        }
        self.pass(stream, &lines[plain..], stamp, out);
    }

    fn pass(&mut self, stream: Stream, lines: &[u8], stamp: &Stamp, out: &mut Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        let masker = self.log.masker();
        self.lines(stream).write(lines, &masker, stamp, out);
    }

    fn meaning(&self, line: &str) -> Meaning {
        if let Some(token) = &self.stop_token {
            let resumes = Command::parse(line, |name| name.eq_ignore_ascii_case(token));
            return resumes.map_or(Meaning::Text, |_| Meaning::Resume);
        }
        let command = Command::parse(line, |name| CommandName::of(name).is_some());
        command
            .and_then(|command| Some(Meaning::Command(CommandName::of(&command.name)?, command)))
            .unwrap_or(Meaning::Text)
    }

    fn resume(&mut self, line: &str) -> Vec<String> {
        self.stop_token = None;
        vec![line.to_owned()]
    }

    /// Does what a command says; the lines to show for it.
    fn obey(&mut self, name: CommandName, command: &Command, line: &str) -> Vec<String> {
        let mut shown = Vec::new();
        if self.echo && !name.is_never_echoed() {
            shown.push(line.to_owned());
        }
        match self.effect(name, command) {
            Ok(lines) => shown.extend(lines),
            Err(reason) => {
                let told = if name.is_never_echoed() {
                    name.as_str()
                } else {
                    line
                };
                shown.push(format!(
                    "##[error]Unable to process command '{told}' successfully."
                ));
                shown.push(format!("##[error]{reason}"));
                self.wishes.failed = true;
            }
        }
        shown
    }

    fn effect(&mut self, name: CommandName, command: &Command) -> Result<Vec<String>, String> {
        let data = command.data.as_str();
        let word = name.as_str();
        match name {
            CommandName::Group => return Ok(vec![format!("##[group]{data}")]),
            CommandName::EndGroup => return Ok(vec!["##[endgroup]".to_owned()]),
            CommandName::Debug if self.manners.debug => {
                return Ok(vec![format!("##[debug]{data}")]);
            }
            CommandName::Debug => {}
            CommandName::Notice | CommandName::Warning | CommandName::Error => {
                return Ok(vec![format!("##[{word}]{data}")]);
            }
            CommandName::AddMask if data.trim().is_empty() => {
                return Ok(vec![
                    "##[warning]Can't add secret mask for empty string in ##[add-mask] command."
                        .to_owned(),
                ]);
            }
            CommandName::AddMask => {
                self.log.hide(data);
                if self.echo {
                    return Ok(vec!["::add-mask::***".to_owned()]);
                }
            }
            CommandName::Echo => match data.trim().to_ascii_lowercase().as_str() {
                "on" => self.echo = true,
                "off" => self.echo = false,
                _ => {
                    return Err(format!(
                        "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{data}'."
                    ));
                }
            },
            CommandName::StopCommands if !stop_token::is_allowed(data) => {
                return Err(stop_token::REFUSED.to_owned());
            }
            CommandName::StopCommands => {
                self.stop_token = Some(data.to_owned());
                if stop_token::is_hidden(data) {
                    self.log.hide(data);
                }
                return Ok(vec![format!("::stop-commands::{data}")]);
            }
            CommandName::SetOutput => {
                let output = named(name, command)?;
                self.wishes.outputs.push(output);
                return Ok(vec![deprecated(name)]);
            }
            CommandName::SaveState => {
                // Only an action's own later stages read it, and no action here has any.
                named(name, command)?;
                return Ok(vec![deprecated(name)]);
            }
            CommandName::SetEnv | CommandName::AddPath if !self.manners.allow_unsecure => {
                return Err(format!(
                    "The `{word}` command is disabled. Please upgrade to using Environment Files or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`. For more information see: {SET_ENV_AND_ADD_PATH}"
                ));
            }
            CommandName::SetEnv => {
                let pair = named(name, command)?;
                self.wishes.env.push(pair);
            }
            CommandName::AddPath => self.wishes.paths.push(data.to_owned()),
            CommandName::AddMatcher => return self.add_matcher(data),
            CommandName::RemoveMatcher => {
                let owner = command.property("owner");
                if owner.is_some() != data.is_empty() {
                    let what = if data.is_empty() {
                        "Either an owner name or a file path must be specified"
                    } else {
                        "Either specify an owner name or a file path"
                    };
                    return Ok(vec![format!(
                        "##[warning]{what} in ##[remove-matcher] command."
                    )]);
                }
            }
        }
        Ok(Vec::new())
    }

    /// Matchers only colour GitHub's pages; here it is enough that the file is good.
    fn add_matcher(&self, file: &str) -> Result<Vec<String>, String> {
        if file.is_empty() {
            return Ok(vec!["##[warning]File path must be specified.".to_owned()]);
        }
        let path = self.manners.workspace.join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("Could not read file '{}': {error}", path.display()))?;
        serde_json::from_str::<serde_json::Value>(&text)
            .map_err(|error| format!("'{}' is not JSON: {error}", path.display()))?;
        Ok(Vec::new())
    }
}

fn named(name: CommandName, command: &Command) -> Result<(String, String), String> {
    let word = name.as_str();
    let key = command
        .property("name")
        .ok_or_else(|| format!("Required field 'name' is missing in ##[{word}] command."))?;
    Ok((key.to_owned(), command.data.clone()))
}

fn deprecated(name: CommandName) -> String {
    format!(
        "##[warning]The `{}` command is deprecated and will be disabled soon. Please upgrade to using Environment Files. For more information see: {SAVE_STATE_AND_SET_OUTPUT}",
        name.as_str()
    )
}

impl<I: AttemptIo> Sink for StepOutput<'_, I> {
    const OUTPUTS: Outputs = Outputs::Apart;

    async fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let stamp = Stamp::now();
        let mut out = Vec::with_capacity(bytes.len() * 2);
        let lines = self.lines(stream).take(bytes);
        self.obey_lines(stream, &lines, &stamp, &mut out);
        if self.lines(stream).is_too_long() {
            let masker = self.log.masker();
            self.lines(stream).write_partial(&masker, &stamp, &mut out);
        }
        self.log.send(&out).await;
    }

    /// The beginning of a line that may become a command waits for its end.
    fn holds_back(&self) -> bool {
        self.lines.iter().any(can_go)
    }

    async fn hurry(&mut self) {
        let stamp = Stamp::now();
        let mut out = Vec::new();
        let masker = self.log.masker();
        for lines in self.lines.iter_mut().filter(|lines| can_go(lines)) {
            lines.write_partial(&masker, &stamp, &mut out);
        }
        self.log.send(&out).await;
    }
}

fn can_go(lines: &Lines) -> bool {
    let text = lines.partial().trim_ascii_start();
    let may_become_command = text.starts_with(b":") || may_be_command(text);
    !text.is_empty() && (lines.is_continued() || !may_become_command)
}
