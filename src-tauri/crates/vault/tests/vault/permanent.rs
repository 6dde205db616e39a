//! Records that were sealed once and must open for ever. Nothing in their folder is ever changed or removed; a new
//! format gets a folder beside it.

use domain::id::{GrantId, InstallId, KekId, hex};
use domain::secret::KeyEncryptionKey;
use std::fs;
use std::path::PathBuf;
use vault::label::{Kind, Label};
use vault::{Fresh, is_key, open, seal};

use crate::support::{SECRETS, kek, kek_id, label, random};

const COLUMNS: &str = "file\tkek\tkek_id\tschema\tinstall\tgrant\tissuer\tkind\tgeneration\tfresh\tsecret";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/vault/v1")
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
