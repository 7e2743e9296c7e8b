//! Logs as their callers see them: restarts, torn writes, limits, followers.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::StreamExt;
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use super::*;

const ID: AttemptId = AttemptId(12_345);
const SECRET: &str = "hunter2-secret";
const LIMIT: u64 = 100 * 1000 * 1000;

/// A data directory and the server that works on it.
struct Fixture {
    dir: TempDir,
    logs: Logs,
    limit_bytes: u64,
}

impl Fixture {
    fn new() -> Self {
        Self::with_limit(LIMIT)
    }

    fn with_limit(limit_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            logs: Logs::new(dir.path(), limit_bytes),
            dir,
            limit_bytes,
        }
    }

    /// As after kill −9: nothing was closed in order, everything is forgotten.
    fn restart(&mut self) {
        self.logs = Logs::new(self.dir.path(), self.limit_bytes);
    }

    async fn append(&self, start: u64, bytes: impl AsRef<[u8]>) -> Result<u64, AppendError> {
        self.logs
            .append(
                ID,
                start,
                Bytes::copy_from_slice(bytes.as_ref()),
                || async { Ok::<_, Infallible>(vec![SECRET.to_owned()]) },
            )
            .await
            .map(|appended| appended.raw_len)
    }

    async fn stored(&self) -> Vec<u8> {
        let (mut file, length) = self.logs.open(ID).await.unwrap().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await.unwrap();
        bytes.truncate(usize::try_from(length).unwrap());
        bytes
    }

    async fn text(&self) -> String {
        String::from_utf8(self.stored().await).unwrap()
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.dir
            .path()
            .join("logs/12")
            .join(format!("12345.{extension}"))
    }

    async fn swap_log_file(&self, file: fs::File) -> fs::File {
        let mut turn = self.logs.turn(ID).await.unwrap();
        turn.writer().unwrap().swap_log_file(file)
    }

    fn follow(&self, from: u64) -> Follower {
        Follower(Box::pin(self.logs.follow(ID, from)))
    }
}

struct Follower(Pin<Box<dyn Stream<Item = io::Result<LogChunk>> + Send>>);

impl Follower {
    async fn next(&mut self) -> Option<LogChunk> {
        let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
        next.await.expect("the follower hangs").transpose().unwrap()
    }

    async fn next_text(&mut self) -> String {
        let chunk = self.next().await.expect("the log ended early");
        String::from_utf8(chunk.bytes.to_vec()).unwrap()
    }

    /// All until the end.
    async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.next().await {
            bytes.extend_from_slice(&chunk.bytes);
        }
        bytes
    }
}

#[tokio::test]
async fn bytes_are_stored_in_order_and_counted() {
    let fixture = Fixture::new();
    assert_eq!(fixture.append(0, "one\n").await.unwrap(), 4);
    assert_eq!(fixture.append(4, "two\n").await.unwrap(), 8);
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(fixture.text().await, "one\ntwo\n");
    assert_eq!(
        summary,
        LogSummary {
            raw_len: 8,
            raw_crc32: crc32fast::hash(b"one\ntwo\n"),
            stored_len: 8
        }
    );
}

#[tokio::test]
async fn raw_offsets_and_checksum_do_not_see_the_mask() {
    let fixture = Fixture::new();
    let raw = format!("token {SECRET}\n");
    assert_eq!(fixture.append(0, &raw).await.unwrap(), raw.len() as u64);
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(fixture.text().await, "token [MASKED]\n");
    assert_eq!(summary.raw_crc32, crc32fast::hash(raw.as_bytes()));
    assert_eq!(summary.stored_len, 15);
    assert_eq!(fixture.logs.stored_len(ID).await.unwrap(), 15);
    assert_eq!(fixture.logs.raw_len(ID).await, raw.len() as u64);
}

#[tokio::test]
async fn the_same_patch_again_is_stored_once() {
    let fixture = Fixture::new();
    fixture.append(0, "one\ntwo\n").await.unwrap();
    assert_eq!(fixture.append(0, "one\ntwo\n").await.unwrap(), 8);
    assert_eq!(fixture.append(2, "e\n").await.unwrap(), 8);
    assert_eq!(fixture.append(4, "two\nthree\n").await.unwrap(), 14);
    assert_eq!(fixture.text().await, "one\ntwo\nthree\n");
}

#[tokio::test]
async fn a_gap_is_refused_with_the_offset_to_go_on_from() {
    let fixture = Fixture::new();
    let error = fixture.append(1, "x").await.unwrap_err();
    assert!(matches!(error, AppendError::Gap { raw_len: 0 }));
    assert!(fixture.logs.open(ID).await.unwrap().is_none());
    fixture.append(0, "one\n").await.unwrap();
    let error = fixture.append(5, "x").await.unwrap_err();
    assert!(matches!(error, AppendError::Gap { raw_len: 4 }));
    assert_eq!(fixture.append(4, "x").await.unwrap(), 5);
}

#[tokio::test]
async fn an_empty_patch_changes_nothing_and_makes_no_file() {
    let fixture = Fixture::new();
    assert_eq!(fixture.append(0, "").await.unwrap(), 0);
    assert_eq!(fixture.append(7, "").await.unwrap(), 0);
    assert!(!fixture.path("log").exists());
}

#[tokio::test]
async fn after_the_end_nothing_is_taken() {
    let mut fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    let summary = fixture.logs.finish(ID).await.unwrap();
    for _ in 0..2 {
        let error = fixture.append(4, "two\n").await.unwrap_err();
        assert!(matches!(error, AppendError::Closed));
        assert!(fixture.logs.note(ID, "late").await.is_err());
        assert_eq!(fixture.logs.finish(ID).await.unwrap(), summary);
        fixture.restart();
    }
    assert_eq!(fixture.text().await, "one\n");
}

#[tokio::test]
async fn without_the_secrets_nothing_is_stored() {
    let fixture = Fixture::new();
    let bytes = Bytes::from("one\n");
    let refused = fixture
        .logs
        .append(ID, 0, bytes, || async {
            Err::<Vec<String>, _>("database is away")
        })
        .await;
    assert!(matches!(refused, Err(AppendError::Secrets(_))));
    assert_eq!(fixture.logs.stored_len(ID).await.unwrap(), 0);
    assert_eq!(fixture.append(0, format!("{SECRET}\n")).await.unwrap(), 15);
    assert_eq!(fixture.text().await, "[MASKED]\n");
}

#[tokio::test]
async fn files_are_for_the_owner_alone() {
    let fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(fixture.path("log")), 0o600);
    assert_eq!(mode(fixture.path("state")), 0o600);
    assert_eq!(mode(fixture.dir.path().join("logs/12")), 0o700);
    assert_eq!(mode(fixture.dir.path().join("logs")), 0o700);
}

#[tokio::test]
async fn nothing_but_the_two_files_is_left() {
    let fixture = Fixture::new();
    fixture.append(0, "hunt").await.unwrap();
    fixture.logs.finish(ID).await.unwrap();
    let mut names: Vec<_> = fs::read_dir(fixture.dir.path().join("logs/12"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["12345.log", "12345.state"]);
    let state = fs::read(fixture.path("state")).unwrap();
    assert!(!state.windows(4).any(|window| window == b"hunt"));
}

#[rstest]
#[case::nul(b"a\0b\0\n".to_vec())]
#[case::invalid_utf_8(vec![0xff, 0xfe, 0xc3, b'\n', 0x80])]
#[case::ten_megabytes_without_newline(vec![b'x'; 10_000_000])]
#[tokio::test]
async fn bytes_are_kept_as_they_are(#[case] raw: Vec<u8>) {
    let fixture = Fixture::new();
    fixture.append(0, &raw).await.unwrap();
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert!(fixture.stored().await == raw);
    assert_eq!(summary.raw_crc32, crc32fast::hash(&raw));
}

#[tokio::test]
async fn a_restarted_server_goes_on_with_the_next_byte() {
    let mut fixture = Fixture::new();
    fixture.append(0, "see hunter2-").await.unwrap();
    fixture.restart();
    assert_eq!(fixture.logs.raw_len(ID).await, 12);
    assert_eq!(fixture.append(12, "secret.\n").await.unwrap(), 20);
    assert_eq!(fixture.text().await, "see [MASKED].\n");
}

#[tokio::test]
async fn a_restarted_server_can_end_a_log_it_never_wrote() {
    let mut fixture = Fixture::new();
    fixture.append(0, "see hunter2").await.unwrap();
    fixture.restart();
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(fixture.text().await, "see hunter2");
    assert_eq!(summary.raw_crc32, crc32fast::hash(b"see hunter2"));
}

#[tokio::test]
async fn unrecorded_bytes_are_cut_off_and_come_again() {
    let mut fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(fixture.path("log"))
        .unwrap();
    io::Write::write_all(&mut log, b"two\nthr").unwrap();
    fixture.restart();
    assert_eq!(fixture.text().await, "one\n");
    assert_eq!(fixture.append(0, "one\ntwo\n").await.unwrap(), 8);
    assert_eq!(fs::read(fixture.path("log")).unwrap(), b"one\ntwo\n");
}

#[tokio::test]
async fn a_state_torn_by_the_kill_falls_back_to_what_was_acknowledged() {
    let mut fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    let acknowledged = fs::read(fixture.path("state")).unwrap();
    fixture.append(4, "two\n").await.unwrap();
    let mut torn = fs::read(fixture.path("state")).unwrap();
    let last_change = (0..torn.len())
        .rfind(|index| torn[*index] != acknowledged[*index])
        .unwrap();
    torn[last_change] = acknowledged[last_change];
    fs::write(fixture.path("state"), torn).unwrap();
    fixture.restart();
    assert_eq!(fixture.text().await, "one\n");
    assert_eq!(fixture.logs.raw_len(ID).await, 4);
    assert_eq!(fixture.append(4, "two\n").await.unwrap(), 8);
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(fixture.text().await, "one\ntwo\n");
    assert_eq!(summary.raw_crc32, crc32fast::hash(b"one\ntwo\n"));
}

#[tokio::test]
async fn a_log_file_cut_by_a_power_failure_is_sent_again() {
    let mut fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    fixture.append(4, "two\n").await.unwrap();
    fs::write(fixture.path("log"), b"on").unwrap();
    fixture.restart();
    let error = fixture.append(8, "three\n").await.unwrap_err();
    assert!(matches!(error, AppendError::Gap { raw_len: 0 }));
    fixture.append(0, "one\ntwo\nthree\n").await.unwrap();
    assert_eq!(fixture.text().await, "one\ntwo\nthree\n");
}

#[tokio::test]
async fn a_write_the_disk_refuses_changes_nothing() {
    let fixture = Fixture::new();
    fixture.append(0, "one\nhunt").await.unwrap();
    let state = fs::read(fixture.path("state")).unwrap();
    let read_only = fs::File::open(fixture.path("log")).unwrap();
    let writable = fixture.swap_log_file(read_only).await;
    let error = fixture.append(8, "ing\n").await.unwrap_err();
    assert!(matches!(error, AppendError::Io(_)), "{error}");
    assert!(fixture.logs.finish(ID).await.is_err());
    assert_eq!(fs::read(fixture.path("state")).unwrap(), state);
    fixture.swap_log_file(writable).await;
    fixture.append(8, "ing\n").await.unwrap();
    assert_eq!(fixture.text().await, "one\nhunting\n");
}

#[tokio::test]
async fn past_the_limit_bytes_are_counted_and_one_line_says_so() {
    let mut fixture = Fixture::with_limit(10);
    fixture.append(0, "12345678").await.unwrap();
    fixture.append(8, "90abcdef").await.unwrap();
    fixture.append(16, "more").await.unwrap();
    fixture.restart();
    assert_eq!(fixture.append(20, "and more").await.unwrap(), 28);
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(
        fixture.text().await,
        "1234567890\n\u{1b}[33;1mJob's log exceeded limit of 10 bytes.\n\
         Job execution will continue but no more output will be collected.\u{1b}[0;m\n"
    );
    assert_eq!(summary.raw_len, 28);
    assert_eq!(
        summary.raw_crc32,
        crc32fast::hash(b"1234567890abcdefmoreand more")
    );
}

#[tokio::test]
async fn a_log_of_exactly_the_limit_has_no_such_line() {
    let fixture = Fixture::with_limit(8);
    fixture.append(0, "12345678").await.unwrap();
    fixture.logs.finish(ID).await.unwrap();
    assert_eq!(fixture.text().await, "12345678");
}

#[tokio::test]
async fn what_is_held_back_at_the_end_keeps_the_limit() {
    let fixture = Fixture::with_limit(6);
    fixture.append(0, "12hunter").await.unwrap();
    assert_eq!(fixture.text().await, "12");
    fixture.logs.finish(ID).await.unwrap();
    assert!(
        fixture
            .text()
            .await
            .starts_with("12hunt\n\u{1b}[33;1mJob's log")
    );
}

#[rstest]
#[case::after_a_line("one\n", "one\nERROR: timeout\n")]
#[case::after_half_a_line("one", "one\nERROR: timeout\n")]
#[case::after_a_possible_secret("hunt", "[MASKED]\nERROR: timeout\n")]
#[case::in_an_empty_log("", "ERROR: timeout\n")]
#[tokio::test]
async fn a_note_stands_on_its_own_line(#[case] before: &str, #[case] stored: &str) {
    let fixture = Fixture::new();
    fixture.append(0, before).await.unwrap();
    fixture.logs.note(ID, "ERROR: timeout").await.unwrap();
    assert_eq!(fixture.text().await, stored);
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(summary.raw_len, before.len() as u64);
    assert_eq!(fixture.text().await, stored);
}

#[tokio::test]
async fn a_note_in_the_middle_of_a_secret_does_not_show_its_rest() {
    let mut fixture = Fixture::new();
    fixture.append(0, "hunter2-").await.unwrap();
    fixture.logs.note(ID, "canceling").await.unwrap();
    fixture.restart();
    fixture.append(8, "secret\n").await.unwrap();
    assert_eq!(fixture.text().await, "[MASKED]\ncanceling\n\n");
}

#[tokio::test]
async fn a_note_is_masked_and_passes_the_limit() {
    let fixture = Fixture::with_limit(4);
    fixture.append(0, "12345").await.unwrap();
    let note = format!("cannot fetch https://x:{SECRET}@host\n");
    fixture.logs.note(ID, &note).await.unwrap();
    assert!(
        fixture
            .text()
            .await
            .ends_with("collected.\u{1b}[0;m\ncannot fetch https://x:[MASKED]@host\n")
    );
}

#[tokio::test]
async fn a_follower_sees_each_line_when_it_comes() {
    let fixture = Fixture::new();
    let mut follower = fixture.follow(0);
    fixture.append(0, "one\n").await.unwrap();
    assert_eq!(follower.next_text().await, "one\n");
    fixture.append(4, "two hunt").await.unwrap();
    let chunk = follower.next().await.unwrap();
    assert_eq!((chunk.offset_after, &*chunk.bytes), (8, &b"two "[..]));
    fixture.append(12, "ing\n").await.unwrap();
    assert_eq!(follower.next_text().await, "hunting\n");
    fixture.logs.finish(ID).await.unwrap();
    assert_eq!(follower.next().await, None);
}

#[tokio::test]
async fn a_follower_that_waits_is_woken() {
    let fixture = Fixture::new();
    let mut follower = fixture.follow(0);
    let waiting = tokio::spawn(async move { follower.rest().await });
    tokio::task::yield_now().await;
    fixture.append(0, "one\n").await.unwrap();
    fixture.logs.note(ID, "note").await.unwrap();
    fixture.logs.finish(ID).await.unwrap();
    assert_eq!(waiting.await.unwrap(), b"one\nnote\n");
}

#[tokio::test]
async fn a_follower_resumes_from_any_offset() {
    let mut fixture = Fixture::new();
    let raw: Vec<u8> = (0..200_000_u32)
        .map(|n| b'a' + n.to_le_bytes()[0] % 26)
        .collect();
    fixture.append(0, &raw).await.unwrap();
    let mut follower = fixture.follow(0);
    let first = follower.next().await.unwrap();
    assert_eq!(first.bytes.len(), 64 * 1024);
    fixture.logs.finish(ID).await.unwrap();
    drop(follower);
    fixture.restart();
    let rest = fixture.follow(first.offset_after).rest().await;
    assert!([&first.bytes[..], &rest].concat() == raw);
    assert_eq!(fixture.follow(200_000).next().await, None);
}

#[tokio::test]
async fn after_a_restart_a_follower_sees_the_old_part_and_the_new() {
    let mut fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    fixture.restart();
    let mut follower = fixture.follow(0);
    assert_eq!(follower.next_text().await, "one\n");
    fixture.append(4, "two\n").await.unwrap();
    assert_eq!(follower.next_text().await, "two\n");
}

#[tokio::test]
async fn followers_of_an_attempt_without_a_log_end_with_it() {
    let fixture = Fixture::new();
    let mut follower = fixture.follow(0);
    let summary = fixture.logs.finish(ID).await.unwrap();
    assert_eq!(
        summary,
        LogSummary {
            raw_len: 0,
            raw_crc32: 0,
            stored_len: 0
        }
    );
    assert_eq!(follower.next().await, None);
    assert!(!fixture.path("log").exists());
}

#[tokio::test]
async fn deleting_removes_the_files_and_ends_followers() {
    let fixture = Fixture::new();
    fixture.append(0, "one\n").await.unwrap();
    let mut follower = fixture.follow(0);
    assert_eq!(follower.next_text().await, "one\n");
    fixture.logs.delete(ID).await.unwrap();
    assert_eq!(follower.next().await, None);
    assert!(!fixture.path("log").exists() && !fixture.path("state").exists());
    assert!(fixture.logs.open(ID).await.unwrap().is_none());
    fixture.logs.delete(ID).await.unwrap();
}

#[tokio::test]
async fn only_logs_in_use_take_memory() {
    let fixture = Fixture::new();
    fixture.logs.stored_len(ID).await.unwrap();
    fixture.logs.raw_len(ID).await;
    drop(fixture.follow(0));
    assert_eq!(fixture.logs.open.count(), 0);
    fixture.append(0, "one\n").await.unwrap();
    assert_eq!(fixture.logs.open.count(), 1);
    let follower = fixture.follow(0);
    fixture.logs.finish(ID).await.unwrap();
    assert_eq!(fixture.logs.open.count(), 1);
    drop(follower);
    assert_eq!(fixture.logs.open.count(), 0);
    fixture.append(4, "x").await.unwrap_err();
    fixture.logs.note(ID, "x").await.unwrap_err();
    assert_eq!(fixture.logs.open.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_writer_and_several_slow_readers_agree() {
    let fixture = Fixture::new();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let mut follower = fixture.follow(0);
            tokio::spawn(async move { follower.rest().await })
        })
        .collect();
    let mut raw = Vec::new();
    for line in 0..300 {
        let piece = format!("line {line} {SECRET} {}\n", "x".repeat(line * 3));
        fixture.append(raw.len() as u64, &piece).await.unwrap();
        raw.extend(piece.into_bytes());
    }
    fixture.logs.finish(ID).await.unwrap();
    let expected = String::from_utf8(raw).unwrap().replace(SECRET, "[MASKED]");
    for reader in readers {
        assert!(reader.await.unwrap() == expected.as_bytes());
    }
}

/// What a runner and the world do to a log.
#[derive(Clone, Debug)]
enum Step {
    Append { back: u64, length: usize },
    Restart,
    TearNewestSlot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        prop_oneof![
            4 => (0..30_u64, 0..60_usize).prop_map(|(back, length)| Step::Append { back, length }),
            1 => Just(Step::Restart),
            1 => Just(Step::TearNewestSlot),
        ],
        1..25,
    )
}

/// Zeroes the slot with the higher number, as if it had never been written.
fn tear_newest_slot(fixture: &Fixture) {
    let Ok(mut state) = fs::read(fixture.path("state")) else {
        return;
    };
    let slot_bytes = (state.len() - 16) / 2;
    let number = |slot: usize| {
        let at = 16 + slot * slot_bytes;
        u64::from_le_bytes(state[at..at + 8].try_into().unwrap())
    };
    if number(0) == 0 || number(1) == 0 {
        return;
    }
    let newest = usize::from(number(1) > number(0));
    state[16 + newest * slot_bytes..][..8].fill(0);
    fs::write(fixture.path("state"), state).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However a log is cut, repeated, and cut short by crashes, it ends as if it
    /// had come at once.
    #[test]
    fn crashes_and_repetitions_leave_no_trace(
        pieces in prop::collection::vec(prop_oneof![
            Just(SECRET.to_owned()), Just("hunter2-".to_owned()), "[a-z\n]{0,20}",
        ], 0..20),
        steps in steps(),
    ) {
        let raw = pieces.concat().into_bytes();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut fixture = Fixture::new();
            for step in steps {
                match step {
                    Step::Append { back, length } => {
                        let known = fixture.logs.raw_len(ID).await;
                        let start = known.saturating_sub(back);
                        let from = usize::try_from(start).unwrap();
                        let to = (from + length).min(raw.len());
                        let end = fixture.append(start, &raw[from..to]).await.unwrap();
                        assert_eq!(end, known.max(to as u64));
                    }
                    Step::Restart => fixture.restart(),
                    Step::TearNewestSlot => {
                        fixture.restart();
                        tear_newest_slot(&fixture);
                    }
                }
            }
            fixture.append(0, &raw).await.unwrap();
            let summary = fixture.logs.finish(ID).await.unwrap();
            let expected = String::from_utf8(raw.clone()).unwrap().replace(SECRET, "[MASKED]");
            if !raw.is_empty() {
                assert_eq!(fixture.text().await, expected);
            }
            assert_eq!(summary.raw_len, raw.len() as u64);
            assert_eq!(summary.raw_crc32, crc32fast::hash(&raw));
        });
    }
}
