//! Each word of the port: what it keeps, what it refuses.

use app::port::{KekRow, StoreError};
use domain::agent::{Agent, AgentName};
use domain::attempt::{Attempt, Browser, Ending};
use domain::grant::{Grant, Paused, TokenRevocation, WaitsFor};
use domain::id::{InstallId, KekId, PermissionId};
use domain::lock::Protection;
use domain::reference::Stage;
use store::SqliteStore;
use vault::label::Kind;

use crate::support::{
    Home, agent, at, attempt, cut_off, full, grant, grant_id, install, pending, read, receipt, sealed, shown,
    write,
};

fn with_agent(home: &Home) -> SqliteStore {
    let store = home.open();
    write(&store, |tx| tx.insert_agent(&agent(1))).unwrap();
    store
}

pub(crate) fn with_grants(home: &Home) -> SqliteStore {
    let store = with_agent(home);
    write(&store, |tx| (1..=3).try_for_each(|number| tx.insert_grant(&grant(number)))).unwrap();
    store
}

#[test]
fn the_install_id_is_the_one_of_the_first_start() {
    let home = Home::new();
    assert_eq!(read(&home.open(), |tx| tx.install()), Ok(install()));
    let again = SqliteStore::open(&home.db(), InstallId::make_from([9; 8])).unwrap();
    assert_eq!(read(&again, |tx| tx.install()), Ok(install()));
}

fn kek(id: [u8; 8], check: &[u8]) -> KekRow {
    KekRow {
        id: KekId::make_from(id),
        check: check.to_vec(),
        protection: Protection::Keychain,
        wrapped: None,
    }
}

#[test]
fn there_is_one_key_and_no_second() {
    let home = Home::new();
    let row = kek(*b"kek id 1", &[1, 2, 3]);
    let (first, second) = (row.clone(), kek(*b"kek id 2", &[4]));
    let store = home.open();
    assert_eq!(read(&store, |tx| tx.kek()), Ok(None));
    assert_eq!(write(&store, move |tx| tx.insert_kek(&first)), Ok(()));
    assert_eq!(write(&store, move |tx| tx.insert_kek(&second)), Err(StoreError::Exists));
    drop(store);
    assert_eq!(read(&home.open(), |tx| tx.kek()), Ok(Some(row)));
}

#[test]
fn agents_come_in_their_order() {
    let home = Home::new();
    let store = home.open();
    // The third was added first by the clock, which somebody had moved.
    write(&store, |tx| [2, 1, 3].iter().try_for_each(|number| tx.insert_agent(&agent(*number)))).unwrap();
    drop(store);
    let found = read(&home.open(), |tx| tx.agents()).unwrap();
    assert_eq!(shown(&found), shown(&[agent(2), agent(1), agent(3)]));
}

#[test]
fn an_agents_key_and_name_are_its_own() {
    let home = Home::new();
    let store = home.open();
    let named = |number: u32, name: &str| Agent { name: AgentName::parse(name).unwrap(), ..agent(number) };
    let add = |agent: Agent| write(&store, move |tx| tx.insert_agent(&agent));
    assert_eq!(add(named(1, "Straße")), Ok(()));
    for name in ["Straße", "STRASSE", "straße", "Strasse"] {
        assert_eq!(add(named(2, name)), Err(StoreError::Exists), "{name}");
    }
    assert_eq!(add(Agent { key: agent(1).key, ..named(3, "Other") }), Err(StoreError::Exists), "same key");
    assert_eq!(add(Agent { id: agent(1).id, ..named(3, "Other") }), Err(StoreError::Exists), "same id");
    assert_eq!(add(named(3, "Strase")), Ok(()));
    assert_eq!(read(&store, |tx| tx.agents()).unwrap().len(), 2);
}

fn full_attempt(ending: Ending) -> Attempt {
    Attempt {
        deadline: Some(at(600_000)),
        openings: u16::MAX,
        strays: u32::MAX,
        browser: Browser::LinkCopied,
        stage: Stage::Exchange,
        ending: Some(ending),
        ended_at: Some(at(-5)),
        revision: u32::MAX,
        ..attempt(130_320)
    }
}

#[test]
fn an_attempt_reads_back_as_it_was_written() {
    let home = Home::new();
    let store = with_agent(&home);
    let missing = vec![PermissionId::parse("payments").unwrap()];
    let endings = [
        Ending::Connected { missing, extra: vec!["\u{202e}x".to_owned()] },
        Ending::Cancelled,
        Ending::BankRefused { code: "access_denied".to_owned() },
        Ending::BankMisbehaved { rule: "IssuerMismatch".to_owned() },
        Ending::AddressesChanged { member: "token_endpoint".to_owned() },
        Ending::NotSaved { bank_told: true },
        Ending::Interrupted,
    ];
    let mut attempts = vec![attempt(1)];
    attempts.extend(
        endings
            .into_iter()
            .zip(2..)
            .map(|(ending, number)| Attempt { id: attempt(number).id, ..full_attempt(ending) }),
    );
    for original in attempts {
        let (id, expected) = (original.id, shown(&Some(original.clone())));
        write(&store, move |tx| tx.insert_attempt(&original)).unwrap();
        assert_eq!(shown(&read(&store, move |tx| tx.attempt(id)).unwrap()), expected);
    }
    assert_eq!(shown(&read(&store, |tx| tx.attempt(attempt(99).id)).unwrap()), "None");
    assert_eq!(write(&store, |tx| tx.insert_attempt(&attempt(1))), Err(StoreError::Exists));
}

#[test]
fn an_attempt_changes_only_on_top_of_the_revision_before() {
    let home = Home::new();
    let store = with_agent(&home);
    write(&store, |tx| tx.insert_attempt(&attempt(1))).unwrap();
    let update = |stage: Stage, revision: u32, ending: Option<Ending>| {
        let ended_at = ending.as_ref().map(|_| at(9));
        let new = Attempt { stage, revision, ending, ended_at, ..attempt(1) };
        write(&store, move |tx| tx.update_attempt(&new))
    };
    assert_eq!(update(Stage::Browser, 0, None), Err(StoreError::Missing), "older");
    assert_eq!(update(Stage::Browser, 1, None), Err(StoreError::Missing), "the same");
    assert_eq!(update(Stage::Browser, 3, None), Err(StoreError::Missing), "one was missed");
    assert_eq!(update(Stage::Bank, 2, None), Ok(()));
    assert_eq!(update(Stage::Callback, 2, None), Err(StoreError::Missing), "another was first");
    assert_eq!(update(Stage::Callback, 3, Some(Ending::Cancelled)), Ok(()));
    assert_eq!(update(Stage::Save, 4, None), Err(StoreError::Missing), "it has ended");
    assert_eq!(update(Stage::Save, 4, Some(Ending::TimedOut)), Err(StoreError::Missing), "it has ended");
    assert_eq!(write(&store, |tx| tx.update_attempt(&attempt(2))), Err(StoreError::Missing), "never was");

    let found = read(&store, |tx| tx.attempt(attempt(1).id)).unwrap().unwrap();
    assert_eq!((found.stage, found.revision, found.ending), (Stage::Callback, 3, Some(Ending::Cancelled)));
}

#[test]
fn attempts_that_have_not_ended_and_the_one_behind_a_grant_are_found() {
    let home = Home::new();
    let store = with_agent(&home);
    let connected = Ending::Connected { missing: Vec::new(), extra: Vec::new() };
    write(&store, move |tx| {
        tx.insert_grant(&grant(1))?;
        tx.insert_attempt(&attempt(3))?;
        tx.insert_attempt(&attempt(1))?;
        tx.insert_attempt(&attempt(2))?;
        let ended = Attempt {
            grant: Some(grant_id(1)),
            ending: Some(connected),
            ended_at: Some(at(1)),
            revision: 2,
            ..attempt(1)
        };
        tx.update_attempt(&ended)
    })
    .unwrap();
    let (open, made, none) = read(&store, |tx| {
        Ok((tx.open_attempts()?, tx.attempt_of(grant_id(1))?, tx.attempt_of(grant_id(2))?))
    })
    .unwrap();
    assert_eq!(open.iter().map(|found| found.id).collect::<Vec<_>>(), [attempt(3).id, attempt(2).id]);
    assert_eq!(made.map(|found| found.id), Some(attempt(1).id));
    assert!(none.is_none());
}

#[test]
fn a_grant_reads_back_as_it_was_written() {
    let home = Home::new();
    let store = with_agent(&home);
    let bare = Grant {
        holder: None,
        access_token_ends_at: None,
        accounts: Vec::new(),
        missing: Vec::new(),
        extra: Vec::new(),
        permissions: std::iter::empty().collect(),
        generation: u32::MAX,
        revocation: Some(cut_off(7, TokenRevocation::NotOffered)),
        ..grant(2)
    };
    for original in [grant(1), bare, full()] {
        let (id, expected) = (original.id, shown(&Some(original.clone())));
        write(&store, move |tx| tx.insert_grant(&original)).unwrap();
        assert_eq!(shown(&read(&store, move |tx| tx.grant(id)).unwrap()), expected);
    }
    assert_eq!(write(&store, |tx| tx.insert_grant(&grant(1))), Err(StoreError::Exists));
    assert!(read(&store, |tx| tx.grant(grant_id(9))).unwrap().is_none());
}

#[test]
fn grants_come_newest_first() {
    let home = Home::new();
    let store = with_grants(&home);
    let ids = read(&store, |tx| tx.grants()).unwrap().sound.iter().map(|found| found.id).collect::<Vec<_>>();
    assert_eq!(ids, [grant_id(3), grant_id(2), grant_id(1)]);
}

#[test]
fn what_belongs_to_nothing_is_refused() {
    let home = Home::new();
    let store = home.open();
    assert_eq!(write(&store, |tx| tx.insert_grant(&grant(1))), Err(StoreError::Missing));
    assert_eq!(write(&store, |tx| tx.insert_attempt(&attempt(1))), Err(StoreError::Missing));
    assert_eq!(write(&store, |tx| tx.insert_sealed(&sealed(1, Kind::Subject))), Err(StoreError::Missing));
    assert_eq!(write(&store, |tx| tx.insert_outbox(grant_id(1))), Err(StoreError::Missing));
    assert_eq!(write(&store, |tx| tx.insert_receipt(&receipt(1))), Err(StoreError::Missing));
    assert_eq!(
        write(&store, |tx| tx.set_revocation(grant_id(1), &cut_off(1, pending(0)))),
        Err(StoreError::Missing)
    );
    let (grants, outbox) = read(&store, |tx| Ok((tx.grants()?.sound.len(), tx.outbox()?.len()))).unwrap();
    assert_eq!((grants, outbox), (0, 0));
}

#[test]
fn the_rows_of_one_job_may_come_in_any_order() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_outbox(grant_id(1))?;
        tx.insert_sealed(&sealed(1, Kind::RefreshToken))?;
        tx.insert_receipt(&receipt(1))?;
        tx.insert_grant(&grant(1))?;
        tx.insert_agent(&agent(1))
    })
    .unwrap();
}

#[test]
fn what_is_known_of_a_grants_end_is_never_taken_back() {
    let confirmed = || TokenRevocation::Confirmed { at: at(50) };
    let given_up = || TokenRevocation::GivenUp { at: at(40) };
    let offered = || TokenRevocation::NotOffered;
    let later = TokenRevocation::Pending {
        tries: 3,
        last_try: Some(at(20)),
        next_try: at(30),
        waits_for: WaitsFor::Keychain,
    };
    let all = [pending(0), later, confirmed(), given_up(), offered()];
    let allowed = |from: &TokenRevocation, to: &TokenRevocation| match from {
        TokenRevocation::Confirmed { .. } => *to == confirmed(),
        TokenRevocation::GivenUp { .. } => *to == confirmed() || *to == given_up(),
        TokenRevocation::NotOffered | TokenRevocation::Pending { .. } | TokenRevocation::Replaced { .. } => {
            true
        }
    };
    for from in &all {
        for to in &all {
            let home = Home::new();
            let store = with_grants(&home);
            let (first, second) = (cut_off(1, from.clone()), cut_off(1, to.clone()));
            let ended = write(&store, move |tx| tx.set_revocation(grant_id(1), &first));
            assert_eq!(ended, Ok(()));

            let moved = cut_off(2, to.clone());
            let result = write(&store, move |tx| tx.set_revocation(grant_id(1), &moved));
            assert_eq!(result, Err(StoreError::Missing), "the cut-off stays as it was");

            let result = write(&store, move |tx| tx.set_revocation(grant_id(1), &second));
            let expected = if allowed(from, to) { Ok(()) } else { Err(StoreError::Missing) };
            assert_eq!(result, expected, "{from:?} to {to:?}");

            let stored = read(&store, |tx| tx.grant(grant_id(1))).unwrap().unwrap().revocation;
            let last = if expected.is_ok() { to } else { from };
            assert_eq!(stored, Some(cut_off(1, last.clone())));
            assert!(read(&store, |tx| tx.grant(grant_id(2))).unwrap().unwrap().revocation.is_none());
        }
    }
    let other_time = TokenRevocation::Confirmed { at: at(51) };
    let home = Home::new();
    let store = with_grants(&home);
    let first = cut_off(1, confirmed());
    write(&store, move |tx| tx.set_revocation(grant_id(1), &first)).unwrap();
    let second = cut_off(1, other_time);
    let result = write(&store, move |tx| tx.set_revocation(grant_id(1), &second));
    assert_eq!(result, Err(StoreError::Missing), "the time of the bank's yes stays");
}

#[test]
fn sealed_records_are_one_of_a_kind_for_each_grant() {
    let home = Home::new();
    let store = with_grants(&home);
    let kinds = [Kind::RefreshToken, Kind::AccessToken, Kind::Subject, Kind::AccountNumbers];
    write(&store, move |tx| {
        (1..=2)
            .try_for_each(|number| kinds.iter().try_for_each(|kind| tx.insert_sealed(&sealed(number, *kind))))
    })
    .unwrap();
    for kind in kinds {
        let second = write(&store, move |tx| tx.insert_sealed(&sealed(1, kind)));
        assert_eq!(second, Err(StoreError::Exists));
        assert_eq!(read(&store, move |tx| tx.sealed(grant_id(1), kind)), Ok(Some(sealed(1, kind))));
    }
    assert_eq!(write(&store, |tx| tx.delete_sealed(grant_id(1))), Ok(()));
    assert_eq!(write(&store, |tx| tx.delete_sealed(grant_id(1))), Ok(()), "done is done");
    for kind in kinds {
        assert_eq!(read(&store, move |tx| tx.sealed(grant_id(1), kind)), Ok(None));
        assert_eq!(read(&store, move |tx| tx.sealed(grant_id(2), kind)), Ok(Some(sealed(2, kind))));
    }
    assert_eq!(read(&store, |tx| tx.sealed(grant_id(2), Kind::KeyCheck)), Ok(None));
}

#[test]
fn the_outbox_keeps_its_order() {
    let home = Home::new();
    let store = with_grants(&home);
    write(&store, |tx| [2, 3, 1].iter().try_for_each(|number| tx.insert_outbox(grant_id(*number)))).unwrap();
    assert_eq!(write(&store, |tx| tx.insert_outbox(grant_id(3))), Err(StoreError::Exists));
    assert_eq!(write(&store, |tx| tx.delete_outbox(grant_id(2))), Ok(()));
    assert_eq!(write(&store, |tx| tx.delete_outbox(grant_id(2))), Ok(()), "done is done");
    assert_eq!(write(&store, |tx| tx.insert_outbox(grant_id(2))), Ok(()));
    drop(store);
    assert_eq!(read(&home.open(), |tx| tx.outbox()), Ok(vec![grant_id(3), grant_id(1), grant_id(2)]));
}

#[test]
fn a_receipt_is_written_once_and_holds_json() {
    let home = Home::new();
    let store = with_grants(&home);
    assert_eq!(write(&store, |tx| tx.insert_receipt(&receipt(1))), Ok(()));
    assert_eq!(write(&store, |tx| tx.insert_receipt(&receipt(1))), Err(StoreError::Exists));
    let mut broken = receipt(2);
    broken.body = "{".to_owned();
    assert_eq!(write(&store, move |tx| tx.insert_receipt(&broken)), Err(StoreError::Damaged));
    let body: String = home.raw().query_row("SELECT body FROM receipts", [], |row| row.get(0)).unwrap();
    assert_eq!(body, receipt(1).body);
}

#[test]
fn only_tokens_that_arrive_later_open_an_end_again() {
    let home = Home::new();
    let store = with_grants(&home);
    let reopen = |grant| write(&store, move |tx| tx.reopen_revocation(grant_id(grant), &pending(0)));
    assert_eq!(reopen(1), Err(StoreError::Missing), "what lives has no end to open");
    let confirmed = cut_off(1, TokenRevocation::Confirmed { at: at(50) });
    write(&store, move |tx| tx.set_revocation(grant_id(1), &confirmed)).unwrap();
    assert_eq!(reopen(1), Ok(()));
    let stored = read(&store, |tx| tx.grant(grant_id(1))).unwrap().unwrap().revocation;
    assert_eq!(stored, Some(cut_off(1, pending(0))), "the cut-off stays as it was");
}

#[test]
fn of_all_who_refresh_one_generation_one_succeeds() {
    let home = Home::new();
    let store = with_grants(&home);
    let advance = |from| write(&store, move |tx| tx.advance_grant(grant_id(1), from, Some(at(9))));
    assert_eq!(advance(1), Ok(()));
    assert_eq!(advance(1), Err(StoreError::Missing), "another was faster");
    assert_eq!(advance(2), Ok(()));
    let stored = read(&store, |tx| tx.grant(grant_id(1))).unwrap().unwrap();
    assert_eq!((stored.generation, stored.access_token_ends_at), (3, Some(at(9))));
    let end = cut_off(1, pending(0));
    write(&store, move |tx| tx.set_revocation(grant_id(1), &end)).unwrap();
    assert_eq!(advance(3), Err(StoreError::Missing), "what is revoked goes on no more");
}

#[test]
fn a_living_grant_changes_by_its_generation_and_a_revoked_one_not_at_all() {
    let home = Home::new();
    let store = with_grants(&home);
    let changed = |change: fn(&mut Grant)| {
        let mut next = read(&store, |tx| tx.grant(grant_id(1))).unwrap().unwrap();
        change(&mut next);
        write(&store, move |tx| tx.update_grant(&next))
    };
    assert_eq!(changed(|grant| grant.paused = Some(Paused { at: at(4) })), Ok(()));
    let paused = read(&store, |tx| tx.grant(grant_id(1))).unwrap().unwrap().paused;
    assert_eq!(paused, Some(Paused { at: at(4) }));
    assert_eq!(changed(|grant| grant.generation += 1), Err(StoreError::Missing), "read before a refresh");
    let end = cut_off(1, pending(0));
    write(&store, move |tx| tx.set_revocation(grant_id(1), &end)).unwrap();
    assert_eq!(changed(|grant| grant.paused = None), Err(StoreError::Missing));
}

#[test]
fn a_consent_is_renewed_once() {
    let home = Home::new();
    let store = with_grants(&home);
    let renewal = |number| Grant { renews: Some(grant_id(1)), ..grant(number) };
    let insert = |grant: Grant| write(&store, move |tx| tx.insert_grant(&grant));
    assert_eq!(insert(renewal(7)), Ok(()));
    assert_eq!(insert(renewal(8)), Err(StoreError::Exists));
}
