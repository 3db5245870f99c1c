//! A server from its first to its last request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use niyam_store::Login;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::router::{Api, REQUEST_TIME, router};
use crate::app::App;
use crate::jobs;
use crate::projections::Runner;
use crate::proof::keeper::Keeper;
use crate::publishing::worker::Worker;
use crate::schedules::Ticker;
use crate::shadow;

/// How long requests under way have once the server stops: what each may take, and a little more.
const DRAIN_TIME: Duration = REQUEST_TIME.saturating_add(Duration::from_secs(5));

/// Why serving ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("failed to listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// Serving broke off.
    #[error("failed to serve: {0}")]
    Serve(#[source] io::Error),
}

/// A server that listens.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<io::Result<()>>,
    projecting: JoinHandle<()>,
    proving: JoinHandle<()>,
    compiling: JoinHandle<()>,
    working: JoinHandle<()>,
    shadowing: JoinHandle<()>,
    scheduling: JoinHandle<()>,
    api: Arc<Api>,
}

impl Server {
    /// Listens on `address` and serves in the background.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(app: App, address: SocketAddr) -> Result<Self, ServeError> {
        let listen = |error| ServeError::Listen(address, error);
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        if let Some(login @ (Login::Owner | Login::Unbound)) = app.store.login() {
            tracing::warn!(
                database.login = login.as_str(),
                "the database's login is more than a member of the host's role: serve as another, migrate as this one"
            );
        }
        let (stop, stopped) = watch::channel(false);
        let runner = Runner::new(app.store.clone(), Arc::clone(&app.clock), app.ids.next_id());
        let keeper = Keeper::new(app.store.clone(), Arc::clone(&app.checkpoints), Arc::clone(&app.clock));
        let worker = Worker::new(
            app.store.clone(),
            Arc::clone(&app.packs),
            Arc::clone(&app.clock),
            app.ids.next_id(),
            Arc::clone(&app.compiler),
            app.idle_after,
        );
        let jobs = jobs::Runner::new(Arc::clone(&app.jobs));
        let shadows = shadow::Runner::new(Arc::clone(&app.shadows));
        let ticker = Ticker::new(app.desk.clone());
        let api = Arc::new(Api { app, progress: runner.progress(), proofs: keeper.proofs() });
        let projecting = tokio::spawn(runner.run(stopped.clone()));
        let proving = tokio::spawn(keeper.run(stopped.clone()));
        let compiling = tokio::spawn(worker.run(stopped.clone()));
        let working = tokio::spawn(jobs.run(stopped.clone()));
        let shadowing = tokio::spawn(shadows.run(stopped.clone()));
        let scheduling = tokio::spawn(ticker.run(stopped.clone()));
        let service = router(Arc::clone(&api));
        let mut closing = stopped;
        let serving = tokio::spawn(async move {
            axum::serve(listener, service)
                .with_graceful_shutdown(async move {
                    // An error means that the server is gone, which ends serving as well.
                    let _ = closing.wait_for(|stop| *stop).await;
                })
                .await
        });
        Ok(Self {
            address,
            stop,
            serving,
            projecting,
            proving,
            compiling,
            working,
            shadowing,
            scheduling,
            api,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it serves.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.api.app
    }

    /// Takes no more requests, finishes those under way, closes the database.
    ///
    /// # Errors
    /// When serving had broken off.
    pub async fn stop(mut self) -> Result<(), ServeError> {
        self.stop.send_replace(true);
        let served = if let Ok(served) = tokio::time::timeout(DRAIN_TIME, &mut self.serving).await {
            served.map_err(io::Error::other).and_then(|served| served)
        } else {
            // A client that began a request and never ends it must not keep the server up.
            tracing::warn!("left a client that did not finish its request");
            self.serving.abort();
            Ok(())
        };
        if let Err(error) = self.projecting.await {
            tracing::error!(%error, "the projections had failed");
        }
        if let Err(error) = self.proving.await {
            tracing::error!(%error, "making checkpoints had failed");
        }
        if let Err(error) = self.compiling.await {
            tracing::error!(%error, "compiling modules had failed");
        }
        if let Err(error) = self.working.await {
            tracing::error!(%error, "the jobs had failed");
        }
        if let Err(error) = self.shadowing.await {
            tracing::error!(%error, "asking modules in shadow had failed");
        }
        if let Err(error) = self.scheduling.await {
            tracing::error!(%error, "running schedules had failed");
        }
        self.api.app.store.clone().close().await;
        served.map_err(ServeError::Serve)
    }
}
