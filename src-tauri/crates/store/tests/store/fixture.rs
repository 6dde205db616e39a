//! A database of every schema that was ever shipped: each opens for ever, with all that is in it.

use app::port::{DayOfUse, KekRow, SealedRow, StoreError, Tx};
use domain::agent::{Agent, AgentPaused, PauseWhy};
use domain::attempt::{Attempt, Browser, Ending};
use domain::audit::{AuditEvent, verify};
use domain::grant::Grant;
use domain::id::{ChoiceId, KekId, OperationId};
use domain::lock::{LockSettings, Protection};
use domain::policy::Choice;
use domain::reference::Stage;
use domain::refresh::{Refresh, Trouble};
use domain::rule::{Rule, RuleKind};
use domain::task::PurposeClass;
use std::fs;
use std::path::PathBuf;
use vault::label::Kind;

use crate::support::{
    Home, agent, at, attempt, cut_off, full, grant, grant_id, install, pending, read, receipt, sealed, shown,
    write,
};

fn fixture(schema: i64) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../../tests/fixtures/db/{schema}.sqlite"))
}

fn kek() -> KekRow {
    KekRow {
        id: KekId::make_from(*b"kek id 1"),
        check: b"a key check".to_vec(),
        protection: Protection::Keychain,
        wrapped: None,
    }
}

fn connected() -> Attempt {
    Attempt {
        deadline: Some(at(600_000)),
        openings: 2,
        strays: 3,
        browser: Browser::Opened,
        stage: Stage::Save,
        ending: Some(Ending::Connected { missing: Vec::new(), extra: vec!["offline_access".to_owned()] }),
        ended_at: Some(at(90_000)),
        grant: Some(grant_id(1)),
        revision: 12,
        ..attempt(1)
    }
}

fn revoked() -> Grant {
    Grant { revocation: Some(cut_off(77, pending(2))), ..grant(2) }
}

fn fill(tx: &mut dyn Tx) -> Result<(), StoreError> {
    tx.insert_kek(&kek())?;
    tx.append_audit(at(1), &AuditEvent::KeyMade { kek: kek().id.to_string() })?;
    tx.insert_agent(&agent(1))?;
    tx.insert_agent(&agent(2))?;
    tx.insert_attempt(&connected())?;
    tx.insert_attempt(&attempt(2))?;
    tx.insert_grant(&grant(1))?;
    tx.insert_grant(&revoked())?;
    tx.insert_sealed(&sealed(1, Kind::RefreshToken))?;
    tx.insert_sealed(&sealed(1, Kind::Subject))?;
    tx.insert_sealed(&sealed(2, Kind::AccessToken))?;
    tx.insert_outbox(grant_id(2))?;
    tx.insert_receipt(&receipt(1))?;
    tx.append_audit(at(2), &AuditEvent::GrantRevoked { grant: grant_id(2) })
}

/// What schema 2 has besides.
fn fill_more(tx: &mut dyn Tx) -> Result<(), StoreError> {
    tx.replace_kek(kek().id, &other_kek())?;
    tx.set_kek_litter(&[kek().id])?;
    tx.set_anchored()?;
    tx.set_marked()?;
    tx.set_agents_stopped(Some(at(5)))?;
    tx.set_lock_settings(settings())?;
    tx.insert_grant(&full())?;
    tx.set_refresh(grant_id(1), &refresh())?;
    access_tokens().iter().try_for_each(|row| tx.insert_sealed(row))
}

/// What schema 3 has besides.
fn fill_broker(tx: &mut dyn Tx) -> Result<(), StoreError> {
    tx.set_agent_paused(agent(1).id, Some(&paused()))?;
    tx.remove_agent(agent(2).id, at(20))?;
    tx.insert_task(&[7; 32], at(21))?;
    tx.put_choice(&choice())?;
    tx.count_use(grant_id(1), at(22), false)?;
    tx.count_use(grant_id(1), at(23), true)?;
    tx.set_rules(&[Rule { threshold: 7, ..Rule::usual(RuleKind::Replays) }])?;
    tx.append_audit(at(24), &AuditEvent::AgentRemoved { agent: agent(2).id })
}

fn paused() -> AgentPaused {
    AgentPaused { at: at(19), why: PauseWhy::Rule { rule: RuleKind::TooManyRefusals } }
}

fn choice() -> Choice {
    Choice {
        id: ChoiceId::make_from(at(0), [3; 10]),
        agent: agent(1).id,
        grant: grant_id(1),
        operation: OperationId::parse("get_customer").unwrap(),
        purpose_class: PurposeClass::Taxes,
        until: at(2_000_000),
        made_at: at(20),
    }
}

fn other_kek() -> KekRow {
    KekRow {
        id: KekId::make_from(*b"kek id 2"),
        check: b"another key check".to_vec(),
        protection: Protection::KeychainAndPassphrase,
        wrapped: Some(b"a wrapped key".to_vec()),
    }
}

fn settings() -> LockSettings {
    LockSettings { idle_minutes: Some(15), with_screen: true }
}

fn refresh() -> Refresh {
    Refresh {
        in_flight: Some(at(6)),
        unanswered: 1,
        failures: 3,
        trouble: Some(Trouble::BankMisbehaved { rule: "body_malformed".to_owned() }),
        tried_at: Some(at(7)),
        next_try: Some(at(8)),
    }
}

/// Newest first, as they are read.
fn access_tokens() -> Vec<SealedRow> {
    let row = |generation: u32| SealedRow {
        generation,
        ends_at: Some(at(9)).filter(|_| generation == 2),
        ..sealed(1, Kind::AccessToken)
    };
    vec![row(2), row(1)]
}

#[test]
fn a_database_of_schema_1_opens_with_all_that_is_in_it() {
    // What the bank had granted, word for word, was not kept then.
    let early = |grant: Grant| Grant { scopes: None, ..grant };
    let access = SealedRow { ends_at: grant(2).access_token_ends_at, ..sealed(2, Kind::AccessToken) };
    let home = Home::new();
    drop(home.open());
    fs::copy(fixture(1), home.db()).unwrap();
    #[cfg(unix)]
    fs::set_permissions(home.db(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = home.open();
    read(&store, move |tx| {
        assert_eq!(tx.install(), Ok(install()));
        assert_eq!(tx.kek(), Ok(Some(kek())));
        assert_eq!(shown(&tx.agents()?), shown(&[agent(1), agent(2)]));
        assert_eq!(shown(&tx.attempt_of(grant_id(1))?), shown(&Some(connected())));
        assert_eq!(shown(&tx.open_attempts()?), shown(&[attempt(2)]));
        assert_eq!(shown(&tx.grants()?.sound), shown(&[early(revoked()), early(grant(1))]));
        assert_eq!((tx.grants()?.damaged, tx.damaged_agents()?), (Vec::new(), Vec::new()));
        assert_eq!(tx.sealed(grant_id(1), Kind::RefreshToken), Ok(Some(sealed(1, Kind::RefreshToken))));
        assert_eq!(tx.sealed(grant_id(1), Kind::Subject), Ok(Some(sealed(1, Kind::Subject))));
        assert_eq!(tx.sealed(grant_id(2), Kind::AccessToken), Ok(Some(access)));
        assert_eq!(tx.sealed(grant_id(2), Kind::RefreshToken), Ok(None));
        assert_eq!(tx.outbox(), Ok(vec![grant_id(2)]));
        assert!(verify(tx.audit()?.iter()).is_ok());
        assert_eq!(tx.audit_of(grant_id(2))?.len(), 1);
        Ok(())
    })
    .unwrap();
    write(&store, |tx| tx.append_audit(at(3), &AuditEvent::RevocationGivenUp { grant: grant_id(2) }))
        .unwrap();
    assert!(verify(read(&store, |tx| tx.audit()).unwrap().iter()).is_ok());
}

#[test]
fn a_database_of_schema_2_opens_with_all_that_is_in_it() {
    let home = Home::new();
    drop(home.open());
    fs::copy(fixture(2), home.db()).unwrap();
    #[cfg(unix)]
    fs::set_permissions(home.db(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = home.open();
    read(&store, |tx| {
        assert_eq!(tx.kek(), Ok(Some(other_kek())));
        assert_eq!(tx.kek_litter(), Ok(vec![kek().id]));
        assert_eq!((tx.anchored(), tx.marked()), (Ok(true), Ok(true)));
        assert_eq!(tx.agents_stopped(), Ok(Some(at(5))));
        assert_eq!(tx.lock_settings(), Ok(settings()));
        assert_eq!(shown(&tx.grants()?.sound), shown(&[full(), revoked(), grant(1)]));
        assert_eq!(tx.refreshes(), Ok(vec![(grant_id(1), refresh())]));
        assert_eq!(tx.sealed_of(grant_id(1), Kind::AccessToken), Ok(access_tokens()));
        assert_eq!(tx.receipts_of(grant_id(1)), Ok(vec![receipt(1)]));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_database_of_schema_3_opens_with_all_that_is_in_it() {
    let home = Home::new();
    drop(home.open());
    fs::copy(fixture(3), home.db()).unwrap();
    #[cfg(unix)]
    fs::set_permissions(home.db(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = home.open();
    read(&store, |tx| {
        let removed = Agent { removed_at: Some(at(20)), ..agent(2) };
        assert_eq!(shown(&tx.agents()?), shown(&[Agent { paused: Some(paused()), ..agent(1) }, removed]));
        assert_eq!(tx.choices(), Ok(vec![choice()]));
        assert_eq!(tx.choices_of(agent(1).id, grant_id(1)), Ok(vec![choice()]));
        let day =
            DayOfUse { grant: grant_id(1), day: at(0).day(), calls: 1, refused: 1, last_at: Some(at(22)) };
        assert_eq!(tx.uses_since(Some(grant_id(1)), at(0).day()), Ok(vec![day]));
        assert_eq!(tx.uses_since(None, at(0).day() + 1), Ok(Vec::new()));
        assert_eq!(tx.rules()?.len(), 1);
        Ok(())
    })
    .unwrap();
    let again = write(&store, |tx| tx.insert_task(&[7; 32], at(30)));
    assert_eq!(again, Err(StoreError::Exists), "a task that was presented stays so");
    let named = Agent { name: agent(2).name, ..agent(3) };
    write(&store, move |tx| tx.insert_agent(&named)).expect("the name of one that was removed is free");
    let back = Agent { id: agent(4).id, name: agent(4).name, ..agent(2) };
    assert_eq!(write(&store, move |tx| tx.insert_agent(&back)), Err(StoreError::Exists), "its key is not");
}

/// Writes the newest schema's database where there is none: how it came to be.
#[test]
fn every_schema_has_its_database() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| fill(tx)).unwrap();
    write(&store, |tx| fill_more(tx)).unwrap();
    write(&store, |tx| fill_broker(tx)).unwrap();
    drop(store);
    let newest: i64 = home.raw().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    for older in 1..newest {
        assert!(fixture(older).exists(), "{older}");
    }
    if !fixture(newest).exists() {
        fs::create_dir_all(fixture(newest).parent().unwrap()).unwrap();
        fs::copy(home.db(), fixture(newest)).unwrap();
        panic!("the database was written just now: look at it, and commit it");
    }
}
