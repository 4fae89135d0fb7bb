//! One process: from its start through SIGTERM to its end.

use super::answer::{self, Container};
use crate::image::Behavior;
use crate::port;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Time before an ended process's address is reused: a target outlives its task for a while.
const REST: Duration = Duration::from_secs(10);

/// An order for a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// Run.
    None,
    /// Accept no new connections, finish requests in progress.
    Terminate,
    /// End now.
    Kill,
}

/// A container's process; dropping this kills the process.
#[derive(Debug)]
pub struct Process {
    /// The listening address after the start delay; connections are refused before.
    pub address: SocketAddr,
    /// Orders the process to end.
    signal: watch::Sender<Signal>,
}

impl Process {
    /// Starts a process with this behavior for this task.
    pub(crate) fn start(runtime: &Handle, behavior: Behavior, task: &str) -> io::Result<Self> {
        let socket = {
            let _context = runtime.enter();
            port::any()?
        };
        let address = socket.local_addr()?;
        let (signal, told) = watch::channel(Signal::None);
        runtime.spawn(run(socket, Arc::new(Container::new(behavior, task)), told));
        Ok(Self { address, signal })
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal.send_replace(Signal::Terminate);
    }

    /// SIGKILL, or a crash.
    pub(crate) fn kill(&self) {
        self.signal.send_replace(Signal::Kill);
    }
}

/// Listens after the start delay until ordered to end; then the address rests.
async fn run(socket: port::Socket, container: Arc<Container>, mut told: watch::Receiver<Signal>) {
    let _resting = if wait(container.behavior.start_delay, &mut told).await {
        serve(socket, container, told).await
    } else {
        Ok(socket)
    };
    crate::clock::sleep(REST).await;
}

/// Answers until ordered to end; returns the port, which no longer listens.
async fn serve(
    socket: port::Socket,
    container: Arc<Container>,
    mut told: watch::Receiver<Signal>,
) -> io::Result<port::Socket> {
    let mut listener = socket.listen()?;
    let mut connections = JoinSet::new();
    accept(&mut listener, &container, &mut told, &mut connections).await;
    let resting = port::hold(listener.local_addr()?);
    drop(listener);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = killed(&mut told) => connections.shutdown().await,
    }
    resting
}

/// Waits for this time; false if the process was ordered to end meanwhile.
async fn wait(time: Duration, told: &mut watch::Receiver<Signal>) -> bool {
    if time.is_zero() {
        return true;
    }
    tokio::select! {
        () = crate::clock::sleep(time) => true,
        _ = told.changed() => false,
    }
}

/// Accepts connections until ordered to end.
async fn accept(
    listener: &mut port::Listener,
    container: &Arc<Container>,
    told: &mut watch::Receiver<Signal>,
    connections: &mut JoinSet<()>,
) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, container.clone(), told.clone()));
            }
            _ = told.changed() => return,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Ends when the process is killed, or its owner is dropped.
async fn killed(told: &mut watch::Receiver<Signal>) {
    let _ = told.wait_for(|signal| *signal == Signal::Kill).await;
}

/// Serves one connection; SIGTERM lets the request in progress finish.
async fn connection(stream: port::Stream, container: Arc<Container>, mut told: watch::Receiver<Signal>) {
    let service = service_fn(move |request| answer::answer(container.clone(), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = told.wait_for(|signal| *signal != Signal::None) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
