//! A terminal in front of a test server: runs the real program and keeps what a
//! person would have seen.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tappet_server::testing::{ROOT_TOKEN, TestServer};

/// A server, and the transcript of the commands that spoke to it.
pub struct Shell {
    pub server: TestServer,
    transcript: String,
}

impl Shell {
    /// A new server with nothing in it.
    pub async fn new() -> Self {
        Self {
            server: TestServer::start().await,
            transcript: String::new(),
        }
    }

    /// A server with the project `acme/web` that has this pipeline file.
    pub async fn with_project(pipeline: &str) -> Self {
        let shell = Self::new().await;
        let files = [(".gitlab-ci.yml", pipeline)];
        shell.server.project("acme/web", &files).await;
        shell
    }

    /// Runs `tappet …` as root and writes it down.
    pub async fn run(&mut self, line: &str) -> Output {
        self.run_with(line, "", &[("TAPPET_TOKEN", ROOT_TOKEN)])
            .await
    }

    /// The same with standard input and another environment.
    pub async fn run_with(&mut self, line: &str, input: &str, env: &[(&str, &str)]) -> Output {
        let output = self.output(line, input, env).await;
        self.transcript.push_str(&format!("$ tappet {line}\n"));
        for bytes in [&output.stdout, &output.stderr] {
            self.transcript.push_str(&String::from_utf8_lossy(bytes));
        }
        let code = output.status.code().unwrap();
        if code != 0 {
            self.transcript.push_str(&format!("[exit code {code}]\n"));
        }
        self.transcript.push('\n');
        output
    }

    /// The answer of a command as JSON; not written down.
    pub async fn json(&self, line: &str) -> Value {
        let line = format!("{line} --json");
        let output = self
            .output(&line, "", &[("TAPPET_TOKEN", ROOT_TOKEN)])
            .await;
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn output(&self, line: &str, input: &str, env: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tappet"));
        command
            .args(words(line))
            .env_clear()
            .env("TAPPET_SERVER", self.server.url())
            .env("HOME", self.server.scratch())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        // Not on this thread, which serves the server.
        let done = tokio::task::spawn_blocking(move || {
            use std::io::Write;
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            // A command that reads nothing may be gone already.
            let _ = stdin.write_all(input.as_bytes());
            drop(stdin);
            child.wait_with_output().unwrap()
        });
        done.await.unwrap()
    }

    /// Everything so far, with what differs from run to run replaced.
    pub fn transcript(&self) -> String {
        let text = self.transcript.replace(&self.server.url(), "http://server");
        let scratch = self.server.scratch().display().to_string();
        steady(&text.replace(&scratch, "/scratch"))
    }
}

/// Words of a command line; `'…'` holds a word with spaces together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (nth, part) in line.split('\'').enumerate() {
        if nth % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Tokens, times and commit ids made alike.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.split_inclusive('\n') {
        let words: Vec<String> = line.split(' ').map(word).collect();
        steady.push_str(&words.join(" "));
    }
    steady
}

fn word(word: &str) -> String {
    let trimmed =
        word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    let is = |wanted: fn(&u8) -> bool| trimmed.bytes().all(|byte| wanted(&byte));
    let alike = if let Some(at) = trimmed.find("gl").filter(|_| trimmed.contains("t-")) {
        let (before, token) = trimmed.split_at(at);
        format!("{before}{}{}", &token[..6], "x".repeat(token.len() - 6))
    } else if is(|byte| byte.is_ascii_digit() || *byte == b'.') && trimmed.contains('.') {
        "0.00".to_owned()
    } else if trimmed.len() == 10 && trimmed.starts_with("20") && trimmed.matches('-').count() == 2
    {
        "2026-01-31".to_owned()
    } else if trimmed.len() == 8 && trimmed.matches(':').count() == 2 {
        "12:00:00".to_owned()
    } else if trimmed.len() >= 20 && trimmed.starts_with("20") && trimmed.ends_with('Z') {
        "2026-01-31T12:00:00.000Z".to_owned()
    } else if matches!(trimmed.len(), 8 | 40) && is(u8::is_ascii_hexdigit) {
        "0123abcd".to_owned()
    } else {
        return word.to_owned();
    };
    word.replace(trimmed, &alike)
}
