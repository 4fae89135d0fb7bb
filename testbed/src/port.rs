//! Ports of 127.0.0.1 that stay ours while nothing listens at them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;

/// Connections that may wait to be accepted.
pub(crate) const BACKLOG: u32 = 1024;

/// Holds a port that nobody has, as [`hold`] does.
///
/// # Errors
/// When no port is left.
pub(crate) fn any() -> io::Result<TcpSocket> {
    hold(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// Holds a port: connections are refused until the socket listens, and nobody else is given the port until it is
/// dropped. Who holds it already may hold it once more, so that it is never let go between two owners: a server that
/// ends and a host that is down leave no port to the next testbed, whose answers would be taken for theirs.
///
/// # Errors
/// When somebody else has the port.
pub(crate) fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::{any, hold};
    use std::collections::HashSet;
    use std::io::ErrorKind;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_port_that_is_held_refuses_and_is_given_to_nobody_else() {
        let listener = any().unwrap().listen(8).unwrap();
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
        let listener = held.listen(8).unwrap();
        TcpStream::connect(address).await.unwrap();
        drop(listener);
    }
}
