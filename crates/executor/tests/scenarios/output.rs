//! Every byte of the job arrives, whatever it is.

use super::attempt::job;

#[tokio::test]
async fn nul_bytes_and_invalid_utf8_pass() {
    let done = job(&["printf 'a\\0b\\xff\\xfec\\n'"]).run().await;
    assert!(
        done.raw.windows(8).any(
            |window| window == b"a\0b\xff\xfec\n\x1b" || window.starts_with(b"a\0b\xff\xfec\n")
        )
    );
}

#[tokio::test]
async fn a_line_of_ten_megabytes_passes() {
    let done = job(&["head -c 10000000 /dev/zero | tr '\\0' x"])
        .run()
        .await;
    let longest = done
        .raw
        .split(|byte| *byte != b'x')
        .map(<[u8]>::len)
        .max()
        .unwrap();
    assert_eq!(longest, 10_000_000);
}

#[tokio::test]
async fn output_of_a_process_that_outlives_the_shell_is_not_waited_for() {
    let started = std::time::Instant::now();
    let done = job(&["sleep 3600 &", "echo bye"]).run().await;
    assert!(done.log.contains("\nbye\n"));
    assert!(started.elapsed().as_secs() < 30);
}
