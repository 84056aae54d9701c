//! Statements and rows, in the three types that the tables have: text, whole numbers and bytes.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Executor, Postgres, Row as _, Sqlite, Type};

/// A statement with its values. Parameters are `$1`, `$2`, …, which both databases read.
#[derive(Debug, Clone)]
pub struct Query {
    sql: &'static str,
    values: Vec<Value>,
}

/// A value of a parameter, or NULL.
#[derive(Debug, Clone)]
pub enum Value {
    /// TEXT.
    Text(Option<String>),
    /// INTEGER in SQLite, BIGINT in PostgreSQL.
    Integer(Option<i64>),
    /// BLOB in SQLite, BYTEA in PostgreSQL.
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($from:ty: $value:ident => $into:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        })+
    };
}

values! {
    &str: value => Self::Text(Some(value.to_owned()));
    &String: value => Self::Text(Some(value.clone()));
    String: value => Self::Text(Some(value));
    Option<String>: value => Self::Text(value);
    i64: value => Self::Integer(Some(value));
    u16: value => Self::Integer(Some(value.into()));
    &[u8]: value => Self::Bytes(Some(value.to_vec()));
}

impl Query {
    /// A statement without values yet.
    pub fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    /// Gives the next parameter its value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    fn sqlite(self) -> sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments> {
        self.values.into_iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Text(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        })
    }

    fn postgres(self) -> sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments> {
        self.values.into_iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Text(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        })
    }

    pub(super) async fn fetch_sqlite<'c>(
        self,
        executor: impl Executor<'c, Database = Sqlite>,
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.sqlite().fetch_optional(executor).await?.map(Row::Sqlite))
    }

    pub(super) async fn fetch_postgres<'c>(
        self,
        executor: impl Executor<'c, Database = Postgres>,
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.postgres().fetch_optional(executor).await?.map(Row::Postgres))
    }

    pub(super) async fn fetch_all_sqlite<'c>(
        self,
        executor: impl Executor<'c, Database = Sqlite>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        Ok(self.sqlite().fetch_all(executor).await?.into_iter().map(Row::Sqlite).collect())
    }

    pub(super) async fn fetch_all_postgres<'c>(
        self,
        executor: impl Executor<'c, Database = Postgres>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        Ok(self.postgres().fetch_all(executor).await?.into_iter().map(Row::Postgres).collect())
    }

    pub(super) async fn execute_sqlite<'c>(
        self,
        executor: impl Executor<'c, Database = Sqlite>,
    ) -> Result<u64, sqlx::Error> {
        Ok(self.sqlite().execute(executor).await?.rows_affected())
    }

    pub(super) async fn execute_postgres<'c>(
        self,
        executor: impl Executor<'c, Database = Postgres>,
    ) -> Result<u64, sqlx::Error> {
        Ok(self.postgres().execute(executor).await?.rows_affected())
    }
}

/// A row of either database.
pub enum Row {
    /// SQLite's.
    Sqlite(SqliteRow),
    /// PostgreSQL's.
    Postgres(PgRow),
}

impl Row {
    /// The value of a column.
    pub fn get<T>(&self, column: &str) -> Result<T, sqlx::Error>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
        for<'n> &'n str: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}
