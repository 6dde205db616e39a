//! An exported audit log, and what somebody may do to it: each must be noticed, and the first bad record named.

use domain::audit::file::{FileCheck, FileFault, Header, record_line};
use domain::audit::{AuditEvent, AuditRecord, CHAIN_START};
use domain::id::GrantId;
use domain::time::Timestamp;

/// A log, its lines, and how far a check has come before each of them.
pub struct Trail {
    records: Vec<AuditRecord>,
    lines: Vec<Vec<u8>>,
    before: Vec<FileCheck>,
}

/// How many were tried, and how many of them went unnoticed or were named wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// So many.
    pub tried: usize,
    /// Of these.
    pub missed: usize,
}

/// Numbers that look random and are the same in each run.
pub struct Numbers(u64);

impl Numbers {
    /// From a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).expect("a number of 48 bits") % limit
    }
}

/// Records of every shape, one after the other.
#[must_use]
pub fn records(count: u64) -> Vec<AuditRecord> {
    let mut head = CHAIN_START;
    let next = |seq: u64| {
        let at = Timestamp::from_millis(1_795_000_000_000 + i64::try_from(seq).expect("a time"));
        let grant = GrantId::make_from(at, [u8::try_from(seq % 7).expect("a byte"); 10]);
        let event = match seq % 4 {
            0 => AuditEvent::GrantRevoked { grant },
            1 => AuditEvent::KeyMade { kek: format!("kek \"{seq}\"\n{{\"event\":\"forged\"}}") },
            2 => AuditEvent::TokensRefreshed { grant, generation: 3 },
            _ => AuditEvent::VaultOpened,
        };
        let record = AuditRecord::next(&head, seq, at, &event);
        head = record.hash;
        record
    };
    (1..=count).map(next).collect()
}

/// The same from one record on with another history, chained as it should be.
fn written_anew(records: &[AuditRecord], from: usize) -> Vec<AuditRecord> {
    let mut anew = records[..from].to_vec();
    for old in &records[from..] {
        let head = anew.last().map_or(CHAIN_START, |record| record.hash);
        let event = match old.event() {
            Some(AuditEvent::VaultOpened) | None => AuditEvent::AgentsStopped,
            Some(_) => AuditEvent::VaultOpened,
        };
        anew.push(AuditRecord::next(&head, old.seq, old.at, &event));
    }
    anew
}

/// The lines of a file of these records.
#[must_use]
pub fn lines(records: &[AuditRecord], anchor: Option<&AuditRecord>) -> Vec<Vec<u8>> {
    let count = u64::try_from(records.len()).expect("a count");
    let head = records.last().map_or(CHAIN_START, |record| record.hash);
    let anchor = anchor.map(|record| (record.seq, record.hash));
    let at = Timestamp::from_millis(1_796_000_000_000);
    let header = Header::new("1d1d1d1d1d1d1d1d".to_owned(), at, count, &head, anchor).line();
    let all = std::iter::once(header).chain(records.iter().map(record_line));
    all.map(|line| format!("{line}\n").into_bytes()).collect()
}

/// What a check says to these lines.
///
/// # Errors
/// What is wrong with them.
pub fn check<'l>(lines: impl IntoIterator<Item = &'l Vec<u8>>) -> Result<Header, FileFault> {
    let mut check = FileCheck::default();
    lines.into_iter().try_for_each(|line| check.accept(line))?;
    check.finish()
}

impl Tried {
    fn count(&mut self, noticed: bool) {
        self.tried += 1;
        self.missed += usize::from(!noticed);
    }
}

impl Trail {
    /// A log of so many records whose last is anchored.
    ///
    /// # Panics
    /// It is not sound.
    #[must_use]
    pub fn of(count: u64) -> Self {
        let records = records(count);
        let lines = lines(&records, records.last());
        let mut check = FileCheck::default();
        let mut before = Vec::new();
        for line in &lines {
            before.push(check.clone());
            check.accept(line).expect("a sound line");
        }
        before.push(check.clone());
        check.finish().expect("a sound file");
        Self { records, lines, before }
    }

    /// The file is cut off at every byte there is.
    #[must_use]
    pub fn cut_everywhere(&self) -> Tried {
        let mut tried = Tried::default();
        for (place, line) in self.lines.iter().enumerate() {
            let seq = u64::try_from(place).expect("a place");
            let right = |fault: FileFault| fault.seq() == Some(seq).filter(|seq| *seq > 0);
            tried.count(self.before[place].clone().finish().is_err_and(right));
            for length in 1..line.len() {
                let mut check = self.before[place].clone();
                tried.count(check.accept(&line[..length]).is_err_and(right));
            }
        }
        tried
    }

    /// A byte of a record is changed, taken out, put in or doubled.
    #[must_use]
    pub fn edited(&self, times: usize, numbers: &mut Numbers) -> Tried {
        let mut tried = Tried::default();
        while tried.tried < times {
            let place = numbers.below(self.lines.len());
            let mut line = self.lines[place].clone();
            let at = numbers.below(line.len());
            let byte = u8::try_from(numbers.below(256)).expect("a byte");
            match numbers.below(4) {
                0 => line[at] = byte,
                1 => drop(line.remove(at)),
                2 => line.insert(at, byte),
                _ => line.insert(at, line[at]),
            }
            if line == self.lines[place] {
                continue;
            }
            tried.count(self.names(place, &line));
        }
        tried
    }

    /// Two records change places; or one is taken out, or stands there twice.
    #[must_use]
    pub fn reordered(&self, times: usize, numbers: &mut Numbers) -> Tried {
        let mut tried = Tried::default();
        while tried.tried < times {
            let (one, other) = (1 + numbers.below(self.records.len()), 1 + numbers.below(self.records.len()));
            if one < other {
                tried.count(self.names(one, &self.lines[other]));
            } else if one > other {
                // An earlier one once more.
                tried.count(self.names(one, &self.lines[other]));
            }
        }
        tried
    }

    /// The log is replaced by an older copy of it, or written anew from some record on; its first line fits. With
    /// an anchor, or without.
    #[must_use]
    pub fn rolled_back(&self, times: usize, anchored: bool, numbers: &mut Numbers) -> Tried {
        let mut tried = Tried::default();
        let newest = self.records.last();
        for turn in 0..times {
            let from = numbers.below(self.records.len());
            let (records, expected) = if turn % 2 == 0 {
                (self.records[..from].to_vec(), FileFault::Missing(u64::try_from(from).expect("a place") + 1))
            } else {
                (written_anew(&self.records, from), FileFault::Anchor(newest.map_or(0, |record| record.seq)))
            };
            let anchor = newest.filter(|_| anchored);
            tried.count(check(&lines(&records, anchor)).is_err_and(|fault| fault == expected));
        }
        tried
    }

    /// Whether a file with this line in that place is found bad, and that record named as the first.
    fn names(&self, place: usize, line: &[u8]) -> bool {
        let mut check = self.before[place].clone();
        // Where the line itself is whole, it is the next that is not.
        let whole = line.starts_with(&self.lines[place]);
        let seq = u64::try_from(place).expect("a place") + u64::from(whole);
        let end = line.split_inclusive(|byte| *byte == b'\n').try_for_each(|line| check.accept(line));
        // What only took the end of its line away runs into the next one.
        let end = match (end, line.ends_with(b"\n"), self.lines.get(place + 1)) {
            (Err(fault), ..) => Err(fault),
            (Ok(()), false, Some(next)) => check.accept(next),
            (Ok(()), ..) => Ok(()),
        };
        end.is_err_and(|fault| fault.seq() == Some(seq).filter(|seq| *seq > 0))
    }
}
