//! The environment that a job works on: what it is called decides which variables
//! of the settings the job gets.

use serde::{Deserialize, Serialize};

/// The longest name of an environment, in characters.
const MAX_NAME: usize = 255;

/// `environment:` of a job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Environment {
    /// `production`, `review/login`. In a plan variables in it are expanded.
    pub name: String,
    /// Where it can be visited, as written; expanded together with the job's
    /// variables.
    #[serde(default)]
    pub url: Option<String>,
    /// What the job does with it.
    #[serde(default)]
    pub action: EnvironmentAction,
    /// The tier as written; [`Environment::tier`] guesses otherwise.
    #[serde(default)]
    pub written_tier: Option<DeploymentTier>,
}

impl Environment {
    /// How close to users it is: as written, or as its name suggests.
    pub fn tier(&self) -> DeploymentTier {
        self.written_tier
            .unwrap_or_else(|| DeploymentTier::guess(&self.name))
    }

    /// Whether an environment can be called so (GitLab: `app/models/environment.rb`).
    pub fn is_valid_name(name: &str) -> bool {
        name.chars().count() <= MAX_NAME && has_name_characters(name) && !name.trim().is_empty()
    }
}

/// GitLab: `Gitlab::Regex.environment_name_regex`.
pub fn has_name_characters(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_/${}. -".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_allowed)
        && !name.starts_with('/')
        && !name.ends_with('/')
}

/// What a job does with its environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentAction {
    /// Deploys to it.
    #[default]
    Start,
    /// Takes it away.
    Stop,
    /// Makes it ready.
    Prepare,
    /// Looks whether it works.
    Verify,
    /// Uses it.
    Access,
}

impl EnvironmentAction {
    /// All actions, in GitLab's order.
    pub const ALL: [Self; 5] = [
        Self::Start,
        Self::Stop,
        Self::Prepare,
        Self::Verify,
        Self::Access,
    ];

    /// The keyword in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Prepare => "prepare",
            Self::Verify => "verify",
            Self::Access => "access",
        }
    }
}

/// How close to users an environment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentTier {
    /// For users.
    Production,
    /// The rehearsal.
    Staging,
    /// For testers.
    Testing,
    /// For authors.
    Development,
    /// Nothing of these.
    Other,
}

/// Words in names that suggest a tier; the first tier that fits is taken.
const SUGGESTIONS: [(DeploymentTier, &[&str]); 4] = [
    (DeploymentTier::Development, &["dev", "review", "trunk"]),
    (
        DeploymentTier::Testing,
        &[
            "test", "tst", "int", "accept", "acpt", "qa", "qc", "control", "quality",
        ],
    ),
    (
        DeploymentTier::Staging,
        &["stag", "stg", "model", "modl", "pre", "demo", "non"],
    ),
    (DeploymentTier::Production, &["prod", "prd", "live"]),
];

impl DeploymentTier {
    /// All tiers, in GitLab's order.
    pub const ALL: [Self; 5] = [
        Self::Production,
        Self::Staging,
        Self::Testing,
        Self::Development,
        Self::Other,
    ];

    /// The keyword in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Testing => "testing",
            Self::Development => "development",
            Self::Other => "other",
        }
    }

    /// What a name suggests (GitLab: `Environment#guess_tier`).
    pub fn guess(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        SUGGESTIONS
            .into_iter()
            .find(|(_, words)| words.iter().any(|word| name.contains(word)))
            .map_or(Self::Other, |(tier, _)| tier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_suggests_a_tier() {
        for (name, tier) in [
            ("production", DeploymentTier::Production),
            ("PRD-eu", DeploymentTier::Production),
            ("live", DeploymentTier::Production),
            ("staging", DeploymentTier::Staging),
            ("pre-prod", DeploymentTier::Staging),
            ("demo", DeploymentTier::Staging),
            ("qa", DeploymentTier::Testing),
            ("acceptance", DeploymentTier::Testing),
            ("integration", DeploymentTier::Testing),
            ("review/login", DeploymentTier::Development),
            ("trunk/prod", DeploymentTier::Development),
            ("gprd", DeploymentTier::Production),
            ("canary", DeploymentTier::Other),
        ] {
            assert_eq!(DeploymentTier::guess(name), tier, "{name}");
        }
    }

    #[test]
    fn a_written_tier_counts_more_than_the_name() {
        let environment = Environment {
            name: "production".into(),
            url: None,
            action: EnvironmentAction::Start,
            written_tier: Some(DeploymentTier::Other),
        };
        assert_eq!(environment.tier(), DeploymentTier::Other);
    }

    #[test]
    fn names_hold_few_characters_and_no_slash_at_the_ends() {
        for good in ["production", "review/a.b c", "$X", "${X}-1", "a"] {
            assert!(Environment::is_valid_name(good), "{good}");
        }
        let long = "a".repeat(256);
        for bad in ["", " ", "/a", "a/", "a:b", "ä", "a\nb", &long] {
            assert!(!Environment::is_valid_name(bad), "{bad}");
        }
    }
}
