//! Putting an answer on the wire, well or badly.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::{Plain, Wire};

/// What an endless answer is made of.
const PART: usize = 16 * 1024;

/// Writes the answer and ends the connection. An error is the client's hanging up.
pub(super) async fn write(stream: &mut TcpStream, answer: &Plain, wire: &Wire) -> io::Result<()> {
    let whole = [head(answer).as_bytes(), &answer.body].concat();
    match wire {
        Wire::Whole => stream.write_all(&whole).await?,
        Wire::Close => {}
        Wire::Reset => return stream.set_zero_linger(),
        Wire::ResetAfter => {
            stream.write_all(&whole).await?;
            return stream.set_zero_linger();
        }
        Wire::HalfHead => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le").await?,
        Wire::HalfBody => {
            let half = answer.body.len() / 2;
            stream.write_all(head(answer).as_bytes()).await?;
            stream.write_all(answer.body.get(..half).unwrap_or_default()).await?;
        }
        Wire::Drip => {
            stream.write_all(head(answer).as_bytes()).await?;
            return drip(stream, &answer.body).await;
        }
        Wire::DripHead => return drip(stream, &whole).await,
        Wire::EndlessBody => {
            stream.write_all(format!("{}\r\n", head_only(answer)).as_bytes()).await?;
            return for_ever(stream, &[b' '; PART]).await;
        }
        Wire::EndlessChunks => {
            let head = format!("{}transfer-encoding: chunked\r\n\r\n", head_only(answer));
            stream.write_all(head.as_bytes()).await?;
            let chunk = format!("{PART:x}\r\n{}\r\n", " ".repeat(PART));
            return for_ever(stream, chunk.as_bytes()).await;
        }
        Wire::EndlessHead => {
            stream.write_all(head_only(answer).as_bytes()).await?;
            return for_ever(stream, "x-more: and more\r\n".repeat(1000).as_bytes()).await;
        }
        Wire::ManyHeaders => {
            let many = "x-more: and more\r\n".repeat(10_000);
            let length = answer.body.len();
            let head = format!("{}{many}content-length: {length}\r\n\r\n", head_only(answer));
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&answer.body).await?;
        }
        Wire::Raw(bytes) => stream.write_all(bytes.as_bytes()).await?,
        Wire::Silent => return until_gone(stream).await,
        Wire::StayOpen => {
            stream.write_all(&whole).await?;
            return until_gone(stream).await;
        }
    }
    stream.shutdown().await
}

fn head_only(answer: &Plain) -> String {
    let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").expect("memory takes it");
    }
    head
}

fn head(answer: &Plain) -> String {
    let close = "connection: close\r\n";
    // 204 and 304 have no body, and say no length (RFC 9110 §8.6).
    if matches!(answer.status, 204 | 304) {
        return format!("{}{close}\r\n", head_only(answer));
    }
    format!("{}{close}content-length: {}\r\n\r\n", head_only(answer), answer.body.len())
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(std::slice::from_ref(byte)).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn for_ever(stream: &mut TcpStream, part: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(part).await?;
        // Much sooner than any limit, and slow enough to leave the machine to others.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn until_gone(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
