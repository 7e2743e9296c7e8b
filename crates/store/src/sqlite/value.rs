//! How values of the model stand in columns.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};
use serde::de::DeserializeOwned;
use tappet_model::{
    CommitSha, FailureReason, ForgeKind, RefKind, Source, Status, Timestamp, UserId,
};

use crate::TokenHash;

/// A value of the model inside a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Col<T>(pub T);

macro_rules! word_columns {
    ($($kind:ty),+) => {$(
        impl ToSql for Col<$kind> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_str().as_bytes())))
            }
        }

        impl FromSql for Col<$kind> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let word = value.as_str()?;
                <$kind>::from_str(word).map(Col).map_err(FromSqlError::other)
            }
        }
    )+};
}

word_columns!(Status, Source, FailureReason, ForgeKind);

impl ToSql for Col<RefKind> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_str().into())
    }
}

impl FromSql for Col<RefKind> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "branch" => Ok(Col(RefKind::Branch)),
            "tag" => Ok(Col(RefKind::Tag)),
            "commit" => Ok(Col(RefKind::Commit)),
            "pull_request" => Ok(Col(RefKind::PullRequest)),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl ToSql for Col<Timestamp> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.0.into())
    }
}

impl FromSql for Col<Timestamp> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|micros| Col(Timestamp(micros)))
    }
}

impl ToSql for Col<TokenHash> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0.0)))
    }
}

impl ToSql for Col<&CommitSha> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(sha_bytes(self.0).into())
    }
}

impl FromSql for Col<CommitSha> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let mut hex = String::with_capacity(40);
        for byte in value.as_blob()? {
            hex.push(hex_digit(byte >> 4));
            hex.push(hex_digit(byte & 15));
        }
        hex.parse().map(Col).map_err(FromSqlError::other)
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16")
}

/// The twenty bytes that a commit id stands for.
pub(super) fn sha_bytes(sha: &CommitSha) -> Vec<u8> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    };
    sha.as_str()
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}

/// For binding: the column form of an optional value.
pub(super) fn opt<T>(value: Option<T>) -> Option<Col<T>> {
    value.map(Col)
}

/// Columns of model values, by position.
pub(super) trait RowExt {
    /// A value that is always there.
    fn col<T>(&self, index: usize) -> rusqlite::Result<T>
    where
        Col<T>: FromSql;
    /// A value that may be NULL.
    fn opt<T>(&self, index: usize) -> rusqlite::Result<Option<T>>
    where
        Col<T>: FromSql;
    /// A list kept as JSON text.
    fn list(&self, index: usize) -> rusqlite::Result<Vec<String>>;
    /// Anything kept as JSON text.
    fn json<T: DeserializeOwned>(&self, index: usize) -> rusqlite::Result<T>;
    /// A number that is never negative.
    fn count<T: TryFrom<i64>>(&self, index: usize) -> rusqlite::Result<T>;
    /// A user; the row that stands for nobody is none.
    fn user(&self, index: usize) -> rusqlite::Result<Option<UserId>>;
}

impl RowExt for Row<'_> {
    fn col<T>(&self, index: usize) -> rusqlite::Result<T>
    where
        Col<T>: FromSql,
    {
        self.get::<_, Col<T>>(index).map(|col| col.0)
    }

    fn opt<T>(&self, index: usize) -> rusqlite::Result<Option<T>>
    where
        Col<T>: FromSql,
    {
        self.get::<_, Option<Col<T>>>(index)
            .map(|col| col.map(|col| col.0))
    }

    fn list(&self, index: usize) -> rusqlite::Result<Vec<String>> {
        self.json(index)
    }

    fn json<T: DeserializeOwned>(&self, index: usize) -> rusqlite::Result<T> {
        let text = self.get_ref(index)?.as_str()?;
        serde_json::from_str(text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
        })
    }

    fn count<T: TryFrom<i64>>(&self, index: usize) -> rusqlite::Result<T> {
        let number: i64 = self.get(index)?;
        T::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
    }

    fn user(&self, index: usize) -> rusqlite::Result<Option<UserId>> {
        let id: i64 = self.get(index)?;
        Ok((id != NOBODY).then_some(UserId(id)))
    }
}

/// The row of `users` that stands where nobody does.
const NOBODY: i64 = 0;

/// For binding: a user, or the row that stands for nobody.
pub(super) fn user_or_nobody(user: Option<UserId>) -> i64 {
    user.map_or(NOBODY, |user| user.0)
}

/// A list as JSON text.
pub(super) fn list_text(list: &[String]) -> String {
    serde_json::to_string(list).expect("strings are always valid JSON")
}

/// A size or count as SQLite's integer; what cannot be real is cut.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
