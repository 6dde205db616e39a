//! Known secrets, looked for in every place where they must not be: over many lives of a connection at a real host, which
//! logs all it can. Each place is searched once more with a secret planted in it, which must be found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::housed::{House, Housed};
use crate::process::{Running, descendants_of};
use crate::scan::{Needles, each_file, spellings};

/// The places. Two more are to come: the support bundle, and the agent's side of the socket.
pub const PLACES: [&str; 12] = [
    "database",
    "write-ahead log",
    "shared memory of the database",
    "journal",
    "free pages",
    "logs",
    "audit log",
    "memory of the host",
    "argument lists",
    "environments",
    "keychain, in clear",
    "temporary files, cache and run-time folder",
];

/// What is looked for where, and what was found.
#[derive(Clone, Debug, Default)]
pub struct Canary {
    /// How many lives there were.
    pub lives: usize,
    /// How often memory was read.
    pub cores: usize,
    /// What was found where it must not be.
    pub hits: BTreeSet<String>,
    /// Bytes that were searched in each place.
    pub searched: BTreeMap<&'static str, usize>,
    /// Places in which the planted secret was found, and its spelling there.
    pub planted: BTreeMap<&'static str, String>,
}

/// What a place holds.
type Held = BTreeMap<&'static str, Vec<u8>>;

/// Lives so often, and reads the host's memory so often in between.
pub async fn canary(programs: &Path, lives: usize, cores: usize, mark: &str) -> Canary {
    let house = House::open(programs, mark).await;
    let mut host = house.start().await;
    let mut came = Canary { lives, cores, ..Canary::default() };
    let each = lives.div_ceil(cores.max(1));
    for life in 0..lives {
        let grant = host.connect().await;
        host.refresh(&grant).await;
        host.refresh(&grant).await;
        let is_read = life % each == 0;
        if is_read {
            came.search(&house, &of_the_house(&house, host.pid()));
        }
        host.revoke(&grant).await;
        if is_read {
            tokio::time::sleep(Duration::from_secs(1)).await;
            came.remember(&house, host.pid());
        }
    }
    came.search(&house, &of_the_house(&house, host.pid()));
    came.plant(&house, &mut host).await;
    host.end().await;
    came
}

impl Canary {
    fn search(&mut self, house: &House, held: &Held) {
        let needles = secrets(house);
        for (place, bytes) in held {
            *self.searched.entry(place).or_default() += bytes.len();
            let found = needles.found_in(bytes);
            self.hits
                .extend(found.into_iter().map(|(name, spelling)| format!("{place}: {name}, {spelling}")));
        }
    }

    fn remember(&mut self, house: &House, host: u32) {
        let place = PLACES[7];
        let (found, read) = secrets(house).found_in_memory_of(host);
        *self.searched.entry(place).or_default() += read;
        self.hits.extend(found.into_iter().map(|(name, spelling)| format!("{place}: {name}, {spelling}")));
    }

    /// Plants a secret in each place, each time in another spelling, and searches again.
    async fn plant(&mut self, house: &House, host: &mut Housed<'_>) {
        let secret = format!("planted-{:016x}", std::process::id());
        let spelled = spellings(&secret);
        let of = |place: &str| {
            let n = PLACES.iter().position(|known| *known == place).expect("a place");
            spelled[n].1.clone()
        };
        // Those that have to be text are spelled so that they are.
        let text = |place: &str| String::from_utf8(of(place)).expect("a spelling that is text");
        let copy = super::folder();
        copy_all(&house.home(), copy.path());
        let database = copy.path().join("data/countersign.sqlite");
        spoil(&database, &of("database"), &of("free pages"), &text("audit log"));
        let audit = audit_of(&database);
        let beside = |ending: &str| PathBuf::from(format!("{}{ending}", database.display()));
        append(&beside("-wal"), &of("write-ahead log"));
        append(&beside("-shm"), &of("shared memory of the database"));
        append(&beside("-journal"), &of("journal"));
        append(&copy.path().join("data/countersignd.log"), &of("logs"));
        append(&copy.path().join("temp/planted"), &of("temporary files, cache and run-time folder"));
        let mut child = Command::new("sh");
        child.args(["-c", "read it", &text("argument lists")]).env("PLANTED", text("environments"));
        child.stdin(Stdio::piped()).stdout(Stdio::null());
        let child = Running::start(&mut child);
        store_in_keychain(house, &text("keychain, in clear"));
        let needles = Needles::of([("planted", &secret)]);
        for (place, bytes) in held(house, copy.path(), audit, child.pid()) {
            for (_, spelling) in needles.found_in(&bytes) {
                self.planted.insert(place, spelling.to_owned());
            }
        }
        // An attempt that goes on: its state is needed, and so it is there.
        let (_, address) = host.begin().await;
        let state = address.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
        for (_, spelling) in Needles::of([("state", state)]).found_in_memory_of(host.pid()).0 {
            self.planted.insert(PLACES[7], spelling.to_owned());
        }
    }
}

fn of_the_house(house: &House, host: u32) -> Held {
    let audit = audit_of(&house.home().join("data/countersign.sqlite"));
    held(house, &house.home(), audit, host)
}

/// Every secret of the house so far.
fn secrets(house: &House) -> Needles {
    let attempts = house.secrets().into_iter().map(|secret| ("of an attempt".to_owned(), secret));
    let ours = [("token or code", house.mark.clone().into_bytes()), ("key-encryption key", house.key())];
    Needles::of(ours.into_iter().map(|(name, secret)| (name.to_owned(), secret)).chain(attempts))
}

/// What the places hold, but for memory.
fn held(house: &House, home: &Path, audit: Vec<u8>, host: u32) -> Held {
    let read = |path: PathBuf| std::fs::read(path).unwrap_or_default();
    let data = |name: &str| read(home.join("data").join(name));
    let database = data("countersign.sqlite");
    let of_processes = |name: &str| -> Vec<u8> {
        let pids = std::iter::once(host).chain(descendants_of(host));
        pids.flat_map(|pid| read(PathBuf::from(format!("/proc/{pid}/{name}")))).collect()
    };
    let mut files = Vec::new();
    for folder in ["temp", "run", ".cache"] {
        each_file(&home.join(folder), &mut |path, bytes| {
            files.extend([path.display().to_string().as_bytes(), b"\n", bytes].concat());
        });
    }
    let held = [
        free_pages(&database),
        database,
        data("countersign.sqlite-wal"),
        data("countersign.sqlite-shm"),
        data("countersign.sqlite-journal"),
        [data("countersignd.log"), read(house.stderr())].concat(),
        audit,
        of_processes("cmdline"),
        of_processes("environ"),
        keychain_in_clear(house),
        files,
    ];
    let places = [4, 0, 1, 2, 3, 5, 6, 8, 9, 10, 11].map(|place: usize| PLACES[place]);
    places.into_iter().zip(held).collect()
}

/// The records, as the product reads them.
fn audit_of(database: &Path) -> Vec<u8> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(database, flags).expect("the database");
    let mut query = store.prepare("SELECT body FROM audit ORDER BY seq").expect("the audit log");
    let bodies = query.query_map([], |row| row.get::<_, String>(0)).expect("its records");
    bodies.map(|body| body.expect("a record") + "\n").collect::<String>().into_bytes()
}

/// The pages of a database that hold nothing any more (the file format's section on the freelist).
fn free_pages(database: &[u8]) -> Vec<u8> {
    let number = |at: usize| {
        let bytes = database.get(at..at + 4).map_or([0; 4], |bytes| bytes.try_into().expect("four bytes"));
        u32::from_be_bytes(bytes) as usize
    };
    let size =
        database.get(16..18).map_or(4096, |bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])));
    let page = |n: usize| database.get((n - 1) * size..n * size).unwrap_or_default();
    let (mut trunk, mut free) = (number(32), Vec::new());
    while trunk > 0 {
        let at = (trunk - 1) * size;
        free.extend_from_slice(page(trunk));
        for leaf in 0..number(at + 4).min(size / 4) {
            free.extend_from_slice(page(number(at + 8 + leaf * 4).max(1)));
        }
        trunk = number(at);
    }
    free
}

fn keychain_in_clear(house: &House) -> Vec<u8> {
    let mut search = Command::new("secret-tool");
    search.args(["search", "--all", "service", "app.countersign.desktop"]).envs(house.session.environment());
    let output = search.output().expect("secret-tool");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let in_clear: Vec<&str> = text.lines().filter(|line| !line.starts_with("secret = ")).collect();
    in_clear.join("\n").into_bytes()
}

fn store_in_keychain(house: &House, attribute: &str) {
    let mut store = Command::new("secret-tool");
    store.args(["store", "--label=planted", "service", "app.countersign.desktop", "username", attribute]);
    let mut store = Running::start(store.envs(house.session.environment()).stdin(Stdio::piped()));
    store.0.stdin.take().expect("its input").write_all(b"nothing").expect("a secret");
    assert!(store.0.wait().expect("an end").success(), "the keychain takes it");
}

/// A careless build: a secret in a table, one in a page that was given back, one in a record.
fn spoil(database: &Path, row: &[u8], freed: &[u8], record: &str) {
    let store = Connection::open(database).expect("the copy");
    store
        .execute_batch("PRAGMA secure_delete = off; CREATE TABLE planted (it); CREATE TABLE freed (it)")
        .expect("tables");
    store.execute("INSERT INTO planted VALUES (?1)", [row]).expect("a row");
    store.execute("INSERT INTO freed VALUES (?1)", [freed]).expect("a row");
    store.execute_batch("DROP TABLE freed; DROP TRIGGER audit_is_not_changed").expect("a free page");
    store
        .execute("UPDATE audit SET body = json_object('planted', ?1) WHERE seq = 1", [record])
        .expect("a record");
}

fn append(path: &Path, bytes: &[u8]) {
    let file = File::options().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).expect("a file");
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (kind, to) = (entry.file_type().expect("a type"), to.join(entry.file_name()));
        if kind.is_dir() {
            std::fs::create_dir(&to).expect("a folder");
            copy_all(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to).expect("a copy");
        }
    }
}
