//! A server that says exactly what a test tells it to, and counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// A scripted server; it lives as long as the test process.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: mpsc::Receiver<String>,
}

impl Server {
    /// Reads one request per connection, then runs the script on it.
    pub(super) fn new(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let (counter, (seen, heads), script) = (Arc::clone(&connections), mpsc::channel(), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let (mut stream, script, seen) = (stream.unwrap(), Arc::clone(&script), seen.clone());
                std::thread::spawn(move || {
                    let _ = seen.send(read_request(&mut stream));
                    script(&mut stream);
                });
            }
        });
        Self { address, connections, heads }
    }

    /// Answers every request with the same bytes and closes.
    pub(super) fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |stream| {
            let _ = stream.write_all(&answer);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        std::iter::from_fn(|| self.heads.recv_timeout(Duration::from_millis(50)).ok())
            .filter(|request| !request.is_empty())
            .collect()
    }
}

pub(super) fn read_request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|l| l.strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(len) => bytes.extend_from_slice(&chunk[..len]),
        }
    }
}
