//! Challenges of a resource server (RFC 9110 §11.6.1, RFC 6750 §3): several in one header, several headers, quoted
//! commas, any case.

/// What a refused call says about the token, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// `invalid_token`: it has run out, was revoked, or is none. A fresh one may help.
    InvalidToken,
    /// `insufficient_scope`: the token is good, and does not allow this. A fresh one would not either.
    InsufficientScope,
    /// Anything else, or nothing that can be read.
    Other,
}

/// Reads what the challenges of a reply say, for the schemes of OAuth tokens (`Bearer`, `DPoP`).
///
/// A challenge without an error is what a server says that saw no token; ours was sent, so that counts as other.
#[must_use]
pub fn complaint(headers: &[String]) -> Complaint {
    let mut found = Complaint::Other;
    for (scheme, parameters) in headers.iter().flat_map(|header| challenges(header)) {
        if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("dpop") {
            continue;
        }
        let error = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("error"));
        match error.map(|(_, value)| value.as_str()) {
            Some("invalid_token") => return Complaint::InvalidToken,
            Some("insufficient_scope") => found = Complaint::InsufficientScope,
            Some(_) | None => {}
        }
    }
    found
}

/// A scheme and its parameters.
type Challenge = (String, Vec<(String, String)>);

/// Takes a header apart. What does not fit ends the reading: what was read until then stands.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header.trim_ascii();
    while !rest.is_empty() {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some((word, after)) = token(rest) else { break };
        let after_space = after.trim_ascii_start();
        // `name = value` is a parameter of the challenge before it; a word alone begins the next challenge. A token68
        // (`Basic dGVzdA==`) ends in `=` without a value behind it.
        if let Some(value) = after_space.strip_prefix('=').map(str::trim_ascii_start) {
            let Some((text, after)) = value_of(value) else {
                rest = value.trim_start_matches('=');
                continue;
            };
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((word.to_owned(), text));
            }
            rest = after;
        } else {
            found.push((word.to_owned(), Vec::new()));
            rest = after_space;
        }
    }
    found
}

/// A token (RFC 9110 §5.6.2) at the start of a text, and what follows.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&b);
    let end = text.bytes().position(|b| !is_part(b)).unwrap_or(text.len());
    if end == 0 { None } else { text.split_at_checked(end) }
}

/// A token or a quoted string (§5.6.4) at the start of a text, and what follows.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(word, rest)| (word.to_owned(), rest));
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return quoted.get(at + 1..).map(|rest| (value, rest)),
            '\\' => value.push(signs.next()?.1),
            sign => value.push(sign),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(headers: &[&str]) -> Complaint {
        complaint(&headers.iter().map(|header| (*header).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_challenge_is_found() {
        use Complaint::{InsufficientScope, InvalidToken, Other};
        let check = |headers: &[&str], expected| assert_eq!(said(headers), expected, "{headers:?}");
        check(&[r#"bearer realm="a, b", error="invalid_token", DPoP algs="ES256""#], InvalidToken);
        check(&[r#"DPoP algs="ES256", BEARER error=invalid_token"#], InvalidToken);
        check(&[r#"Basic realm="x""#, r#"Bearer error = "invalid_token""#], InvalidToken);
        check(
            &[r#"Negotiate, Bearer realm="x", error="insufficient_scope", scope="a b""#],
            InsufficientScope,
        );
        check(&["Basic dGVzdA==, Bearer error=\"invalid_token\""], InvalidToken);
        check(&[r#"Bearer realm="error=\"invalid_token\"""#], Other);
        check(&[r#"Basic error="invalid_token""#], Other);
        check(&["Bearer"], Other);
        check(&[], Other);
        check(&[r#"Bearer error="insufficient_scope""#, r#"DPoP error="invalid_token""#], InvalidToken);
    }

    #[test]
    fn nothing_that_a_server_sends_breaks_the_reading() {
        let pieces =
            ["Bearer", " ", ",", "=", "\"", "\\", "error", "invalid_token", "é", "\u{0}", "a=b", "=="];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let _ = said(&[&[a, b, c, d].concat()]);
                    }
                }
            }
        }
        assert_eq!(said(&[&"Bearer ".repeat(10_000)]), Complaint::Other);
        assert_eq!(said(&[&format!("Bearer error=\"{}", "\\\"".repeat(10_000))]), Complaint::Other);
    }
}
