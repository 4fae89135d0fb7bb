//! Connections from a proxy to its targets, kept for the next request.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use crate::{clock, port};

/// Longest time for a target to accept a connection (an application load balancer answers 504 after 10 seconds).
const CONNECT: Duration = Duration::from_secs(10);

/// Reason for a missing answer of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The target refused the connection.
    Refused,
    /// The target did not accept the connection in time.
    Silent,
    /// The target closed the connection instead of answering, or gave an invalid answer.
    Broken,
}

/// One kept connection.
type Sender = SendRequest<Incoming>;

/// Connections by target. Some are still busy with the body of an answer.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Kept connections.
    kept: Mutex<HashMap<SocketAddr, Vec<Sender>>>,
}

impl Pool {
    /// Sends a request to a target. A kept connection that was closed before the request was sent is no failure.
    pub(super) async fn send(
        &self,
        address: SocketAddr,
        mut request: Request<Incoming>,
    ) -> Result<Response<Incoming>, Failure> {
        while let Some(mut sender) = self.take(address) {
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.put(address, sender);
                    return Ok(response);
                }
                Err(mut error) => request = error.take_message().ok_or(Failure::Broken)?,
            }
        }
        let mut sender = connect(address).await?;
        let response = sender.send_request(request).await.map_err(|_| Failure::Broken)?;
        self.put(address, sender);
        Ok(response)
    }

    /// A kept connection that can accept a request now. Closed connections are dropped.
    fn take(&self, address: SocketAddr) -> Option<Sender> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = kept.get_mut(&address)?;
        senders.retain(|sender| !sender.is_closed());
        let ready = senders.iter().position(SendRequest::is_ready)?;
        Some(senders.swap_remove(ready))
    }

    /// Keeps a connection.
    fn put(&self, address: SocketAddr, sender: Sender) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entry(address).or_default().push(sender);
    }
}

/// Opens a connection.
async fn connect(address: SocketAddr) -> Result<Sender, Failure> {
    let stream = match clock::within(CONNECT, port::connect(address)).await {
        Some(Ok(stream)) => stream,
        Some(Err(_)) => return Err(Failure::Refused),
        None => return Err(Failure::Silent),
    };
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Broken)?;
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}
