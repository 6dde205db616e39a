//! The demo's agent: reads the last 90 days of each connected account and sums up what was spent, by month and category.
//!
//! It holds no token. For each account it says what it is about to do, gets a lease for that, reads, and gives the lease
//! back. Its key is where `COUNTERSIGN_AGENT_KEY_FILE` says, or where `countersign-agent enrol` put it.

mod money;
mod summary;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use client::agent::{Agent, AgentError, Lease, Request};
use client::keys::KeySource;
use client::task::Task;
use contract::agent::{Account, Grant, PurposeClass, State};
use serde::Deserialize;
use time::{Date, Duration, OffsetDateTime};

use summary::{Summary, Transaction};

const DAYS: i64 = 90;
const READS: &str = "list_transactions";
/// As many as the bank gives at once, and so many times: nobody buys more in 90 days.
const PAGE: &str = "500";
const PAGES: u32 = 20;

fn main() -> ExitCode {
    client::process::harden();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "sample-agent: {}", tame(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let key = KeySource::of_person().load().context("the agent's key")?;
    let mut agent = Agent::of_person(key);
    let grants = agent.grants().map_err(said)?.grants;
    let usable = grants.iter().filter(|grant| grant.state == State::Active && reads_transactions(grant));
    let mut count = 0;
    for grant in usable {
        for account in &grant.accounts {
            let summary = sum_up(&mut agent, grant, account)?;
            say(&summary)?;
            count += 1;
        }
    }
    if count == 0 {
        bail!("nothing is connected that shows transactions; choose Connect Account in Countersign");
    }
    Ok(())
}

fn reads_transactions(grant: &Grant) -> bool {
    grant.operations.iter().any(|operation| operation.id == READS)
}

fn sum_up(agent: &mut Agent, grant: &Grant, account: &Account) -> anyhow::Result<String> {
    let last = today();
    let first = last.saturating_sub(Duration::days(DAYS));
    let days = (first.to_string(), last.to_string());
    let task = Task::new(&grant.id, "Sum up what was spent in the last 90 days")
        .class(PurposeClass::Budgeting)
        .reads([READS])
        .of_accounts([&account.id])
        .between(&days.0, &days.1)
        .uses(PAGES);
    let lease = agent.lease(&task).map_err(said)?;
    let transactions = read(agent, &lease, account, &days);
    agent.give_back(&lease).map_err(said)?;
    let mut summary = Summary::default();
    for transaction in &transactions? {
        summary.add(transaction)?;
    }
    let title =
        format!("{}, {} {}, {} to {}", grant.provider.name, account.name, account.number, days.0, days.1);
    Ok(format!("{title}\n{summary}"))
}

/// A page of the bank's answer (FDX).
#[derive(Deserialize)]
struct Page {
    transactions: Vec<Transaction>,
    page: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    #[serde(rename = "nextOffset")]
    next_offset: Option<String>,
}

fn read(
    agent: &mut Agent,
    lease: &Lease,
    account: &Account,
    days: &(String, String),
) -> anyhow::Result<Vec<Transaction>> {
    let mut all = Vec::new();
    let mut offset: Option<String> = None;
    for _ in 0..PAGES {
        let path = format!("/accounts/{}/transactions", account.id);
        let mut request =
            Request::get(&path).query("startTime", &days.0).query("endTime", &days.1).query("limit", PAGE);
        if let Some(offset) = &offset {
            request = request.query("offset", offset);
        }
        let answer = agent.call(lease, &request).map_err(said)?;
        if answer.status != 200 {
            bail!("the bank answered with status {}", answer.status);
        }
        let page: Page = serde_json::from_slice(&answer.body).context("the bank's list of transactions")?;
        all.extend(page.transactions);
        offset = page.page.and_then(|page| page.next_offset);
        if offset.is_none() {
            return Ok(all);
        }
    }
    bail!("there are more transactions than this reads")
}

/// What Countersign said, in its own words for the person.
fn said(error: AgentError) -> anyhow::Error {
    let words = match &error {
        AgentError::Refused(refused) => refused.refusal.user_message.clone(),
        AgentError::AnswerMalformed
        | AgentError::Dial(_)
        | AgentError::Endpoint(_)
        | AgentError::Exchange(_)
        | AgentError::HungUp
        | AgentError::NoRandomness(_)
        | AgentError::RequestUnfit
        | AgentError::Unanswered => String::new(),
    };
    let error = anyhow::Error::new(error);
    if words.is_empty() { error } else { error.context(words) }
}

fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{}", tame(text))
}

/// Names are a bank's and of those who are paid: nothing that a terminal would obey is let through.
fn tame(text: &str) -> String {
    let is_wild = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_wild(c) && c != '\n' { '\u{b7}' } else { c }).collect()
}
