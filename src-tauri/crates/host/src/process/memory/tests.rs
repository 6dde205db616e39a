//! What the kernel says of a key's page, and what happens where it refuses.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use app::port::Memory as _;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::*;
use crate::process::plain_user::as_plain_user;

fn key(byte: u8) -> KeyEncryptionKey {
    KeyEncryptionKey::from_random([byte; 32])
}

/// The kernel's flags of the memory in which something lies.
fn flags_of<T>(place: &T) -> Vec<String> {
    let at = std::ptr::from_ref(place).addr();
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut here = false;
    for line in maps.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let number = |hex: &str| usize::from_str_radix(hex, 16).ok();
        if let Some((from, to)) = range.and_then(|(from, to)| Some((number(from)?, number(to)?))) {
            here = (from..to).contains(&at);
        } else if let Some(flags) = line.strip_prefix("VmFlags: ").filter(|_| here) {
            return flags.split_whitespace().map(str::to_owned).collect();
        }
    }
    panic!("{at:#x} is nowhere");
}

/// What is logged meanwhile.
fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// Attack 115. Where there is no swap, the flags are the test: `lo` locked, `dd` not dumped, `dc` not copied by a fork.
#[test]
fn a_keys_page_is_locked_and_in_no_dump() {
    as_plain_user("process::memory::tests::a_keys_page_is_locked_and_in_no_dump", &[], || {
        let memory = Memory::default();
        let said = logged(|| {
            let (one, other) = (memory.shield(key(1)), memory.shield(key(2)));
            assert!(one.same_as(&key(1)) && other.same_as(&key(2)), "they are the keys they were");
            let asked = ["lo", "dd", "dc"].map(str::to_owned);
            for kept in [&one, &other] {
                let flags = flags_of(kept.expose_bytes());
                assert!(asked.iter().all(|flag| flags.contains(flag)), "{flags:?}");
            }
            let page = |key: &KeyEncryptionKey| key.expose_bytes().as_ptr().addr() / 4096;
            assert_ne!(page(&one), page(&other), "neither lies with another");
            drop(one);
            assert!(
                flags_of(other.expose_bytes()).contains(&"lo".to_owned()),
                "one gone, the other is locked still"
            );
        });
        assert_eq!(said, "");
        let flags = flags_of(key(1).expose_bytes());
        assert!(asked_of_none(&flags), "the control: a key on the heap has none of them: {flags:?}");
    });
}

fn asked_of_none(flags: &[String]) -> bool {
    !flags.iter().any(|flag| ["lo", "dd", "dc"].contains(&flag.as_str()))
}

/// Attack 115: `RLIMIT_MEMLOCK` 0. Said once, and the key is kept and of use.
#[test]
fn where_memory_cannot_be_locked_it_is_said_once_and_the_key_is_kept() {
    as_plain_user(
        "process::memory::tests::where_memory_cannot_be_locked_it_is_said_once_and_the_key_is_kept",
        &[],
        || {
            setrlimit(Resource::Memlock, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
            let memory = Memory::default();
            let said = logged(|| {
                for byte in 1..=3 {
                    let kept = memory.shield(key(byte));
                    assert!(kept.same_as(&key(byte)));
                    let flags = flags_of(kept.expose_bytes());
                    assert!(!flags.contains(&"lo".to_owned()), "the limit holds: {flags:?}");
                    assert!(flags.contains(&"dd".to_owned()), "out of dumps all the same: {flags:?}");
                }
            });
            assert_eq!(said.matches("WARN").count(), 1, "{said}");
            assert!(said.contains("the system does not lock memory"), "{said}");
        },
    );
}
