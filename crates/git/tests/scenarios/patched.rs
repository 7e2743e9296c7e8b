//! A commit with a patch on top.

use tappet_git::PatchError;

use crate::fixture::Sample;

/// What `git diff --binary` says of a change on disk, which is then taken back.
fn diff(sample: &Sample, change: impl Fn(&Sample)) -> String {
    change(sample);
    sample.git(&["add", "--all", "--intent-to-add", "."]);
    let diff = sample.git(&["diff", "--binary", "HEAD"]) + "\n";
    sample.git(&["reset", "--quiet", "--hard"]);
    diff
}

#[tokio::test]
async fn changed_and_new_files_are_seen_and_the_repository_stays_as_it_was() {
    let sample = Sample::new();
    sample.write(".depot/workflows/ci.yml", "name: old\n");
    let sha = sample.commit("workflow");
    let patch = diff(&sample, |sample| {
        sample.write(".depot/workflows/ci.yml", "name: new\n");
        sample.write(".depot/workflows/more.yml", "name: more\n");
    });
    let before = sample.git(&["count-objects"]);

    let repository = sample.open().await;
    let patched = repository.patched(&sha, patch.as_bytes()).await.unwrap();
    let folder = ".depot/workflows";
    let files = repository.patched_files_in(&patched, folder).await.unwrap();
    assert_eq!(files, ["ci.yml", "more.yml"]);
    let file = async |path| repository.patched_file(&patched, path).await.unwrap();
    assert_eq!(
        file(".depot/workflows/ci.yml").await.unwrap(),
        b"name: new\n"
    );
    assert_eq!(
        file(".gitlab-ci.yml").await.unwrap(),
        b"job: {script: date}\n"
    );
    assert_eq!(file("missing").await, None);
    assert_eq!(file(".depot").await, None);
    assert_eq!(sample.git(&["count-objects"]), before);
}

#[tokio::test]
async fn an_empty_patch_changes_nothing() {
    let sample = Sample::new();
    let repository = sample.open().await;
    let patched = repository.patched(&sample.sha("main"), b"").await.unwrap();
    let file = repository.patched_file(&patched, ".gitlab-ci.yml").await;
    assert_eq!(file.unwrap().unwrap(), b"job: {script: date}\n");
}

#[tokio::test]
async fn a_patch_for_other_content_says_where_it_does_not_fit() {
    let sample = Sample::new();
    let patch = diff(&sample, |sample| sample.write(".gitlab-ci.yml", "other\n"));
    sample.write(".gitlab-ci.yml", "meanwhile\n");
    let sha = sample.commit("meanwhile");
    let error = sample
        .open()
        .await
        .patched(&sha, patch.as_bytes())
        .await
        .unwrap_err();
    assert!(matches!(error, PatchError::DoesNotApply(_)), "{error:?}");
    assert!(error.to_string().contains(".gitlab-ci.yml"), "{error}");
}

#[tokio::test]
async fn a_patch_cannot_leave_the_repository() {
    let sample = Sample::new();
    let patch = "diff --git a/../x b/../x\nnew file mode 100644\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n";
    let repository = sample.open().await;
    let outcome = repository
        .patched(&sample.sha("main"), patch.as_bytes())
        .await;
    assert!(
        matches!(outcome, Err(PatchError::DoesNotApply(_))),
        "{outcome:?}"
    );
}
