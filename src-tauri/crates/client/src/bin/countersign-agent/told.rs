//! What went wrong and what to do, in words; and what a connection is.

use client::agent::AgentError;
use client::endpoint::EndpointError;
use client::keys::{KeyError, KeychainError};
use client::operation::Unclear;
use client::place::DialError;
use contract::agent::{Asks, Grant, Risk, State};

/// What an agent was not given, and why.
pub(crate) fn error(error: &AgentError) -> String {
    match error {
        AgentError::Refused(refused) => {
            let refusal = &refused.refusal;
            let mut lines = vec![format!("Countersign refused: {}.", refusal.error.as_str())];
            let said = [&refusal.user_message, &refusal.error_description];
            lines.extend(said.into_iter().filter(|text| !text.is_empty()).cloned());
            lines.extend(refused.retry_after.map(|seconds| format!("Try again in {seconds} seconds.")));
            lines.extend(refusal.reference.as_ref().map(|code| format!("Reference {code}.")));
            lines.join("\n")
        }
        AgentError::Endpoint(EndpointError::Absent) | AgentError::Dial(DialError::Nobody) => {
            "Countersign is not running.\nStart it, then try again.".to_owned()
        }
        AgentError::Dial(_) | AgentError::Endpoint(_) => {
            format!("Countersign can't be reached safely: {error}.\nNothing was sent.")
        }
        AgentError::Unanswered => "You have not answered in Countersign. Nothing was done.".to_owned(),
        AgentError::RequestUnfit => "This request can't be written. Look at its path.".to_owned(),
        AgentError::AnswerMalformed
        | AgentError::Exchange(_)
        | AgentError::HungUp
        | AgentError::NoRandomness(_) => format!("Countersign does not answer as it should: {error}."),
    }
}

/// Why there is no key.
pub(crate) fn key(error: &KeyError) -> String {
    match error {
        KeyError::FileTaken => "There is a file in the key's place already. It was left as it is.".to_owned(),
        KeyError::FileUnfit => {
            "The key's file is a link, somebody else's, or open to others. It was not read.\n\
             Make it yours alone (chmod 600), or make a new key."
                .to_owned()
        }
        KeyError::FileUnreadable => "The key's file can't be read.".to_owned(),
        KeyError::FileUnwritable => "The key's file can't be written.".to_owned(),
        KeyError::Keychain(KeychainError::Locked) => {
            "Your keychain is locked.\nUnlock your login keychain, then try again. Or use --key-file."
                .to_owned()
        }
        KeyError::Keychain(KeychainError::Absent | KeychainError::Blocked) => {
            "Your keychain does not answer.\nCheck that it is running, or use --key-file.".to_owned()
        }
        KeyError::NameUnfit => "An agent's name has letters or digits.".to_owned(),
        KeyError::NoKey => {
            "There is no key for this agent.\nMake one: countersign-agent enrol NAME.".to_owned()
        }
        KeyError::NoRandomness(_) => "The system gave no randomness. No key was made.".to_owned(),
        KeyError::Several(names) => {
            format!("There are several agents. Say which with --agent:\n  {}", names.join("\n  "))
        }
        KeyError::Text(error) => format!("What is in the key's place is no key: {error}."),
    }
}

/// Why it is not clear what is meant.
pub(crate) fn unclear(what: &str, unclear: &Unclear) -> String {
    match unclear {
        Unclear::Missing(place) => format!("The {what} needs “{place}”."),
        Unclear::Nothing => {
            format!("There is no such {what} for this agent.\nSee countersign-agent connections.")
        }
        Unclear::Several => {
            format!("More than one {what} is called that.\nSee countersign-agent connections.")
        }
    }
}

/// Every connection.
pub(crate) fn grants(grants: &[Grant]) -> String {
    if grants.is_empty() {
        return "Nothing is connected for this agent. See countersign-agent connect.".to_owned();
    }
    grants.iter().map(grant).collect::<Vec<_>>().join("\n\n")
}

fn grant(grant: &Grant) -> String {
    let mut lines = vec![format!("{}  {}  {}", grant.id, grant.provider.name, state(grant.state))];
    for account in &grant.accounts {
        let currency = account.currency.as_deref().unwrap_or_default();
        lines.push(format!("  account    {}  {}  {} {currency}", account.id, account.name, account.number));
    }
    for operation in &grant.operations {
        let (risk, asks) = (risk(operation.risk), asks(operation.asks));
        lines.push(format!(
            "  operation  {}  {} {}{risk}{asks}",
            operation.id, operation.method, operation.path
        ));
    }
    lines.join("\n")
}

fn state(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Ended => "ended",
        State::Locked => "Countersign is locked",
        State::Paused => "paused",
        State::Reconnect => "has to be connected again",
        State::Stopped => "all agents are stopped",
        State::Unknown => "not usable",
    }
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Money => ", moves money",
        Risk::Personal => ", about the person",
        Risk::Read | Risk::Unknown => "",
    }
}

fn asks(asks: Asks) -> &'static str {
    match asks {
        Asks::Always => ", asked each time",
        Asks::Never | Asks::Unknown => "",
        Asks::Once => ", asked the first time",
    }
}
