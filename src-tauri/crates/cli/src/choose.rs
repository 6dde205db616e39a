//! Finds what a person named: a connection by the beginning of its id or as `agent@bank`, an agent by name or id, a
//! bank by name or id.

use contract::ui::{AccountView, AgentView, ApprovalView, GrantRow, GrantsView, ProviderView};

/// The shortest beginning of an id that is shown.
const SHOWN: usize = 8;

/// Why nothing was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// Nothing has this name.
    Nothing,
    /// These all fit.
    Several(Vec<String>),
}

/// The connection that was named. One that has ended is found only by its id.
pub(crate) fn grant<'g>(grants: &'g GrantsView, named: &str) -> Result<&'g GrantRow, Unclear> {
    let all = || grants.current.iter().chain(&grants.history);
    let by_id = |row: &&GrantRow| named.len() >= 4 && row.id.starts_with(&named.to_lowercase());
    let found: Vec<&GrantRow> = match named.rsplit_once('@') {
        Some((agent, bank)) => {
            let fits = |row: &&GrantRow| {
                same(agent, &row.agent.name, &row.agent.id) && same(bank, &row.bank.name, &row.bank.id)
            };
            grants.current.iter().filter(fits).collect()
        }
        None => all().filter(by_id).collect(),
    };
    only(found, |row| format!("{}  {} at {}", short(grants, &row.id), row.agent.name, row.bank.name))
}

/// The agent that was named.
pub(crate) fn agent<'a>(agents: &'a [AgentView], named: &str) -> Result<&'a AgentView, Unclear> {
    let found = agents.iter().filter(|agent| same(named, &agent.name, &agent.id)).collect();
    only(found, |agent| agent.name.clone())
}

/// The question that was named, by the beginning of its id.
pub(crate) fn question<'q>(questions: &'q [ApprovalView], named: &str) -> Result<&'q ApprovalView, Unclear> {
    let fits = |asked: &&ApprovalView| named.len() >= 4 && asked.id.starts_with(&named.to_lowercase());
    only(questions.iter().filter(fits).collect(), |asked| format!("{}  {}", asked.id, asked.agent.name))
}

/// The bank that was named.
pub(crate) fn bank<'b>(banks: &'b [ProviderView], named: &str) -> Result<&'b ProviderView, Unclear> {
    let found = banks.iter().filter(|bank| same(named, &bank.name, &bank.id)).collect();
    only(found, |bank| format!("{}  {}", bank.id, bank.name))
}

/// The ids of the accounts that were named, by id, name or the last signs of their number; else those that are allowed
/// now.
pub(crate) fn accounts(accounts: &[AccountView], named: Option<&[String]>) -> Result<Vec<String>, Unclear> {
    let Some(named) = named else {
        return Ok(accounts
            .iter()
            .filter(|account| account.allowed)
            .map(|account| account.id.clone())
            .collect());
    };
    let one = |named: &String| {
        let ends = |masked: &str| named.len() >= 2 && masked.ends_with(named.as_str());
        let fits = |account: &&AccountView| same(named, &account.name, &account.id) || ends(&account.masked);
        only(accounts.iter().filter(fits).collect(), |account| format!("{} {}", account.name, account.masked))
            .map(|account| account.id.clone())
    };
    named.iter().map(one).collect()
}

/// As much of an id as tells it from the others in the list.
pub(crate) fn short<'i>(grants: &GrantsView, id: &'i str) -> &'i str {
    let others = || grants.current.iter().chain(&grants.history).filter(|row| row.id != id);
    let enough = (SHOWN..id.len()).find(|length| {
        let head = id.get(..*length);
        !others().any(|row| row.id.get(..*length) == head)
    });
    id.get(..enough.unwrap_or(id.len())).unwrap_or(id)
}

fn same(named: &str, name: &str, id: &str) -> bool {
    named == id || named.to_lowercase() == name.to_lowercase()
}

fn only<T>(mut found: Vec<&T>, line: impl Fn(&T) -> String) -> Result<&T, Unclear> {
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Unclear::Nothing),
        (Some(one), true) => Ok(one),
        (Some(last), false) => Err(Unclear::Several(found.into_iter().chain([last]).map(line).collect())),
    }
}
