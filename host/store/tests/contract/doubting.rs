//! Connections that break between a host and PostgreSQL, at the moments that leave open what was written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use niyam_domain::{Position, Version};
use niyam_store::{Append, AppendError, DatabaseUrl, NewEvent, StoreError, StreamWrite};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::harness::{Kind, TestStore, append, batch, event, request, stream, tenant};

/// In the payload of the event whose request is meddled with.
const MARK: &[u8] = b"doubtful";
/// What the server says when it has committed and waits for the next request; within a transaction the last is `T`.
const IDLE: &[u8] = b"Z\0\0\0\x05I";

/// What becomes of the request that holds the mark. The connection breaks in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It reaches the server, whose answer gets lost.
    LoseAnswer,
    /// It gets lost.
    LoseRequest,
    /// The connection breaks first; the request reaches the server when it is let go.
    DeliverLate,
}

/// Stands between a host and PostgreSQL.
#[derive(Default)]
struct Wire {
    fault: Mutex<Option<Fault>>,
    /// Whether no connection holds.
    cut: AtomicBool,
    /// Whether a lost answer said that all is committed.
    committed: AtomicBool,
    /// Lets go of what is late.
    late: Notify,
    /// What was late was answered.
    through: Notify,
}

impl Wire {
    /// Takes connections for the server at `place`; says where.
    async fn lay(self: Arc<Self>, place: String) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let here = listener.local_addr()?.to_string();
        tokio::spawn(async move {
            while let Ok((host, _)) = listener.accept().await {
                let (wire, place) = (Arc::clone(&self), place.clone());
                // It ends when either side does.
                tokio::spawn(async move { wire.carry(host, &place).await });
            }
        });
        Ok(here)
    }

    fn strike(&self, fault: Fault) {
        *self.fault.lock().expect("nobody panicked") = Some(fault);
    }

    /// What becomes of the request.
    fn fault(&self, request: &[u8]) -> Option<Fault> {
        let marked = request.windows(MARK.len()).any(|part| part == MARK);
        self.fault.lock().expect("nobody panicked").take_if(|_| marked)
    }

    async fn carry(&self, mut host: TcpStream, place: &str) -> anyhow::Result<()> {
        let mut server = TcpStream::connect(place).await?;
        let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
        while !self.cut.load(Ordering::SeqCst) {
            tokio::select! {
                read = host.read(&mut request) => {
                    let bytes = &request[..read?];
                    if bytes.is_empty() {
                        break;
                    }
                    match self.fault(bytes) {
                        None => server.write_all(bytes).await?,
                        Some(Fault::LoseRequest) => break,
                        Some(Fault::LoseAnswer) => {
                            server.write_all(bytes).await?;
                            // It is sent in one piece.
                            let read = server.read(&mut answer).await?;
                            self.committed.store(answer[..read].ends_with(IDLE), Ordering::SeqCst);
                            break;
                        }
                        Some(Fault::DeliverLate) => {
                            drop(host);
                            self.late.notified().await;
                            server.write_all(bytes).await?;
                            if server.read(&mut answer).await? > 0 {
                                self.through.notify_one();
                            }
                            break;
                        }
                    }
                }
                read = server.read(&mut answer) => {
                    let bytes = &answer[..read?];
                    if bytes.is_empty() {
                        break;
                    }
                    host.write_all(bytes).await?;
                }
            }
        }
        Ok(())
    }
}

/// A store at the end of a wire. It remembers the history of `acme`, four events, and has a connection at hand.
async fn wired() -> anyhow::Result<(TestStore, Arc<Wire>)> {
    let url = tokio::task::spawn_blocking(niyam_testdb::database_url).await?;
    let (login, place) = url.split_once('@').context("a URL with a user")?;
    let (place, name) = place.split_once('/').context("a URL with a database")?;
    let wire = Arc::new(Wire::default());
    let here = Arc::clone(&wire).lay(place.to_owned()).await?;
    let test = TestStore::with(Kind::Postgres, |config| {
        config.database = DatabaseUrl::Postgres(format!("{login}@{here}/{name}"));
        config.lanes = 1;
        config.lock_wait = Duration::from_secs(1);
    })
    .await?;
    for number in 0..4 {
        test.append(&tenant("acme"), append(&format!("warm/{number}"), 0, 1)).await?;
        // Connections take a moment to come back.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok((test, wire))
}

fn doubtful() -> Append {
    let event = NewEvent { payload: MARK.to_vec(), ..event() };
    let write = StreamWrite { stream: stream("doubtful"), expected: Version(0), events: vec![event] };
    Append::of(batch(vec![write]))
}

/// The doubtful append was made once, and appends go on.
async fn check(test: &TestStore) -> anyhow::Result<()> {
    let acme = tenant("acme");
    test.append(&acme, append("after", 0, 1)).await?;
    let streams: Vec<String> =
        test.history(&acme).await?.iter().map(|event| event.stream.to_string()).collect();
    assert_eq!(streams, ["warm/0", "warm/1", "warm/2", "warm/3", "doubtful", "after"]);
    assert_eq!(test.verify_chain(&acme).await?, Position(6));
    Ok(())
}

pub async fn an_answer_that_got_lost_is_found_out() -> anyhow::Result<()> {
    let (test, wire) = wired().await?;
    wire.strike(Fault::LoseAnswer);
    let appended = test.append(&tenant("acme"), doubtful()).await?;
    assert!(wire.committed.load(Ordering::SeqCst), "all was in the one request");
    assert_eq!((appended.position, appended.replayed), (Position(5), false));
    check(&test).await
}

pub async fn a_request_that_got_lost_is_made_again() -> anyhow::Result<()> {
    let (test, wire) = wired().await?;
    wire.strike(Fault::LoseRequest);
    assert_eq!(test.append(&tenant("acme"), doubtful()).await?.position, Position(5));
    check(&test).await
}

pub async fn a_request_that_comes_late_is_refused() -> anyhow::Result<()> {
    let (test, wire) = wired().await?;
    wire.strike(Fault::DeliverLate);
    assert_eq!(test.append(&tenant("acme"), doubtful()).await?.position, Position(5));
    wire.late.notify_one();
    wire.through.notified().await;
    check(&test).await
}

pub async fn what_cannot_be_found_out_is_told_and_settled_by_asking_again() -> anyhow::Result<()> {
    let ((test, wire), acme) = (wired().await?, tenant("acme"));
    let asked = || doubtful().idempotent(request("key", 1));
    wire.strike(Fault::LoseAnswer);
    let answer = {
        let waiting = test.append(&acme, asked());
        let cutting = async {
            while !wire.committed.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            wire.cut.store(true, Ordering::SeqCst);
        };
        futures::future::join(waiting, cutting).await.0
    };
    wire.cut.store(false, Ordering::SeqCst);
    match answer {
        // The wire was cut before the host could look.
        Err(AppendError::Store(StoreError::CommitUnknown(_))) => {}
        // It was not.
        Ok(appended) => assert_eq!(appended.position, Position(5)),
        Err(error) => anyhow::bail!("{error}"),
    }
    let again = test.append(&acme, asked()).await?;
    assert_eq!((again.position, again.replayed), (Position(5), true));
    check(&test).await
}
