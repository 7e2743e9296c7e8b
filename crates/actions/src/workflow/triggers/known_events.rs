//! The events of GitHub, with their activity types and filters.
//!
//! GitHub: `workflow-v1.0.json`, `on-mapping-strict`. Most of them never happen
//! at Tappet; a workflow that waits for one is valid all the same.

/// An event that `on` may name.
#[derive(Debug)]
pub(crate) struct KnownEvent {
    pub(crate) name: &'static str,
    /// What its `types` may list; none: it has no `types`.
    pub(crate) types: Option<&'static [&'static str]>,
    /// Those that count when `types` is not given; empty: all.
    pub(crate) default_types: &'static [&'static str],
    /// Its other keys.
    pub(crate) filters: &'static [&'static str],
}

const fn simple(name: &'static str) -> KnownEvent {
    KnownEvent {
        name,
        types: None,
        default_types: &[],
        filters: &[],
    }
}

const fn typed(name: &'static str, types: &'static [&'static str]) -> KnownEvent {
    KnownEvent {
        name,
        types: Some(types),
        default_types: &[],
        filters: &[],
    }
}

const BRANCHES: &[&str] = &["branches", "branches-ignore"];

const BRANCHES_AND_PATHS: &[&str] = &["branches", "branches-ignore", "paths", "paths-ignore"];

const PULL_REQUEST_TYPES: &[&str] = &[
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "opened",
    "edited",
    "closed",
    "reopened",
    "synchronize",
    "converted_to_draft",
    "locked",
    "unlocked",
    "enqueued",
    "dequeued",
    "milestoned",
    "demilestoned",
    "ready_for_review",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "stacked",
];

const PULL_REQUEST_DEFAULTS: &[&str] = &["opened", "synchronize", "reopened"];

const CHANGES: &[&str] = &["created", "edited", "deleted"];

/// The event of this name.
pub(crate) fn known_event(name: &str) -> Option<&'static KnownEvent> {
    EVENTS.iter().find(|event| event.name == name)
}

static EVENTS: &[KnownEvent] = &[
    KnownEvent {
        name: "push",
        types: None,
        default_types: &[],
        filters: &[
            "branches",
            "branches-ignore",
            "tags",
            "tags-ignore",
            "paths",
            "paths-ignore",
        ],
    },
    KnownEvent {
        name: "pull_request",
        types: Some(PULL_REQUEST_TYPES),
        default_types: PULL_REQUEST_DEFAULTS,
        filters: BRANCHES_AND_PATHS,
    },
    KnownEvent {
        name: "pull_request_target",
        types: Some(PULL_REQUEST_TYPES),
        default_types: PULL_REQUEST_DEFAULTS,
        filters: BRANCHES_AND_PATHS,
    },
    simple("schedule"),
    simple("workflow_dispatch"),
    simple("workflow_call"),
    KnownEvent {
        name: "workflow_run",
        types: Some(&["requested", "completed", "in_progress"]),
        default_types: &[],
        filters: &["workflows", "branches", "branches-ignore"],
    },
    KnownEvent {
        name: "merge_group",
        types: Some(&["checks_requested"]),
        default_types: &[],
        filters: BRANCHES,
    },
    typed("branch_protection_rule", CHANGES),
    typed(
        "check_run",
        &["completed", "created", "rerequested", "requested_action"],
    ),
    typed("check_suite", &["completed"]),
    simple("create"),
    simple("delete"),
    simple("deployment"),
    simple("deployment_status"),
    typed(
        "discussion",
        &[
            "created",
            "edited",
            "deleted",
            "transferred",
            "pinned",
            "unpinned",
            "labeled",
            "unlabeled",
            "locked",
            "unlocked",
            "category_changed",
            "answered",
            "unanswered",
        ],
    ),
    typed("discussion_comment", CHANGES),
    simple("fork"),
    simple("gollum"),
    KnownEvent {
        name: "image_version",
        types: Some(&["created", "ready", "deleted"]),
        default_types: &[],
        filters: &["names", "versions"],
    },
    typed("issue_comment", CHANGES),
    typed(
        "issues",
        &[
            "opened",
            "edited",
            "deleted",
            "transferred",
            "pinned",
            "unpinned",
            "closed",
            "reopened",
            "assigned",
            "unassigned",
            "labeled",
            "unlabeled",
            "locked",
            "unlocked",
            "milestoned",
            "demilestoned",
            "field_added",
            "field_removed",
            "typed",
            "untyped",
        ],
    ),
    typed("label", CHANGES),
    typed(
        "milestone",
        &["created", "closed", "opened", "edited", "deleted"],
    ),
    simple("page_build"),
    typed(
        "project",
        &["created", "closed", "reopened", "edited", "deleted"],
    ),
    typed(
        "project_card",
        &["created", "moved", "converted", "edited", "deleted"],
    ),
    typed(
        "project_column",
        &["created", "updated", "moved", "deleted"],
    ),
    simple("public"),
    typed("pull_request_comment", CHANGES),
    typed("pull_request_review", &["submitted", "edited", "dismissed"]),
    typed("pull_request_review_comment", CHANGES),
    typed("registry_package", &["published", "updated"]),
    typed(
        "release",
        &[
            "published",
            "unpublished",
            "created",
            "edited",
            "deleted",
            "prereleased",
            "released",
        ],
    ),
    KnownEvent {
        name: "repository_dispatch",
        types: Some(&[]),
        default_types: &[],
        filters: &[],
    },
    simple("status"),
    typed("watch", &["started"]),
];
