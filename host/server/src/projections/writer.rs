//! A view's SQL is written once: both databases understand it.

/// Runs one statement, the same in both dialects, with the same values; says how many rows it touched.
macro_rules! run {
    ($writer:expr, $sql:expr, $($value:expr),* $(,)?) => {
        match $writer {
            niyam_store::Writer::Sqlite(transaction) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **transaction).await.map(|done| done.rows_affected())
            }
            niyam_store::Writer::Postgres(transaction) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **transaction).await.map(|done| done.rows_affected())
            }
        }
    };
}

/// Reads one optional row.
macro_rules! find {
    ($writer:expr, $row:ty, $sql:expr, $($value:expr),* $(,)?) => {
        match $writer {
            niyam_store::Writer::Sqlite(transaction) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($value))*.fetch_optional(&mut **transaction).await
            }
            niyam_store::Writer::Postgres(transaction) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($value))*.fetch_optional(&mut **transaction).await
            }
        }
    };
}

pub(crate) use {find, run};
