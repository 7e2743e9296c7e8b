//! Copies of remote repositories, served by `git daemon` on the loopback.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tappet_git::{
    FetchError, FetchLimits, Mirrors, RemoteUrl, RepositoryAddress, ResolveError, Upkeep,
};
use tappet_model::RefKind;

use crate::fixture::{Sample, name};

/// `git daemon` in its inetd form, one process for each connection.
pub struct Remote {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Remote {
    pub fn serving(sample: &Sample) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let (git, base) = (sample.git.clone(), sample.root.path().to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let stream = OwnedFd::from(stream.unwrap());
                let mut base_path = std::ffi::OsString::from("--base-path=");
                base_path.push(&base);
                let mut daemon = git.std_command();
                daemon
                    .args(["daemon", "--inetd", "--export-all"])
                    .arg(base_path);
                daemon.stdin(stream.try_clone().unwrap()).stdout(stream);
                let mut daemon = daemon.spawn().unwrap();
                std::thread::spawn(move || daemon.wait());
            }
        });
        Self { port, connections }
    }

    pub fn url(&self) -> RemoteUrl {
        address(&format!("git://127.0.0.1:{}/repo", self.port))
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn address(text: &str) -> RemoteUrl {
    match RepositoryAddress::parse(text).unwrap() {
        RepositoryAddress::Remote(url) => url,
        local => panic!("{local:?}"),
    }
}

pub fn mirrors_dir(sample: &Sample) -> PathBuf {
    sample.root.path().join("mirrors")
}

pub fn mirrors(sample: &Sample) -> Mirrors {
    Mirrors::new(sample.git.clone(), mirrors_dir(sample))
}

#[tokio::test]
async fn a_mirror_has_branches_tags_and_the_default_branch() {
    let sample = Sample::new();
    sample.git(&["branch", "--move", "trunk"]);
    sample.git(&["tag", "v1"]);
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    let mirror = mirrors.ensure("7", &remote.url()).await.unwrap();
    let trunk = mirror.resolve(&name("trunk")).await.unwrap();
    assert_eq!(trunk.sha, sample.sha("trunk"));
    assert_eq!(
        mirror.resolve(&name("v1")).await.unwrap().kind,
        RefKind::Tag
    );
    assert_eq!(
        mirror.default_branch().await.unwrap().as_deref(),
        Some("trunk")
    );
    let after = remote.connections();
    let again = mirrors.ensure("7", &remote.url()).await.unwrap();
    assert!(Arc::ptr_eq(&mirror, &again));
    assert_eq!(remote.connections(), after);
}

#[tokio::test]
async fn an_empty_remote_is_mirrored() {
    let sample = Sample::empty();
    let remote = Remote::serving(&sample);
    let mirror = mirrors(&sample).ensure("7", &remote.url()).await.unwrap();
    assert!(mirror.is_empty().await.unwrap());
}

#[tokio::test]
async fn a_fetch_sees_new_moved_and_deleted_refs() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    let url = remote.url();
    let resolved = async |text: &str| {
        let mirror = mirrors.fetch_ref("7", &url, &name(text)).await.unwrap();
        mirror.resolve(&name(text)).await.map(|found| found.sha)
    };
    let first = sample.sha("main");
    assert_eq!(resolved("main").await, Ok(first.clone()));
    let second = sample.commit("second");
    assert_eq!(resolved("main").await, Ok(second.clone()));
    sample.git(&["reset", "--quiet", "--hard", first.as_str()]);
    let rewritten = sample.commit("rewritten");
    assert_eq!(resolved("main").await, Ok(rewritten.clone()));

    assert_eq!(resolved("side").await, Err(ResolveError::NotFound));
    sample.git(&["branch", "side"]);
    sample.git(&["tag", "--annotate", "--message", "m", "v1"]);
    assert_eq!(resolved("refs/heads/side").await, Ok(rewritten.clone()));
    assert_eq!(resolved("v1").await, Ok(rewritten.clone()));

    sample.git(&["branch", "--delete", "--force", "side"]);
    assert_eq!(resolved("side").await, Err(ResolveError::NotFound));
    sample.git(&["tag", "side"]);
    assert_eq!(resolved("side").await, Ok(rewritten));
}

#[tokio::test]
async fn the_head_of_a_pull_request_from_a_fork_is_fetched() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    let url = remote.url();
    let main = sample.sha("main");
    for (number, full_ref) in [
        (6, "refs/pull/6/head"),
        (7, "refs/merge-requests/7/head"),
        (8, "refs/pull-requests/8/from"),
    ] {
        let head = sample.commit(full_ref);
        sample.git(&["update-ref", full_ref, head.as_str()]);
        sample.git(&["reset", "--quiet", "--hard", main.as_str()]);
        let everything = mirrors.fetch_everything("7", &url).await.unwrap();
        assert!(everything.commit(&head).await.is_err(), "{full_ref}");
        let mirror = mirrors.fetch_pull_request("7", &url, number).await.unwrap();
        assert!(mirror.commit(&head).await.is_ok(), "{full_ref}");
    }
    let unknown = mirrors.fetch_pull_request("7", &url, 99).await;
    assert!(unknown.is_ok(), "{unknown:?}");
}

#[tokio::test]
async fn a_fetch_of_everything_brings_commits_of_any_branch() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    let url = remote.url();
    let mirror = mirrors.ensure("7", &url).await.unwrap();
    sample.git(&["switch", "--quiet", "--create", "side"]);
    let later = sample.commit("later");
    assert_eq!(mirror.resolve_commit(later.as_str()).await, Ok(None));
    let mirror = mirrors.fetch_everything("7", &url).await.unwrap();
    let found = mirror.resolve_commit(later.as_str()).await.unwrap();
    assert_eq!(found.map(|found| found.sha), Some(later));
}

#[tokio::test]
async fn a_branch_that_gave_way_to_a_folder_does_not_block() {
    let sample = Sample::new();
    sample.git(&["branch", "a"]);
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    mirrors.ensure("7", &remote.url()).await.unwrap();
    sample.git(&["branch", "--delete", "a"]);
    sample.git(&["branch", "a/b"]);
    let wanted = name("a/b");
    let mirror = mirrors
        .fetch_ref("7", &remote.url(), &wanted)
        .await
        .unwrap();
    assert!(mirror.resolve(&wanted).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_the_same_time_share_fetches() {
    let sample = Sample::new();
    sample.git(&["branch", "side"]);
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    mirrors.ensure("7", &remote.url()).await.unwrap();
    let before = remote.connections();
    let head = sample.commit("new");
    let callers: Vec<_> = (0..40)
        .map(|index| {
            let (mirrors, url) = (mirrors.clone(), remote.url());
            let wanted = name(if index % 2 == 0 { "main" } else { "side" });
            tokio::spawn(async move {
                let mirror = mirrors.fetch_ref("7", &url, &wanted).await.unwrap();
                mirror.resolve(&wanted).await.unwrap().sha
            })
        })
        .collect();
    for (index, caller) in callers.into_iter().enumerate() {
        let sha = caller.await.unwrap();
        assert_eq!(sha == head, index % 2 == 0);
    }
    let fetches = remote.connections() - before;
    assert!(fetches <= 10, "{fetches} connections for 40 callers");
}

#[tokio::test]
async fn a_kept_commit_survives_its_branch() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    let first = sample.sha("main");
    let doomed = sample.commit("doomed");
    let mirror = mirrors.ensure("7", &remote.url()).await.unwrap();
    let path = mirror.git_dir().to_owned();
    mirrors.keep("7", &doomed).await.unwrap();
    sample.git(&["reset", "--quiet", "--hard", first.as_str()]);
    mirrors
        .fetch_ref("7", &remote.url(), &name("main"))
        .await
        .unwrap();
    let prune = || {
        let mut gc = sample.git_in(&path);
        let done = gc.args(["gc", "--quiet", "--prune=now"]).status().unwrap();
        assert!(done.success());
    };
    prune();
    assert!(mirror.commit(&doomed).await.is_ok());
    mirrors.release("7", &doomed).await.unwrap();
    prune();
    let repository = tappet_git::Repository::open(&sample.git, &path)
        .await
        .unwrap();
    assert!(repository.commit(&doomed).await.is_err());
}

/// Accepts connections and never says a word.
fn silent() -> (TcpListener, RemoteUrl) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, address(&format!("git://127.0.0.1:{port}/repo")))
}

fn hasty(sample: &Sample) -> Mirrors {
    let limits = FetchLimits {
        fetch: Duration::from_millis(700),
        first: Duration::from_secs(60),
    };
    Mirrors::with_limits(
        sample.git.clone(),
        mirrors_dir(sample),
        limits,
        Upkeep::default(),
    )
}

#[tokio::test]
async fn a_silent_remote_times_out_and_leaves_no_half_mirror() {
    let sample = Sample::new();
    let (_listener, url) = silent();
    let before = Instant::now();
    let error = hasty(&sample).ensure("7", &url).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout { .. }), "{error}");
    assert!(before.elapsed() < Duration::from_secs(30));
    assert!(sample.batch_processes().is_empty(), "git stays behind");

    let remote = Remote::serving(&sample);
    let mirror = mirrors(&sample).ensure("7", &remote.url()).await.unwrap();
    assert!(mirror.resolve(&name("main")).await.is_ok());
}

#[tokio::test]
async fn a_remote_that_falls_silent_later_times_out_for_all_who_wait() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    mirrors(&sample).ensure("7", &remote.url()).await.unwrap();
    let (_listener, url) = silent();
    let hasty = hasty(&sample);
    let wanted = name("main");
    let (one, two) = tokio::join!(
        hasty.fetch_ref("7", &url, &wanted),
        hasty.fetch_ref("7", &url, &wanted)
    );
    for outcome in [one, two] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, FetchError::Timeout { .. }), "{error}");
    }
    // On a busy machine a good remote may be too slow for it as well, now and then.
    while let Err(error) = hasty.fetch_ref("7", &remote.url(), &wanted).await {
        assert!(matches!(error, FetchError::Timeout { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_remote_that_is_not_there_is_unreachable() {
    let sample = Sample::new();
    let (listener, url) = silent();
    drop(listener);
    let error = mirrors(&sample).ensure("7", &url).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    let remote = Remote::serving(&sample);
    let nowhere = address(&remote.url().as_str().replace("/repo", "/nothing"));
    let error = mirrors(&sample).ensure("7", &nowhere).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

/// A web server that refuses the first request and keeps the headers of the second.
#[tokio::test]
async fn a_password_reaches_the_server_but_no_message() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let refuse = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\
            Content-Length: 0\r\nConnection: close\r\n\r\n";
        let (mut first, _) = listener.accept().unwrap();
        let anonymous = head(&mut first);
        first.write_all(refuse).unwrap();
        drop(first);
        let (mut second, _) = listener.accept().unwrap();
        let authenticated = head(&mut second);
        second.write_all(refuse).unwrap();
        (anonymous, authenticated)
    });
    let sample = Sample::new();
    let url = address(&format!(
        "http://ada:s3cret%2F%27$HOME@127.0.0.1:{port}/repo"
    ));
    let error = mirrors(&sample).ensure("7", &url).await.unwrap_err();
    let (anonymous, authenticated) = server.join().unwrap();
    assert!(!anonymous.contains("Authorization"), "{anonymous}");
    // base64 of ada:s3cret/'$HOME
    let expected = "Authorization: Basic YWRhOnMzY3JldC8nJEhPTUU=";
    assert!(authenticated.contains(expected), "{authenticated}");
    assert!(
        !format!("{error} {error:?}").contains("s3cret"),
        "{error:?}"
    );
}

fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        std::io::Read::read_exact(stream, &mut byte).unwrap();
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn keys_stay_inside_the_mirrors_folder() {
    let sample = Sample::new();
    let remote = Remote::serving(&sample);
    for key in ["", "..", "a/b", "/etc", "a.git"] {
        let error = mirrors(&sample)
            .ensure(key, &remote.url())
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Local { .. }), "{key}: {error}");
    }
}

#[tokio::test]
async fn everything_can_be_brought_up_to_date_at_once() {
    let sample = Sample::new();
    sample.git(&["branch", "old"]);
    let remote = Remote::serving(&sample);
    let mirrors = mirrors(&sample);
    mirrors.ensure("7", &remote.url()).await.unwrap();
    sample.git(&["branch", "--move", "old", "new"]);
    sample.git(&["tag", "v1"]);
    let mirror = mirrors.fetch_everything("7", &remote.url()).await.unwrap();
    let names: Vec<String> = mirror
        .refs()
        .await
        .unwrap()
        .into_iter()
        .map(|found| found.name)
        .collect();
    assert_eq!(names, ["main", "new", "v1"]);
}
