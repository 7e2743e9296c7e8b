//! Files that travel from one job to the next.

use super::attempt::{job, source};
use tappet_executor::Outcome;
use tappet_model::FailureReason;

#[tokio::test]
async fn files_are_packed_under_an_expanded_name_and_unpacked_in_the_next_job() {
    let built = job(&[
        "mkdir -p out/deep",
        "echo one > out/a",
        "echo two > out/deep/b.o",
        "ln -s a out/link",
    ])
    .variable("CI_COMMIT_REF_NAME", "feature/x")
    .variable("WHERE", "out")
    .artifact(&["$WHERE/", "nothing/*"], |artifact| {
        artifact.name = Some("web-$CI_COMMIT_REF_NAME".into());
        artifact.exclude = vec!["out/**/*.o".into()];
    })
    .run()
    .await;
    assert_eq!(built.outcome, Outcome::SUCCESS, "{}", built.log);
    assert_eq!(built.uploads[0].0, "web-feature_x.zip");
    assert_eq!(built.archive(), ["out/", "out/a", "out/deep/", "out/link"]);
    assert!(built.log.contains("WARNING: nothing/*: no matching files"));

    let used = job(&["cat out/a", "readlink out/link"])
        .dependency(3, Some(built.uploads[0].1.clone()))
        .run()
        .await;
    assert_eq!(used.outcome, Outcome::SUCCESS, "{}", used.log);
    assert!(used.log.contains("\none\n") && used.log.contains("\na\n"));
}

#[tokio::test]
async fn when_decides_what_is_uploaded() {
    let artifacts = |script: &'static str| {
        job(&["echo > s; echo > f; echo > a", script])
            .artifact(&["s"], |artifact| artifact.when = "on_success".into())
            .artifact(&["f"], |artifact| artifact.when = "on_failure".into())
            .artifact(&["a"], |artifact| artifact.when = "always".into())
    };
    let names = |done: super::attempt::Done| -> Vec<String> {
        done.uploads
            .iter()
            .map(|(_, bytes)| {
                let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes.clone())).unwrap();
                zip.name_for_index(0).unwrap().unwrap().into_owned()
            })
            .collect()
    };
    assert_eq!(names(artifacts("true").run().await), ["s", "a"]);
    assert_eq!(names(artifacts("false").run().await), ["f", "a"]);
}

#[tokio::test]
async fn reports_are_packed_file_by_file_and_go_up_after_a_failure_too() {
    let done = job(&["echo A=1 > build.env; echo '<a/>' > a.xml; echo '<b/>' > b.xml; false"])
        .artifact(&["build.env"], |artifact| {
            artifact.name = Some(".env".into());
            artifact.artifact_type = "dotenv".into();
            artifact.artifact_format = "gzip".into();
            artifact.when = "always".into();
        })
        .artifact(&["*.xml"], |artifact| {
            artifact.name = Some("junit.xml".into());
            artifact.artifact_type = "junit".into();
            artifact.artifact_format = "gzip".into();
            artifact.when = "always".into();
        })
        .run()
        .await;
    let unpacked = |index: usize| {
        let mut text = String::new();
        let packed = &done.uploads[index].1[..];
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(packed), &mut text)
            .unwrap();
        text
    };
    let names: Vec<_> = done.uploads.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [".env.gz", "junit.xml.gz"], "{}", done.log);
    assert_eq!(unpacked(0), "A=1\n");
    assert_eq!(unpacked(1), "<a/>\n<b/>\n");
}

#[tokio::test]
async fn no_matching_file_is_no_failure() {
    let done = job(&["true"]).artifact(&["missing"], |_| {}).run().await;
    assert_eq!(done.outcome, Outcome::SUCCESS);
    assert!(done.uploads.is_empty());
    assert!(done.log.contains("No files to upload"));
}

#[tokio::test]
async fn links_out_of_the_project_are_not_followed() {
    let done = job(&["ln -s /etc etc", "ln -s . loop", "echo > real"])
        .artifact(
            &["etc/passwd", "/etc/passwd", "$HOME", "**/*", "etc/**"],
            |_| {},
        )
        .run()
        .await;
    assert_eq!(done.archive(), ["etc", "loop", "real"], "{}", done.log);
}

#[tokio::test]
async fn untracked_files_are_those_git_does_not_know() {
    let source = source(&[("tracked", "x"), (".gitignore", "*.log\n")]);
    let done = job(&["echo > new; echo > a.log"])
        .checkout(source.url.clone(), &source.sha, "main")
        .artifact(&[], |artifact| artifact.untracked = true)
        .run()
        .await;
    assert_eq!(done.archive(), ["a.log", "new"], "{}", done.log);
}

#[tokio::test]
async fn an_archive_that_is_gone_or_hostile_fails_the_job_before_its_script() {
    let gone = job(&["echo never"]).dependency(3, None).run().await;
    assert_eq!(
        gone.outcome.failure,
        Some(FailureReason::RunnerSystemFailure)
    );
    assert!(!gone.log.contains("\nnever"));

    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("../escaped", zip::write::SimpleFileOptions::default())
        .unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let hostile = job(&["echo never"]).dependency(3, Some(bytes)).run().await;
    assert_eq!(
        hostile.outcome.failure,
        Some(FailureReason::RunnerSystemFailure)
    );
    assert!(
        hostile.log.contains("the archive is refused"),
        "{}",
        hostile.log
    );
}
