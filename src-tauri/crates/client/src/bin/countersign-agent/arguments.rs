//! The command line, read into what is wanted.

use std::ffi::OsString;
use std::path::PathBuf;

use client::task::Payment;
use contract::agent::PurposeClass;
use lexopt::{Arg, Parser, ValueExt as _};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// What is wanted, of which agent, and how the answer is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) verb: Verb,
    /// For programs.
    pub(crate) json: bool,
    pub(crate) agent: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Call(Call),
    Connect(Connect),
    Connections,
    Enrol(String),
    Help,
    Key,
    Proof { method: String, path: String, with_lease: bool },
    Token(Token),
    Version,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) grant: String,
    pub(crate) purpose: String,
    pub(crate) class: Option<PurposeClass>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) payment: Option<Payment>,
}

/// A bank to be connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) provider: String,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) days: Option<u16>,
    pub(crate) purpose: Option<String>,
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) grant: String,
    pub(crate) purpose: String,
    pub(crate) class: Option<PurposeClass>,
    pub(crate) actions: Vec<String>,
    pub(crate) accounts: Option<Vec<String>>,
    pub(crate) days: Option<(String, String)>,
    pub(crate) uses: Option<u32>,
    pub(crate) lifetime: Option<u32>,
}

/// The command line was not understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Misuse {
    #[error("{0}\nSee countersign-agent --help.")]
    Said(String),
    #[error("{0} needs {1}.\nSee countersign-agent --help.")]
    Missing(&'static str, &'static str),
    #[error("{0} does not take “{1}”.\nSee countersign-agent --help.")]
    TooMuch(&'static str, String),
    #[error("There is no command “{0}”.\nSee countersign-agent --help.")]
    Unknown(String),
    #[error("{0} is not understood: “{1}”.\nSee countersign-agent --help.")]
    Unread(&'static str, String),
}

impl From<lexopt::Error> for Misuse {
    fn from(error: lexopt::Error) -> Self {
        let text = error.to_string();
        let mut signs = text.chars();
        let first = signs.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        Self::Said(format!("{first}{}.", signs.as_str()))
    }
}

/// Everything that can stand on the command line, before it is known what it is for.
#[derive(Default)]
struct Found {
    values: Vec<String>,
    /// Each option that was given, by its name, in the order in which they came.
    options: Vec<(&'static str, String)>,
    /// A lease comes by standard input.
    lease: bool,
}

/// The options that take a value, and the commands that take them.
const OPTIONS: [(&str, &[&str]); 14] = [
    ("accounts", &["token"]),
    ("actions", &["token"]),
    ("body", &["call"]),
    ("class", &["call", "token"]),
    ("days", &["connect"]),
    ("from", &["token"]),
    ("grant", &["call", "token"]),
    ("lifetime", &["token"]),
    ("payment", &["call"]),
    ("permissions", &["connect"]),
    ("purpose", &["call", "connect", "token"]),
    ("query", &["call"]),
    ("to", &["token"]),
    ("uses", &["token"]),
];

/// Reads the command line; the first word is the program's own name.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, Misuse> {
    let mut parser = Parser::from_iter(words);
    let mut found = Found::default();
    let (mut json, mut page, mut agent, mut key_file) = (false, None, None, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => json = true,
            Arg::Long("lease") => found.lease = true,
            Arg::Short('h') | Arg::Long("help") => page = Some(Verb::Help),
            Arg::Short('V') | Arg::Long("version") => page = Some(Verb::Version),
            Arg::Long("agent") => agent = Some(parser.value()?.string()?),
            Arg::Long("key-file") => key_file = Some(PathBuf::from(parser.value()?)),
            Arg::Long(name) => {
                let Some((name, _)) = OPTIONS.iter().find(|(option, _)| *option == name) else {
                    return Err(arg.unexpected().into());
                };
                found.options.push((name, parser.value()?.string()?));
            }
            Arg::Value(value) => found.values.push(value.string()?),
            Arg::Short(_) => return Err(arg.unexpected().into()),
        }
    }
    let verb = match page {
        Some(page) => page,
        None => verb(&found)?,
    };
    Ok(Arguments { verb, json, agent, key_file })
}

fn verb(found: &Found) -> Result<Verb, Misuse> {
    let mut values = found.values.iter();
    let Some(name) = values.next() else { return Ok(Verb::Help) };
    let given = |name: &'static str| Given { name, options: &found.options };
    let mut value = || values.next().cloned();
    let (name, verb) = match name.as_str() {
        "call" => {
            let (given, method, path) = (given("call"), value(), value());
            ("call", given.call(method, path)?)
        }
        "connect" => ("connect", given("connect").connect(value())?),
        "connections" => ("connections", Verb::Connections),
        "enrol" => ("enrol", Verb::Enrol(value().ok_or(Misuse::Missing("enrol", "a name"))?)),
        "help" => return Ok(Verb::Help),
        "key" => ("key", Verb::Key),
        "proof" => {
            let method = value().ok_or(Misuse::Missing("proof", "a method"))?.to_ascii_uppercase();
            let path = value().ok_or(Misuse::Missing("proof", "a path"))?;
            ("proof", Verb::Proof { method, path, with_lease: found.lease })
        }
        "token" => ("token", given("token").token()?),
        _ => return Err(Misuse::Unknown(name.clone())),
    };
    if let Some(more) = values.next() {
        return Err(Misuse::TooMuch(name, more.clone()));
    }
    if found.lease && name != "proof" {
        return Err(Misuse::TooMuch(name, "--lease".to_owned()));
    }
    // An option that means nothing to this command may have been meant for something else.
    let fits = |option: &str| OPTIONS.iter().any(|(known, takes)| *known == option && takes.contains(&name));
    match found.options.iter().find(|(option, _)| !fits(option)) {
        Some((option, _)) => Err(Misuse::TooMuch(name, format!("--{option}"))),
        None => Ok(verb),
    }
}

/// The options that were given with a command.
struct Given<'a> {
    name: &'static str,
    options: &'a [(&'static str, String)],
}

impl Given<'_> {
    fn all(&self, option: &'static str) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(name, _)| *name == option).map(|(_, value)| value.as_str())
    }

    fn one(&self, option: &'static str) -> Option<String> {
        self.all(option).last().map(str::to_owned)
    }

    fn must(&self, option: &'static str, said: &'static str) -> Result<String, Misuse> {
        self.one(option).ok_or(Misuse::Missing(self.name, said))
    }

    fn list(&self, option: &'static str) -> Option<Vec<String>> {
        let parts = |text: String| text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        self.one(option).map(|text| parts(text).into_iter().filter(|part| !part.is_empty()).collect())
    }

    fn read<T: std::str::FromStr>(
        &self,
        option: &'static str,
        said: &'static str,
    ) -> Result<Option<T>, Misuse> {
        let read = |text: String| text.parse().map_err(|_| Misuse::Unread(said, text));
        self.one(option).map(read).transpose()
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        option: &'static str,
        said: &'static str,
    ) -> Result<Option<T>, Misuse> {
        let read = |text: String| serde_json::from_str(&text).map_err(|_| Misuse::Unread(said, text));
        self.one(option).map(read).transpose()
    }

    fn class(&self) -> Result<Option<PurposeClass>, Misuse> {
        let read = |text: String| {
            serde_json::from_value(Value::String(text.clone())).map_err(|_| Misuse::Unread("--class", text))
        };
        self.one("class").map(read).transpose()
    }

    fn call(&self, method: Option<String>, path: Option<String>) -> Result<Verb, Misuse> {
        let pair = |text: &str| {
            let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            pair.ok_or_else(|| Misuse::Unread("--query", text.to_owned()))
        };
        Ok(Verb::Call(Call {
            grant: self.must("grant", "--grant G")?,
            purpose: self.must("purpose", "--purpose TEXT")?,
            class: self.class()?,
            method: method.ok_or(Misuse::Missing("call", "a method"))?.to_ascii_uppercase(),
            path: path.ok_or(Misuse::Missing("call", "a path"))?,
            query: self.all("query").map(pair).collect::<Result<_, _>>()?,
            body: self.json("body", "--body")?,
            payment: self.json::<PaymentText>("payment", "--payment")?.map(PaymentText::meant),
        }))
    }

    fn connect(&self, provider: Option<String>) -> Result<Verb, Misuse> {
        Ok(Verb::Connect(Connect {
            provider: provider.ok_or(Misuse::Missing("connect", "a bank"))?,
            permissions: self.list("permissions"),
            days: self.read("days", "--days")?,
            purpose: self.one("purpose"),
        }))
    }

    fn token(&self) -> Result<Verb, Misuse> {
        let days = match (self.one("from"), self.one("to")) {
            (None, None) => None,
            (Some(from), Some(to)) => Some((from, to)),
            (Some(_), None) | (None, Some(_)) => {
                return Err(Misuse::Missing("token", "--from DAY and --to DAY together"));
            }
        };
        Ok(Verb::Token(Token {
            grant: self.must("grant", "--grant G")?,
            purpose: self.must("purpose", "--purpose TEXT")?,
            class: self.class()?,
            actions: self.list("actions").ok_or(Misuse::Missing("token", "--actions LIST"))?,
            accounts: self.list("accounts"),
            days,
            uses: self.read("uses", "--uses")?,
            lifetime: self.read("lifetime", "--lifetime")?,
        }))
    }
}

/// A payment as it stands on the command line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentText {
    amount: String,
    currency: String,
    from: String,
    to: String,
    payee: String,
    #[serde(default)]
    message: Option<String>,
}

impl PaymentText {
    /// The operation is known once the path is.
    fn meant(self) -> Payment {
        let Self { amount, currency, from, to, payee, message } = self;
        Payment { operation: String::new(), amount, currency, from, to, payee, message }
    }
}

#[cfg(test)]
mod tests;
