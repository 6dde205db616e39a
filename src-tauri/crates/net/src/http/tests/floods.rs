//! Frames of HTTP/2 that never come to an answer, written by hand: a sound library would not send them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What a server repeats until nobody listens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flood {
    /// Body frames of no length (h2 RUSTSEC-2026-0258).
    EmptyData,
    /// Body frames that are all padding.
    Padding,
    /// Parts of one header section (CVE-2024-27316).
    Continuation,
    /// Pings that want an answer each.
    Ping,
    /// Settings that want an answer each.
    Settings,
    /// Answers promised for requests that nobody made.
    Push,
}

/// Name, flood, and how the request ends.
pub(super) const FLOODS: &[(&str, Flood, &str)] = &[
    ("empty data", Flood::EmptyData, "Closed"),
    ("padding", Flood::Padding, "Closed"),
    ("continuations", Flood::Continuation, "Closed"),
    ("pings", Flood::Ping, "TimedOut"),
    ("settings", Flood::Settings, "TimedOut"),
    ("promises", Flood::Push, "Closed"),
];

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

/// Speaks as far as the first request, then floods.
pub(super) async fn speak(mut stream: TlsStream<TcpStream>, flood: Flood) {
    let (settings, acknowledged) = (frame(4, 0, 0, &[]), frame(4, 1, 0, &[]));
    let _ = stream.write_all(&[settings.clone(), acknowledged].concat()).await;
    let mut bytes = vec![0; 65536];
    let _ = stream.read(&mut bytes).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    // `:status: 200` is the eighth entry of the static table (RFC 7541 appendix A).
    let begun = frame(1, 4, 1, &[0x88]);
    let (head, part) = match flood {
        Flood::EmptyData => (begun, frame(0, 0, 1, &[])),
        Flood::Padding => (begun, frame(0, 8, 1, &[&[200][..], &[0; 200]].concat())),
        Flood::Continuation => (frame(1, 0, 1, &[0x88]), frame(9, 0, 1, b"\x00\x01a\x01b")),
        Flood::Ping => (Vec::new(), frame(6, 0, 0, &[7; 8])),
        Flood::Settings => (Vec::new(), settings),
        Flood::Push => (begun, frame(5, 4, 1, &[0, 0, 0, 2, 0x82, 0x84, 0x87])),
    };
    let _ = stream.write_all(&head).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    // What comes back is read and thrown away, so that it is never our own full pipe that ends the flood.
    let reading =
        tokio::spawn(async move { while reader.read(&mut bytes).await.is_ok_and(|len| len > 0) {} });
    let parts = part.repeat(200);
    while writer.write_all(&parts).await.is_ok() {}
    reading.abort();
}
