//! Sentences that are put together, as the window puts them together; and dates.

use contract::ui::{
    BankTold, ConsentTold, EndingView, GrantRow, GrantState, PermissionGroup, PermissionView,
    ReconnectWhyView, RevocationView, RiskView, WaitsForView,
};
use time::OffsetDateTime;
use time::macros::format_description;

/// "1 account", "2 accounts", "no accounts".
pub(crate) fn count(n: u32, one: &str) -> String {
    match n {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// "balances", "balances and payees", "a, b and c".
pub(crate) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// "21 February 2027". Without a calendar of the person's own, days are those of UTC.
pub(crate) fn day(at: i64) -> String {
    let written = |at: OffsetDateTime| {
        at.format(format_description!("[day padding:none] [month repr:long] [year]")).ok()
    };
    moment(at).and_then(written).unwrap_or_default()
}

/// "26 November 2026, 14:02 UTC".
pub(crate) fn time(at: i64) -> String {
    let written = |at: OffsetDateTime| {
        at.format(format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"))
            .ok()
    };
    moment(at).and_then(written).unwrap_or_default()
}

fn moment(at: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)).ok()
}

/// "Can see balances of 2 accounts. Can't move money."
pub(crate) fn abilities(row: &GrantRow) -> String {
    let could = matches!(row.state, GrantState::Ended { .. } | GrantState::Revoked { .. });
    if row.permissions.is_empty() {
        return "Connecting was not completed. Nothing was shared here.".to_owned();
    }
    let can = if could { "Could" } else { "Can" };
    let mut sentences = Vec::new();
    if let Some(seen) = seen(&row.permissions, &count(row.accounts, "account")) {
        sentences.push(format!("{can} see {seen}."));
    }
    let does: Vec<String> =
        row.permissions.iter().filter(|p| p.group == PermissionGroup::Do).map(|p| p.text.clone()).collect();
    if !does.is_empty() {
        sentences.push(format!("{can} {}.", listed(&does)));
    }
    if !could && !row.permissions.iter().any(|p| p.risk == RiskView::Money) {
        sentences.push("Can't move money.".to_owned());
    }
    sentences.join(" ")
}

/// "balances and transactions of 2 accounts, and your name and contact details".
fn seen(permissions: &[PermissionView], accounts: &str) -> Option<String> {
    let sees = || permissions.iter().filter(|p| p.group == PermissionGroup::See);
    let reads: Vec<&PermissionView> = sees().filter(|p| p.risk == RiskView::Read).collect();
    // One that all the others rest on goes without saying.
    let rests_on = |p: &PermissionView| reads.iter().any(|o| o.id != p.id && o.needs.contains(&p.id));
    let named: Vec<String> = reads.iter().filter(|p| !rests_on(p)).map(|p| p.short.clone()).collect();
    let of_accounts = match &named[..] {
        [] => None,
        [only] if only == "accounts" => Some(accounts.to_owned()),
        named => Some(format!("{} of {accounts}", listed(named))),
    };
    let personal = sees().filter(|p| p.risk != RiskView::Read).map(|p| format!("your {}", p.short));
    let parts: Vec<String> = of_accounts.into_iter().chain(personal).collect();
    match &parts[..] {
        [] => None,
        [one] => Some(one.clone()),
        [most @ .., last] => Some(format!("{}, and {last}", most.join(", "))),
    }
}

/// Where a connection stands, in a word or a sentence.
pub(crate) fn state(row: &GrantRow) -> String {
    let until = format!("until {}", day(row.ends_at));
    match &row.state {
        GrantState::Active { ends_soon: false } => format!("Active, {until}."),
        GrantState::Active { ends_soon: true } => format!("Ends soon: {until}."),
        GrantState::Ended { .. } => format!("Ended {}.", day(row.ends_at)),
        GrantState::Paused { since, .. } => {
            format!("Paused since {}. The agent gets nothing. It ends {}.", time(*since), day(row.ends_at))
        }
        GrantState::Reconnect { why, .. } => format!("Does not work any more. {}", reconnect(*why)),
        GrantState::Revoked { facts, .. } => format!("Revoked {}.", day(facts.cut_off_at)),
    }
}

fn reconnect(why: ReconnectWhyView) -> &'static str {
    match why {
        ReconnectWhyView::AnotherPerson => "The bank's answer was about somebody else.",
        ReconnectWhyView::AnswerLost => "The bank's answer was lost. Connect again.",
        ReconnectWhyView::DamagedRecord => "Countersign can't open what it kept of it. Connect again.",
        ReconnectWhyView::EndedAtBank => "The bank says that it is over.",
        ReconnectWhyView::NoRefreshToken => "The bank gave access for a short time only. Connect again.",
        ReconnectWhyView::RefusedAtBank => "The bank refuses what it has just allowed.",
        ReconnectWhyView::StoreRestored => {
            "Countersign's data was put back from an older copy. Connect again."
        }
    }
}

/// What is known of a connection's end: cut off here, told the bank, the consent there.
pub(crate) fn facts(facts: &RevocationView, bank: &str) -> Vec<String> {
    let told = match &facts.bank {
        BankTold::Confirmed { at } => format!("{bank} confirmed {}.", time(*at)),
        BankTold::GivenUp { at } => format!("{bank} was not told. You stopped the tries {}.", time(*at)),
        BankTold::NotOffered => format!("{bank} can't be told by Countersign. Withdraw it there."),
        BankTold::NotYet { waits_for, .. } => {
            format!("{bank} has not confirmed yet; Countersign keeps trying. {}", waits(*waits_for))
        }
        BankTold::Replaced { .. } => "A new connection took its place.".to_owned(),
    };
    let consent = match facts.consent {
        ConsentTold::AtBank => {
            Some(format!("What you allowed at {bank} is withdrawn on the bank's own page."))
        }
        ConsentTold::NotYet => None,
        ConsentTold::Withdrawn { at } => Some(format!("What you allowed at {bank} ended {}.", time(at))),
    };
    let valid = facts
        .valid_until
        .map(|until| format!("Access that {bank} gave out earlier may work there until {}.", time(until)));
    let here = format!("Cut off here {}.", time(facts.cut_off_at));
    [here, told].into_iter().chain(consent).chain(valid).collect()
}

fn waits(for_what: WaitsForView) -> &'static str {
    match for_what {
        WaitsForView::BankToAccept => "The bank did not accept it yet.",
        WaitsForView::BankToAnswer => "The bank does not answer.",
        WaitsForView::DamagedRecord => "What was kept for it is damaged.",
        WaitsForView::FirstTry => "It is about to be told.",
        WaitsForView::Keychain => "It waits for your keychain.",
        WaitsForView::KnownAddress => "The bank's address is not known any more.",
        WaitsForView::LostKey => "The key that opens what was kept is gone.",
    }
}

/// How an attempt ended: what happened, and whether anything was connected.
pub(crate) fn ending(ending: &EndingView, bank: &str, agent: &str) -> String {
    let nothing = "Nothing was connected.";
    match ending {
        EndingView::AddressesChanged { .. } => {
            format!("{bank} answers at addresses Countersign does not know. {nothing}")
        }
        EndingView::BankMisbehaved { .. } => {
            format!("{bank} sent an answer that breaks the rules. {nothing}")
        }
        EndingView::BankRefused { code, .. } => format!("{bank} refused (its own code: “{code}”). {nothing}"),
        EndingView::BankUnreachable => format!("{bank} could not be reached. {nothing}"),
        EndingView::Cancelled => format!("You cancelled. {nothing}"),
        EndingView::Connected { missing, extra } => {
            let less =
                if missing.is_empty() { "" } else { " You allowed less at the bank than you chose here." };
            let more = if extra.is_empty() {
                ""
            } else {
                " The bank allowed more than you chose; it is never used."
            };
            format!("Connected. {agent} is connected to {bank}.{less}{more}")
        }
        EndingView::Declined => format!("You said no at the bank. {nothing}"),
        EndingView::Interrupted => format!("Countersign stopped while waiting. {nothing}"),
        EndingView::KeychainKeyLost => format!("Your keychain has lost the key. {nothing}"),
        EndingView::KeychainLocked => format!("Your keychain is locked. {nothing}"),
        EndingView::KeychainUnavailable => format!("Your keychain does not answer. {nothing}"),
        EndingView::NotSaved { bank_told: true } => {
            format!(
                "The connection could not be saved. {nothing} {bank} confirmed that it has forgotten the access."
            )
        }
        EndingView::NotSaved { bank_told: false } => {
            format!(
                "The connection could not be saved. {nothing} {bank} has not confirmed that it has forgotten the access."
            )
        }
        EndingView::NothingAllowed => format!("Nothing was allowed at the bank. {nothing}"),
        EndingView::OtherAccount => "The bank answered for other accounts. Nothing changed.".to_owned(),
        EndingView::PortTaken => {
            format!("Another program uses the place where the bank's answer arrives. {nothing}")
        }
        EndingView::TimedOut => format!("Time ran out. {nothing}"),
        EndingView::UnexpectedServer => format!("The answer may not have come from {bank}. {nothing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_lists_are_said_as_people_say_them() {
        assert_eq!(day(1_803_211_200_000), "21 February 2027");
        assert_eq!(time(1_803_211_200_000 + 8_520_000), "21 February 2027, 14:22 UTC");
        assert_eq!(listed(&["a", "b", "c"].map(str::to_owned)), "a, b and c");
        assert_eq!((count(1, "account"), count(0, "account")), ("1 account".into(), "no accounts".into()));
    }
}
