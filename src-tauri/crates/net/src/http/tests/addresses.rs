//! Which addresses are connected to.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::Method;
use domain::provider::Endpoint;
use reqwest::dns::{Name, Resolve as _};
use serde_json::Value;

use super::server::Server;
use super::*;

const TABLE: &str = include_str!("../../../../../../tests/tables/addresses.jsonl");

fn looking_up(rule: AddressRule, answers: &[Vec<&str>]) -> (HttpClient, Arc<AtomicUsize>) {
    let (lookup, asked) = answering(answers);
    let settings = Settings { addresses: rule, extra_roots_pem: None };
    (HttpClient::build(&settings, lookup, SHORT).unwrap(), asked)
}

/// A name service that gives these answers in turn, and how often it was asked.
fn answering(answers: &[Vec<&str>]) -> (Lookup, Arc<AtomicUsize>) {
    let answers: Vec<Vec<IpAddr>> =
        answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let answer = answers[counter.fetch_add(1, Ordering::SeqCst) % answers.len()].clone();
        Box::pin(std::future::ready(Ok(answer)))
    });
    (lookup, asked)
}

/// The rows that say which addresses are handed to the connector, and the others.
fn rows() -> (Vec<Value>, Vec<Value>) {
    let rows = TABLE.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    rows.partition(|row| row["connect"].is_array())
}

/// What the row's host leads to; a name leads home unless the row says otherwise.
fn resolves(row: &Value) -> Vec<&str> {
    let Some(answer) = row["resolves"].as_array() else { return vec!["127.0.0.1"] };
    answer.iter().map(|ip| ip.as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_spelling_of_the_table_leads_nowhere_it_may_not() {
    let (_, refused) = rows();
    let mut wrong = Vec::new();
    for row in &refused {
        let (name, url) =
            (row["name"].as_str().unwrap(), format!("https://{}/token", row["host"].as_str().unwrap()));
        let (client, _) = looking_up(AddressRule::Public, &[resolves(row)]);
        for method in [Method::GET, Method::POST] {
            // What is no address to the library that carries requests is none here either.
            let built = ::http::Request::builder().method(method.clone()).uri(&url).body(Vec::new());
            let found = match built {
                Ok(request) => format!("{:?}", client.send(request).await.err().unwrap()),
                Err(_) => "NoConnection".into(),
            };
            if row["connect"] != found.as_str() {
                wrong.push(format!("{name}, {method}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), refused.len(), wrong.join("\n"));
    assert!(refused.len() >= 120, "{}", refused.len());
}

#[tokio::test]
async fn the_connector_is_handed_public_addresses_and_no_others() {
    let (handed, _) = rows();
    for row in &handed {
        let expected: Vec<&str> =
            row["connect"].as_array().unwrap().iter().map(|ip| ip.as_str().unwrap()).collect();
        let (name, host) = (row["name"].as_str().unwrap(), row["host"].as_str().unwrap());
        if row["resolves"].is_null() {
            let (client, _) = looking_up(AddressRule::Public, &[vec![]]);
            assert_eq!(client.check_url(&Url::parse(&format!("https://{host}/")).unwrap()), Ok(()), "{name}");
            continue;
        }
        let resolver = PublicResolver::new(answering(&[resolves(row)]).0, AddressRule::Public);
        let found = resolver.resolve(host.parse::<Name>().unwrap()).await.unwrap();
        assert_eq!(found.map(|address| address.ip().to_string()).collect::<Vec<_>>(), expected, "{name}");
    }
    assert!(handed.len() >= 12, "{}", handed.len());
}

/// What a provider file may name is judged by the text alone, before anybody looks a name up.
#[test]
fn every_spelling_of_the_table_is_judged_in_a_provider_file() {
    let (handed, refused) = rows();
    let mut wrong = Vec::new();
    for row in handed.iter().chain(&refused) {
        let url = format!("https://{}/token", row["host"].as_str().unwrap());
        let found =
            Endpoint::parse(&url, AddressRule::Public).err().map_or("ok".into(), |rule| rule.to_string());
        if row["endpoint"] != found.as_str() {
            wrong.push(format!("{}: {found}", row["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_sandbox_reaches_this_computer_and_nothing_private() {
    let (_, refused) = rows();
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let sandbox = client(None);
    assert!(post(&sandbox, &server.url()).await.is_ok());
    for ip in refused.iter().flat_map(resolves) {
        let address: IpAddr = ip.parse().unwrap();
        let (client, _) = looking_up(AddressRule::DangerLoopback, &[vec![ip]]);
        let expected = if address.is_loopback() { HttpError::NoConnection } else { HttpError::NotPublic };
        assert_eq!(post(&client, "https://bank.example:1/token").await.err(), Some(expected), "{ip}");
        if address.is_loopback() {
            continue;
        }
        let host = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
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

/// A listener at one of this computer's addresses, and how often somebody came.
fn counting(address: &str) -> (u16, Arc<AtomicUsize>) {
    let listener = std::net::TcpListener::bind(address).unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for _stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

/// A name that leads to an allowed address and to a forbidden one in turn: one look-up for each request, and the
/// answer that was judged is the one that is used. What the name says next is not asked for.
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let (port, checked) = counting("127.0.0.1:0");
    // Anybody who connected by a second answer would be seen here.
    let (_, other) = counting(&format!("127.0.0.2:{port}"));
    let (client, asked) = looking_up(AddressRule::DangerLoopback, &[vec!["127.0.0.1"], vec!["10.0.0.1"]]);
    for round in 0..1000 {
        let got = post(&client, &format!("https://bank.example:{port}/token")).await.err();
        let expected = if round % 2 == 0 { HttpError::NoConnection } else { HttpError::NotPublic };
        assert_eq!(got, Some(expected), "round {round}");
        assert_eq!(asked.load(Ordering::SeqCst), round + 1);
    }
    let (two, asked) = looking_up(AddressRule::DangerLoopback, &[vec!["127.0.0.1"], vec!["127.0.0.2"]]);
    for round in 0..100 {
        let _ = post(&two, &format!("https://bank.example:{port}/token")).await;
        assert_eq!(asked.load(Ordering::SeqCst), round + 1);
        let seen = (checked.load(Ordering::SeqCst), other.load(Ordering::SeqCst));
        assert_eq!(
            seen,
            (500 + round / 2 + 1, round.div_ceil(2)),
            "round {round}: the answer of this request"
        );
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
