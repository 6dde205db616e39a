//! A data folder with many grants in it, written by the store itself.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use app::port::Store as _;
use domain::agent::{Agent, AgentKey, AgentName};
use domain::grant::{Account, Grant};
use domain::id::{AgentId, GrantId, InstallId, PermissionId, ProviderId};
use domain::time::Timestamp;
use ed25519_dalek::SigningKey;
use store::SqliteStore;

/// Each agent has this many grants.
const PER_AGENT: u32 = 10;

/// Makes the database of a data folder that has none. The banks are in no catalogue, as after an update that dropped
/// them, so a release build shows them too; none of the grants is about to end, so nothing stands above the list.
pub(crate) fn write(data: &Path, count: u32, seed: u64) {
    let mut dice = Dice(seed);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = Timestamp::from_millis(i64::try_from(since.as_millis()).expect("a time"));
    let agents: Vec<Agent> = (0..count.div_ceil(PER_AGENT)).map(|n| agent(n, now, &mut dice)).collect();
    let grants: Vec<Grant> =
        (0..count).map(|n| grant(n, agents[(n / PER_AGENT) as usize].id, now, &mut dice)).collect();
    let store = SqliteStore::open(&data.join("countersign.sqlite"), InstallId::make_from(dice.bytes()))
        .expect("a new store");
    let job = store.write(move |tx| {
        agents.iter().try_for_each(|agent| tx.insert_agent(agent))?;
        grants.iter().try_for_each(|grant| tx.insert_grant(grant))
    });
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(job)).expect("rows");
}

fn agent(n: u32, now: Timestamp, dice: &mut Dice) -> Agent {
    let key = SigningKey::from_bytes(&dice.bytes()).verifying_key();
    Agent {
        id: AgentId::make_from(now, dice.bytes()),
        name: AgentName::parse(&format!("Agent number {n}")).expect("a name"),
        key: AgentKey::from_bytes(key.to_bytes()).expect("a key"),
        added_at: now.plus_millis(-86_400_000),
        paused: None,
        removed_at: None,
    }
}

fn grant(n: u32, agent: AgentId, now: Timestamp, dice: &mut Dice) -> Grant {
    let permissions = ["accounts", "balances", "transactions"];
    Grant {
        id: GrantId::make_from(now, dice.bytes()),
        provider: ProviderId::parse(&format!("bank-{n}")).expect("a provider"),
        provider_name: format!("Bank number {n}"),
        issuer: format!("https://bank-{n}.example"),
        agent,
        permissions: permissions
            .map(|id| PermissionId::parse(id).expect("a permission"))
            .into_iter()
            .collect(),
        missing: Vec::new(),
        extra: Vec::new(),
        accounts: (1..=2)
            .map(|account| Account {
                id: format!("account-{account}"),
                name: format!("Account {account}"),
                masked: format!("••••{:04}", n + account),
                currency: Some("EUR".to_owned()),
            })
            .collect(),
        holder: Some("Ada Lindqvist".to_owned()),
        created_at: now.plus_millis(-3_600_000),
        ends_at: now.plus_days(60),
        scopes: Some(vec!["accounts".to_owned()]),
        access_token_ends_at: None,
        generation: 1,
        confirmed_at: now.plus_millis(-3_600_000),
        narrowing: None,
        paused: None,
        reconnect: None,
        renews: None,
        reminded: None,
        revocation: None,
    }
}

/// SplitMix64: the same seed gives the same rows.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }
}
