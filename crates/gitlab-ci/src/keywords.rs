//! Which keys GitLab knows at each place, and which of them this version
//! understands (GitLab 18.9: `lib/gitlab/ci/config/entry/**`).

/// The keys of one place.
pub(crate) struct Keys {
    /// Understood.
    pub(crate) now: &'static [&'static str],
    /// GitLab's, refused until a later version.
    pub(crate) later: &'static [&'static str],
}

/// Root keys that are refused. The understood ones are those that
/// [`draft`](crate::draft) reads.
pub(crate) const ROOT_LATER: &[&str] = &["include", "image", "services", "cache", "spec"];

/// A job.
pub(crate) const JOB: Keys = Keys {
    now: &[
        "extends",
        "stage",
        "only",
        "except",
        "rules",
        "variables",
        "inherit",
        "allow_failure",
        "when",
        "start_in",
        "needs",
        "tags",
        "script",
        "artifacts",
        "dependencies",
        "before_script",
        "after_script",
        "retry",
        "timeout",
        "environment",
        "coverage",
    ],
    later: &[
        "resource_group",
        "interruptible",
        "image",
        "services",
        "cache",
        "hooks",
        "parallel",
        "inputs",
        "release",
        "id_tokens",
        "publish",
        "pages",
        "manual_confirmation",
        "run",
        "trigger",
        "dast_configuration",
        "identity",
        "secrets",
    ],
};

/// `default:`.
pub(crate) const DEFAULT: Keys = Keys {
    now: &[
        "before_script",
        "after_script",
        "artifacts",
        "tags",
        "retry",
        "timeout",
    ],
    later: &[
        "hooks",
        "cache",
        "image",
        "services",
        "interruptible",
        "id_tokens",
        "identity",
    ],
};

/// `workflow:`.
pub(crate) const WORKFLOW: Keys = Keys {
    now: &["rules", "name"],
    later: &["auto_cancel"],
};

/// One rule of a job.
pub(crate) const JOB_RULE: Keys = Keys {
    now: &[
        "if",
        "when",
        "start_in",
        "allow_failure",
        "variables",
        "needs",
        "changes",
        "exists",
    ],
    later: &["interruptible"],
};

/// One rule of `workflow:`; GitLab accepts `start_in`, `allow_failure` and
/// `needs` there without any effect.
pub(crate) const WORKFLOW_RULE: Keys = Keys {
    now: &[
        "if",
        "when",
        "start_in",
        "allow_failure",
        "variables",
        "needs",
        "changes",
        "exists",
    ],
    later: &["auto_cancel"],
};

/// `rules:changes:` as a map.
pub(crate) const CHANGES: Keys = Keys {
    now: &["paths", "compare_to"],
    later: &["regexp"],
};

/// `rules:exists:` as a map.
pub(crate) const EXISTS: Keys = Keys {
    now: &["paths"],
    later: &["project", "ref"],
};

/// `artifacts:`.
pub(crate) const ARTIFACTS: Keys = Keys {
    now: &[
        "name",
        "untracked",
        "paths",
        "reports",
        "when",
        "expire_in",
        "exclude",
    ],
    later: &["expose_as", "public", "access"],
};

/// `artifacts:reports:`.
pub(crate) const REPORTS: Keys = Keys {
    now: &["junit", "dotenv"],
    later: &[
        "codequality",
        "sast",
        "secret_detection",
        "dependency_scanning",
        "container_scanning",
        "cluster_image_scanning",
        "dast",
        "performance",
        "browser_performance",
        "load_performance",
        "license_scanning",
        "metrics",
        "lsif",
        "terraform",
        "accessibility",
        "coverage_fuzzing",
        "api_fuzzing",
        "requirements",
        "requirements_v2",
        "coverage_report",
        "cyclonedx",
        "annotations",
        "repository_xray",
    ],
};

/// `only:` and `except:` as a map.
pub(crate) const POLICY: Keys = Keys {
    now: &["refs", "variables", "changes"],
    later: &["kubernetes"],
};

/// One item of `needs:`.
pub(crate) const NEED: Keys = Keys {
    now: &["job", "artifacts", "optional"],
    later: &["parallel", "pipeline", "project", "ref"],
};

/// `environment:` as a map.
pub(crate) const ENVIRONMENT: Keys = Keys {
    now: &[
        "name",
        "url",
        "action",
        "on_stop",
        "auto_stop_in",
        "deployment_tier",
    ],
    later: &["kubernetes"],
};

/// `retry:` as a map.
pub(crate) const RETRY: Keys = Keys {
    now: &["max", "when", "exit_codes"],
    later: &[],
};

/// `allow_failure:` as a map.
pub(crate) const ALLOW_FAILURE: Keys = Keys {
    now: &["exit_codes"],
    later: &[],
};

/// `inherit:`.
pub(crate) const INHERIT: Keys = Keys {
    now: &["default", "variables"],
    later: &[],
};
