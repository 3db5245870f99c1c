//! What was acknowledged survives: a server that is killed, a database that crashes, a disk that is full. Each strikes
//! under the load of 16 clients, and then every answer that a client got is held against what is there.
//!
//! `cargo xtask crash` runs these with more cycles, and other seeds, and shows the figures that they print.

mod clients;
mod disasters;
mod disk;
mod proof;
mod repeating;
mod server;
mod setup;
mod views;

/// Which database.
#[derive(Debug, Clone, Copy)]
enum On {
    Sqlite,
    Postgres,
}

impl On {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

mod sqlite {
    use super::{On, disasters, repeating};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_killed_server_loses_and_doubles_nothing() -> anyhow::Result<()> {
        disasters::killing(On::Sqlite).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_disk_tears_nothing_and_writing_resumes() -> anyhow::Result<()> {
        disasters::filling_the_disk(On::Sqlite, true).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_limit_on_files_tears_nothing_and_writing_resumes() -> anyhow::Result<()> {
        disasters::filling_the_disk(On::Sqlite, false).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_requests_with_one_key_have_one_effect() -> anyhow::Result<()> {
        repeating::a_hundred_requests_with_one_key(On::Sqlite).await
    }
}

mod postgres {
    use super::{On, disasters, repeating, views};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_view_that_a_crash_set_back_catches_up_without_another_event() -> anyhow::Result<()> {
        views::a_view_that_was_set_back().await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_killed_server_loses_and_doubles_nothing() -> anyhow::Result<()> {
        disasters::killing(On::Postgres).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stopped_database_loses_and_doubles_nothing() -> anyhow::Result<()> {
        disasters::stopping_the_database().await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_disk_tears_nothing_and_writing_resumes() -> anyhow::Result<()> {
        disasters::filling_the_disk(On::Postgres, true).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_requests_with_one_key_have_one_effect() -> anyhow::Result<()> {
        repeating::a_hundred_requests_with_one_key(On::Postgres).await
    }
}
