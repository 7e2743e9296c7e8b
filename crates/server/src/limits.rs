//! How much of everything there may be, as settings; the defaults are GitLab's
//! (`doc/administration/instance_limits.md`).

use serde::Deserialize;

/// Limits of one server; 0 means no limit where the field says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Trigger tokens of one project.
    pub triggers_per_project: u64,
    /// Schedules of one project.
    pub schedules_per_project: u64,
    /// CI configs of one project.
    pub ci_configs_per_project: u64,
    /// Seconds that runs of pull requests wait for pairs of tables.
    pub diffs_wait_s: u32,
    /// Statuses that foreign systems set on one run.
    pub statuses_per_run: u64,
    /// Webhooks of one project.
    pub hooks_per_project: u64,
    /// Runs that one user may start for one project and commit in a minute; 0: any
    /// number, as on a GitLab of one's own.
    pub runs_per_minute: u32,
    /// Runs that one user may start in a minute, wherever; 0: any number.
    pub runs_per_user_per_minute: u32,
    /// Calls of one credential, or of one address without, in a minute, and calls of
    /// one address whose credential was refused; 0: any number.
    pub calls_per_minute: u32,
    /// Times that one address may fail to sign in to the pages in a minute; 0: any number.
    pub failed_sign_ins_per_minute: u32,
    /// Runs started from one another with job tokens, one below the other.
    pub downstream_depth: u32,
    /// Bytes of a dotenv report.
    pub dotenv_bytes: u64,
    /// Variables of a dotenv report.
    pub dotenv_variables: u64,
    /// Failures in a row after which a webhook rests.
    pub hook_rest_failures: u32,
    /// Failures in a row after which a webhook is disabled.
    pub hook_end_failures: u32,
    /// Bytes of a webhook's body.
    pub hook_body_bytes: u64,
    /// Bytes of a file that a client keeps in the cache.
    pub cache_entry_bytes: u64,
    /// Bytes of a manifest of dbt that is looked at.
    pub dbt_manifest_bytes: u64,
    /// Bytes of an uploaded archive of dbt.
    pub dbt_archive_bytes: u64,
    /// Files and folders in it.
    pub dbt_archive_entries: u64,
    /// Bytes of all files in it, unpacked.
    pub dbt_unpacked_bytes: u64,
    /// Uploads of each kind that a CI config keeps, the newest ones.
    pub dbt_uploads_per_config: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            triggers_per_project: 25_000,
            schedules_per_project: 10,
            ci_configs_per_project: 100,
            diffs_wait_s: 60 * 60,
            statuses_per_run: 1_000,
            hooks_per_project: 100,
            runs_per_minute: 0,
            runs_per_user_per_minute: 0,
            calls_per_minute: 0,
            failed_sign_ins_per_minute: 10,
            downstream_depth: 10,
            dotenv_bytes: 5 * 1024,
            dotenv_variables: 20,
            hook_rest_failures: 4,
            hook_end_failures: 40,
            hook_body_bytes: 25 * 1024 * 1024,
            cache_entry_bytes: 1024 * 1024 * 1024,
            dbt_manifest_bytes: 64 * 1024 * 1024,
            dbt_archive_bytes: 256 * 1024 * 1024,
            dbt_archive_entries: 10_000,
            dbt_unpacked_bytes: 2 * 1024 * 1024 * 1024,
            dbt_uploads_per_config: 100,
        }
    }
}
