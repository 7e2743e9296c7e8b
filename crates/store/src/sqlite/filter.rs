//! Lists whose filters are put together at run time.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};
use tappet_model::Timestamp;

use super::content::Db;
use super::page;
use super::value::{RowExt, integer};
use crate::{COUNT_LIMIT, Listing, PageRequest, Span, StoreResult};

/// The WHERE clause of a list with its values in order.
#[derive(Default)]
pub(super) struct Filter {
    clauses: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// One more condition; each `?` stands for one of the values.
    pub fn and(
        &mut self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> &mut Self {
        self.clauses.push(sql.into());
        self.values.extend(values);
        self
    }

    /// The same when there is a value.
    pub fn maybe(&mut self, sql: &str, value: Option<impl Into<Value>>) -> &mut Self {
        match value {
            Some(value) => self.and(sql, [value.into()]),
            None => self,
        }
    }

    /// A column of times inside a stretch.
    pub fn within(&mut self, column: &str, span: Span) -> &mut Self {
        let micros = |time: Timestamp| time.0;
        self.maybe(&format!("{column} > ?"), span.after.map(micros))
            .maybe(&format!("{column} < ?"), span.before.map(micros))
    }

    /// One page of the rows that fit. `from` is a table with its alias and joins.
    pub fn list<T>(
        &self,
        db: &Db<'_>,
        (columns, from): (&str, &str),
        order: &str,
        request: PageRequest,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> StoreResult<Listing<T>> {
        let clause = match self.clauses.as_slice() {
            [] => "1".to_owned(),
            clauses => clauses.join(" AND "),
        };
        let with = |more: &[i64]| -> Vec<Value> {
            let more = more.iter().copied().map(Value::Integer);
            self.values.iter().cloned().chain(more).collect()
        };
        let rows = db
            .conn
            .prepare_cached(&format!(
                "SELECT {columns} FROM {from} WHERE {clause} ORDER BY {order} LIMIT ? OFFSET ?"
            ))?
            .query_map(
                params_from_iter(with(&[page::limit(request), page::offset(request)])),
                read,
            )?
            .collect::<Result<_, _>>()?;
        let count = db
            .conn
            .prepare_cached(&format!(
                "SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {clause} LIMIT ?)"
            ))?
            .query_row(params_from_iter(with(&[integer(COUNT_LIMIT + 1)])), |row| {
                row.count(0)
            })?;
        Ok(page::listing(rows, request, page::total(count)))
    }
}

/// `text` as a pattern of LIKE that finds it anywhere; used with `ESCAPE '\'`.
pub(super) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
