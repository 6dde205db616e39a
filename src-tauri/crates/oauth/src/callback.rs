//! The authorization response as it arrives at the loopback listener, parsed and not yet believed.

use url::form_urlencoded;
use zeroize::Zeroize;

#[cfg(test)]
mod tests;

/// The parameters of one callback; unknown ones are ignored (RFC 6749 §4.1.2).
pub struct CallbackQuery {
    pub(crate) state: Vec<String>,
    pub(crate) iss: Vec<String>,
    pub(crate) code: Vec<String>,
    pub(crate) error: Vec<String>,
    /// A token in the redirect: never taken (RFC 9700 §2.1.2).
    pub(crate) token: bool,
}

impl CallbackQuery {
    /// Splits a raw query. Nothing is judged here, so nothing can fail.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut parsed = Self { state: vec![], iss: vec![], code: vec![], error: vec![], token: false };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "state" => parsed.state.push(value.into_owned()),
                "iss" => parsed.iss.push(value.into_owned()),
                "code" => parsed.code.push(value.into_owned()),
                "error" => parsed.error.push(value.into_owned()),
                "access_token" | "id_token" | "refresh_token" | "token_type" => parsed.token = true,
                _ => {}
            }
        }
        parsed
    }

    pub(crate) fn repeats(&self) -> bool {
        [&self.state, &self.iss, &self.code, &self.error].iter().any(|values| values.len() > 1)
    }
}

impl Drop for CallbackQuery {
    fn drop(&mut self) {
        self.state.iter_mut().chain(&mut self.code).for_each(Zeroize::zeroize);
    }
}

impl std::fmt::Debug for CallbackQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallbackQuery")
    }
}
