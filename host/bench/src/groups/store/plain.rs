//! What the store does, without its batcher: one transaction for each append, on the store's own tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;

use super::subject::{DAY, EVENT_TYPE, METADATA, id, payload};

/// A loop of one's own, as many write it. Not bound by row-level security.
#[derive(Clone)]
pub struct Plain {
    pool: PgPool,
    payload: Arc<str>,
    next: Arc<AtomicU64>,
}

impl Plain {
    /// On the tables of a store, for these tenants.
    pub async fn new(url: &str, tenants: usize, connections: usize) -> Result<Self> {
        const HEAD: &str = "insert into tenant_heads (tenant, last_position, head_hash) values ($1, 0, $2)";
        let connections = u32::try_from(connections)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(connections)
            .test_before_acquire(false)
            .connect(url)
            .await?;
        for tenant in 0..tenants {
            let head = sqlx::query(HEAD).bind(format!("tenant-{tenant}")).bind([0_u8; 32].as_slice());
            head.execute(&pool).await?;
        }
        Ok(Self { pool, payload: payload().into(), next: Arc::default() })
    }

    /// Appends per second of so many at once.
    pub async fn run(&self, appenders: usize, tenants: usize, time: Duration) -> Result<f64> {
        let began = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..appenders {
            let (plain, mut connection) = (self.clone(), self.pool.acquire().await?);
            running.spawn(async move {
                let mut done = 0;
                while began.elapsed() < time {
                    plain.append(&mut connection, tenants).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            });
        }
        let mut all = 0;
        while let Some(done) = running.join_next().await {
            all += done??;
        }
        Ok(crate::figures::per_second(all, began.elapsed()))
    }

    async fn append(&self, connection: &mut PgConnection, tenants: usize) -> Result<()> {
        const LOCK: &str =
            "select last_position, head_hash from tenant_heads where tenant = $1 for no key update";
        const ANSWER: &str = "insert into idempotency (tenant, key, fingerprint, answer, position, created_at) \
             values ($1, $2, $3, $4, $5, 1780000000000000)";
        const EVENT: &str = "insert into events (tenant, position, stream, version, event_id, event_type, \
             recorded_at, effective_date, payload, metadata, hash) \
             values ($1, $2, $3, 1, $4, $5, 1780000000000000, $6, $7, $8, $9)";
        const HEAD: &str = "update tenant_heads set last_position = $2, head_hash = $3 where tenant = $1";
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let tenant = format!("tenant-{}", usize::try_from(number)? % tenants);
        let id = id(number);
        let mut transaction = connection.begin().await?;
        let (position, previous): (i64, Vec<u8>) =
            sqlx::query_as(LOCK).bind(&tenant).fetch_one(&mut *transaction).await?;
        let position = position + 1;
        let hash: [u8; 32] =
            Sha256::new().chain_update(&previous).chain_update(self.payload.as_bytes()).finalize().into();
        sqlx::query(ANSWER)
            .bind(&tenant)
            .bind(id.to_string())
            .bind(hash.as_slice())
            .bind(br#"{"status":201}"#.as_slice())
            .bind(position)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(EVENT)
            .bind(&tenant)
            .bind(position)
            .bind(format!("invoice/{id}"))
            .bind(id.as_bytes().as_slice())
            .bind(EVENT_TYPE)
            .bind(DAY.to_string())
            .bind(self.payload.as_bytes())
            .bind(METADATA.as_bytes())
            .bind(hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(HEAD)
            .bind(&tenant)
            .bind(position)
            .bind(hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}
