//! The files through which a step tells the runner things: fresh for each
//! step, read when it has ended.
//!
//! GitHub runner: `FileCommandManager`.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tappet_actions::step::env_file;
use tappet_actions::step::path_file;

use crate::workspace::write_private;

/// The most a summary may hold (GitHub: `AttachmentSizeLimit`).
const SUMMARY_LIMIT: u64 = 1024 * 1024;
/// The most any other of the files may hold.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// Names of the files: the property of `github` that holds the path, and the name on disk.
const FILES: [(&str, &str); 5] = [
    ("env", "set_env"),
    ("output", "set_output"),
    ("path", "add_path"),
    ("state", "save_state"),
    ("step_summary", "step_summary"),
];

/// The files of one step.
#[derive(Debug)]
pub(super) struct StepFiles {
    folder: PathBuf,
    number: u32,
}

/// What the files say.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// For the environment of later steps.
    pub env: Vec<(String, String)>,
    /// Outputs.
    pub outputs: Vec<(String, String)>,
    /// Folders for `PATH`.
    pub paths: Vec<String>,
    /// The summary, not masked.
    pub summary: String,
    /// Lines for the log.
    pub errors: Vec<String>,
    /// The step fails because of them.
    pub failed: bool,
}

impl StepFiles {
    /// Those of the step with this number, in `temporary`. Makes nothing yet.
    pub fn new(temporary: &Path, number: u32) -> Self {
        Self {
            folder: temporary.join("_runner_file_commands"),
            number,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}_{}", self.number))
    }

    /// Properties of `github` with the paths.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, String)> {
        FILES.iter().map(|(property, name)| {
            let path = self.path(name).to_string_lossy().into_owned();
            (*property, path)
        })
    }

    /// Makes them, empty.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        FILES
            .iter()
            .try_for_each(|(_, name)| write_private(&self.path(name), b""))
    }

    /// Reads and removes them. A file that is gone says nothing.
    pub fn take(&self) -> Told {
        let mut told = Told::default();
        for (property, name) in FILES {
            let path = self.path(name);
            let limit = match property {
                "step_summary" => SUMMARY_LIMIT,
                _ => FILE_LIMIT,
            };
            let error = match read(&path, limit) {
                Ok(Content::Text(text)) => told.hear(property, &text),
                Ok(Content::TooLarge(size)) if property == "step_summary" => {
                    told.errors.push(format!(
                        "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got {}k. For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-markdown-summary",
                        SUMMARY_LIMIT / 1024,
                        size.div_ceil(1024)
                    ));
                    Ok(())
                }
                Ok(Content::TooLarge(size)) => {
                    Err(format!("The file has {size} bytes, more than {FILE_LIMIT}"))
                }
                Err(error) => Err(format!("Cannot read {}: {error}", path.display())),
            };
            if let Err(error) = error {
                told.errors.push(format!(
                    "Unable to process file command '{property}' successfully."
                ));
                told.errors.push(error);
                told.failed = true;
            }
            // What cannot be removed goes with the workspace.
            let _ = fs::remove_file(&path);
        }
        told
    }
}

impl Told {
    fn hear(&mut self, property: &str, text: &str) -> Result<(), String> {
        match property {
            "path" => self.paths = path_file::parse(text).map(str::to_owned).collect(),
            "step_summary" => text.clone_into(&mut self.summary),
            property => {
                let (pairs, result) = env_file::parse(text);
                match property {
                    "env" => self.hear_env(pairs),
                    "output" => self.outputs = pairs,
                    // Only an action's own later stages read its state, and no action here has any.
                    _ => {}
                }
                result.map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    fn hear_env(&mut self, pairs: Vec<(String, String)>) {
        for (name, value) in pairs {
            if name.eq_ignore_ascii_case("NODE_OPTIONS") {
                self.errors.push(
                    "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."
                        .to_owned(),
                );
            } else {
                self.env.push((name, value));
            }
        }
    }
}

enum Content {
    Text(String),
    TooLarge(u64),
}

/// Reads a file that a job may have replaced by anything.
fn read(path: &Path, limit: u64) -> io::Result<Content> {
    let opened = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Content::Text(String::new()));
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if metadata.len() > limit {
        return Ok(Content::TooLarge(metadata.len()));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(Content::Text(String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(write: impl FnOnce(&StepFiles)) -> Told {
        let folder = tempfile::tempdir().unwrap();
        let files = StepFiles::new(folder.path(), 1);
        files.create().unwrap();
        write(&files);
        files.take()
    }

    #[test]
    fn what_stands_before_an_error_counts() {
        let told = files(|files| fs::write(files.path("set_env"), "A=1\noops\nB=2\n").unwrap());
        assert_eq!(told.env, [("A".to_owned(), "1".to_owned())]);
        assert!(told.failed);
        assert_eq!(
            told.errors,
            [
                "Unable to process file command 'env' successfully.",
                "Invalid format 'oops'"
            ]
        );
    }

    #[test]
    fn node_options_are_refused_without_failing() {
        let told = files(|files| {
            fs::write(files.path("set_env"), "node_options=--x\nA=1\n").unwrap();
        });
        assert_eq!(told.env, [("A".to_owned(), "1".to_owned())]);
        assert!(!told.failed);
        assert!(told.errors[0].starts_with("Can't store NODE_OPTIONS"));
    }

    #[test]
    fn a_missing_file_says_nothing() {
        let told = files(|files| fs::remove_file(files.path("set_output")).unwrap());
        assert!(told.outputs.is_empty() && told.errors.is_empty());
    }

    #[test]
    fn a_pipe_in_place_of_a_file_does_not_block() {
        let told = files(|files| {
            let path = files.path("set_output");
            fs::remove_file(&path).unwrap();
            rustix::fs::mknodat(
                rustix::fs::CWD,
                &path,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
                0,
            )
            .unwrap();
        });
        assert!(told.failed);
    }

    #[test]
    fn a_summary_of_more_than_a_mebibyte_is_dropped_without_failing() {
        let told = files(|files| {
            fs::write(files.path("step_summary"), "x".repeat(1024 * 1024 + 1)).unwrap();
        });
        assert_eq!(told.summary, "");
        assert!(!told.failed);
        assert!(told.errors[0].contains("up to a size of 1024k, got 1025k"));
    }
}
