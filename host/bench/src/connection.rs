//! One client's connection: kept open, one request at a time, as little of its own as possible.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection to the server.
pub struct Connection {
    requests: SendRequest<Full<Bytes>>,
    host: String,
}

/// What is asked.
pub struct Asked<'a> {
    /// `GET` or `POST`.
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    /// Headers besides the host.
    pub headers: &'a [(&'a str, &'a str)],
    /// JSON, or nothing.
    pub body: Bytes,
}

/// What was answered.
pub struct Answer {
    headers: HeaderMap,
    /// JSON, or nothing.
    pub body: Bytes,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("failed to reach the server")?;
        stream.set_nodelay(true)?;
        let (requests, driver) = handshake(TokioIo::new(stream)).await?;
        // A connection that broke shows in the request that used it.
        tokio::spawn(async move { driver.await.ok() });
        Ok(Self { requests, host: address.to_string() })
    }

    /// Asks, and reads the whole answer; one that is not a success is an error.
    pub async fn ask(&mut self, asked: Asked<'_>) -> Result<Answer> {
        let (method, path) = (asked.method.clone(), asked.path);
        let (status, answer) = self.send(asked).await?;
        if !status.is_success() {
            bail!("{method} {path} was answered with {status}: {}", String::from_utf8_lossy(&answer.body));
        }
        Ok(answer)
    }

    /// Asks, and reads the whole answer, whatever it is.
    pub async fn send(&mut self, asked: Asked<'_>) -> Result<(StatusCode, Answer)> {
        let Asked { method, path, headers, body } = asked;
        let mut request = Request::builder().method(&method).uri(path).header(header::HOST, &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.requests.ready().await?;
        let response = self.requests.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok((status, Answer { headers: head.headers, body }))
    }
}

impl Answer {
    /// A header that the server promises.
    pub fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.with_context(|| format!("the answer has no {name}"))
    }
}
