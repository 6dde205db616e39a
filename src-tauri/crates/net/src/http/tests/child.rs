//! Tests that need a process of their own: for its environment, and for its memory.

use std::io::Write as _;
use std::net::TcpStream;

use app::port::HttpError;

use super::floods::{FLOODS, speak};
use super::secure::{Authority, say_ok, serve};
use super::server::Server;
use super::*;

const CHILD: &str = "COUNTERSIGN_NET_TEST";

/// Runs one test of this file again, in a process with this environment; gives what it prints.
fn again(test: &str, environment: &[(&str, String)]) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", &format!("http::tests::child::{test}")]).env(CHILD, "1");
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[expect(clippy::disallowed_methods, reason = "the test talks to itself through its environment")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_plays_no_part() {
    const NAME: &str = "the_environment_plays_no_part";
    if told(CHILD).is_some() {
        let (url, pem) = (told("TEST_URL").unwrap(), std::fs::read(told("SSL_CERT_FILE").unwrap()).unwrap());
        assert_eq!(post(&client(None), &url).await.err(), Some(HttpError::Tls));
        assert_eq!(post(&client(Some(pem)), &url).await.unwrap().status, 200);
        println!("both were as expected");
        return;
    }
    let (authority, proxy, folder) =
        (Authority::new(|_| {}), Server::saying(""), tempfile::tempdir().unwrap());
    let (address, _) = serve(authority.leaf(|_| {}), &["http/1.1"], say_ok).await;
    let (roots, key_log) = (folder.path().join("roots.pem"), folder.path().join("keys"));
    std::fs::write(&roots, authority.pem()).unwrap();
    let mut environment = vec![
        ("TEST_URL", format!("https://{address}/token")),
        ("SSL_CERT_DIR", folder.path().display().to_string()),
        ("SSLKEYLOGFILE", key_log.display().to_string()),
    ];
    for name in
        ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NIX_SSL_CERT_FILE"]
    {
        environment.push((name, roots.display().to_string()));
    }
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        environment.push((name, format!("http://{}", proxy.address)));
    }
    let printed = tokio::task::spawn_blocking(move || again(NAME, &environment)).await.unwrap();
    assert!(printed.contains("both were as expected"), "{printed}");
    assert!(!key_log.exists());
    assert_eq!(proxy.connections(), 0);
}

/// The largest this process has been, in KiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn zipped(megabytes: usize) -> Vec<u8> {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..megabytes).for_each(|_| bomb.write_all(&[0; 1024 * 1024]).unwrap());
    bomb.finish().unwrap()
}

/// Begins a reply and repeats a part of it until nobody listens.
fn endless(head: &'static str, part: Vec<u8>) -> Server {
    Server::new(move |stream: &mut TcpStream| {
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(&part).is_ok() {}
    })
}

/// Answers before the answer. At a pace, since an unoptimised parser is busy for seconds with what arrives at once.
fn hints() -> Server {
    Server::new(|stream: &mut TcpStream| {
        while stream.write_all(&b"HTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n".repeat(40)).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    })
}

/// Bodies and heads without end, by HTTP/1.1: name, server, and how the request ends.
fn bombs() -> Vec<(&'static str, Server, HttpError)> {
    use HttpError::{Closed, TimedOut, TooLarge};
    const OK: &str = "HTTP/1.1 200 OK\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let big = |size: usize| vec![b'x'; size];
    let mut bomb = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    bomb.extend(zipped(60));
    let members = zipped(1);
    vec![
        ("a bomb of 60 MiB", Server::saying(bomb), TooLarge),
        (
            "bombs behind each other",
            endless("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", members),
            TooLarge,
        ),
        ("a body without end", endless(OK, big(65536)), TooLarge),
        ("10 GB", endless("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", big(65536)), TooLarge),
        (
            "chunks without end",
            endless(CHUNKED, [b"4000\r\n".to_vec(), big(0x4000), b"\r\n".to_vec()].concat()),
            TooLarge,
        ),
        (
            "one chunk without end",
            endless(CHUNKED, [b"7fffffffffff\r\n".to_vec(), big(65536)].concat()),
            TooLarge,
        ),
        (
            "chunks of 64 bytes",
            endless(CHUNKED, [b"40\r\n".to_vec(), big(64), b"\r\n".to_vec()].concat().repeat(100)),
            TooLarge,
        ),
        (
            "a chunk's remarks without end",
            endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", big(65536)),
            Closed,
        ),
        (
            "trailers without end",
            endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n".repeat(1000)),
            Closed,
        ),
        ("headers without end", endless("HTTP/1.1 200 OK\r\n", b"a: b\r\n".repeat(1000)), TooLarge),
        ("a header without end", endless("HTTP/1.1 200 OK\r\nx: ", big(65536)), TooLarge),
        ("a status line without end", endless("HTTP/1.1 200 ", big(65536)), TooLarge),
        ("hints without end", hints(), TimedOut),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_and_floods_cost_little_memory() {
    const NAME: &str = "bombs_and_floods_cost_little_memory";
    if told(CHILD).is_some() {
        return attacked().await;
    }
    let small = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (authority, bombs) = (Authority::new(|_| {}), bombs());
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let mut attacks: Vec<String> =
        bombs.iter().map(|(name, server, ends)| format!("{name}|{}|{ends:?}", server.url())).collect();
    for (name, flood, ends) in FLOODS {
        let (address, _) = serve(authority.leaf(|_| {}), &["h2"], move |stream| speak(stream, *flood)).await;
        attacks.push(format!("{name}|https://{address}/token|{ends}"));
    }
    let environment = [
        ("TEST_SMALL", small.url()),
        ("TEST_ATTACKS", attacks.join("\n")),
        ("TEST_ROOTS", roots.display().to_string()),
    ];
    let printed = tokio::task::spawn_blocking(move || again(NAME, &environment)).await.unwrap();
    let grown =
        printed.split_once("grew by ").unwrap().1.split_once(" KiB").unwrap().0.parse::<usize>().unwrap();
    assert!(grown < 8 * 1024, "{grown} KiB");
}

/// The child's part: every attack, then how far the process has grown.
async fn attacked() {
    let client = client(Some(std::fs::read(told("TEST_ROOTS").unwrap()).unwrap()));
    let _ = post(&client, &told("TEST_SMALL").unwrap()).await;
    // The first handshake loads what every later one shares.
    let attacks = told("TEST_ATTACKS").unwrap();
    let attacks: Vec<Vec<&str>> = attacks.lines().map(|line| line.split('|').collect()).collect();
    let _ = post(&client, attacks.last().unwrap()[1]).await;
    let before = peak();
    let mut wrong = Vec::new();
    for attack in &attacks {
        for _ in 0..2 {
            let got = format!("{:?}", post(&client, attack[1]).await.err());
            if got != format!("Some({})", attack[2]) {
                wrong.push(format!("{}: {got}", attack[0]));
            }
        }
    }
    println!("grew by {} KiB", peak() - before);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
