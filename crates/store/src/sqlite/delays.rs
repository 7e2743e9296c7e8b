//! Delayed jobs: the ends of their delays have an index of their own, which holds
//! no other attempt.

use tappet_model::{AttemptId, Timestamp};

use super::SqliteStore;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{Delays, Verb};

statements! {
    DUE = "SELECT id FROM attempts WHERE starts_at <= ?1 ORDER BY starts_at, id";
    NEXT = "SELECT min(starts_at) FROM attempts WHERE starts_at > ?1";
}

impl Delays for SqliteStore {
    fn due_attempts(&self, now: Timestamp) -> Verb<'_, Vec<AttemptId>> {
        Box::pin(async move {
            self.readers.read(|db| {
                let mut statement = db.conn.prepare_cached(DUE)?;
                let rows = statement.query_map([Col(now)], |row| Ok(AttemptId(row.get(0)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
        })
    }

    fn next_delay_end(&self, after: Timestamp) -> Verb<'_, Option<Timestamp>> {
        Box::pin(async move {
            self.readers.read(|db| {
                let mut statement = db.conn.prepare_cached(NEXT)?;
                Ok(statement.query_row([Col(after)], |row| row.opt(0))?)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sqlite::query_plan;

    #[rstest]
    #[case(DUE)]
    #[case(NEXT)]
    fn attempts_without_a_delay_are_not_looked_at(#[case] sql: &str) {
        let steps = query_plan::steps(sql);
        let [step] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        assert!(step.contains("INDEX delayed_attempts"), "{step}");
    }
}
