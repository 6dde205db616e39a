//! Rows that hold what no version of ours wrote: noticed, named, and no other spoiled by them.

use app::port::{DamagedRow, StoreError};
use vault::label::Kind;

use crate::rows::with_grants;
use crate::support::{Home, agent, attempt, grant_id, read, sealed, shown, write};

#[test]
fn a_row_that_does_not_parse_spoils_only_its_own_read() {
    let named = Some("Sandbox „Bank“");
    let damage = [
        ("provider = 'Not An Id'", named),
        ("permissions = '[1]'", named),
        ("accounts = '{}'", named),
        ("generation = 4294967296", named),
        ("cut_off_at = 1, token = '{\"state\":\"forgotten\"}'", named),
        ("provider_name = CAST(x'ff' AS TEXT)", None),
        ("permissions = '[]', accounts = '7', provider_name = 'Another'", Some("Another")),
    ];
    for (set, name) in damage {
        let statement = format!("UPDATE grants SET {set} WHERE id = ?1");
        let statement = statement.as_str();
        let home = Home::new();
        drop(with_grants(&home));
        assert_eq!(home.raw().execute(statement, [grant_id(1).to_string()]).unwrap(), 1, "{statement}");
        let store = home.open();
        assert_eq!(read(&store, |tx| tx.grant(grant_id(1))).err(), Some(StoreError::Damaged), "{statement}");
        let all = read(&store, |tx| tx.grants()).unwrap();
        assert_eq!(all.sound.iter().map(|grant| grant.id).collect::<Vec<_>>(), [grant_id(3), grant_id(2)]);
        let damaged = DamagedRow { id: Some(grant_id(1).to_string()), name: name.map(str::to_owned) };
        assert_eq!(all.damaged, [damaged], "{statement}");
        assert!(read(&store, |tx| tx.grant(grant_id(2))).unwrap().is_some(), "{statement}");
        assert_eq!(write(&store, |tx| tx.insert_outbox(grant_id(1))), Ok(()), "{statement}");
    }
}

#[test]
fn a_damaged_row_keeps_no_other_from_being_read_in_any_list() {
    let home = Home::new();
    let store = with_grants(&home);
    write(&store, |tx| {
        tx.insert_agent(&agent(2))?;
        [1, 2, 3].iter().try_for_each(|number| tx.insert_attempt(&attempt(*number)))?;
        [1, 2, 3].iter().try_for_each(|number| tx.insert_outbox(grant_id(*number)))
    })
    .unwrap();
    drop(store);
    let raw = home.raw();
    raw.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for statement in [
        "UPDATE agents SET key = zeroblob(32) WHERE n = 2",
        "UPDATE attempts SET stage = 'lunch' WHERE n = 2",
        "UPDATE outbox SET grant_id = 'no id' WHERE n = 1",
        "UPDATE grants SET id = 'an id by its length and nothing more' WHERE n = 3",
    ] {
        assert_eq!(raw.execute(statement, []).unwrap(), 1, "{statement}");
    }
    drop(raw);
    let store = home.open();
    let (agents, damaged) = read(&store, |tx| Ok((tx.agents()?, tx.damaged_agents()?))).unwrap();
    assert_eq!(shown(&agents), shown(&[agent(1)]));
    let second = DamagedRow { id: Some(agent(2).id.to_string()), name: Some("Agent 2".to_owned()) };
    assert_eq!(damaged, [second]);
    let open = read(&store, |tx| tx.open_attempts()).unwrap();
    assert_eq!(open.iter().map(|found| found.id).collect::<Vec<_>>(), [attempt(1).id, attempt(3).id]);
    assert_eq!(read(&store, |tx| tx.outbox()), Ok(vec![grant_id(2), grant_id(3)]));
    let grants = read(&store, |tx| tx.grants()).unwrap();
    assert_eq!(grants.sound.len(), 2);
    let third = DamagedRow { id: None, name: Some("Sandbox „Bank“".to_owned()) };
    assert_eq!(grants.damaged, [third], "what is no id is not handed on as one");
}

#[test]
fn damaged_attempts_agents_and_sealed_records_are_noticed() {
    let damage = [
        "UPDATE attempts SET stage = 'lunch'",
        "UPDATE attempts SET browser = '\"opened\"'",
        "UPDATE attempts SET openings = 65536",
        "UPDATE attempts SET ending = '{\"ending\":\"unheard_of\"}', ended_at = 1",
        "UPDATE attempts SET ending = '{}', ended_at = 1",
    ];
    let home = Home::new();
    let store = with_grants(&home);
    write(&store, |tx| {
        tx.insert_attempt(&attempt(1))?;
        tx.insert_sealed(&sealed(1, Kind::Subject))
    })
    .unwrap();
    drop(store);
    for statement in damage {
        let raw = home.raw();
        raw.execute_batch(&format!("BEGIN; {statement};")).unwrap();
        raw.execute_batch("COMMIT").unwrap();
        drop(raw);
        assert_eq!(
            read(&home.open(), |tx| tx.attempt(attempt(1).id)).err(),
            Some(StoreError::Damaged),
            "{statement}"
        );
        let undo = "UPDATE attempts SET stage = 'start', browser = 'not_yet', openings = 0, ending = NULL, ended_at = NULL";
        home.raw().execute_batch(undo).unwrap();
        assert!(read(&home.open(), |tx| tx.attempt(attempt(1).id)).unwrap().is_some());
    }
    home.raw().execute_batch("UPDATE agents SET key = zeroblob(32)").unwrap();
    let (agents, damaged) = read(&home.open(), |tx| Ok((tx.agents()?, tx.damaged_agents()?))).unwrap();
    assert_eq!((agents.len(), damaged.len()), (0, 1), "a weak key");
    home.raw().execute_batch("UPDATE meta SET install = '0123456789ABCDEF'").unwrap();
    assert!(home.try_open().is_err(), "an install id that nobody made");
}
