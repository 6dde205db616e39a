//! Answers, as a person reads them in a terminal.

use contract::support::{AttemptRow, Counts, Report, Status};
use contract::ui::{
    AgentView, ApprovalView, ApprovalWhat, EnrolmentView, GrantRow, GrantState, GrantView, GrantsView,
    KeychainState, LockView, StoppedView,
};

use crate::choose::short;
use crate::sentences::{abilities, count, day, ending, facts, state, time};

/// How things stand, in a few lines.
pub(crate) fn status(status: &Status) -> String {
    let mut lines =
        vec![format!("Countersign {} is running.{}", status.app.version, sandbox(status.app.sandbox))];
    lines.extend(stopped(status.app.stopped));
    if let LockView::Locked { since, .. } = status.app.lock {
        lines.push(format!("It is locked since {}. Agents get nothing until it is unlocked.", time(since)));
    }
    lines.extend(keychain(status.app.keychain).map(str::to_owned));
    lines.extend(counts(&status.counts));
    match status.app.asked.len() {
        0 => {}
        1 => lines.push("1 question waits for you in the window.".to_owned()),
        n => lines.push(format!("{n} questions wait for you in the window.")),
    }
    lines.join("\n")
}

/// The same where no host runs.
pub(crate) fn report(report: &Report) -> String {
    let first =
        format!("Countersign is not running. Agents can't use your connections.{}", sandbox(report.sandbox));
    let stopped = stopped(report.stopped);
    std::iter::once(first).chain(stopped).chain(counts(&report.counts)).collect::<Vec<_>>().join("\n")
}

fn sandbox(sandbox: bool) -> &'static str {
    if sandbox { " This is a sandbox: it talks to test banks only." } else { "" }
}

fn stopped(stopped: Option<StoppedView>) -> Option<String> {
    let stopped = stopped?;
    let since = stopped.since.map_or_else(String::new, |since| format!(" since {}", time(since)));
    let kept =
        if stopped.recorded { "" } else { " This is not written to the disk yet; Countersign keeps trying." };
    Some(format!("All agents are stopped{since}.{kept}"))
}

fn keychain(state: KeychainState) -> Option<&'static str> {
    match state {
        KeychainState::Absent => Some("This computer has no keychain Countersign can use."),
        KeychainState::Blocked => Some("Your keychain does not answer."),
        KeychainState::KeyMissing => Some("Your keychain no longer has Countersign's key."),
        KeychainState::KeyReplaced => Some("Your keychain has a different key now."),
        KeychainState::Locked => Some("Your keychain is locked."),
        KeychainState::Ready => None,
    }
}

fn counts(counts: &Counts) -> Vec<String> {
    let mut lines = vec![match counts.connections {
        0 => "Nothing is connected.".to_owned(),
        n => format!("{} now. See countersign grants.", count(n, "connection")),
    }];
    if counts.reconnect > 0 {
        lines.push(format!("{} must be connected again.", count(counts.reconnect, "connection")));
    }
    if counts.untold > 0 {
        lines.push(format!(
            "{} cut off here, and the bank has not confirmed.",
            count(counts.untold, "connection")
        ));
    }
    lines
}

/// The list of connections.
pub(crate) fn grants(grants: &GrantsView, history: bool) -> String {
    let rows = if history { &grants.history } else { &grants.current };
    let mut parts: Vec<String> = rows.iter().map(|row| grant_row(grants, row)).collect();
    if parts.is_empty() {
        parts.push(if history { "Nothing has ended yet." } else { "Nothing is connected." }.to_owned());
    }
    if !grants.damaged.is_empty() {
        let n = u32::try_from(grants.damaged.len()).unwrap_or(u32::MAX);
        parts.push(format!("{} can't be read. Nothing acts on it.", count(n, "record")));
    }
    parts.join("\n\n")
}

fn grant_row(grants: &GrantsView, row: &GrantRow) -> String {
    let narrowed = if row.narrowed { " You took something back here." } else { "" };
    format!(
        "{}  {} at {}\n  {}{narrowed}\n  {}",
        short(grants, &row.id),
        row.agent.name,
        row.bank.name,
        abilities(row),
        state(row)
    )
}

/// One connection.
pub(crate) fn grant(view: &GrantView) -> String {
    let row = &view.row;
    let mut lines = vec![format!("{} at {}", row.agent.name, row.bank.name), abilities(row), state(row)];
    match &row.state {
        GrantState::Revoked { facts: known, .. } | GrantState::Ended { facts: Some(known) } => {
            lines.extend(facts(known, &row.bank.name));
        }
        GrantState::Active { .. }
        | GrantState::Ended { facts: None }
        | GrantState::Paused { .. }
        | GrantState::Reconnect { .. } => {
            lines.push(format!("The bank last confirmed it {}.", time(row.confirmed_at)));
        }
    }
    for account in &view.accounts {
        let not = if account.allowed { "" } else { " (taken back here)" };
        lines.push(format!("  {} {}{not}", account.name, account.masked));
    }
    lines.extend(
        view.holder.as_ref().map(|holder| format!("The bank says these accounts are of “{holder}”.")),
    );
    lines.push(format!("Connected {}.", time(row.created_at)));
    lines.extend(view.reference.as_ref().map(|code| format!("Reference {code}.")));
    lines.push(format!("Id {}.", row.id));
    lines.join("\n")
}

/// Everything that waits for an answer.
pub(crate) fn open(questions: &[ApprovalView], enrolments: &[EnrolmentView]) -> String {
    let mut parts: Vec<String> = questions.iter().map(question).collect();
    parts.extend(enrolments.iter().map(enrolment));
    if parts.is_empty() {
        return "Nobody asks for anything.".to_owned();
    }
    parts.join("\n\n")
}

/// What an agent asks. Its own words are quoted, with nothing in them that a terminal would obey.
pub(crate) fn question(asked: &ApprovalView) -> String {
    let (agent, bank) = (&asked.agent.name, &asked.bank.name);
    let mut lines = match &asked.what {
        ApprovalWhat::Payment { to, to_account, amount, from, reference, says } => {
            let account = to_account.as_ref().map_or_else(String::new, |masked| format!(", {masked}"));
            let mut lines = vec![
                format!("{}  {agent} asks to {says} at {bank}.", asked.id),
                format!("  Amount  {} {}", amount.amount, amount.currency),
                format!("  To      “{}”{account}", plain(to)),
            ];
            lines.extend(from.as_ref().map(|from| format!("  From    {} {}", from.name, from.masked)));
            lines.extend(reference.as_ref().map(|text| format!("  Text    “{}”", plain(text))));
            lines
        }
        ApprovalWhat::Operations { operations, accounts, uses, .. } => {
            let mut lines = vec![format!("{}  {agent} asks for something at {bank}:", asked.id)];
            lines.extend(operations.iter().map(|operation| format!("  - to {}", operation.says)));
            lines.extend(accounts.iter().map(|account| format!("  of {} {}", account.name, account.masked)));
            lines.push(format!("  {} at most", count(u32::from(*uses), "call")));
            lines
        }
    };
    lines.push(format!("  The agent says: “{}”", plain(&asked.purpose)));
    lines.push(format!("  This turns into a no at {}.", time(asked.runs_out_at)));
    lines.join("\n")
}

fn enrolment(asked: &EnrolmentView) -> String {
    format!(
        "{}  A program wants to be added. It calls itself “{}”.\n  Compare this code with the one that it shows.\n  \
         This turns into a no at {}.",
        asked.code,
        plain(&asked.suggested_name),
        time(asked.runs_out_at)
    )
}

/// Somebody's words without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

/// The agents.
pub(crate) fn agents(agents: &[AgentView]) -> String {
    if agents.is_empty() {
        return "No agent was added.".to_owned();
    }
    let line = |agent: &AgentView| {
        let held = match (agent.removed_at, &agent.paused) {
            (Some(at), _) => format!("\n  Removed {}.", day(at)),
            (None, Some(paused)) => format!("\n  Paused since {}.", time(paused.at)),
            (None, None) => String::new(),
        };
        let connections = count(agent.connections, "connection");
        format!("{}\n  {connections}, added {}{held}", agent.name, day(agent.added_at))
    };
    agents.iter().map(line).collect::<Vec<_>>().join("\n\n")
}

/// The last attempts.
pub(crate) fn attempts(attempts: &[AttemptRow]) -> String {
    if attempts.is_empty() {
        return "Nobody has tried to connect anything yet.".to_owned();
    }
    attempts.iter().map(attempt).collect::<Vec<_>>().join("\n\n")
}

/// One attempt: what the person can read to support, and how it ended.
pub(crate) fn attempt(row: &AttemptRow) -> String {
    let (bank, agent) = (&row.attempt.bank.name, &row.attempt.agent.name);
    let end = match &row.attempt.ending {
        Some(end) => ending(end, bank, agent),
        None => format!("Goes on (at: {}). Nothing is connected yet.", row.stage),
    };
    let started = time(row.attempt.started_at);
    format!("{}  {agent} at {bank}, {started}\n  {end}", row.attempt.reference)
}
