//! `POST /token`: a task in, a lease out (RFC 7523). `POST /revoke`: a lease back (RFC 7009).

use app::port::Ports;
use app::{App, Refused, RefusedTask};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use contract::agent::{JWT_BEARER, MAX_REQUEST, TokenAnswer};
use http::request::Parts;
use http::{StatusCode, header};
use url::form_urlencoded;

use super::proven::{only, program, prove};
use super::reply::{At, json, refuse};

/// Gives a lease.
pub(crate) async fn give<P: Ports>(State(app): State<App<P>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match given(&app, &parts, body).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(refused) => refuse(refused, At::Server),
    }
}

async fn given<P: Ports>(app: &App<P>, parts: &Parts, body: Body) -> Result<TokenAnswer, RefusedTask> {
    let form = Form::read(parts, body).await?;
    let proof = prove(app, parts, None).await?;
    match form.only("grant_type")? {
        Some(JWT_BEARER) => {}
        Some(_) => return Err(Refused::GrantType.into()),
        None => return Err(Refused::Malformed.into()),
    }
    if form.only("client_id")?.is_some_and(|id| id != proof.key.thumbprint()) {
        return Err(Refused::AgentUnknown.into());
    }
    let resource = form.only("resource")?;
    if resource.is_some_and(|resource| !resource.starts_with(&format!("{}/call/", app.issuer()))) {
        return Err(Refused::GrantUnknown.into());
    }
    let assertion = form.only("assertion")?.ok_or(Refused::Malformed)?;
    app.request_lease(&proof, assertion, program(parts)).await
}

/// Takes a lease back.
pub(crate) async fn take_back<P: Ports>(State(app): State<App<P>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let taken = async {
        let form = Form::read(&parts, body).await?;
        let proof = prove(&app, &parts, None).await?;
        let token = form.only("token")?.ok_or(Refused::Malformed)?;
        app.return_lease(&proof, token).await
    };
    match taken.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refused) => refuse(refused, At::Server),
    }
}

/// A form. Parameters that are not known are ignored; none that is used may stand there twice (RFC 6749 §3.2).
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(parts: &Parts, body: Body) -> Result<Self, Refused> {
        let essence =
            only(&parts.headers, header::CONTENT_TYPE.as_str()).and_then(|kind| kind.split(';').next());
        if !essence.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        {
            return Err(Refused::Malformed);
        }
        let body = axum::body::to_bytes(body, MAX_REQUEST).await.map_err(|_| Refused::Malformed)?;
        let owned = form_urlencoded::parse(&body).into_owned();
        Ok(Self(owned.collect()))
    }

    fn only(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() { Err(Refused::Malformed) } else { Ok(value) }
    }
}
