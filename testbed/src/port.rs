//! Ports: of 127.0.0.1, that stay ours while nothing listens at them; or of a world that runs on one thread, in memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::clock;

/// Most connections that wait to be accepted.
pub(crate) const BACKLOG: u32 = 1024;

/// The first port in memory.
const FIRST: u16 = 10_000;

/// Bytes that a connection in memory holds in each direction.
const BUFFER: usize = 64 * 1024;

/// Both directions of a connection.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection.
pub(crate) type Stream = Box<dyn Io>;

thread_local! {
    /// Who listens in memory.
    static LISTENING: RefCell<HashMap<SocketAddr, UnboundedSender<Stream>>> = RefCell::default();
    /// The port in memory that was given last.
    static LAST: RefCell<u16> = const { RefCell::new(FIRST) };
}

/// A port that is held.
#[derive(Debug)]
pub(crate) enum Socket {
    /// Of the machine.
    Machine(TcpSocket),
    /// In memory.
    Memory(SocketAddr),
}

impl Socket {
    /// Its address.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Machine(socket) => socket.local_addr(),
            Self::Memory(address) => Ok(*address),
        }
    }

    /// Takes connections from here on.
    pub(crate) fn listen(self) -> io::Result<Listener> {
        match self {
            Self::Machine(socket) => Ok(Listener::Machine(socket.listen(BACKLOG)?)),
            Self::Memory(address) => {
                let (send, came) = unbounded_channel();
                LISTENING.with_borrow_mut(|all| all.insert(address, send));
                Ok(Listener::Memory(Memory { address, came }))
            }
        }
    }
}

/// A port that takes connections.
pub(crate) enum Listener {
    /// Of the machine.
    Machine(TcpListener),
    /// In memory.
    Memory(Memory),
}

/// A port in memory that takes connections.
pub(crate) struct Memory {
    /// Its address.
    address: SocketAddr,
    /// Connections that wait to be accepted.
    came: UnboundedReceiver<Stream>,
}

impl Drop for Memory {
    /// Connections are refused from here on.
    fn drop(&mut self) {
        let _ = LISTENING.try_with(|all| all.borrow_mut().remove(&self.address));
    }
}

impl Listener {
    /// One of the machine that listens already. Must be called on a tokio runtime.
    pub(crate) fn of_machine(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Machine(TcpListener::from_std(listener)?))
    }

    /// Its address.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Machine(listener) => listener.local_addr(),
            Self::Memory(memory) => Ok(memory.address),
        }
    }

    /// The next connection, and who it comes from.
    pub(crate) async fn accept(&mut self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Self::Machine(listener) => {
                let (stream, client) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Ok((Box::new(stream), client))
            }
            Self::Memory(memory) => match memory.came.recv().await {
                Some(stream) => Ok((stream, memory.address)),
                None => Err(io::ErrorKind::ConnectionAborted.into()),
            },
        }
    }
}

/// Opens a connection.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Stream> {
    if !clock::is_own() {
        let stream = TcpStream::connect(address).await?;
        let _ = stream.set_nodelay(true);
        return Ok(Box::new(stream));
    }
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    let taken =
        LISTENING.with_borrow(|all| all.get(&address).map(|listener| listener.send(Box::new(theirs))));
    match taken {
        Some(Ok(())) => Ok(Box::new(ours)),
        Some(Err(_)) | None => Err(io::ErrorKind::ConnectionRefused.into()),
    }
}

/// Holds a free port, like [`hold`].
///
/// # Errors If no port is left.
pub(crate) fn any() -> io::Result<Socket> {
    if clock::is_own() {
        let port = LAST.with_borrow_mut(|last| {
            *last = last.checked_add(1).unwrap_or(FIRST);
            *last
        });
        return Ok(Socket::Memory(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    }
    hold(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// Holds a port: connections are refused until the socket listens, and no other process gets the port until the socket
/// is dropped. The current holder may hold the port once more, so that it is never released between two owners: a
/// server that ends and a host that is down leave no port to the next testbed, whose answers would be mistaken for
/// theirs.
///
/// # Errors If another process has the port.
pub(crate) fn hold(address: SocketAddr) -> io::Result<Socket> {
    if clock::is_own() {
        return Ok(Socket::Memory(address));
    }
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(Socket::Machine(socket))
}
#[cfg(test)]
mod tests {
    use super::{any, hold};
    use std::collections::HashSet;
    use std::io::ErrorKind;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_port_that_is_held_refuses_and_is_given_to_nobody_else() {
        let listener = any().unwrap().listen().unwrap();
        let address = listener.local_addr().unwrap();
        TcpStream::connect(address).await.unwrap();
        let held = hold(address).unwrap();
        drop(listener);
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(TcpListener::bind(address).await.unwrap_err().kind(), ErrorKind::AddrInUse);
        let mut others = HashSet::new();
        for _ in 0..2_000 {
            others.insert(any().unwrap().local_addr().unwrap().port());
        }
        assert!(!others.contains(&address.port()));
        let listener = held.listen().unwrap();
        TcpStream::connect(address).await.unwrap();
        drop(listener);
    }
}
