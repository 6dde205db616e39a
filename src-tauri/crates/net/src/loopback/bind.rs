//! The socket: a loopback address, a port of the system's choice, no option that lets others share it.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use domain::provider::LoopbackPort;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait in the kernel while all places are taken.
const BACKLOG: u32 = 4096;

/// Binds 127.0.0.1, else `[::1]`.  A fixed port that is taken stays taken: no other port would be accepted.
pub(super) fn bind(port: LoopbackPort) -> io::Result<TcpListener> {
    let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    match port {
        LoopbackPort::Any => at(SocketAddr::new(v4, 0)).or_else(|_| at(SocketAddr::new(v6, 0))),
        LoopbackPort::Fixed(0) => Err(ErrorKind::InvalidInput.into()),
        LoopbackPort::Fixed(port) => at(SocketAddr::new(v4, port)).or_else(|err| {
            let refused = [ErrorKind::AddrInUse, ErrorKind::PermissionDenied].contains(&err.kind());
            if refused { Err(err) } else { at(SocketAddr::new(v6, port)) }
        }),
    }
}

/// Binds one address.
pub(super) fn at(address: SocketAddr) -> io::Result<TcpListener> {
    // TcpListener::bind, here and in std, sets SO_REUSEADDR on unix; a plain socket does not.
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
