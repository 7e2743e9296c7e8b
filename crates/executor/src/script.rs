//! The script file that bash reads: GitLab's wrapper around the job's commands
//! (GitLab Runner: `shells/bash.go`). Only the commands are in it; values come
//! through the environment.

/// Before the first command. The trap lets a running command have its grace before bash goes.
const PROLOGUE: &str = "trap 'exit 143' TERM\nset -eo pipefail\nset +o noclobber\ncd -- \"$CI_PROJECT_DIR\"\nunset OLDPWD\n";

/// The script for `items`, each announced before it runs. `notice` is printed first.
/// `is_traced` is what `CI_DEBUG_TRACE` asks for: every variable, then each command
/// as bash runs it.
pub fn generate(notice: Option<&str>, is_traced: bool, items: &[String]) -> Vec<u8> {
    let size = items.iter().map(|item| item.len() * 2 + 64).sum::<usize>();
    let mut script = String::with_capacity(PROLOGUE.len() + size);
    script.push_str(PROLOGUE);
    if let Some(notice) = notice {
        echo(&mut script, notice);
    }
    if is_traced {
        script.push_str("env || true\nset -o xtrace\n");
    }
    for item in items {
        let item = item.replace('\0', "");
        let item = item.trim();
        match item.split_once('\n') {
            _ if item.is_empty() => script.push_str("echo"),
            None => {
                echo(&mut script, &format!("$ {item}"));
                script.push_str(item);
            }
            Some((first, _)) => {
                echo(
                    &mut script,
                    &format!("$ {} # collapsed multi-line command", first.trim_end()),
                );
                script.push_str(item);
            }
        }
        script.push('\n');
    }
    script.into_bytes()
}

/// Prints `text` in bold green.
fn echo(script: &mut String, text: &str) {
    // A command may have redefined `echo`; the announcement is ours.
    script.push_str("builtin echo '\u{1b}[32;1m");
    script.push_str(&text.replace('\'', r"'\''"));
    script.push_str("\u{1b}[0;m'\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(items: &[&str]) -> String {
        let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
        String::from_utf8(generate(None, false, &items))
            .unwrap()
            .split_off(PROLOGUE.len())
    }

    #[test]
    fn a_command_is_announced_and_run() {
        assert_eq!(
            body(&["make it"]),
            "builtin echo '\u{1b}[32;1m$ make it\u{1b}[0;m'\nmake it\n"
        );
    }

    #[test]
    fn quotes_cannot_leave_the_announcement() {
        assert!(body(&["echo 'a'; b"]).starts_with(r"builtin echo '"));
        assert!(body(&["echo 'a'; b"]).contains(r"$ echo '\''a'\''; b"));
    }

    #[test]
    fn several_lines_are_announced_by_the_first() {
        let text = body(&["if true\nthen :\nfi\n"]);
        assert!(text.contains(
            "$ if true # collapsed multi-line command\u{1b}[0;m'\nif true\nthen :\nfi\n"
        ));
    }

    #[test]
    fn a_traced_script_tells_its_variables_and_commands() {
        let script = String::from_utf8(generate(None, true, &["make".to_owned()])).unwrap();
        let told = script.find("env || true\nset -o xtrace\n").unwrap();
        assert!(told < script.find("$ make").unwrap(), "{script}");
    }

    #[test]
    fn an_empty_item_prints_an_empty_line() {
        assert_eq!(body(&["  "]), "echo\n");
    }
}
