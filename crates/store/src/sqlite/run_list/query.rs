//! What a list of runs asks for: its filter as parts of a WHERE clause.
//!
//! Bounds on times of creation become bounds on ids, because both rise together
//! ([`creation_time`]).

use rusqlite::types::Value;
use tappet_model::{CommitSha, ProjectId, Status, Timestamp};

use crate::sqlite::content::Db;
use crate::sqlite::creation_time::{self, RunPlace};
use crate::sqlite::runs;
use crate::sqlite::users;
use crate::sqlite::value::{list_text, sha_bytes};
use crate::{RunFilter, RunOrder, RunScope, StoreResult};

/// What a condition is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    Ref,
    Status,
    Source,
    Sha,
    Name,
    User,
    /// The file was refused.
    Invalid,
    /// The file was taken.
    Valid,
    /// The newest runs of refs.
    Newest,
    Updated,
    Schedule,
    /// It only sifts rows that an index found.
    Other,
}

/// One part of a WHERE clause.
#[derive(Clone)]
pub(super) struct Condition {
    pub(super) column: Column,
    /// `?` stands for the next value.
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

/// Everything a list asks for, apart from its order.
#[derive(Clone)]
pub(super) struct Query {
    pub(super) project: ProjectId,
    pub(super) conditions: Vec<Condition>,
    /// One of these; empty: any.
    pub(super) statuses: Vec<Status>,
    pub(super) bounds: Bounds,
}

/// The first and the last run that can match.
#[derive(Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) first: Option<RunPlace>,
    pub(super) last: Option<RunPlace>,
    /// They say more than the other conditions.
    pub(super) are_asked: bool,
}

impl Bounds {
    /// Whether there is one at all.
    pub(super) fn are_set(&self) -> bool {
        self.first.or(self.last).is_some()
    }

    /// Leaves only so many numbers where a list begins; `false` when there are no
    /// more anyway, or no end is known. How many ids lie between them is not known.
    pub(super) fn keep_first(&mut self, count: i64, ascending: bool) -> bool {
        let Some(last) = self.last else {
            return false;
        };
        let first = self.first.map_or(0, |place| place.iid);
        if last.iid - first <= count {
            return false;
        }
        if ascending {
            self.last = Some(RunPlace {
                id: i64::MAX,
                iid: first + count,
            });
        } else {
            self.first = Some(RunPlace {
                id: 0,
                iid: last.iid - count,
            });
        }
        true
    }
}

impl Query {
    /// `None` when nothing can match.
    pub(super) fn of(
        db: &Db<'_>,
        project: ProjectId,
        filter: &RunFilter,
    ) -> StoreResult<Option<Self>> {
        let Some(statuses) = statuses(filter) else {
            return Ok(None);
        };
        let mut query = Self {
            project,
            conditions: Vec::new(),
            statuses,
            bounds: Bounds::default(),
        };
        let text = |text: &str| Value::Text(text.to_owned());
        if let Some(sha) = &filter.sha {
            let Ok(sha) = sha.parse::<CommitSha>() else {
                return Ok(None);
            };
            query.add(Column::Sha, "sha = ?", [Value::Blob(sha_bytes(&sha))]);
        }
        if let Some(name) = &filter.ref_name {
            query.add(Column::Ref, "ref_name = ?", [text(name)]);
        }
        match filter.source {
            Some(source) => query.add(Column::Source, "source = ?", [text(source.as_str())]),
            // Children of other runs are only listed when they are asked for.
            None if runs::has_children(db, project)? => {
                query.add(Column::Other, "source <> 'parent_pipeline'", []);
            }
            None => {}
        }
        if let Some(name) = &filter.name {
            query.add(Column::Name, "name = ?", [text(name)]);
        }
        if let Some(username) = &filter.username {
            let Some(user) = users::id_by_name(db, username)? else {
                return Ok(None);
            };
            query.add(Column::User, "user_id = ?", [Value::Integer(user)]);
        }
        match filter.yaml_errors {
            Some(true) => query.add(Column::Invalid, "yaml_errors IS NOT NULL", []),
            Some(false) => query.add(Column::Valid, "yaml_errors IS NULL", []),
            None => {}
        }
        if let Some(schedule) = filter.schedule_id {
            let id = Value::Integer(schedule.0);
            query.add(Column::Schedule, "schedule_id = ?", [id]);
        }
        if let Some(kind) = filter.scope.and_then(kind_of_newest) {
            query.add_newest(kind, refs_of(filter).as_deref());
        }
        query.add_between(
            Column::Updated,
            [
                "updated_at > ?",
                "updated_at < ?",
                "updated_at > ? AND updated_at < ?",
            ],
            filter.updated_after,
            filter.updated_before,
        );
        let can_match = query.bound_creation(db, filter)?;
        Ok(can_match.then_some(query))
    }

    pub(super) fn add<const N: usize>(
        &mut self,
        column: Column,
        sql: &'static str,
        values: [Value; N],
    ) {
        self.conditions.push(Condition {
            column,
            sql,
            values: values.into(),
        });
    }

    fn add_newest(&mut self, kind: &'static str, refs: Option<&[String]>) {
        let project = Value::Integer(self.project.0);
        let kind = Value::Text(kind.to_owned());
        match refs {
            None => self.add(
                Column::Newest,
                "id IN (SELECT run_id FROM newest_runs WHERE project_id = ? AND ref_kind = ?)",
                [project, kind],
            ),
            Some(names) => self.add(
                Column::Newest,
                "id IN (SELECT run_id FROM newest_runs WHERE project_id = ? AND ref_kind = ?
                 AND ref_name IN (SELECT value FROM json_each(?)))",
                [project, kind, Value::Text(list_text(names))],
            ),
        }
    }

    /// Both bounds as one condition, because one walk of the index serves both.
    fn add_between(
        &mut self,
        column: Column,
        [after_only, before_only, both]: [&'static str; 3],
        after: Option<Timestamp>,
        before: Option<Timestamp>,
    ) {
        let sql = match (after, before) {
            (None, None) => return,
            (Some(_), None) => after_only,
            (None, Some(_)) => before_only,
            (Some(_), Some(_)) => both,
        };
        let bounds = after.into_iter().chain(before);
        self.conditions.push(Condition {
            column,
            sql,
            values: bounds.map(|time| Value::Integer(time.0)).collect(),
        });
    }

    /// Turns bounds on the time of creation into bounds on ids; `false` when no
    /// run lies inside.
    fn bound_creation(&mut self, db: &Db<'_>, filter: &RunFilter) -> StoreResult<bool> {
        // Nothing is updated before it is created.
        let before = [filter.created_before, filter.updated_before];
        let before = before.into_iter().flatten().min();
        if filter.created_after.is_none() && before.is_none() {
            return Ok(true);
        }
        if creation_time::has_setbacks(db)? {
            self.add_between(
                Column::Other,
                [
                    "created_at > ?",
                    "created_at < ?",
                    "created_at > ? AND created_at < ?",
                ],
                filter.created_after,
                filter.created_before,
            );
            return Ok(true);
        }
        let (project, after) = (self.project, filter.created_after);
        let first = after.map(|time| creation_time::first_after(db, project, time));
        let last = before.map(|time| creation_time::last_before(db, project, time));
        let (first, last) = (first.transpose()?, last.transpose()?);
        self.bounds = Bounds {
            first: first.flatten(),
            last: last.flatten(),
            are_asked: after.or(filter.created_before).is_some(),
        };
        Ok(first != Some(None) && last != Some(None))
    }

    /// The same with nothing but the conditions on these columns.
    pub(super) fn only(&self, columns: &[Column]) -> Self {
        let mut only = self.clone();
        only.conditions.retain(|one| columns.contains(&one.column));
        if !columns.contains(&Column::Status) {
            only.statuses.clear();
        }
        only
    }

    /// The same without the condition on this column, when there is one.
    pub(super) fn without(&self, column: Column) -> Option<Self> {
        let mut without = self.clone();
        without.conditions.retain(|one| one.column != column);
        (without.conditions.len() < self.conditions.len()).then_some(without)
    }

    pub(super) fn has(&self, column: Column) -> bool {
        match column {
            Column::Status => !self.statuses.is_empty(),
            other => self.conditions.iter().any(|one| one.column == other),
        }
    }

    /// How many conditions there are.
    pub(super) fn len(&self) -> usize {
        self.conditions.len() + usize::from(!self.statuses.is_empty())
    }

    /// An order by a column that is the same in all rows is the order by id.
    pub(super) fn order(&self, order: RunOrder) -> RunOrder {
        let is_fixed = match order {
            RunOrder::Status => self.statuses.len() == 1,
            RunOrder::Ref => self.has(Column::Ref),
            RunOrder::UserId => self.has(Column::User),
            RunOrder::Id | RunOrder::UpdatedAt => false,
        };
        if is_fixed { RunOrder::Id } else { order }
    }
}

/// The refs whose newest runs are wanted; `None`: all.
fn refs_of(filter: &RunFilter) -> Option<Vec<String>> {
    match (&filter.ref_name, &filter.refs) {
        (Some(name), Some(refs)) if !refs.contains(name) => Some(Vec::new()),
        (Some(name), _) => Some(vec![name.clone()]),
        (None, refs) => refs.clone(),
    }
}

/// The statuses that status and scope leave; empty: any; `None`: there is none.
fn statuses(filter: &RunFilter) -> Option<Vec<Status>> {
    let of_scope: &[Status] = match filter.scope {
        Some(RunScope::Running) => &[Status::Running],
        Some(RunScope::Pending) => &[Status::Pending],
        Some(RunScope::Finished) => &[Status::Success, Status::Failed, Status::Canceled],
        Some(RunScope::Branches | RunScope::Tags) | None => &[],
    };
    match filter.status {
        None => Some(of_scope.to_vec()),
        Some(status) if of_scope.is_empty() || of_scope.contains(&status) => Some(vec![status]),
        Some(_) => None,
    }
}

fn kind_of_newest(scope: RunScope) -> Option<&'static str> {
    match scope {
        RunScope::Branches => Some("branch"),
        RunScope::Tags => Some("tag"),
        RunScope::Running | RunScope::Pending | RunScope::Finished => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn place(iid: i64) -> Option<RunPlace> {
        (iid > 0).then_some(RunPlace { id: iid, iid })
    }

    #[rstest]
    #[case::no_end((1, 0), false, None)]
    #[case::newest_first((0, 500), false, Some((490, 500)))]
    #[case::oldest_first((100, 500), true, Some((100, 110)))]
    #[case::oldest_first_from_the_beginning((0, 500), true, Some((0, 10)))]
    #[case::few_between((100, 110), false, None)]
    #[case::few_before((0, 10), false, None)]
    fn a_part_where_the_list_begins_is_kept(
        #[case] (first, last): (i64, i64),
        #[case] ascending: bool,
        #[case] expected: Option<(i64, i64)>,
    ) {
        let mut bounds = Bounds {
            first: place(first),
            last: place(last),
            are_asked: true,
        };
        let is_cut = bounds.keep_first(10, ascending);
        let iid = |place: Option<RunPlace>| place.map_or(0, |place| place.iid);
        let left = is_cut.then(|| (iid(bounds.first), iid(bounds.last)));
        assert_eq!(left, expected);
    }
}
