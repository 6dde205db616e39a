//! Records that were sealed once and must open for ever. Nothing in their folder is ever changed or removed; a new
//! format gets a folder beside it.

use domain::id::{GrantId, InstallId, KekId, hex};
use domain::secret::{KeyEncryptionKey, Passphrase};
use std::fs;
use std::path::PathBuf;
use vault::label::{Kind, Label};
use vault::passphrase::{self, Cost};
use vault::{Fresh, is_key, open, seal};

use crate::support::{SECRETS, install, kek, kek_id, label, random};

const COLUMNS: &str = "file\tkek\tkek_id\tschema\tinstall\tgrant\tissuer\tkind\tgeneration\tfresh\tsecret";

const WRAPPED_COLUMNS: &str =
    "file\tkek\tkek_id\tinstall\tpassphrase\tkeychain\tmemory\tpasses\tlanes\tfresh";

fn folder() -> PathBuf {
    fixtures("v1")
}

fn fixtures(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/vault").join(name)
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    long(hex).try_into().unwrap()
}

fn long(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn what_version_1_sealed_opens_for_ever() {
    let table = fs::read_to_string(folder().join("table.tsv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    let mut records = 0;
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, kek, kek_id, schema, install, grant, issuer, kind, generation, fresh, secret] =
            cells.try_into().unwrap();
        let kek = KeyEncryptionKey::from_random(bytes(kek));
        let kek_id = KekId::make_from(bytes(kek_id));
        let label = Label {
            schema: schema.parse().unwrap(),
            install: InstallId::parse(install).unwrap(),
            grant: (grant != "-").then(|| GrantId::parse(grant).unwrap()),
            issuer: if issuer == "-" { String::new() } else { issuer.to_owned() },
            kind: Kind::from_number(kind.parse().unwrap()).unwrap(),
            generation: generation.parse().unwrap(),
        };
        let blob = fs::read(folder().join(file)).unwrap();
        assert_eq!(open(&blob, &label, &kek, kek_id).unwrap().expose_bytes(), long(secret), "{file}");
        assert_eq!(
            seal(&long(secret), &label, &kek, kek_id, Fresh::from_random(bytes(fresh))).unwrap(),
            blob,
            "{file}: version 1 is still written as it was"
        );
        if label.kind == Kind::KeyCheck {
            assert!(is_key(&blob, &label.install, &kek, kek_id), "{file}");
        }
        records += 1;
    }
    let sealed = fs::read_dir(folder())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "sealed"));
    assert_eq!(records, sealed.count(), "every record stands in the table");
    assert!(records >= 8);
}

/// Writes the records and the table where there are none: how they came to be.
#[test]
fn the_records_of_version_1_are_there() {
    let table = folder().join("table.tsv");
    if table.exists() {
        return;
    }
    fs::create_dir_all(folder()).unwrap();
    let mut text = format!("{COLUMNS}\n");
    let check = Label { grant: None, issuer: String::new(), ..label(0, Kind::KeyCheck) };
    let mut cases = vec![("key-check".to_owned(), check, b"countersign key check 1".to_vec())];
    for (kind, name) in
        SECRETS.into_iter().zip(["refresh-token", "access-token", "subject", "account-numbers"])
    {
        cases.push((
            name.to_owned(),
            label(kind.number(), kind),
            format!("a secret of the kind {name}").into_bytes(),
        ));
    }
    let own = label(9, Kind::RefreshToken);
    cases.push(("empty".to_owned(), own.clone(), Vec::new()));
    cases.push(("long".to_owned(), own.clone(), (0..=255).cycle().take(5000).collect()));
    let far = Label { generation: u32::MAX, issuer: "https://bänk.example/ü?".to_owned(), ..own };
    cases.push(("far".to_owned(), far, "a generation and an issuer at the edge".into()));
    for ((name, label, secret), number) in cases.into_iter().zip(1000..) {
        let blob = seal(&secret, &label, &kek(), kek_id(), Fresh::from_random(random(number))).unwrap();
        fs::write(folder().join(format!("{name}.sealed")), blob).unwrap();
        let grant = label.grant.map_or("-".to_owned(), |grant| grant.to_string());
        let issuer = if label.issuer.is_empty() { "-" } else { &label.issuer };
        text.push_str(&format!(
            "{name}.sealed\t{}\t{}\t{}\t{}\t{grant}\t{issuer}\t{}\t{}\t{}\t{}\n",
            hex(kek().expose_bytes()),
            kek_id(),
            label.schema,
            label.install,
            label.kind.number(),
            label.generation,
            hex(&random(number)),
            hex(&secret),
        ));
    }
    fs::write(table, text).unwrap();
    panic!("the records were written just now: look at them, and commit them");
}

/// What stands in a row of the table: the passphrase as it was typed, in hex.
struct Wrapped {
    typed: Vec<u8>,
    keychain: Option<[u8; 32]>,
    cost: [u32; 3],
    fresh: [u8; passphrase::FRESH],
}

impl Wrapped {
    fn wrap(&self, kek: &KeyEncryptionKey, kek_id: KekId, install: &InstallId) -> Vec<u8> {
        let [memory, passes, lanes] = self.cost;
        let keychain = self.keychain.map(KeyEncryptionKey::from_random);
        passphrase::wrap(
            kek,
            kek_id,
            install,
            &self.passphrase(),
            keychain.as_ref(),
            Cost::new(memory, passes, lanes).unwrap(),
            passphrase::Fresh::from_random(self.fresh),
        )
        .unwrap()
    }

    fn passphrase(&self) -> Passphrase {
        Passphrase::parse(String::from_utf8(self.typed.clone()).unwrap()).unwrap()
    }
}

#[test]
fn what_version_1_wrapped_under_a_passphrase_opens_for_ever() {
    let folder = fixtures("passphrase-v1");
    let table = fs::read_to_string(folder.join("table.tsv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some(WRAPPED_COLUMNS));
    let mut keys = 0;
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, kek, kek_id, install, typed, keychain, memory, passes, lanes, fresh] =
            cells.try_into().unwrap();
        let kek = KeyEncryptionKey::from_random(bytes(kek));
        let (kek_id, install) = (KekId::make_from(bytes(kek_id)), InstallId::parse(install).unwrap());
        let row = Wrapped {
            typed: long(typed),
            keychain: (keychain != "-").then(|| bytes(keychain)),
            cost: [memory, passes, lanes].map(|number| number.parse().unwrap()),
            fresh: bytes(fresh),
        };
        let blob = fs::read(folder.join(file)).unwrap();
        let keychain = row.keychain.map(KeyEncryptionKey::from_random);
        let opened = passphrase::unwrap(&blob, &install, kek_id, &row.passphrase(), keychain.as_ref());
        assert!(opened.unwrap().same_as(&kek), "{file}");
        let written = row.wrap(&kek, kek_id, &install);
        assert_eq!(written, blob, "{file}: version 1 is still written as it was");
        keys += 1;
    }
    let wrapped = fs::read_dir(folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "wrapped"));
    assert_eq!(keys, wrapped.count(), "every key stands in the table");
    assert!(keys >= 6);
}

/// Writes the keys and the table where there are none: how they came to be.
#[test]
fn the_wrapped_keys_of_version_1_are_there() {
    let folder = fixtures("passphrase-v1");
    if folder.join("table.tsv").exists() {
        return;
    }
    fs::create_dir_all(&folder).unwrap();
    let (recommended, floor) = (Cost::RECOMMENDED.numbers(), Cost::FLOOR.numbers());
    let cases: [(&str, String, bool, [u32; 3]); 7] = [
        ("alone", "correct horse battery staple".into(), false, recommended),
        ("both", "correct horse battery staple".into(), true, recommended),
        ("floor", "8 letter".into(), false, floor),
        ("accents", "Cafe\u{301} cre\u{300}me".into(), false, floor),
        ("hangul", "\u{1112}\u{1161}\u{11ab}".repeat(8), true, floor),
        ("long", "\u{1f980} \0\n".repeat(256), true, floor),
        ("lanes", "four lanes and four passes".into(), true, [32 * 1024, 4, 4]),
    ];
    let mut text = format!("{WRAPPED_COLUMNS}\n");
    for ((name, typed, with_keychain, cost), number) in cases.into_iter().zip(2000..) {
        let row = Wrapped {
            typed: typed.into_bytes(),
            keychain: with_keychain.then_some([0x5c; 32]),
            cost,
            fresh: *random(number).first_chunk().unwrap(),
        };
        let blob = row.wrap(&kek(), kek_id(), &install());
        fs::write(folder.join(format!("{name}.wrapped")), blob).unwrap();
        let [memory, passes, lanes] = cost;
        text.push_str(&format!(
            "{name}.wrapped\t{}\t{}\t{}\t{}\t{}\t{memory}\t{passes}\t{lanes}\t{}\n",
            hex(kek().expose_bytes()),
            kek_id(),
            install(),
            hex(&row.typed),
            row.keychain.map_or("-".to_owned(), |key| hex(&key)),
            hex(&row.fresh),
        ));
    }
    fs::write(folder.join("table.tsv"), text).unwrap();
    panic!("the keys were written just now: look at them, and commit them");
}
