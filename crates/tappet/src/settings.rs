//! Settings of `serve`: flags, then environment, then `tappet.toml`, then
//! defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tappet_server::Config;
use tappet_server::limits::Limits;
use tappet_server::retention::Keep;
use tappet_server::schedules::MissedSlots;

use crate::cli::ServeFlags;

/// Name of the file in the data directory.
pub const FILE_NAME: &str = "tappet.toml";

/// The same names as the flags, with `_` for `-`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<std::net::SocketAddr>,
    database_url: Option<String>,
    external_url: Option<String>,
    trusted_proxies: Option<Vec<std::net::IpAddr>>,
    slots: Option<u32>,
    drain: Option<String>,
    allow_local_requests: Option<bool>,
    keep_runs: Option<String>,
    keep_logs: Option<String>,
    keep_audit: Option<String>,
    keep_cache: Option<String>,
    keep_events: Option<String>,
    metrics_token: Option<String>,
    limits: Option<Limits>,
    missed_schedules: Option<String>,
    api_runs: Option<String>,
}

/// What the server is told.
pub fn read(flags: ServeFlags) -> anyhow::Result<Config> {
    let data = data_dir(flags.data)?;
    let file = read_file(&data.join(FILE_NAME))?;
    if let Some(url) = flags.database_url.or(file.database_url)
        && !url.starts_with("sqlite:")
    {
        bail!(
            "--database-url {url} is not supported yet: leave it out, and Tappet keeps its \
             SQLite database in the data directory"
        );
    }
    let listen = flags
        .listen
        .or(file.listen)
        .unwrap_or_else(|| ([127, 0, 0, 1], 8080).into());
    let mut config = Config::new(listen, data);
    if let Some(url) = flags.external_url.or(file.external_url) {
        config.external_url = Some(external_url(&url)?);
    }
    config.slots = flags.slots.or(file.slots).unwrap_or_else(processors);
    if let Some(text) = flags.drain.or(file.drain) {
        config.drain = duration(&text)?;
    }
    if let Some(allowed) = flags.allow_local_requests.or(file.allow_local_requests) {
        config.allow_local_requests = allowed;
    }
    if let Some(word) = flags.missed_schedules.or(file.missed_schedules) {
        config.missed_schedules = missed_schedules(&word)?;
    }
    if let Some(word) = flags.api_runs.or(file.api_runs) {
        config.fills_api_runs = fills_api_runs(&word)?;
    }
    config.keep = Keep {
        runs: life("keep-runs", flags.keep_runs.or(file.keep_runs))?,
        logs: life("keep-logs", flags.keep_logs.or(file.keep_logs))?,
        audit: life("keep-audit", flags.keep_audit.or(file.keep_audit))?,
        cache: match flags.keep_cache.or(file.keep_cache) {
            None => config.keep.cache,
            said => life("keep-cache", said)?,
        },
        events: match flags.keep_events.or(file.keep_events) {
            None => config.keep.events,
            said => life("keep-events", said)?,
        },
    };
    config.root_token = root_token()?;
    config.metrics_token = file.metrics_token;
    config.trusted_proxies = file.trusted_proxies.unwrap_or_default();
    config.limits = file.limits.unwrap_or_default();
    Ok(config)
}

fn read_file(path: &Path) -> anyhow::Result<File> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(File::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The data directory that was given, or the usual one.
pub fn data_dir(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(dir) = given {
        return Ok(dir);
    }
    let base = std::env::var_os("XDG_DATA_HOME")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")));
    let base = base.context("cannot tell your home directory: name a directory with --data")?;
    Ok(base.join("tappet"))
}

fn external_url(text: &str) -> anyhow::Result<url::Url> {
    let url: url::Url = text
        .parse()
        .with_context(|| format!("--external-url {text} is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        bail!("--external-url {text} must be an http or https address without a query");
    }
    Ok(url)
}

fn missed_schedules(word: &str) -> anyhow::Result<MissedSlots> {
    match word {
        "run" => Ok(MissedSlots::RunOnce),
        "skip" => Ok(MissedSlots::Skip),
        _ => bail!("--missed-schedules {word} is neither `run` nor `skip`"),
    }
}

fn fills_api_runs(word: &str) -> anyhow::Result<bool> {
    match word {
        "filled" => Ok(true),
        "bare" => Ok(false),
        _ => bail!("--api-runs {word} is neither `filled` nor `bare`"),
    }
}

fn root_token() -> anyhow::Result<Option<String>> {
    match std::env::var("TAPPET_ROOT_TOKEN") {
        Ok(token) if token.len() >= 8 => Ok(Some(token)),
        Ok(token) if token.is_empty() => Ok(None),
        Ok(_) => bail!("TAPPET_ROOT_TOKEN is shorter than 8 characters: choose a longer one"),
        Err(_) => Ok(None),
    }
}

fn processors() -> u32 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|count| u32::try_from(count.get()).ok())
        .unwrap_or(1)
}

/// `90d`, `12w` or `2y`; `forever` for no end.
fn life(flag: &str, text: Option<String>) -> anyhow::Result<Option<Duration>> {
    let Some(text) = text.filter(|text| text != "forever") else {
        return Ok(None);
    };
    let wrong = || format!("--{flag} {text}: write for example 90d, 12w, 2y or forever");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let days = match &text[digits.len()..] {
        "d" => 1,
        "w" => 7,
        "y" => 365,
        _ => bail!("{}", wrong()),
    };
    let count: u64 = digits.parse().with_context(wrong)?;
    if count == 0 {
        bail!("--{flag} {text}: at least one day has to stay");
    }
    Ok(Some(Duration::from_secs(
        count.saturating_mul(days * 24 * 3600),
    )))
}

/// `30`, `30s`, `5m` or `1h`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => bail!("`{text}` is not a time: write for example 30s, 5m or 1h"),
    };
    let count: u64 = digits
        .trim()
        .parse()
        .with_context(|| format!("`{text}` is not a time: write for example 30s, 5m or 1h"))?;
    Ok(Duration::from_secs(count.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(dir: &Path) -> ServeFlags {
        ServeFlags {
            data: Some(dir.to_owned()),
            ..ServeFlags::default()
        }
    }

    #[test]
    fn flags_win_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = "listen = \"127.0.0.1:9\"\nslots = 7\ndrain = \"2m\"\n";
        std::fs::write(dir.path().join(FILE_NAME), file).unwrap();
        let config = read(ServeFlags {
            slots: Some(3),
            ..flags(dir.path())
        })
        .unwrap();
        assert_eq!(config.listen.port(), 9);
        assert_eq!(config.slots, 3);
        assert_eq!(config.drain, Duration::from_secs(120));
    }

    #[test]
    fn api_runs_know_their_branch_unless_told_otherwise() {
        assert!(fills_api_runs("filled").unwrap());
        assert!(!fills_api_runs("bare").unwrap());
        let error = fills_api_runs("half").unwrap_err().to_string();
        assert!(error.contains("--api-runs half"), "{error}");
    }

    #[test]
    fn missed_schedules_run_once_or_are_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let file = "missed_schedules = \"skip\"\n";
        std::fs::write(dir.path().join(FILE_NAME), file).unwrap();
        let config = read(flags(dir.path())).unwrap();
        assert_eq!(config.missed_schedules, MissedSlots::Skip);
        let wrong = ServeFlags {
            missed_schedules: Some("maybe".to_owned()),
            ..flags(dir.path())
        };
        let error = read(wrong).unwrap_err().to_string();
        assert!(error.contains("maybe") && error.contains("skip"), "{error}");
    }

    #[test]
    fn events_stay_for_a_day_unless_said() {
        let kept = |file: &str| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(FILE_NAME), file).unwrap();
            let keep = read(flags(dir.path())).unwrap().keep;
            keep.events.map(|life| life.as_secs() / 86_400)
        };
        assert_eq!(kept(""), Some(1));
        assert_eq!(kept("keep_events = \"2w\"\n"), Some(14));
        assert_eq!(kept("keep_events = \"forever\"\n"), None);
    }

    #[test]
    fn cached_files_stay_for_two_weeks_unless_said() {
        let kept = |file: &str| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(FILE_NAME), file).unwrap();
            let keep = read(flags(dir.path())).unwrap().keep;
            keep.cache.map(|life| life.as_secs() / 86_400)
        };
        assert_eq!(kept(""), Some(14));
        assert_eq!(kept("keep_cache = \"1d\"\n"), Some(1));
        assert_eq!(kept("keep_cache = \"forever\"\n"), None);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE_NAME), "slotz = 7\n").unwrap();
        let error = format!("{:#}", read(flags(dir.path())).unwrap_err());
        assert!(
            error.contains("slotz") && error.contains("tappet.toml"),
            "{error}"
        );
    }

    #[test]
    fn another_database_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let url = Some("postgres://x/y".to_owned());
        let error = read(ServeFlags {
            database_url: url,
            ..flags(dir.path())
        })
        .unwrap_err();
        assert!(error.to_string().contains("postgres://x/y"));
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("30").unwrap(), Duration::from_secs(30));
        assert_eq!(duration("1h").unwrap(), Duration::from_secs(3600));
        assert!(duration("soon").is_err());
        assert!(duration("3d").is_err());
    }

    #[test]
    fn lives_are_days_weeks_or_years() {
        let days = |text: &str| {
            let life = life("keep-runs", Some(text.to_owned())).unwrap();
            life.map(|life| life.as_secs() / 86_400)
        };
        assert_eq!(days("90d"), Some(90));
        assert_eq!(days("12w"), Some(84));
        assert_eq!(days("2y"), Some(730));
        assert_eq!(days("forever"), None);
        for wrong in ["90", "0d", "soon", "-1d", "3h"] {
            let error = life("keep-runs", Some(wrong.to_owned())).unwrap_err();
            assert!(error.to_string().starts_with("--keep-runs"), "{error}");
        }
    }
}
