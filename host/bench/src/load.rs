//! Many clients at once, each doing the next piece of work as soon as it is done with one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::connection::Connection;

/// What a client does.
pub trait Work: Clone + Send + Sync + 'static {
    /// What is told of one piece.
    type Done: Send;

    /// Does piece `number` of the work.
    fn perform(
        &self,
        connection: &mut Connection,
        number: usize,
    ) -> impl Future<Output = Result<Self::Done>> + Send;
}

/// Clients with open connections.
pub struct Clients(Vec<Connection>);

impl Clients {
    /// Connects `count` clients.
    pub async fn connect(address: SocketAddr, count: usize) -> Result<Self> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(Connection::open(address).await?);
        }
        Ok(Self(connections))
    }

    /// Does pieces `0..count`, all clients at once; what is told of each, in no order, and how long all took.
    pub async fn perform<W: Work>(&mut self, work: &W, count: usize) -> Result<(Vec<W::Done>, Duration)> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut running = JoinSet::new();
        let began = Instant::now();
        for mut connection in self.0.drain(..) {
            let (work, next) = (work.clone(), Arc::clone(&next));
            running.spawn(async move {
                let mut done = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok((connection, done));
                    }
                    done.push(work.perform(&mut connection, number).await?);
                }
            });
        }
        let mut all = Vec::with_capacity(count);
        while let Some(finished) = running.join_next().await {
            let (connection, done) = finished??;
            self.0.push(connection);
            all.extend(done);
        }
        Ok((all, began.elapsed()))
    }
}
