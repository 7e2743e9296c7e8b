//! Passwords of people: argon2id, a few at a time, off the async threads; and the
//! brake on those who guess (GitLab: ten failures, then ten minutes' rest).
//!
//! A wrong password, an unknown person and one without a password cost the same
//! time, so that nobody learns who exists.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tappet_model::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

/// GitLab's shortest password, in characters.
const SHORTEST: usize = 8;
/// GitLab's longest password, in characters.
const LONGEST: usize = 128;

/// Hashes computed at the same time; each takes 19 MiB.
const TURNS: usize = 2;
/// Failures after which a name has to rest.
const MOST_FAILURES: u32 = 10;
/// How long it rests, and how long a failure counts.
pub const REST: Duration = Duration::from_secs(600);
/// Names remembered at the same time; beyond it the old ones go first.
const MOST_NAMES: usize = 10_000;

/// What an unknown person's password is compared with.
static NOBODYS: LazyLock<String> = LazyLock::new(|| compute(&crate::secrets::new_token("")));

/// Why a password cannot be used, in GitLab's words.
pub fn check(password: &str) -> Result<(), &'static str> {
    match password.chars().count() {
        0 => Err("can't be blank"),
        count if count < SHORTEST => Err("is too short (minimum is 8 characters)"),
        count if count > LONGEST => Err("is too long (maximum is 128 characters)"),
        _ => Ok(()),
    }
}

/// Hashing and checking of passwords on one server.
pub struct Passwords {
    turns: Semaphore,
    failures: Mutex<HashMap<String, Failures>>,
}

/// Failed attempts to sign in as somebody.
#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    latest: Timestamp,
}

/// What became of an attempt to sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The password is theirs.
    Right,
    /// It is not, or there is nobody, or they have none.
    Wrong,
    /// This name failed too often; nothing was compared.
    Resting,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(TURNS),
            failures: Mutex::default(),
        }
    }
}

impl Passwords {
    /// The PHC string of a password.
    pub async fn hash(&self, password: String) -> String {
        let _turn = self.turn().await;
        aside(move || compute(&password)).await
    }

    /// Compares what somebody typed with what is stored for `login`.
    pub async fn verify(
        &self,
        login: &str,
        typed: String,
        stored: Option<String>,
        now: Timestamp,
    ) -> Verdict {
        let name = login.to_lowercase();
        let _turn = self.turn().await;
        // Only now: many attempts may have waited for the same turn.
        if self.is_resting(&name, now) {
            return Verdict::Resting;
        }
        let is_right = aside(move || {
            let known = stored.as_deref().unwrap_or(&NOBODYS);
            let matches = matches(&typed, known);
            matches && stored.is_some()
        })
        .await;
        self.note(name, is_right, now);
        if is_right {
            Verdict::Right
        } else {
            Verdict::Wrong
        }
    }

    async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = self.turns.acquire().await;
        turn.expect("the semaphore is never closed")
    }

    fn is_resting(&self, name: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(name).is_some_and(|failures| {
            failures.count >= MOST_FAILURES && now.since(failures.latest) < REST
        })
    }

    fn note(&self, name: String, is_right: bool, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if is_right {
            failures.remove(&name);
            return;
        }
        if failures.len() >= MOST_NAMES {
            failures.retain(|_, failures| now.since(failures.latest) < REST);
        }
        if failures.len() >= MOST_NAMES {
            failures.clear();
        }
        let entry = failures.entry(name).or_insert(Failures {
            count: 0,
            latest: now,
        });
        if now.since(entry.latest) >= REST {
            entry.count = 0;
        }
        entry.count += 1;
        entry.latest = now;
    }
}

/// Off the async threads.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .expect("hashing a password does not panic")
}

fn compute(password: &str) -> String {
    Argon2::default()
        .hash_password(password.as_bytes())
        .expect("argon2's defaults and a fresh salt are always accepted")
        .to_string()
}

fn matches(typed: &str, stored: &str) -> bool {
    Argon2::default()
        .verify_password(typed.as_bytes(), stored)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Err("can't be blank"))]
    #[case("1234567", Err("is too short (minimum is 8 characters)"))]
    #[case("12345678", Ok(()))]
    #[case("äöüäöüäö", Ok(()))]
    #[case(&"x".repeat(128), Ok(()))]
    #[case(&"x".repeat(129), Err("is too long (maximum is 128 characters)"))]
    fn a_password_has_eight_to_128_characters(
        #[case] password: &str,
        #[case] expected: Result<(), &'static str>,
    ) {
        assert_eq!(check(password), expected);
    }

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    #[tokio::test]
    async fn only_the_right_password_is_right_and_nobody_has_one() {
        let passwords = Passwords::default();
        let stored = passwords.hash("correct horse".into()).await;
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        for (typed, stored, expected) in [
            ("correct horse", Some(stored.clone()), Verdict::Right),
            ("wrong horse", Some(stored), Verdict::Wrong),
            ("correct horse", None, Verdict::Wrong),
        ] {
            let verdict = passwords.verify("ada", typed.into(), stored, NOW).await;
            assert_eq!(verdict, expected);
        }
    }

    #[tokio::test]
    async fn guesses_at_the_same_time_count_too() {
        let passwords = Passwords::default();
        let stored = passwords.hash("correct horse".into()).await;
        let guess = |nth: u32| {
            let (passwords, stored) = (&passwords, Some(stored.clone()));
            async move { passwords.verify("ada", nth.to_string(), stored, NOW).await }
        };
        let verdicts = futures_util::future::join_all((0..20).map(guess)).await;
        let compared = verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Wrong);
        // Those whose turn it is when the tenth fails were let in before.
        let most = usize::try_from(MOST_FAILURES).unwrap() + TURNS - 1;
        assert!(compared.count() <= most, "{verdicts:?}");
    }

    #[tokio::test]
    async fn who_fails_ten_times_rests_for_ten_minutes() {
        let passwords = Passwords::default();
        let stored = passwords.hash("correct horse".into()).await;
        for _ in 0..MOST_FAILURES {
            passwords.note("ada".into(), false, NOW);
        }
        let attempt = async |now| {
            let stored = Some(stored.clone());
            passwords
                .verify("Ada", "correct horse".into(), stored, now)
                .await
        };
        assert_eq!(attempt(NOW).await, Verdict::Resting);
        assert_eq!(attempt(NOW.plus(REST)).await, Verdict::Right);
    }
}
