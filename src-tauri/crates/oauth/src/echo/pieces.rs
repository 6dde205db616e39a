//! What is looked for: the pieces of the secrets, as hashes.

use zeroize::Zeroizing;

use super::alphabet::class;
use super::view::resolve;

/// A secret's characters in a row that matter (the half of a short one).
const MATTERS: usize = 24;
/// Fewer are in many texts by chance.
const FEWEST: usize = 8;
/// Shorter secrets are not looked for.
const SHORTEST: usize = 4;

const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD: u64 = 0xd6e8_feb8_6659_fd93;

/// The hashes of all pieces, forwards and backwards.
///
/// From hashes of pieces that overlap, the secret could be worked out: they are wiped like it.
pub(super) struct Pieces {
    /// How many letters and digits a piece has.
    window: usize,
    /// How many characters of base64 or hexadecimal a piece of a secret has at least.
    run: usize,
    /// The weight of the letter that leaves the window.
    leaving: u64,
    /// A bit for each hash: most of what is not a piece is found not to be one here.
    filter: Zeroizing<Vec<u64>>,
    shift: u32,
    hashes: Zeroizing<Vec<u64>>,
}

impl Pieces {
    pub(super) fn of(secrets: &[&str]) -> Self {
        let symbols: Vec<Symbols> = secrets
            .iter()
            .map(|secret| Symbols::of(secret))
            .filter(|read| read.of.len() >= SHORTEST)
            .collect();
        let window = symbols.iter().map(Symbols::window).min().unwrap_or(MATTERS);
        let run = symbols.iter().map(|read| read.matters).min().unwrap_or(MATTERS);
        let mut hashes = Zeroizing::new(Vec::new());
        for read in &symbols {
            hashes.extend(windows(read.of.iter().copied(), window));
            hashes.extend(windows(read.of.iter().rev().copied(), window));
        }
        hashes.sort_unstable();
        let bits = (hashes.len() * 16).next_power_of_two().max(1024);
        let shift = 64 - bits.trailing_zeros();
        let mut filter = Zeroizing::new(vec![0_u64; bits / 64]);
        for hash in hashes.iter() {
            let (word, bit) = place(*hash, shift);
            if let Some(word) = filter.get_mut(word) {
                *word |= bit;
            }
        }
        Self { window, run, leaving: power(window), filter, shift, hashes }
    }

    /// From how many characters on a row of base64 or hexadecimal may hold a piece.
    pub(super) fn run(&self) -> usize {
        self.run
    }

    #[inline]
    fn has(&self, hash: u64) -> bool {
        let (word, bit) = place(hash, self.shift);
        self.filter.get(word).is_some_and(|word| word & bit != 0) && self.hashes.binary_search(&hash).is_ok()
    }
}

#[inline]
fn place(hash: u64, shift: u32) -> (usize, u64) {
    let index = hash.wrapping_mul(SPREAD) >> shift;
    (usize::try_from(index >> 6).unwrap_or(usize::MAX), 1 << (index & 63))
}

fn power(exponent: usize) -> u64 {
    (0..exponent).fold(1, |power: u64, _| power.wrapping_mul(BASE))
}

/// The hashes of all windows of a text.
fn windows(symbols: impl Iterator<Item = u8> + Clone, window: usize) -> impl Iterator<Item = u64> {
    let leaving = power(window);
    let left = std::iter::repeat_n(0, window).chain(symbols.clone());
    let rolled = symbols.zip(left).scan(0, move |hash, (next, left)| {
        *hash = roll(*hash, next, left, leaving);
        Some(*hash)
    });
    rolled.skip(window - 1)
}

#[inline]
fn roll(hash: u64, next: u8, left: u8, leaving: u64) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(u64::from(next)).wrapping_sub(u64::from(left).wrapping_mul(leaving))
}

/// A secret's letters and digits, and where each stands in it.
struct Symbols {
    of: Zeroizing<Vec<u8>>,
    at: Vec<usize>,
    length: usize,
    matters: usize,
}

impl Symbols {
    fn of(secret: &str) -> Self {
        let length = secret.len();
        let matters = MATTERS.min(length.div_ceil(2)).max(FEWEST.min(length));
        let (mut of, mut places) = (Zeroizing::new(Vec::with_capacity(length)), Vec::with_capacity(length));
        resolve(secret.as_bytes(), |byte, at| {
            if let Some(symbol) = class(byte).symbol() {
                of.push(symbol);
                places.push(at);
            }
        });
        Self { of, at: places, length, matters }
    }

    /// The fewest letters and digits in characters that matter, wherever in the secret they stand.
    fn window(&self) -> usize {
        let last = self.length.saturating_sub(self.matters);
        let within = |from: usize| {
            let before = |end: usize| self.at.partition_point(|at| *at < end);
            before(from + self.matters) - before(from)
        };
        (0..=last).map(within).min().unwrap_or_default().max(FEWEST.min(self.of.len()))
    }
}

/// The last letters and digits of a reading.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    hash: u64,
    count: usize,
    last: [(u8, usize); ROOM],
}

const ROOM: usize = MATTERS.next_power_of_two();

impl Tail {
    pub(super) fn new() -> Self {
        Self { hash: 0, count: 0, last: [(0, 0); ROOM] }
    }

    /// Forgets what was before.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Takes one in; true if a piece ends with it.
    #[inline]
    pub(super) fn push(&mut self, pieces: &Pieces, symbol: u8, at: usize) -> bool {
        // Before there are as many as a window has, zeros leave it.
        let left = self.last.get(self.count.wrapping_sub(pieces.window) % ROOM);
        let left = left.map_or(0, |(symbol, _)| *symbol);
        self.hash = roll(self.hash, symbol, left, pieces.leaving);
        if let Some(place) = self.last.get_mut(self.count % ROOM) {
            *place = (symbol, at);
        }
        self.count += 1;
        pieces.has(self.hash) && self.count >= pieces.window
    }

    /// Where the last one stands that is before any piece that may still come: signs that follow it may be of the secret.
    pub(super) fn unsettled(&self, pieces: &Pieces) -> Option<usize> {
        let back = self.count.min(pieces.window);
        if back == 0 { None } else { self.last.get((self.count - back) % ROOM).map(|(_, at)| *at) }
    }
}
