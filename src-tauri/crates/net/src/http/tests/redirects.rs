//! Redirects are replies: no kind of request is ever sent on, whatever the bank says and to whomever it points.

use app::port::Http as _;

use super::kinds::kinds;
use super::server::Server;
use super::*;

/// Ways to send somebody elsewhere: name, status, headers. `{sink}` is another origin, `{self}` the same.
pub(super) const WAYS: &[(&str, u16, &str)] = &[
    ("301 elsewhere", 301, "Location: http://{sink}/token"),
    ("302 elsewhere", 302, "Location: http://{sink}/token"),
    ("303 elsewhere", 303, "Location: http://{sink}/token"),
    ("307 elsewhere", 307, "Location: http://{sink}/token"),
    ("308 elsewhere", 308, "Location: http://{sink}/token"),
    ("300 elsewhere", 300, "Location: http://{sink}/token"),
    ("305 by a proxy", 305, "Location: http://{sink}/"),
    ("307 to https", 307, "Location: https://{sink}/token"),
    ("307 without a scheme", 307, "Location: //{sink}/token"),
    ("307 with a name in it", 307, "Location: http://user:pass@{sink}/token"),
    ("307 to the same origin", 307, "Location: http://{self}/elsewhere"),
    ("308 to another path", 308, "Location: /elsewhere"),
    ("307 to itself", 307, "Location: ?again"),
    ("302 to the metadata service", 302, "Location: https://169.254.169.254/"),
    ("307 twice", 307, "Location: http://{sink}/a\r\nLocation: http://{sink}/b"),
    ("200 with a refresh", 200, "Refresh: 0; url=http://{sink}/"),
    ("201 with a place", 201, "Location: http://{sink}/token\r\nContent-Location: http://{sink}/"),
    ("200 with another service", 200, "Alt-Svc: http/1.1=\"{sink}\"; ma=86400"),
    ("200 with a link", 200, "Link: <http://{sink}/>; rel=\"preload\""),
    (
        "401 with a resource",
        401,
        "WWW-Authenticate: Bearer resource_metadata=\"http://{sink}/.well-known/x\"",
    ),
    ("407 by a proxy", 407, "Proxy-Authenticate: Basic realm=\"x\"\r\nLocation: http://{sink}/"),
    ("426 to another protocol", 426, "Upgrade: h2c\r\nConnection: upgrade\r\nLocation: http://{sink}/"),
];

#[tokio::test]
async fn no_kind_of_request_follows_any_kind_of_redirect() {
    let sink = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let mut wrong = Vec::new();
    for (way, status, headers) in WAYS {
        let (code, headers, sink_at) = (*status, (*headers).to_owned(), sink.address.to_string());
        let server = Server::new(move |stream| {
            use std::io::Write as _;
            let own = stream.local_addr().unwrap().to_string();
            let headers = headers.replace("{sink}", &sink_at).replace("{self}", &own);
            let _ = write!(stream, "HTTP/1.1 {code} R\r\n{headers}\r\nContent-Length: 0\r\n\r\n");
        });
        let client = client(None);
        let base = format!("http://{}", server.address);
        let sent = kinds(&base);
        let count = sent.len();
        for (kind, request) in sent {
            let got = client.send(request).await.map(|reply| reply.status);
            if got != Ok(*status) {
                wrong.push(format!("{way}, {kind}: {got:?}"));
            }
        }
        if server.connections() != count {
            wrong.push(format!("{way}: {} connections for {count} requests", server.connections()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(sink.connections(), 0);
}

/// A public client has no secret, so none can be sent (OAuth 2.1 §8.1), whatever method a bank would rather have.
#[tokio::test]
async fn requests_name_the_client_and_carry_no_credential_of_it() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let base = format!("http://{}", server.address);
    for (kind, request) in kinds(&base) {
        client(None).send(request).await.unwrap();
        let [text] = server.requests().try_into().unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let (head, target) = (head.to_lowercase(), head.split(' ').nth(1).unwrap().to_owned());
        assert!(!target.contains('?'), "{kind}: nothing of ours in the address: {target}");
        for secret in ["client_secret", "client_assertion", "authorization: basic", "cookie:", "referer:"] {
            assert!(!text.to_lowercase().contains(secret), "{kind}: {secret}");
        }
        let named =
            url::form_urlencoded::parse(body.as_bytes()).filter(|(name, _)| name == "client_id").count();
        let posts = head.starts_with("post ");
        assert_eq!(named, usize::from(posts), "{kind}: {body}");
        assert_eq!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), posts, "{kind}");
        let bearer = ["userinfo", "accounts"].contains(&kind);
        assert_eq!(head.contains("authorization: bearer secret-access-token"), bearer, "{kind}");
        assert_eq!(head.contains("authorization"), bearer, "{kind}");
    }
}
