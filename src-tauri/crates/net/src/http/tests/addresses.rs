//! Which addresses are connected to.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::Method;

use super::server::Server;
use super::*;

fn looking_up(rule: AddressRule, answers: &[Vec<&str>]) -> (HttpClient, Arc<AtomicUsize>) {
    let answers: Vec<Vec<IpAddr>> =
        answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let answer = answers[counter.fetch_add(1, Ordering::SeqCst) % answers.len()].clone();
        Box::pin(std::future::ready(Ok(answer)))
    });
    let settings = Settings { addresses: rule, extra_roots_pem: None };
    (HttpClient::build(&settings, lookup, SHORT).unwrap(), asked)
}

const PRIVATE: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

#[tokio::test]
async fn a_name_that_leads_home_is_not_connected_to() {
    for ip in PRIVATE {
        let (public, _) = looking_up(AddressRule::Public, &[vec![*ip]]);
        assert_eq!(
            post(&public, "https://bank.example/token").await.err(),
            Some(HttpError::NotPublic),
            "{ip}"
        );
        let loopback = ip.parse::<IpAddr>().unwrap().is_loopback();
        let (sandbox, _) = looking_up(AddressRule::DangerLoopback, &[vec![*ip]]);
        let expected = if loopback { HttpError::NoConnection } else { HttpError::NotPublic };
        assert_eq!(
            post(&sandbox, "https://bank.example:1/token").await.err(),
            Some(expected),
            "{ip} in the sandbox"
        );
    }
    let (several, _) = looking_up(AddressRule::Public, &[PRIVATE.to_vec()]);
    assert_eq!(post(&several, "https://bank.example/token").await.err(), Some(HttpError::NotPublic));
}

#[tokio::test]
async fn every_spelling_of_a_private_address_is_refused() {
    let client = looking_up(AddressRule::Public, &[vec!["127.0.0.1"]]).0;
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f000001",
        "0X7F000001",
        "0177.0.0.1",
        "017700000001",
        "2130706433",
        "127.0.0.1.",
        "0",
        "0x0",
        "0.0.0.0",
        "10.1",
        "0xa.0.0.1",
        "012.0.0.1",
        "167772161",
        "0xa9fea9fe",
        "2852039166",
        "169.254.43518",
        "0251.0376.0251.0376",
        "192.168.257",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:a00:1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "printer.local",
        "intranet",
        "bank.example",
    ] {
        for method in [Method::GET, Method::POST] {
            let url = format!("https://{host}/token");
            let got = client.send(request(&method, &url)).await.err();
            assert_eq!(got, Some(HttpError::NotPublic), "{url}");
        }
    }
}

#[tokio::test]
async fn addresses_in_the_url_are_judged_too() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let sandbox = client(None);
    assert!(post(&sandbox, &server.url()).await.is_ok());
    for ip in PRIVATE.iter().filter(|ip| !ip.parse::<IpAddr>().unwrap().is_loopback()) {
        let host = if ip.contains(':') { format!("[{ip}]") } else { (*ip).to_owned() };
        for scheme in ["http", "https"] {
            let got = post(&sandbox, &format!("{scheme}://{host}:1/")).await.err();
            assert_eq!(got, Some(HttpError::NotPublic), "{scheme} {ip}");
        }
    }
    let public = looking_up(AddressRule::Public, &[vec![]]).0;
    assert_eq!(post(&public, &server.url()).await.err(), Some(HttpError::NotPublic));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn nothing_goes_out_unencrypted_or_with_a_name_in_the_address() {
    let (public, asked) = looking_up(AddressRule::Public, &[vec!["127.0.0.1"]]);
    let (sandbox, asked_in_sandbox) = looking_up(AddressRule::DangerLoopback, &[vec!["127.0.0.1"]]);
    for client in [public, sandbox] {
        assert_eq!(post(&client, "http://bank.example/").await.err(), Some(HttpError::Tls));
        assert_eq!(post(&client, "http://localhost/").await.err(), Some(HttpError::Tls));
        assert_eq!(post(&client, "ftp://bank.example/").await.err(), Some(HttpError::Tls));
        for url in ["https://user@bank.example/", "https://user:pass@bank.example/", "/relative"] {
            assert_eq!(post(&client, url).await.err(), Some(HttpError::NoConnection), "{url}");
        }
    }
    assert_eq!((asked.load(Ordering::SeqCst), asked_in_sandbox.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    // One look-up for each request: what a name says next time is never asked for.
    let (client, asked) = looking_up(AddressRule::DangerLoopback, &[vec!["127.0.0.1"], vec!["10.0.0.1"]]);
    for round in 0..1000 {
        let got = post(&client, &format!("https://bank.example:{port}/token")).await.err();
        let expected = if round % 2 == 0 { HttpError::NoConnection } else { HttpError::NotPublic };
        assert_eq!(got, Some(expected), "round {round}");
        assert_eq!(asked.load(Ordering::SeqCst), round + 1);
    }
}

#[tokio::test]
async fn names_that_lead_nowhere_are_no_connection() {
    let (nowhere, _) = looking_up(AddressRule::Public, &[vec![]]);
    assert_eq!(post(&nowhere, "https://bank.example/").await.err(), Some(HttpError::NoConnection));
    let settings = Settings { addresses: AddressRule::Public, extra_roots_pem: None };
    let failing: Lookup =
        Arc::new(|_| Box::pin(std::future::ready(Err(std::io::Error::other("no such name")))));
    let client = HttpClient::build(&settings, failing, SHORT).unwrap();
    assert_eq!(post(&client, "https://bank.example/").await.err(), Some(HttpError::NoConnection));
    let hanging: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
    let client = HttpClient::build(&settings, hanging, SHORT).unwrap();
    assert_eq!(post(&client, "https://bank.example/").await.err(), Some(HttpError::NoConnection));
}
