//! The launcher in both modes: nothing survives, and the end is told exactly.

use super::*;
use rstest::rstest;
use std::fs;
use std::path::Path;
use tokio::io::AsyncReadExt;

fn launcher(force_mark: bool) -> Launcher {
    Launcher::new(force_mark, None).unwrap()
}

fn bash(script: &str, dir: &Path) -> Program {
    Program {
        path: "/bin/bash".into(),
        args: ["--norc", "--noprofile", "-c", script]
            .iter()
            .map(OsString::from)
            .collect(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        dir: dir.to_owned(),
    }
}

async fn run(force_mark: bool, script: &str) -> (Exit, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut running = launcher(force_mark)
        .start(&bash(script, dir.path()), Outputs::Joined)
        .unwrap();
    let mut output = String::new();
    running
        .take_output()
        .unwrap()
        .read_to_string(&mut output)
        .await
        .unwrap();
    (running.ended().await.unwrap(), output)
}

/// Does any process have `needle` in its command line?
fn alive(needle: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        fs::read(entry.path().join("cmdline")).is_ok_and(|line| {
            String::from_utf8_lossy(&line)
                .replace('\0', " ")
                .contains(needle)
        })
    })
}

#[rstest]
#[case::code("exit 7", Exit::Code(7))]
#[case::success("true", Exit::Code(0))]
#[case::signal("kill -9 $$", Exit::Code(137))]
#[tokio::test]
async fn the_end_is_told_as_a_shell_would(
    #[values(false, true)] force_mark: bool,
    #[case] script: &str,
    #[case] expected: Exit,
) {
    assert_eq!(run(force_mark, script).await.0, expected);
}

#[rstest]
#[tokio::test]
async fn both_outputs_arrive_in_order_and_input_is_empty(#[values(false, true)] force_mark: bool) {
    let (_, output) = run(force_mark, "echo a; echo b >&2; cat; echo c").await;
    assert_eq!(output, "a\nb\nc\n");
}

#[rstest]
#[tokio::test]
async fn a_process_that_detached_and_ignores_term_is_gone(#[values(false, true)] force_mark: bool) {
    let mark = format!("3600.{}{}", std::process::id(), u8::from(force_mark));
    let script = format!(
        "(trap '' TERM HUP; setsid -f bash -c 'trap \"\" TERM; exec -a gone sleep {mark}' >/dev/null 2>&1 &) ; \
         until grep -qs {mark} /proc/[0-9]*/cmdline; do :; done; echo seen"
    );
    let (exit, output) = run(force_mark, &script).await;
    assert_eq!((exit, output.as_str()), (Exit::Code(0), "seen\n"));
    assert!(!alive(&mark));
}

#[rstest]
#[tokio::test]
async fn kill_reaches_all(#[values(false, true)] force_mark: bool) {
    let dir = tempfile::tempdir().unwrap();
    let mark = format!("3601.{}{}", std::process::id(), u8::from(force_mark));
    let script = format!("trap '' TERM; sleep {mark} & echo up; sleep {mark}");
    let mut running = launcher(force_mark)
        .start(&bash(&script, dir.path()), Outputs::Joined)
        .unwrap();
    let mut output = running.take_output().unwrap();
    let mut up = [0; 3];
    output.read_exact(&mut up).await.unwrap();
    running.kill();
    assert_eq!(running.ended().await.unwrap(), Exit::Code(137));
    assert!(!alive(&mark));
}

#[rstest]
#[tokio::test]
async fn term_leaves_time_to_clean_up(#[values(false, true)] force_mark: bool) {
    let dir = tempfile::tempdir().unwrap();
    let script = "trap 'echo cleaned; exit 3' TERM; echo up; while :; do sleep 0.01; done";
    let mut running = launcher(force_mark)
        .start(&bash(script, dir.path()), Outputs::Joined)
        .unwrap();
    let mut output = running.take_output().unwrap();
    let mut up = [0; 3];
    output.read_exact(&mut up).await.unwrap();
    running.terminate();
    let mut rest = String::new();
    output.read_to_string(&mut rest).await.unwrap();
    assert_eq!(running.ended().await.unwrap(), Exit::Code(3));
    assert!(rest.ends_with("cleaned\n"), "{rest}");
}

#[rstest]
#[tokio::test]
async fn a_missing_program_is_an_error(#[values(false, true)] force_mark: bool) {
    let dir = tempfile::tempdir().unwrap();
    let program = Program {
        path: "/nowhere/bash".into(),
        ..bash("true", dir.path())
    };
    let mut running = launcher(force_mark)
        .start(&program, Outputs::Joined)
        .unwrap();
    assert!(matches!(
        running.ended().await,
        Err(LaunchError::Exec { .. })
    ));
}

#[tokio::test]
async fn a_namespace_hides_other_processes_and_shields_them() {
    let launcher = launcher(false);
    if launcher.isolation() == Isolation::Mark {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = "echo $$ $(ls -d /proc/[0-9]* | wc -l); kill -9 -1";
    let mut running = launcher
        .start(&bash(script, dir.path()), Outputs::Joined)
        .unwrap();
    let mut output = String::new();
    running
        .take_output()
        .unwrap()
        .read_to_string(&mut output)
        .await
        .unwrap();
    assert!(output.ends_with('\n'), "{output:?}");
    let (pid, seen) = output.lines().next().unwrap().split_once(' ').unwrap();
    assert_eq!(pid, "2");
    assert!(seen.parse::<u32>().is_ok_and(|seen| seen < 8), "{output}");
    running.ended().await.unwrap();
}

#[tokio::test]
async fn the_program_inherits_no_descriptor() {
    let secret = fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let (_, output) = run(false, "echo /proc/self/fd/*").await;
    // 3 is the directory that the glob itself reads.
    assert_eq!(
        output,
        "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n"
    );
    drop(secret);
}

#[test]
fn marked_processes_of_a_dead_runner_are_found_and_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new("sleep")
        .arg("3600")
        .env(mark::NAME, mark::value(dir.path(), 5))
        .spawn()
        .unwrap();
    let other = tempfile::tempdir().unwrap();
    assert_eq!(mark::kill_marked(other.path(), None).unwrap(), 0);
    assert_eq!(mark::kill_marked(dir.path(), Some(55)).unwrap(), 0);
    assert_eq!(mark::kill_marked(dir.path(), None).unwrap(), 1);
    assert!(!child.wait().unwrap().success());
}
