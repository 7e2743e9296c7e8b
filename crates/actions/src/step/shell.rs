//! `shell:` of a `run` step: which program reads the script, and how.
//!
//! GitHub runner: `ScriptHandler`, `ScriptHandlerHelpers`.

/// Neither a shell that is known nor a command with a place for the script.
pub const INVALID: &str = "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a format string containing '{0}'";

/// How a script is run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// Programs, the first that exists is taken.
    pub programs: Vec<String>,
    /// Arguments in one text; `{0}` stands for the script's path.
    pub arguments: String,
    /// What the script's file name ends with.
    pub extension: &'static str,
    wrapping: Wrapping,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrapping {
    None,
    PowerShell,
}

impl Invocation {
    /// For the text behind `shell:`, or for none.
    ///
    /// # Errors
    /// [`INVALID`].
    pub fn of(shell: Option<&str>) -> Result<Self, &'static str> {
        let Some(shell) = shell.filter(|shell| !shell.trim().is_empty()) else {
            // Without a word bash does not fail in the middle of a pipe.
            return Ok(Self {
                programs: vec!["bash".to_owned(), "sh".to_owned()],
                arguments: "-e {0}".to_owned(),
                extension: ".sh",
                wrapping: Wrapping::None,
            });
        };
        let (program, arguments) = shell.split_once(' ').unwrap_or((shell, ""));
        let arguments = match arguments.trim_start() {
            "" => default_arguments(program).unwrap_or_default(),
            arguments => arguments,
        };
        if !arguments.contains("{0}") {
            return Err(INVALID);
        }
        Ok(Self {
            programs: vec![program.to_owned()],
            arguments: arguments.to_owned(),
            extension: extension(program),
            wrapping: match program {
                "pwsh" | "powershell" => Wrapping::PowerShell,
                _ => Wrapping::None,
            },
        })
    }

    /// The arguments for the script in the file `path`.
    #[must_use]
    pub fn arguments_for(&self, path: &str) -> Vec<String> {
        split(&self.arguments)
            .into_iter()
            .map(|argument| argument.replace("{0}", path))
            .collect()
    }

    /// What stands in the script's file.
    #[must_use]
    pub fn script(&self, text: &str) -> String {
        match self.wrapping {
            Wrapping::None => text.to_owned(),
            Wrapping::PowerShell => format!(
                "$ErrorActionPreference = 'stop'\n{text}\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) {{ exit $LASTEXITCODE }}"
            ),
        }
    }
}

fn default_arguments(program: &str) -> Option<&'static str> {
    Some(match program {
        "bash" => "--noprofile --norc -e -o pipefail {0}",
        "sh" => "-e {0}",
        "pwsh" | "powershell" => "-command \". '{0}'\"",
        "python" => "{0}",
        "cmd" => "/D /E:ON /V:OFF /S /C \"CALL \"{0}\"\"",
        _ => return None,
    })
}

fn extension(program: &str) -> &'static str {
    match program {
        "bash" | "sh" => ".sh",
        "pwsh" | "powershell" => ".ps1",
        "python" => ".py",
        "cmd" => ".cmd",
        _ => "",
    }
}

/// Words between blanks; double quotes keep blanks, and `\"` is a quote.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if characters.peek() == Some(&'"') => {
                characters.next();
                word.get_or_insert_default().push('"');
            }
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, "bash", &["-e", "/s"])]
    #[case(Some(" "), "bash", &["-e", "/s"])]
    #[case(Some("bash"), "bash", &["--noprofile", "--norc", "-e", "-o", "pipefail", "/s"])]
    #[case(Some("sh"), "sh", &["-e", "/s"])]
    #[case(Some("pwsh"), "pwsh", &["-command", ". '/s'"])]
    #[case(Some("python"), "python", &["/s"])]
    #[case(Some("bash -x {0}"), "bash", &["-x", "/s"])]
    #[case(Some("perl -e \"do '{0}' or die \\\"x y\\\"\""), "perl", &["-e", "do '/s' or die \"x y\""])]
    #[case(Some("env A= \"\" {0}"), "env", &["A=", "", "/s"])]
    fn a_shell_is_a_program_with_arguments(
        #[case] shell: Option<&str>,
        #[case] program: &str,
        #[case] arguments: &[&str],
    ) {
        let invocation = Invocation::of(shell).unwrap();
        assert_eq!(invocation.programs[0], program);
        assert_eq!(invocation.arguments_for("/s"), arguments);
    }

    #[rstest]
    #[case("perl")]
    #[case("bash -x")]
    #[case("Bash")]
    fn a_command_without_a_place_for_the_script_is_refused(#[case] shell: &str) {
        assert_eq!(Invocation::of(Some(shell)), Err(INVALID));
    }

    #[test]
    fn a_path_with_blanks_stays_one_argument() {
        let invocation = Invocation::of(Some("bash")).unwrap();
        assert_eq!(invocation.arguments_for("/a b/s").last().unwrap(), "/a b/s");
    }

    #[test]
    fn powershell_stops_at_errors_and_passes_the_exit_code_on() {
        let script = Invocation::of(Some("pwsh")).unwrap().script("ls");
        assert!(script.starts_with("$ErrorActionPreference = 'stop'\nls\n"));
        assert!(script.ends_with("{ exit $LASTEXITCODE }"));
        assert_eq!(Invocation::of(None).unwrap().script("ls"), "ls");
    }
}
