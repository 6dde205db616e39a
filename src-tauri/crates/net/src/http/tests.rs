//! The client against servers that misbehave on purpose.

mod addresses;
mod calls;
mod certificates;
mod child;
mod floods;
mod handshakes;
mod http2;
mod kinds;
mod redirects;
mod replies;
mod secure;
mod server;

use std::time::Duration;

use ::http::Method;

use super::*;

const SHORT: Times = Times { total: Duration::from_millis(1500), connect: Duration::from_millis(700) };

fn client(extra_roots_pem: Option<Vec<u8>>) -> HttpClient {
    let settings = Settings { addresses: AddressRule::DangerLoopback, extra_roots_pem };
    HttpClient::build(&settings, address::system(), SHORT).unwrap()
}

fn request(method: &Method, url: &str) -> Request {
    let mut request = ::http::Request::builder().method(method.clone()).uri(url);
    if *method == Method::POST {
        request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", "DPoP secret-access-token");
    }
    let body = if *method == Method::POST { b"code=secret-code".to_vec() } else { Vec::new() };
    request.body(body).unwrap()
}

async fn post(client: &HttpClient, url: &str) -> Result<Reply, HttpError> {
    client.send(request(&Method::POST, url)).await
}
