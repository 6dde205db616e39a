//! The socket itself: the literal loopback address, a port of the system's choice, one socket kept, shared with nobody.

use std::collections::HashSet;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use app::port::{Callback as _, CallbackPage, ListenError, Listening as _, Loopback as _};
use domain::provider::LoopbackPort;
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::super::{OpenListener, SystemLoopback, bind, page};
use super::client::{PATH, address, assert_genuine_passes, attempt, genuine, open, send, status, waiting};

/// Listening TCP sockets of this network namespace: address and inode.
pub(super) fn listening() -> Vec<(SocketAddr, u64)> {
    listening_in(&["tcp", "tcp6"])
}

/// The same of one family alone: each list takes the kernel a while.
pub(super) fn listening_in(tables: &[&str]) -> Vec<(SocketAddr, u64)> {
    let mut found = Vec::new();
    for table in tables.iter().map(|table| format!("/proc/self/net/{table}")) {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == "0A" {
                found.push((socket_address(fields[1]), fields[9].parse().unwrap()));
            }
        }
    }
    found
}

/// Reads the kernel's notation: words of four bytes in the machine's order, then the port.
fn socket_address(text: &str) -> SocketAddr {
    let (ip, port) = text.split_once(':').unwrap();
    let words = ip.as_bytes().chunks(8).map(|word| std::str::from_utf8(word).unwrap());
    let bytes: Vec<u8> =
        words.flat_map(|word| u32::from_str_radix(word, 16).unwrap().to_ne_bytes()).collect();
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => std::net::IpAddr::from(v4),
        Err(_) => std::net::IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).unwrap()),
    };
    SocketAddr::new(ip, u16::from_str_radix(port, 16).unwrap())
}

/// The inode of the one socket that listens at an address; this process holds it once.
fn inode_of(address: SocketAddr) -> u64 {
    let found: Vec<_> = listening_in(&["tcp"]).into_iter().filter(|(at, _)| *at == address).collect();
    assert_eq!(found.len(), 1, "one socket listens at {address}");
    let inode = found[0].1;
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
    let held = targets.filter(|target| target.as_os_str() == format!("socket:[{inode}]").as_str()).count();
    assert_eq!(held, 1, "one descriptor holds it");
    inode
}

#[tokio::test]
async fn the_redirect_uri_is_the_socket_and_names_the_address() {
    for _ in 0..50 {
        let listener = open().await;
        let uri = listener.redirect_uri().clone();
        assert_eq!(uri.as_str(), format!("http://127.0.0.1:{}{PATH}", uri.port().unwrap()));
    }
    for path in ["", "callback", "/a?b", "/a#b", "/a/../b", "/a b", "/a%62", "/é", "/./a"] {
        assert_eq!(
            SystemLoopback.listen(path, LoopbackPort::Any).await.err(),
            Some(ListenError::Failed),
            "{path}"
        );
    }
}

/// R8252-06, without a tracer: the kernel's own list shows one socket per attempt, the same from the moment its
/// address is known until it closes.
#[tokio::test]
async fn two_hundred_attempts_get_ephemeral_ports_and_keep_the_socket_they_bound() {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let range: Vec<u16> = range.split_whitespace().map(|end| end.parse().unwrap()).collect();
    let mut ports = HashSet::new();
    for round in 0..200 {
        let listener = open().await;
        let address = address(&listener);
        assert!((range[0]..=range[1]).contains(&address.port()), "{address}");
        ports.insert(address.port());
        // The list is long to read; every tenth will do.
        let before = (round % 10 == 0).then(|| inode_of(address));
        let mut queries = attempt(listener, CallbackPage::Done);
        assert_genuine_passes(address, &mut queries).await;
        assert_eq!(
            (round % 10 == 0).then(|| inode_of(address)),
            before,
            "the same socket after the callback"
        );
    }
    assert!(ports.len() > 100, "the system chooses: {}", ports.len());
}

#[tokio::test]
async fn the_port_cannot_be_shared() {
    let listener = bind::bind(LoopbackPort::Any).unwrap();
    assert!(!sockopt::socket_reuseaddr(listener.as_fd()).unwrap());
    assert!(!sockopt::socket_reuseport(listener.as_fd()).unwrap());
    // The same of the listener that an attempt gets.
    let open = open().await;
    for address in [listener.local_addr().unwrap(), address(&open)] {
        assert!(address.ip().is_loopback());
        for (reuse_address, reuse_port) in [(false, false), (true, false), (false, true), (true, true)] {
            for ip in ["127.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]"] {
                let target: SocketAddr = format!("{ip}:{}", address.port()).parse().unwrap();
                let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
                let other = rustix::net::socket(family, SocketType::STREAM, None).unwrap();
                if target.is_ipv6() {
                    sockopt::set_ipv6_v6only(&other, false).unwrap();
                }
                sockopt::set_socket_reuseaddr(&other, reuse_address).unwrap();
                sockopt::set_socket_reuseport(&other, reuse_port).unwrap();
                let bound = rustix::net::bind(&other, &target);
                assert!(bound.is_err(), "{target} {reuse_address} {reuse_port}");
            }
        }
    }
}

/// Attack 4: somebody holds the ports that could be guessed, and waits for the one that is free for a moment.
#[tokio::test]
async fn a_squatter_on_a_hundred_ports_gets_nothing() {
    let squatter: Vec<TcpListener> = (0..100).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let taken: HashSet<u16> = squatter.iter().map(|held| held.local_addr().unwrap().port()).collect();
    for held in &squatter {
        held.set_nonblocking(true).unwrap();
    }
    for _ in 0..20 {
        let (address, mut queries) = waiting().await;
        assert!(!taken.contains(&address.port()));
        assert!(TcpListener::bind(address).is_err(), "the port is never free in between");
        assert_genuine_passes(address, &mut queries).await;
    }
    // A bank that fixed its port: taken stays taken, said so, and no other port is tried.
    for port in taken {
        let listener = SystemLoopback.listen(PATH, LoopbackPort::Fixed(port)).await;
        assert_eq!(listener.err(), Some(ListenError::PortTaken));
    }
    assert!(squatter.iter().all(|held| held.accept().is_err()), "nobody came to the squatter");
}

/// Attack 5: the same port on the other loopback addresses belongs to somebody else, and a client that resolves
/// names or races addresses follows the redirect.
#[tokio::test]
async fn a_squatter_on_the_other_loopback_addresses_gets_nothing() {
    let (address, mut queries) = waiting().await;
    let port = address.port();
    let squatters: Vec<TcpListener> = [format!("[::1]:{port}"), format!("127.0.0.2:{port}")]
        .iter()
        .map(|at| TcpListener::bind(at).expect("the system grants it"))
        .collect();
    for squatter in &squatters {
        squatter.set_nonblocking(true).unwrap();
    }
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let reply = client.get(format!("http://{address}{PATH}?code=x")).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(queries.try_recv().unwrap(), "code=x");
    assert_genuine_passes(address, &mut queries).await;
    assert!(squatters.iter().all(|squatter| squatter.accept().is_err()), "nobody came to a squatter");
    // The control: had the redirect named the other address, they would have come there.
    drop(TcpStream::connect(format!("[::1]:{port}")).unwrap());
    assert!(squatters[0].accept().is_ok());
}

#[tokio::test]
async fn a_fixed_port_is_used_or_refused_and_free_again_at_once() {
    let probe = bind::bind(LoopbackPort::Any).unwrap();
    let port = probe.local_addr().unwrap().port();
    assert_eq!(
        SystemLoopback.listen(PATH, LoopbackPort::Fixed(port)).await.err(),
        Some(ListenError::PortTaken)
    );
    drop(probe);
    assert_eq!(SystemLoopback.listen(PATH, LoopbackPort::Fixed(0)).await.err(), Some(ListenError::PortTaken));
    for round in 0..3 {
        let mut listener = SystemLoopback
            .listen(PATH, LoopbackPort::Fixed(port))
            .await
            .unwrap_or_else(|err| panic!("round {round}: {err}"));
        let address = address(&listener);
        assert_eq!(address.port(), port);
        let idle = tokio::net::TcpStream::connect(address).await.unwrap();
        let client = tokio::spawn(async move { send(address, genuine(address, "code=x").as_bytes()).await });
        listener.next().await.unwrap().answer(CallbackPage::Done).await;
        drop(listener);
        assert_eq!(status(&client.await.unwrap()), 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(idle);
    }
}

#[tokio::test]
async fn the_other_loopback_address_works_the_same() {
    let v6 = bind::at(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0)).expect("this computer has ::1");
    let port = v6.local_addr().unwrap().port();
    let listener = OpenListener::new(v6, PATH).unwrap();
    assert_eq!(listener.redirect_uri().as_str(), format!("http://[::1]:{port}{PATH}"));
    let address: SocketAddr = format!("[::1]:{port}").parse().unwrap();
    let mut queries = attempt(listener, CallbackPage::Done);
    for wrong in [format!("::1:{port}"), format!("[::1%1]:{port}"), format!("[0:0:0:0:0:0:0:1]:{port}")] {
        let request = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: {wrong}\r\n\r\n");
        assert_eq!(status(&send(address, request.as_bytes()).await), 421, "{wrong}");
    }
    assert_genuine_passes(address, &mut queries).await;
    assert_eq!(send(address, genuine(address, "code=x").as_bytes()).await, page::answer(CallbackPage::Done));
}
