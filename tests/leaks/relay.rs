//! Stands between the host and the bank's API and gives accounts full numbers, which the Sandbox Bank itself never shows.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// The masked numbers of the customer, as the bank shows them, and full ones that it could have shown.
pub(crate) const NUMBERS: [(&str, &str); 3] =
    [("••••4821", "40091273385504821"), ("••••9034", "77120049381659034"), ("••••1176", "51630988274401176")];

/// Starts it in front of a bank; gives its port.
pub(crate) fn start(bank: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || drop(carry(client, bank)));
        }
    });
    port
}

/// Carries one request, which has no body, and its answer.
fn carry(mut client: TcpStream, bank: u16) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut lines = text.lines();
    // HTTP/1.0 and its end of connection, so that the answer comes in one piece.
    let first = lines.next().unwrap_or_default().replace("HTTP/1.1", "HTTP/1.0");
    let kept = lines.filter(|line| {
        !line.is_empty()
            && !line.to_lowercase().starts_with("host:")
            && !line.to_lowercase().starts_with("connection:")
    });
    let kept: Vec<&str> = kept.collect();
    let request = format!("{first}\r\nHost: 127.0.0.1:{bank}\r\n{}\r\n\r\n", kept.join("\r\n"));
    let mut server = TcpStream::connect(("127.0.0.1", bank))?;
    server.write_all(request.as_bytes())?;
    let mut answer = String::new();
    server.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let body = NUMBERS.iter().fold(body.to_owned(), |body, (masked, full)| body.replace(masked, full));
    let head: Vec<&str> =
        head.lines().filter(|line| !line.to_lowercase().starts_with("content-length:")).collect();
    let answer = format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len());
    client.write_all(answer.as_bytes())
}
