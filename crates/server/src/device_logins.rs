//! Signing in from a terminal: a program asks for an address, somebody who is signed
//! in opens it and agrees, and the program gets an access token of theirs.
//!
//! A login lives for minutes, and the program that waits for it holds a connection,
//! so it is kept in memory alone: after a restart the program begins anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tappet_model::UserId;
use tappet_store::{NewAccessToken, StoreResult, User};
use tokio::sync::watch;

use crate::app::App;
use crate::audit::Entry;
use crate::clock;
use crate::secrets::{hash, new_token};

/// How long there is for an answer.
pub const LIFE: Duration = Duration::from_secs(15 * 60);
/// Logins that wait at once: asking for one takes no credential.
const MOST: usize = 1000;
/// What tokens are called that come of it.
const TOKEN_NAME: &str = "depot login";

/// Logins that wait for an answer or to be fetched.
pub struct DeviceLogins {
    life: Duration,
    waiting: Mutex<HashMap<String, Login>>,
}

impl Default for DeviceLogins {
    fn default() -> Self {
        Self {
            life: LIFE,
            waiting: Mutex::default(),
        }
    }
}

struct Login {
    begun: Instant,
    answer: watch::Sender<Option<Answer>>,
}

/// What somebody said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The program may act for this person.
    Approve(UserId),
    /// It may not.
    Deny,
}

/// How waiting for an answer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Somebody answered.
    Answered(Answer),
    /// Nobody did in time.
    Expired,
}

impl DeviceLogins {
    /// A new login; `None` while too many wait.
    pub fn begin(&self, now: Instant) -> Option<String> {
        let mut logins = self.lock();
        logins.retain(|_, login| self.is_live(login, now));
        if logins.len() >= MOST {
            return None;
        }
        let id = new_token("");
        let (answer, _) = watch::channel(None);
        logins.insert(id.clone(), Login { begun: now, answer });
        Some(id)
    }

    /// Whether a login waits for an answer.
    pub fn is_open(&self, id: &str, now: Instant) -> bool {
        let logins = self.lock();
        let login = logins.get(id).filter(|login| self.is_live(login, now));
        login.is_some_and(|login| login.answer.borrow().is_none())
    }

    /// Answers a login; `false` when it has an answer already, or there is none.
    pub fn answer(&self, id: &str, answer: Answer, now: Instant) -> bool {
        let logins = self.lock();
        let Some(login) = logins.get(id).filter(|login| self.is_live(login, now)) else {
            return false;
        };
        login.answer.send_if_modified(|own| {
            let is_first = own.is_none();
            if is_first {
                *own = Some(answer);
            }
            is_first
        })
    }

    /// Waits for the answer to a login, which is over then: only one gets it.
    /// `None`: there is no such login.
    pub async fn outcome(&self, id: &str, now: Instant) -> Option<Outcome> {
        let (mut answers, until) = {
            let logins = self.lock();
            let login = logins.get(id).filter(|login| self.is_live(login, now))?;
            (login.answer.subscribe(), login.begun + self.life)
        };
        let waiting = answers.wait_for(Option::is_some);
        let answered = tokio::time::timeout_at(until.into(), waiting).await;
        let answer = match answered {
            Ok(Ok(answer)) => *answer,
            Ok(Err(_)) | Err(_) => None,
        };
        let mut logins = self.lock();
        let was_there = logins.remove(id).is_some();
        match answer {
            Some(answer) if was_there => Some(Outcome::Answered(answer)),
            Some(_) => None,
            None => Some(Outcome::Expired),
        }
    }

    fn is_live(&self, login: &Login, now: Instant) -> bool {
        now.saturating_duration_since(login.begun) < self.life
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Login>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// A new access token for a program that somebody let in.
    ///
    /// # Errors
    /// The database.
    pub async fn token_for_login(&self, user: &User) -> StoreResult<String> {
        let plain = new_token("glpat-");
        let new = NewAccessToken {
            user_id: user.id,
            name: TOKEN_NAME.to_owned(),
            description: String::new(),
            scopes: vec!["api".to_owned()],
            hash: hash(&plain),
            expires_at: None,
            now: clock::now(),
        };
        let token = self.store.create_access_token(new).await?;
        let details = json!({
            "token_id": token.id,
            "name": token.name,
            "user_id": token.user_id,
            "scopes": token.scopes,
        });
        self.audit(Entry::new("access_token_created", Some(user.id)).details(details))
            .await;
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPROVE: Answer = Answer::Approve(UserId(7));

    #[tokio::test]
    async fn the_first_answer_counts_and_is_given_once() {
        let logins = DeviceLogins::default();
        let now = Instant::now();
        let id = logins.begin(now).unwrap();
        assert!(logins.is_open(&id, now));
        assert!(logins.answer(&id, APPROVE, now));
        assert!(!logins.answer(&id, Answer::Deny, now));
        assert!(!logins.is_open(&id, now));
        let outcome = logins.outcome(&id, now).await;
        assert_eq!(outcome, Some(Outcome::Answered(APPROVE)));
        assert_eq!(logins.outcome(&id, now).await, None);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_the_answer() {
        let logins = DeviceLogins::default();
        let now = Instant::now();
        let id = logins.begin(now).unwrap();
        let answer = async { logins.answer(&id, Answer::Deny, now) };
        let (outcome, answered) = tokio::join!(logins.outcome(&id, now), answer);
        assert!(answered);
        assert_eq!(outcome, Some(Outcome::Answered(Answer::Deny)));
    }

    #[tokio::test]
    async fn who_waits_is_told_that_nobody_answered() {
        let logins = DeviceLogins {
            life: Duration::from_millis(1),
            ..DeviceLogins::default()
        };
        let begun = Instant::now();
        let id = logins.begin(begun).unwrap();
        assert_eq!(logins.outcome(&id, begun).await, Some(Outcome::Expired));
    }

    #[tokio::test]
    async fn a_login_that_nobody_answers_expires() {
        let logins = DeviceLogins::default();
        let begun = Instant::now();
        let late = begun + LIFE;
        let id = logins.begin(begun).unwrap();
        assert!(!logins.is_open(&id, late));
        assert!(!logins.answer(&id, APPROVE, late));
        assert_eq!(logins.outcome(&id, late).await, None);
    }

    #[test]
    fn too_many_at_once_are_refused_until_some_expire() {
        let logins = DeviceLogins::default();
        let now = Instant::now();
        for _ in 0..MOST {
            logins.begin(now).unwrap();
        }
        assert_eq!(logins.begin(now), None);
        assert!(logins.begin(now + LIFE).is_some());
    }

    #[tokio::test]
    async fn an_unknown_login_is_none() {
        let logins = DeviceLogins::default();
        let now = Instant::now();
        assert!(!logins.is_open("x", now));
        assert!(!logins.answer("x", APPROVE, now));
        assert_eq!(logins.outcome("x", now).await, None);
    }
}
