//! The verbs of the store on top of the subjects' files. Reads run where they
//! are called, because they take microseconds; writes wait for their commit.

use tappet_model::{AttemptId, ProjectId, RunId, RunnerId, Timestamp, TokenId, UserId};

use super::create_run::PreparedRun;
use super::idempotency::{self, Known};
use super::{
    SqliteStore, USED_EVERY, artifacts, assignment, attempts, events, projects, queue, run_list,
    runners, runs, sign_ins, transition, users,
};
use crate::{
    AccessToken, Action, Advance, Artifact, Assignment, Attempt, AttemptFilter, Claim, Creation,
    EventRecord, HeldAttempt, IdempotencyKey, Listing, NewArtifact, NewProject, NewRun,
    PageRequest, PendingAttempt, Project, RememberedRun, Run, RunFilter, RunNotes, Runner, Store,
    Target, TokenHash, User, Verb,
};

impl Store for SqliteStore {
    fn check(&self) -> Verb<'_, ()> {
        Box::pin(async move {
            self.writer.check()?;
            self.readers
                .read(|db| users::user(db, UserId(0)).map(|_| ()))
        })
    }

    fn reads(&self) -> usize {
        self.readers.count()
    }

    fn ensure_root(&self, token_hash: TokenHash, now: Timestamp) -> Verb<'_, User> {
        Box::pin(async move {
            let known = self
                .readers
                .read(|db| users::root_with_token(db, token_hash))?;
            match known {
                Some(user) => Ok(user),
                None => {
                    self.writer
                        .write(move |session| users::ensure_root(session, token_hash, now))
                        .await
                }
            }
        })
    }

    fn user_by_access_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Verb<'_, Option<(User, AccessToken)>> {
        Box::pin(async move { self.readers.read(|db| users::by_token(db, hash, now)) })
    }

    fn user(&self, id: UserId) -> Verb<'_, Option<User>> {
        Box::pin(async move { self.readers.look_up(|db| users::user(db, id)) })
    }

    fn touch_access_token(&self, id: TokenId, now: Timestamp) -> Verb<'_, ()> {
        Box::pin(async move {
            let last = self.readers.read(|db| users::last_used(db, id))?;
            if last.is_some_and(|last| last > now.minus(USED_EVERY)) {
                return Ok(());
            }
            self.writer
                .write(move |session| users::touch(session, id, now))
                .await
        })
    }

    fn create_sign_in(&self, hash: TokenHash, user: UserId, expires_at: Timestamp) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| sign_ins::add_sign_in(session, hash, user, expires_at)),
        )
    }

    fn redeem_sign_in(&self, hash: TokenHash, now: Timestamp) -> Verb<'_, Option<User>> {
        Box::pin(
            self.writer
                .write(move |session| sign_ins::redeem(session, hash, now)),
        )
    }

    fn create_session(&self, hash: TokenHash, user: UserId, expires_at: Timestamp) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| sign_ins::add_session(session, hash, user, expires_at)),
        )
    }

    fn user_by_session(&self, hash: TokenHash, now: Timestamp) -> Verb<'_, Option<User>> {
        Box::pin(async move {
            self.readers
                .read(|db| sign_ins::session_user(db, hash, now))
        })
    }

    fn end_session(&self, hash: TokenHash) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| sign_ins::end_session(session, hash)),
        )
    }

    fn create_project(&self, new: NewProject) -> Verb<'_, Project> {
        Box::pin(
            self.writer
                .write(move |session| projects::add(session, &new)),
        )
    }

    fn project(&self, id: ProjectId) -> Verb<'_, Option<Project>> {
        Box::pin(async move { self.readers.look_up(|db| projects::project(db, id)) })
    }

    fn project_by_path(&self, path: &str) -> Verb<'_, Option<Project>> {
        let path = path.to_owned();
        Box::pin(async move { self.readers.look_up(|db| projects::by_path(db, &path)) })
    }

    fn create_run(&self, new: NewRun) -> Verb<'_, Creation> {
        Box::pin(async move {
            let run = PreparedRun::of(new)?;
            self.writer.write(move |session| run.write(session)).await
        })
    }

    fn run_by_idempotency_key(
        &self,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Verb<'_, Option<RememberedRun>> {
        Box::pin(async move {
            self.readers
                .read(|db| match idempotency::look_up(db, &key, now)? {
                    Known::Run(known) => Ok(Some(RememberedRun {
                        fingerprint: known.fingerprint,
                        run: known.load(db)?,
                    })),
                    Known::Nothing | Known::Outdated(_) => Ok(None),
                })
        })
    }

    fn run(&self, id: RunId) -> Verb<'_, Option<Run>> {
        Box::pin(async move { self.readers.read(|db| runs::run(db, id)) })
    }

    fn runs(
        &self,
        project: ProjectId,
        filter: RunFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<Run>> {
        Box::pin(async move {
            self.readers
                .read(|db| run_list::list(db, project, &filter, page))
        })
    }

    fn run_variables(&self, id: RunId) -> Verb<'_, Option<Vec<u8>>> {
        Box::pin(async move { self.readers.read(|db| runs::variables(db, id)) })
    }

    fn run_notes(&self, id: RunId) -> Verb<'_, Option<RunNotes>> {
        Box::pin(async move { self.readers.read(|db| runs::notes(db, id)) })
    }

    fn attempt(&self, id: AttemptId) -> Verb<'_, Option<Attempt>> {
        Box::pin(async move { self.readers.read(|db| attempts::attempt(db, id)) })
    }

    fn attempts(
        &self,
        run: RunId,
        filter: AttemptFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<Attempt>> {
        Box::pin(async move {
            self.readers
                .read(|db| attempts::list(db, run, &filter, page))
        })
    }

    fn run_attempts(&self, run: RunId) -> Verb<'_, Vec<Attempt>> {
        Box::pin(async move { self.readers.read(|db| attempts::newest_of_run(db, run)) })
    }

    fn assignment(&self, id: AttemptId) -> Verb<'_, Option<Assignment>> {
        Box::pin(async move { self.readers.read(|db| assignment::assignment(db, id)) })
    }

    fn claim(&self, claim: Claim) -> Verb<'_, Option<Assignment>> {
        Box::pin(async move {
            // Waiting runners must not cost the writer anything.
            if !claim.is_expected
                && self
                    .readers
                    .read(|db| queue::next_for(db, &claim))?
                    .is_none()
            {
                return Ok(None);
            }
            let taken = self
                .writer
                .write(move |session| queue::claim(session, &claim))
                .await?;
            match taken {
                Some(id) => self.readers.read(|db| assignment::assignment(db, id)),
                None => Ok(None),
            }
        })
    }

    fn act(&self, target: Target, action: Action, now: Timestamp) -> Verb<'_, Advance> {
        Box::pin(async move {
            self.writer
                .write(move |session| transition::act(session, target, action, now))
                .await
        })
    }

    fn pending_attempts(&self) -> Verb<'_, Vec<PendingAttempt>> {
        Box::pin(async move { self.readers.read(queue::waiting) })
    }

    fn executing_attempts(&self) -> Verb<'_, Vec<HeldAttempt>> {
        Box::pin(async move { self.readers.read(queue::held) })
    }

    fn add_artifact(&self, new: NewArtifact) -> Verb<'_, Artifact> {
        Box::pin(
            self.writer
                .write(move |session| artifacts::add(session, &new)),
        )
    }

    fn artifacts(&self, attempt: AttemptId) -> Verb<'_, Vec<Artifact>> {
        Box::pin(async move { self.readers.read(|db| artifacts::of_attempt(db, attempt)) })
    }

    fn ensure_embedded_runner(&self, token_hash: TokenHash, now: Timestamp) -> Verb<'_, Runner> {
        Box::pin(async move {
            let known = self.readers.read(|db| runners::by_token(db, token_hash))?;
            match known {
                Some(runner) if runner.is_embedded => Ok(runner),
                _ => {
                    self.writer
                        .write(move |session| runners::ensure_embedded(session, token_hash, now))
                        .await
                }
            }
        })
    }

    fn runner_by_token(&self, hash: TokenHash) -> Verb<'_, Option<Runner>> {
        Box::pin(async move { self.readers.look_up(|db| runners::by_token(db, hash)) })
    }

    fn runner(&self, id: RunnerId) -> Verb<'_, Option<Runner>> {
        Box::pin(async move { self.readers.look_up(|db| runners::runner(db, id)) })
    }

    fn runners(&self) -> Verb<'_, Vec<Runner>> {
        Box::pin(async move { self.readers.read(runners::all) })
    }

    fn events(&self, run: RunId, after: i64, limit: u32) -> Verb<'_, Vec<EventRecord>> {
        Box::pin(async move { self.readers.read(|db| events::after(db, run, after, limit)) })
    }

    fn events_instead_of_lost(&self, run: RunId, after: i64) -> Verb<'_, Vec<EventRecord>> {
        Box::pin(async move {
            self.readers
                .read(|db| events::instead_of_lost(db, run, after))
        })
    }

    fn close(&self) -> Verb<'_, ()> {
        Box::pin(async move {
            self.readers.close();
            self.writer.close().await
        })
    }
}
