//! Which requests reach the attempt, and how the others are refused.

use httparse::{Header, Request, Status};
use zeroize::Zeroizing;

use super::refusal::Refusal;

/// Request line and headers together; a code of 4 KiB and a browser's own headers fit.
pub(super) const MAX_HEAD: usize = 8 * 1024;

/// More header lines than any browser sends.
const MAX_HEADERS: usize = 100;

/// What a request must match.
pub(super) struct Rules {
    /// Address and port as bound: the only `Host` (LOOP-06, DNS rebinding).
    pub(super) authority: String,
    /// The callback path, byte for byte (LOOP-02).
    pub(super) path: String,
}

/// What the bytes so far are.
pub(super) enum Head {
    /// Not whole yet.
    Partial,
    /// Not for the attempt.
    Refused(Refusal),
    /// The raw query of a request for the attempt.
    Ours(Zeroizing<String>),
}

impl Rules {
    /// Judges what has arrived so far.
    pub(super) fn judge(&self, bytes: &[u8]) -> Head {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(Status::Complete(_)) => match self.check(&request) {
                Ok(query) => Head::Ours(query),
                Err(refusal) => Head::Refused(refusal),
            },
            Ok(Status::Partial) if bytes.len() < MAX_HEAD => Head::Partial,
            Ok(Status::Partial) if !bytes.contains(&b'\n') => Head::Refused(Refusal::LineTooLong),
            Ok(Status::Partial) => Head::Refused(Refusal::HeadTooLarge),
            Err(err) => Head::Refused(err.into()),
        }
    }

    fn check(&self, request: &Request<'_, '_>) -> Result<Zeroizing<String>, Refusal> {
        if request.method != Some("GET") {
            return Err(Refusal::Method);
        }
        let target = request.path.unwrap_or_default();
        if !target.starts_with('/') {
            return Err(Refusal::TargetForm);
        }
        if !target.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            return Err(Refusal::TargetNotAscii);
        }
        match values(request.headers, "host").as_slice() {
            [host] if *host == self.authority.as_bytes() => {}
            [_] => return Err(Refusal::HostOther),
            [] => return Err(Refusal::HostMissing),
            [_, _, ..] => return Err(Refusal::HostRepeated),
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != self.path {
            return Err(Refusal::Path);
        }
        check_top_level(request.headers)?;
        Ok(Zeroizing::new(query.to_owned()))
    }
}

/// Only a person's navigation in a tab of its own: no script, frame or image (LOOP-07).  Browsers that do not
/// send these headers are let through.
fn check_top_level(headers: &[Header<'_>]) -> Result<(), Refusal> {
    let only = |name, wanted: &[u8]| values(headers, name).iter().all(|value| *value == wanted);
    if !values(headers, "origin").is_empty() {
        return Err(Refusal::Origin);
    }
    if !only("sec-fetch-mode", b"navigate") {
        return Err(Refusal::FetchMode);
    }
    if !only("sec-fetch-dest", b"document") {
        return Err(Refusal::FetchDest);
    }
    Ok(())
}

fn values<'b>(headers: &[Header<'b>], name: &str) -> Vec<&'b [u8]> {
    headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value).collect()
}
