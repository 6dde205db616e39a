//! The command line, read into what is wanted.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt as _};
use thiserror::Error;

/// What is wanted, and how the answer is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) verb: Verb,
    /// For programs.
    pub(crate) json: bool,
    pub(crate) confirm: Confirm,
}

/// How a person confirms what starts something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// By a click in the window.
    #[default]
    Click,
    /// By the passphrase, here.
    Passphrase,
    /// Not at all; only sandbox builds take that.
    Unasked,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Agent(AgentVerb, String),
    Agents,
    Approve(Approve),
    Attempts,
    AuditExport(Option<PathBuf>),
    AuditVerify(PathBuf),
    Check(String),
    Connect(Connect),
    Grants { history: bool },
    Help(Option<Topic>),
    Kill,
    Lock,
    Narrow(Narrow),
    Pause(String),
    Renew(Renew),
    Resume(String),
    ResumeAgents,
    Revoke(String),
    Show(String),
    Status,
    Unlock,
    Version,
    Widen(String),
}

/// A verb that has a page of help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Agents,
    Approve,
    Attempts,
    Audit,
    Check,
    Connect,
    Grants,
    Kill,
    Lock,
    Narrow,
    Pause,
    Renew,
    Resume,
    Revoke,
    Status,
    Unlock,
    Widen,
}

/// What is done with one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgentVerb {
    Pause,
    Remove,
    Resume,
}

/// What is answered, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Approve {
    /// Which question; all are listed where none is named.
    pub(crate) which: Option<String>,
    /// No.
    pub(crate) deny: bool,
    /// What a program that asks to be added is called.
    pub(crate) name: Option<String>,
    /// For how many days it is not asked again.
    pub(crate) days: Option<u16>,
}

/// What is to be connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) provider: String,
    pub(crate) agent: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) days: u16,
}

/// What is to be connected anew; what is not named stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Renew {
    pub(crate) connection: String,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) days: u16,
}

/// What is left of a connection; what is not named stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Narrow {
    pub(crate) connection: String,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) accounts: Option<Vec<String>>,
    pub(crate) days: Option<u16>,
}

/// The command line was not understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Misuse {
    #[error("{0}\nSee countersign --help.")]
    Said(String),
    #[error("{0} needs {1}.\nSee countersign {0} --help.")]
    Missing(&'static str, &'static str),
    #[error("{0} does not take “{1}”.\nSee countersign {0} --help.")]
    TooMuch(&'static str, String),
    #[error("There is no command “{0}”.\nSee countersign --help.")]
    Unknown(String),
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
    json: bool,
    help: bool,
    history: bool,
    agents: bool,
    deny: bool,
    passphrase: bool,
    unasked: bool,
    agent: Option<String>,
    name: Option<String>,
    permissions: Option<String>,
    accounts: Option<String>,
    days: Option<u16>,
}

/// Reads the command line; the first word is the program's own name.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, Misuse> {
    let mut parser = Parser::from_iter(words);
    let mut found = Found::default();
    let mut version = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => found.json = true,
            Arg::Short('h') | Arg::Long("help") => found.help = true,
            Arg::Short('V') | Arg::Long("version") => version = true,
            Arg::Long("history") => found.history = true,
            Arg::Long("agents") => found.agents = true,
            Arg::Long("deny") => found.deny = true,
            Arg::Long("passphrase") => found.passphrase = true,
            Arg::Long("yes") => found.unasked = true,
            Arg::Long("name") => found.name = Some(parser.value()?.string()?),
            Arg::Long("agent") => found.agent = Some(parser.value()?.string()?),
            Arg::Long("permissions") => found.permissions = Some(parser.value()?.string()?),
            Arg::Long("accounts") => found.accounts = Some(parser.value()?.string()?),
            Arg::Long("days") => found.days = Some(parser.value()?.parse()?),
            Arg::Value(value) => found.values.push(value.string()?),
            Arg::Long(_) | Arg::Short(_) => return Err(arg.unexpected().into()),
        }
    }
    let json = found.json;
    let confirm = match (found.passphrase, found.unasked) {
        (true, _) => Confirm::Passphrase,
        (false, true) => Confirm::Unasked,
        (false, false) => Confirm::Click,
    };
    let verb = if version { Verb::Version } else { verb(found)? };
    Ok(Arguments { verb, json, confirm })
}

fn verb(mut found: Found) -> Result<Verb, Misuse> {
    if found.values.is_empty() {
        return Ok(Verb::Help(None));
    }
    let name = found.values.remove(0);
    if name == "help" {
        let topic = found.values.first().map(|name| topic(name).map(|(_, topic)| topic)).transpose()?;
        return Ok(Verb::Help(topic));
    }
    let (name, topic) = topic(&name)?;
    if found.help {
        return Ok(Verb::Help(Some(topic)));
    }
    fits(name, topic, &found)?;
    if topic == Topic::Agents && !found.values.is_empty() {
        return agent_verb(name, found.values);
    }
    let mut values = found.values.into_iter();
    let first = values.next();
    let file = if topic == Topic::Audit { values.next().map(PathBuf::from) } else { None };
    if let Some(more) = values.next() {
        return Err(Misuse::TooMuch(name, more));
    }
    let which = |first: Option<String>| first.ok_or(Misuse::Missing(name, "a connection"));
    let alone = |verb: Verb, first: Option<String>| match first {
        None => Ok(verb),
        Some(more) => Err(Misuse::TooMuch(name, more)),
    };
    match topic {
        Topic::Agents => alone(Verb::Agents, first),
        Topic::Approve => {
            Ok(Verb::Approve(Approve { which: first, deny: found.deny, name: found.name, days: found.days }))
        }
        Topic::Attempts => alone(Verb::Attempts, first),
        Topic::Audit => match (first.as_deref(), file) {
            (Some("export"), file) => Ok(Verb::AuditExport(file)),
            (Some("verify"), Some(file)) => Ok(Verb::AuditVerify(file)),
            (Some("verify"), None) => Err(Misuse::Missing(name, "a FILE to verify")),
            (Some(other), _) => Err(Misuse::TooMuch(name, other.to_owned())),
            (None, _) => Err(Misuse::Missing(name, "export or verify")),
        },
        Topic::Check => which(first).map(Verb::Check),
        Topic::Connect => Ok(Verb::Connect(Connect {
            provider: first.ok_or(Misuse::Missing(name, "a bank"))?,
            agent: found.agent.ok_or(Misuse::Missing(name, "--agent AGENT"))?,
            permissions: listed(&found.permissions.ok_or(Misuse::Missing(name, "--permissions …"))?),
            days: found.days.ok_or(Misuse::Missing(name, "--days N"))?,
        })),
        Topic::Grants if first.is_none() => Ok(Verb::Grants { history: found.history }),
        Topic::Grants => which(first).map(Verb::Show),
        Topic::Kill => alone(Verb::Kill, first),
        Topic::Lock => alone(Verb::Lock, first),
        Topic::Narrow => Ok(Verb::Narrow(Narrow {
            connection: which(first)?,
            permissions: found.permissions.as_deref().map(listed),
            accounts: found.accounts.as_deref().map(listed),
            days: found.days,
        })),
        Topic::Pause => which(first).map(Verb::Pause),
        Topic::Renew => Ok(Verb::Renew(Renew {
            connection: which(first)?,
            permissions: found.permissions.as_deref().map(listed),
            days: found.days.ok_or(Misuse::Missing(name, "--days N"))?,
        })),
        Topic::Resume if found.agents => alone(Verb::ResumeAgents, first),
        Topic::Resume => first.map(Verb::Resume).ok_or(Misuse::Missing(name, "a connection, or --agents")),
        Topic::Revoke => which(first).map(Verb::Revoke),
        Topic::Status => alone(Verb::Status, first),
        Topic::Unlock => alone(Verb::Unlock, first),
        Topic::Widen => which(first).map(Verb::Widen),
    }
}

/// `agents pause AGENT` and its like. A name may hold blanks.
fn agent_verb(name: &'static str, mut values: Vec<String>) -> Result<Verb, Misuse> {
    let verb = match values.remove(0).as_str() {
        "pause" => AgentVerb::Pause,
        "remove" => AgentVerb::Remove,
        "resume" => AgentVerb::Resume,
        other => return Err(Misuse::TooMuch(name, other.to_owned())),
    };
    if values.is_empty() {
        return Err(Misuse::Missing(name, "an agent"));
    }
    Ok(Verb::Agent(verb, values.join(" ")))
}

/// An option that means nothing to this command is refused: it may have been meant for something else.
fn fits(name: &'static str, topic: Topic, found: &Found) -> Result<(), Misuse> {
    let resumes = topic == Topic::Agents && found.values.first().is_some_and(|verb| verb == "resume");
    let answers = topic == Topic::Approve && !found.values.is_empty() && !found.deny;
    let starts =
        resumes || answers || matches!(topic, Topic::Connect | Topic::Renew | Topic::Resume | Topic::Widen);
    let chooses = matches!(topic, Topic::Connect | Topic::Narrow | Topic::Renew);
    for (given, means_something, option) in [
        (found.history, topic == Topic::Grants, "--history"),
        (found.agents, topic == Topic::Resume, "--agents"),
        (found.deny, topic == Topic::Approve && !found.values.is_empty(), "--deny"),
        (found.name.is_some(), answers, "--name"),
        (found.passphrase, starts, "--passphrase"),
        (found.unasked, starts, "--yes"),
        (found.agent.is_some(), topic == Topic::Connect, "--agent"),
        (found.accounts.is_some(), topic == Topic::Narrow, "--accounts"),
        (found.permissions.is_some(), chooses, "--permissions"),
        (found.days.is_some(), chooses || answers, "--days"),
    ] {
        if given && !means_something {
            return Err(Misuse::TooMuch(name, option.to_owned()));
        }
    }
    Ok(())
}

fn topic(name: &str) -> Result<(&'static str, Topic), Misuse> {
    Ok(match name {
        "agents" => ("agents", Topic::Agents),
        "approve" => ("approve", Topic::Approve),
        "attempts" => ("attempts", Topic::Attempts),
        "audit" => ("audit", Topic::Audit),
        "check" => ("check", Topic::Check),
        "connect" => ("connect", Topic::Connect),
        "grants" => ("grants", Topic::Grants),
        "kill" => ("kill", Topic::Kill),
        "lock" => ("lock", Topic::Lock),
        "narrow" => ("narrow", Topic::Narrow),
        "pause" => ("pause", Topic::Pause),
        "renew" => ("renew", Topic::Renew),
        "resume" => ("resume", Topic::Resume),
        "revoke" => ("revoke", Topic::Revoke),
        "status" => ("status", Topic::Status),
        "unlock" => ("unlock", Topic::Unlock),
        "widen" => ("widen", Topic::Widen),
        _ => return Err(Misuse::Unknown(name.to_owned())),
    })
}

fn listed(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Misuse> {
        parse(std::iter::once("countersign").chain(line.split_whitespace()).map(OsString::from))
    }

    fn verb_of(line: &str) -> Verb {
        read(line).unwrap_or_else(|misuse| panic!("{line}: {misuse}")).verb
    }

    #[test]
    fn verbs_are_read() {
        assert_eq!(verb_of(""), Verb::Help(None));
        assert_eq!(verb_of("help connect"), Verb::Help(Some(Topic::Connect)));
        assert_eq!(verb_of("revoke --help"), Verb::Help(Some(Topic::Revoke)));
        assert_eq!(verb_of("-V"), Verb::Version);
        assert_eq!(verb_of("grants --history --json"), Verb::Grants { history: true });
        assert_eq!(verb_of("grants 0193"), Verb::Show("0193".into()));
        assert_eq!(verb_of("pause a@b"), Verb::Pause("a@b".into()));
        assert_eq!(verb_of("audit export"), Verb::AuditExport(None));
        assert_eq!(verb_of("audit export a.jsonl"), Verb::AuditExport(Some("a.jsonl".into())));
        assert_eq!(verb_of("audit verify a.jsonl --json"), Verb::AuditVerify("a.jsonl".into()));
        assert_eq!(verb_of("resume --agents"), Verb::ResumeAgents);
        assert_eq!(verb_of("agents"), Verb::Agents);
        let buddy = || "Budget Buddy".to_owned();
        assert_eq!(verb_of("agents pause Budget Buddy"), Verb::Agent(AgentVerb::Pause, buddy()));
        assert_eq!(verb_of("agents resume Budget Buddy --yes"), Verb::Agent(AgentVerb::Resume, buddy()));
        assert_eq!(verb_of("approve"), Verb::Approve(Approve::default()));
        let which = Some("0193".to_owned());
        let no = Approve { which: which.clone(), deny: true, ..Approve::default() };
        assert_eq!(verb_of("approve 0193 --deny"), Verb::Approve(no));
        let yes = Approve { which, days: Some(30), ..Approve::default() };
        assert_eq!(verb_of("approve 0193 --days 30 --passphrase"), Verb::Approve(yes));
        assert_eq!(verb_of("resume a@b --yes"), Verb::Resume("a@b".into()));
        let connect = Connect {
            provider: "bank".into(),
            agent: "Buddy".into(),
            permissions: vec!["accounts".into(), "balances".into()],
            days: 30,
        };
        assert_eq!(
            verb_of("connect bank --agent Buddy --permissions accounts,balances --days=30"),
            Verb::Connect(connect)
        );
    }

    #[test]
    fn how_it_is_confirmed_and_written_is_read_beside() {
        let read = |line| read(line).map(|a| (a.json, a.confirm)).unwrap();
        assert_eq!(read("resume x"), (false, Confirm::Click));
        assert_eq!(read("resume x --json --yes"), (true, Confirm::Unasked));
        assert_eq!(read("--json resume x --passphrase"), (true, Confirm::Passphrase));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in [
            "nonsense",
            "status now",
            "pause",
            "pause a b",
            "kill --days 3",
            "kill --yes",
            "connect bank",
            "connect bank --agent a --permissions p",
            "connect bank --agent a --permissions p --days many",
            "connect --agent a --permissions p --days 3",
            "resume",
            "resume x --agents",
            "audit",
            "audit verify",
            "audit verify a b",
            "audit shred a",
            "audit export a --days 3",
            "renew x",
            "--nonsense",
            "status --passphrase=secret",
            "resume x --passphrase=secret",
            "help nonsense",
            "agents nonsense",
            "agents pause",
            "agents pause x --yes",
            "agents --passphrase",
            "approve --deny",
            "approve --yes",
            "approve a b",
            "approve a --deny --passphrase",
            "approve a --deny --days 3",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
