//! Bytes in a row that could be base64 or hexadecimal, decoded wherever that gives text.
//!
//! Nobody knows where in the row a secret begins, and whether it runs forwards: there are eight ways to decode base64,
//! and four for hexadecimal. The characters of tokens, and of all the escapes they may be written in, are ASCII: the
//! highest bit of each decoded byte is 0. How long that has been so is counted for every way at once, a byte of one
//! number for each; only where it holds for as long as a piece is long are the decoded bytes looked at.

use super::alphabet::{SEXTETS, class, sextet};
use super::pieces::Pieces;
use super::view::View;

/// More than [`Pieces::run`] ever is.
const ROOM: usize = 32;
/// Ways to decode base64: four alignments from the front, and four from the back.
const WAYS: usize = 8;
/// One in every counter.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The bit of a counter that says: for long enough.
const LONG: u64 = ONES << 7;

/// For each byte and each of four places in the row: all ones in the counters that go on.
static KEPT: [[u64; 4]; 256] = kept();

/// A row, as far as it came.
pub(super) struct Row {
    depth: u8,
    length: usize,
    /// The last bytes of it.
    last: [(u8, usize); ROOM],
    base64: u64,
    hexadecimal: u64,
    /// Which counters were long enough so far.
    live: [u64; 2],
    views: Option<Box<Views>>,
}

struct Views {
    base64: [View; WAYS],
    /// High digits at even and odd places, each from the front and from the back.
    hexadecimal: [[View; 2]; 2],
}

impl Row {
    pub(super) fn at_depth(depth: u8) -> Self {
        Self { depth, length: 0, last: [(0, 0); ROOM], base64: 0, hexadecimal: 0, live: [0; 2], views: None }
    }

    /// Takes one byte in; true if a piece of a secret ends with it.
    #[inline]
    pub(super) fn take(&mut self, pieces: &Pieces, byte: u8, at: usize) -> bool {
        let place = self.length;
        let none_yet = ONES * (128 - pieces.run() as u64);
        if place == 0 {
            (self.base64, self.hexadecimal) = (none_yet, none_yet);
        }
        self.length += 1;
        if let Some(slot) = self.last.get_mut(place % ROOM) {
            *slot = (byte, at);
        }
        let kept =
            KEPT.get(usize::from(byte)).and_then(|kept| kept.get(place % 4)).copied().unwrap_or_default();
        self.base64 = ((self.base64 + ONES) & kept) | (none_yet & !kept);
        let kept = kept_hexadecimal(byte, place);
        self.hexadecimal = ((self.hexadecimal + 0x0101) & kept) | (none_yet & !kept);
        let long = [self.base64 & LONG, self.hexadecimal & LONG];
        if long == [0; 2] && self.live == [0; 2] { false } else { self.look(pieces, long) }
    }

    /// The row is over; true if what was waited for is a piece of a secret.
    #[inline]
    pub(super) fn end(&mut self, pieces: &Pieces) -> bool {
        let heard = self.live != [0; 2] && self.look(pieces, [0; 2]);
        self.length = 0;
        heard
    }

    /// Where the earliest thing stands that may still become a piece.
    pub(super) fn unsettled(&self, pieces: &Pieces) -> Option<usize> {
        let back = self.length.min(pieces.run());
        let last =
            self.last.get(self.length.wrapping_sub(back) % ROOM).filter(|_| back > 0).map(|(_, at)| *at);
        let views = self.views.iter().filter(|_| self.live != [0; 2]);
        let views = views.flat_map(|views| views.base64.iter().chain(views.hexadecimal.iter().flatten()));
        views.filter_map(|view| view.unsettled(pieces)).chain(last).min()
    }

    /// Hands on what is decoded where it has been text for long enough.
    #[cold]
    fn look(&mut self, pieces: &Pieces, long: [u64; 2]) -> bool {
        let [base64, hexadecimal] = long;
        self.base64 = held_there(self.base64, base64);
        self.hexadecimal = held_there(self.hexadecimal, hexadecimal);
        let [live_base64, live_hexadecimal] = std::mem::replace(&mut self.live, long);
        let (length, depth, last) = (self.length, self.depth, &self.last);
        let views = self.views.get_or_insert_with(|| Box::new(Views::at_depth(depth)));
        let mut heard = false;
        for (way, view) in views.base64.iter_mut().enumerate() {
            let change = Change::of(live_base64, base64, way);
            heard |= change
                .apply(pieces, view, length, last, |before, now, place| from_base64(way, before, now, place));
        }
        for (parity, both) in views.hexadecimal.iter_mut().enumerate() {
            let change = Change::of(live_hexadecimal, hexadecimal, parity);
            for (view, from) in both.iter_mut().zip([From::Front, From::Rear]) {
                heard |= change.apply(pieces, view, length, last, |before, now, place| {
                    from_hexadecimal(parity, from, before, now, place)
                });
            }
        }
        heard
    }
}

/// Counters that are long enough stay at that, so that none runs over into the next.
fn held_there(counters: u64, long: u64) -> u64 {
    (counters & !((long >> 7) * 0xff)) | long
}

/// From which end a text runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Front,
    Rear,
}

/// What became of one way to decode.
enum Change {
    Begun,
    Ended,
    On,
    Off,
}

impl Change {
    fn of(before: u64, now: u64, counter: usize) -> Self {
        let bit = 0x80 << (counter * 8);
        match (before & bit != 0, now & bit != 0) {
            (false, true) => Self::Begun,
            (true, false) => Self::Ended,
            (true, true) => Self::On,
            (false, false) => Self::Off,
        }
    }

    fn apply(
        &self,
        pieces: &Pieces,
        view: &mut View,
        length: usize,
        last: &[(u8, usize); ROOM],
        decode: impl Fn(u8, u8, usize) -> Option<u8>,
    ) -> bool {
        let byte = |place: usize| last.get(place % ROOM).copied().unwrap_or_default();
        let mut take = |place: usize| {
            let ((before, at), (now, _)) = (byte(place - 1), byte(place));
            decode(before, now, place).is_some_and(|decoded| view.take(pieces, decoded, at))
        };
        match self {
            Self::Begun => {
                (length - pieces.run() + 1..length).fold(false, |heard, place| heard | take(place))
            }
            Self::On => take(length - 1),
            Self::Ended => {
                let heard = view.finish(pieces);
                view.clear();
                heard
            }
            Self::Off => false,
        }
    }
}

/// The byte that is whole with this sextet, if one is.
fn from_base64(way: usize, before: u8, now: u8, place: usize) -> Option<u8> {
    let (before, now) = (u16::from(sextet(before)), u16::from(sextet(now)));
    let nth = (place + WAYS - way % 4) % 4;
    let bits = match (way < 4, nth) {
        (_, 0) => return None,
        (true, 1) => (before << 6 | now) >> 4,
        (true, 2) => (before << 6 | now) >> 2,
        (true, _) => before << 6 | now,
        (false, 1) => now << 6 | before,
        (false, 2) => (now << 6 | before) >> 2,
        (false, _) => (now << 6 | before) >> 4,
    };
    Some(bits.to_le_bytes()[0])
}

/// The byte that is whole with this digit, if one is.
fn from_hexadecimal(parity: usize, from: From, before: u8, now: u8, place: usize) -> Option<u8> {
    let (before, now) = (class(before).nibble()?, class(now).nibble()?);
    match (from, place % 2 == parity) {
        (From::Front, false) => Some(before << 4 | now),
        (From::Rear, true) => Some(now << 4 | before),
        (From::Front, true) | (From::Rear, false) => None,
    }
}

/// All ones in the counters of hexadecimal that go on: a high digit is less than 8, a low one is any.
#[inline]
fn kept_hexadecimal(byte: u8, place: usize) -> u64 {
    let (high, low) = if place.is_multiple_of(2) { (0xff, 0xff00) } else { (0xff00, 0xff) };
    match class(byte).nibble() {
        None => 0,
        Some(0..=7) => high | low,
        Some(_) => low,
    }
}

/// Each byte begins in the first, second or third of four sextets, with this bit of it; from the back, it ends so.
#[expect(clippy::indexing_slicing, reason = "a table that is made at compile time, by its own length")]
const fn kept() -> [[u64; 4]; 256] {
    let (front, rear) = ([0x20, 0x08, 0x02, 0], [0, 0x02, 0x08, 0x20]);
    let mut table = [[0; 4]; 256];
    let mut index = 0;
    while index < 256 * 4 {
        let (byte, place) = (index / 4, index % 4);
        let mut way = 0;
        while way < WAYS {
            let nth = (place + WAYS - way % 4) % 4;
            let bit = if way < 4 { front[nth] } else { rear[nth] };
            if SEXTETS[byte] & bit == 0 {
                table[byte][place] |= 0xff << (way * 8);
            }
            way += 1;
        }
        index += 1;
    }
    table
}

impl Views {
    fn at_depth(depth: u8) -> Self {
        let view = |_| View::at_depth(depth);
        Self { base64: [0; WAYS].map(view), hexadecimal: [[0; 2]; 2].map(|both| both.map(view)) }
    }
}
