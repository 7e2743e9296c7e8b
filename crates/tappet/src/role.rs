//! Roles by name (GitLab: `lib/gitlab/access.rb`).

use clap::ValueEnum;

/// What somebody may be in a project, and who may do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Role {
    /// Nobody at all; only for what is protected.
    #[value(name = "no-one")]
    NoOne,
    /// Sees little.
    Guest,
    /// Sees everything.
    Reporter,
    /// Starts and steers runs.
    Developer,
    /// Manages settings.
    Maintainer,
    /// May do everything.
    Owner,
    /// Administrators of the server; only for what is protected.
    Admin,
}

impl Role {
    /// GitLab's number.
    pub fn level(self) -> i64 {
        match self {
            Self::NoOne => 0,
            Self::Guest => 10,
            Self::Reporter => 20,
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
            Self::Admin => 60,
        }
    }

    /// The name of a number.
    pub fn name(level: i64) -> Option<String> {
        let role = Self::value_variants()
            .iter()
            .find(|role| role.level() == level)?;
        let value = role.to_possible_value()?;
        Some(value.get_name().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_name_that_the_flags_take() {
        assert_eq!(Role::name(0).as_deref(), Some("no-one"));
        assert_eq!(Role::name(40).as_deref(), Some("maintainer"));
        assert_eq!(Role::name(35), None);
    }
}
