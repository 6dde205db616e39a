use std::collections::BTreeSet;

use super::*;
use crate::agent::{AgentKey, AgentName, AgentPaused, PauseWhy};
use crate::grant::{Account, Narrowing, Paused};
use crate::id::ProviderId;
use crate::money::{Amount, Currency, Money};
use crate::permission::PermissionSet;
use crate::task::{Day, Purpose};

const FDX: &str = include_str!("../../../oauth/providers/profiles/fdx-v6.toml");
const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const OPERATIONS: [&str; 7] = [
    "list_accounts",
    "get_balance",
    "list_transactions",
    "get_customer",
    "list_payees",
    "make_payment",
    "no_such_thing",
];
const PERMISSIONS: [&str; 6] = ["accounts", "balances", "transactions", "identity", "payees", "payments"];
const CLASSES: [PurposeClass; 3] = [PurposeClass::Other, PurposeClass::Taxes, PurposeClass::Budgeting];

fn op(text: &str) -> OperationId {
    OperationId::parse(text).unwrap()
}

fn permissions(names: &[&str]) -> PermissionSet {
    names.iter().map(|name| crate::id::PermissionId::parse(name).unwrap()).collect()
}

fn agent(n: u8) -> Agent {
    // Points of the curve, far from the weak ones.
    let x = ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
    Agent {
        id: AgentId::make_from(NOW, [n; 10]),
        name: AgentName::parse(&format!("Agent {n}")).unwrap(),
        key: AgentKey::parse(x[usize::from(n) % 2]).unwrap(),
        added_at: NOW,
        paused: None,
        removed_at: None,
    }
}

fn grant(allowed: &[&str]) -> Grant {
    let account = |id: &str| Account {
        id: id.to_owned(),
        name: "Everyday".to_owned(),
        masked: "••••4821".to_owned(),
        currency: Some("USD".to_owned()),
    };
    Grant {
        id: GrantId::make_from(NOW, [1; 10]),
        provider: ProviderId::parse("bank").unwrap(),
        provider_name: "Bank".to_owned(),
        issuer: "https://bank.example".to_owned(),
        agent: agent(0).id,
        permissions: permissions(allowed),
        missing: Vec::new(),
        extra: Vec::new(),
        accounts: vec![account("a1"), account("a2")],
        holder: None,
        created_at: NOW,
        ends_at: NOW.plus_days(90),
        scopes: None,
        access_token_ends_at: None,
        generation: 1,
        confirmed_at: NOW,
        narrowing: None,
        paused: None,
        reconnect: None,
        renews: None,
        reminded: None,
        revocation: None,
    }
}

fn task(wish: Wish) -> Task {
    Task {
        id: [0; 32],
        content: [0; 32],
        ends_at: NOW,
        grant: grant(&[]).id,
        purpose: Purpose::parse("x").unwrap(),
        purpose_class: PurposeClass::Other,
        wish,
        uses: 1,
        lifetime: 300,
    }
}

fn look(actions: &[&str], accounts: Option<&[&str]>) -> Wish {
    Wish::Look(vec![Look {
        actions: actions.iter().map(|a| op(a)).collect(),
        accounts: accounts.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect()),
        from: None,
        to: None,
    }])
}

fn pay(debtor: Option<&str>) -> Wish {
    Wish::Pay(Payment {
        action: op("make_payment"),
        amount: Money { amount: Amount::parse("12.5").unwrap(), currency: Currency::parse("USD").unwrap() },
        creditor: "p1".to_owned(),
        creditor_name: None,
        debtor: debtor.map(str::to_owned),
        reference: None,
    })
}

/// What is decided, in a word.
fn word(decision: &Decision) -> String {
    match decision {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Ask(_) => "ask".to_owned(),
        Decision::Deny(why) => format!("{why:?}"),
    }
}

fn decided(wish: Wish, agent: &Agent, grant: &Grant, choices: &[Choice]) -> String {
    let profile = Profile::parse(FDX).unwrap();
    let ground = Ground { agent, grant, profile: &profile, choices, now: NOW };
    word(&decide(&task(wish), &ground))
}

#[test]
fn reads_are_silent_and_the_rest_is_asked_or_denied() {
    let check = |wish: Wish, allowed: &[&str], expected: &str| {
        assert_eq!(
            decided(wish.clone(), &agent(0), &grant(allowed), &[]),
            expected,
            "{wish:?} of {allowed:?}"
        );
    };
    check(look(&["get_balance"], Some(&["a1"])), &["accounts", "balances"], "allow");
    check(look(&["get_balance"], None), &["balances"], "allow");
    check(look(&["get_balance", "list_transactions"], None), &["balances"], "OperationOutside");
    check(look(&["get_balance"], Some(&["a1", "a3"])), &["balances"], "AccountOutside");
    check(look(&["get_customer"], None), &["identity"], "ask");
    check(look(&["get_balance", "get_customer"], None), &["balances", "identity"], "ask");
    check(look(&["get_customer"], None), &["balances"], "OperationOutside");
    check(look(&["no_such_thing"], None), &PERMISSIONS, "OperationUnknown");
    check(pay(Some("a1")), &["payments"], "ask");
    check(pay(Some("a3")), &["payments"], "AccountOutside");
    check(pay(None), &["payments"], "PaymentUnfit");
    check(pay(Some("a1")), &["balances"], "OperationOutside");
    // Money never moves by a look.
    check(look(&["make_payment"], None), &["payments"], "OperationUnknown");
}

#[test]
fn a_grant_serves_the_agent_it_was_made_for() {
    let wish = look(&["get_balance"], None);
    assert_eq!(decided(wish, &agent(1), &grant(&["balances"]), &[]), "NotThisAgents");
}

#[test]
fn what_stands_still_gives_nothing() {
    let wish = || look(&["get_balance"], None);
    let check = |agent: &Agent, grant: &Grant, expected: &str| {
        assert_eq!(decided(wish(), agent, grant, &[]), expected);
    };
    let whole = grant(&["balances"]);
    let paused = AgentPaused { at: NOW, why: PauseWhy::Person };
    check(&Agent { paused: Some(paused), ..agent(0) }, &whole, "AgentPaused");
    check(&Agent { removed_at: Some(NOW), ..agent(0) }, &whole, "AgentRemoved");
    check(&agent(0), &Grant { paused: Some(Paused { at: NOW }), ..whole.clone() }, "GrantPaused");
    check(&agent(0), &Grant { ends_at: NOW, ..whole.clone() }, "GrantEnded");
    let narrowing = Narrowing {
        at: NOW,
        permissions: permissions(&["accounts"]),
        accounts: None,
        ends_at: whole.ends_at,
    };
    check(&agent(0), &Grant { narrowing: Some(narrowing), ..whole }, "OperationOutside");
}

#[test]
fn days_need_a_place_and_an_order() {
    let day = |text: &str| Day::parse(text).unwrap();
    let dated = |action: &str, from: &str, to: &str| {
        Wish::Look(vec![Look {
            actions: vec![op(action)],
            accounts: None,
            from: Some(day(from)),
            to: Some(day(to)),
        }])
    };
    let whole = grant(&PERMISSIONS);
    let check = |wish: Wish| decided(wish, &agent(0), &whole, &[]);
    assert_eq!(check(dated("list_transactions", "2026-01-01", "2026-01-31")), "allow");
    assert_eq!(check(dated("list_transactions", "2026-02-01", "2026-01-31")), "DatesUnfit");
    assert_eq!(check(dated("get_balance", "2026-01-01", "2026-01-31")), "DatesUnfit");
}

#[test]
fn a_choice_is_for_one_agent_grant_operation_and_kind_of_purpose_until_its_end() {
    let whole = grant(&["identity", "payees", "payments"]);
    let choice = Choice {
        id: ChoiceId::make_from(NOW, [1; 10]),
        agent: agent(0).id,
        grant: whole.id,
        operation: op("get_customer"),
        purpose_class: PurposeClass::Other,
        until: NOW.plus_millis(1),
        made_at: NOW,
    };
    let check = |wish: Wish, choice: Choice| decided(wish, &agent(0), &whole, &[choice]);
    assert_eq!(check(look(&["get_customer"], None), choice.clone()), "allow");
    assert_eq!(check(look(&["list_payees"], None), choice.clone()), "ask");
    assert_eq!(check(look(&["get_customer", "list_payees"], None), choice.clone()), "ask");
    for other in [
        Choice { agent: agent(1).id, ..choice.clone() },
        Choice { grant: GrantId::make_from(NOW, [9; 10]), ..choice.clone() },
        Choice { purpose_class: PurposeClass::Taxes, ..choice.clone() },
        Choice { until: NOW, ..choice.clone() },
    ] {
        assert_eq!(check(look(&["get_customer"], None), other), "ask");
    }
    let paying = Choice { operation: op("make_payment"), ..choice };
    assert_eq!(check(pay(Some("a1")), paying), "ask", "a payment is asked for each time");
}

/// Splitmix64: what is tried follows from the seed alone.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }

    fn some<'t>(&mut self, of: &[&'t str]) -> Vec<&'t str> {
        of.iter().copied().filter(|_| self.below(2) == 0).collect()
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }
}

/// The policy once more, as a person would say it: no structure shared with the other.
fn reference(
    actions: &[&str],
    accounts: Option<&[&str]>,
    class: PurposeClass,
    allowed: &[&str],
    of_grant: &[&str],
    chosen: &[(&str, PurposeClass)],
) -> &'static str {
    let needs = |action: &str| match action {
        "list_accounts" => Some(("accounts", false)),
        "get_balance" => Some(("balances", false)),
        "list_transactions" => Some(("transactions", false)),
        "get_customer" => Some(("identity", true)),
        "list_payees" => Some(("payees", true)),
        _ => None,
    };
    let inside = |action: &&str| needs(action).is_some_and(|(permission, _)| allowed.contains(&permission));
    if !actions.iter().all(inside) || accounts.is_some_and(|ids| !ids.iter().all(|id| of_grant.contains(id)))
    {
        return "deny";
    }
    let agreed = |action: &&str| {
        !needs(action).is_some_and(|(_, personal)| personal) || chosen.contains(&(*action, class))
    };
    if actions.iter().all(agreed) { "allow" } else { "ask" }
}

#[test]
fn the_policy_agrees_with_its_reference() {
    let profile = Profile::parse(FDX).unwrap();
    let mut random = Random(7);
    let mut seen = BTreeSet::new();
    let (asking, grant_of) = (agent(0), grant(&[]));
    for round in 0..20_000 {
        let (actions, allowed) = (random.some(&OPERATIONS), random.some(&PERMISSIONS));
        let named = random.some(&["a1", "a2", "a3"]);
        let accounts = (random.below(3) > 0).then_some(named.as_slice());
        let class = random.one(&CLASSES);
        let chosen: Vec<(&str, PurposeClass)> =
            random.some(&OPERATIONS).into_iter().map(|operation| (operation, random.one(&CLASSES))).collect();
        let grant = Grant { permissions: permissions(&allowed), ..grant_of.clone() };
        let choices: Vec<Choice> = chosen
            .iter()
            .map(|(operation, class)| Choice {
                id: ChoiceId::make_from(NOW, [0; 10]),
                agent: asking.id,
                grant: grant.id,
                operation: op(operation),
                purpose_class: *class,
                until: NOW.plus_days(1),
                made_at: NOW,
            })
            .collect();
        let ground = Ground { agent: &asking, grant: &grant, profile: &profile, choices: &choices, now: NOW };
        let asked = Task { purpose_class: class, ..task(look(&actions, accounts)) };
        let decision = decide(&asked, &ground);
        let found = match &decision {
            Decision::Allow(_) => "allow",
            Decision::Ask(_) => "ask",
            Decision::Deny(_) => "deny",
        };
        let expected = reference(&actions, accounts, class, &allowed, &["a1", "a2"], &chosen);
        assert_eq!(
            found, expected,
            "round {round}: {actions:?} {accounts:?} {class:?} of {allowed:?} with {chosen:?}"
        );
        if let Decision::Allow(terms) | Decision::Ask(terms) = decision {
            let given: Vec<&str> = terms.operations().map(OperationId::as_str).collect();
            assert_eq!(given, actions, "what is given is what was asked for");
        }
        seen.insert(found);
    }
    assert_eq!(seen.len(), 3, "every decision was met");
}
