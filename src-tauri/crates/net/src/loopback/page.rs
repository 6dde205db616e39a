//! What browsers are answered: constant bytes, nothing of the request in them (attacks 2, LOOP-14).

use app::port::CallbackPage;

use super::refusal::Refusal;

/// The sheet in every page.
macro_rules! style {
    () => {
        ":root{color-scheme:light dark}\
         body{margin:0;min-height:100vh;display:grid;place-items:center;\
         font:1.25rem/1.5 system-ui,sans-serif;color:#1d232b;background:#f6f7f9}\
         p{margin:2rem;max-width:32rem;text-align:center}\
         @media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#15181d}}"
    };
}

/// A page with one sentence.
macro_rules! page {
    ($sentence:literal) => {
        concat!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Countersign</title><style>",
            style!(),
            "</style></head><body><main><p>",
            $sentence,
            "</p></main></body></html>\n",
        )
    };
}

const DONE: &str = page!("Done. You can close this tab and go back to Countersign.");
const NOT_CONNECTED: &str = page!("Not connected. Go back to Countersign to see why.");
const NOT_OURS: &str = page!("This is not an answer that Countersign waits for.");

/// Loads nothing, runs nothing, is framed nowhere and leaves no trace; the sheet is allowed by its hash alone.
const HEADERS: &str = "Content-Type: text/html; charset=utf-8\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'sha256-KXDEcR4p2ytNDeSQQ3WNTDKZeew1z2hm034SHWO00ZQ='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
    Cache-Control: no-store\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Referrer-Policy: no-referrer\r\n\
    Connection: close\r\n";

/// The whole answer to a request that the attempt has looked at.
pub(super) fn answer(page: CallbackPage) -> Vec<u8> {
    match page {
        CallbackPage::Done => response("200 OK", "", DONE),
        CallbackPage::NotConnected => response("200 OK", "", NOT_CONNECTED),
        CallbackPage::NotOurs => response("400 Bad Request", "", NOT_OURS),
    }
}

/// The whole answer to a request that the attempt never sees.
pub(super) fn refuse(refusal: Refusal) -> Vec<u8> {
    let (status, extra) = refusal.status();
    // No body: the answer to HEAD has none.
    response(status, extra, if refusal == Refusal::Method { "" } else { NOT_OURS })
}

fn response(status: &str, extra: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{HEADERS}{extra}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
