//! What a byte is in a reading: one table for all.

/// What a byte is.
#[derive(Clone, Copy)]
pub(super) struct Class(u16);

const SYMBOL: u16 = 0x3f;
const DROPPED: u16 = 0x40;
const ESCAPE: u16 = 0x80;
const SEXTET: u16 = 0x100;

static CLASSES: [Class; 256] = classes();
/// The six bits of every byte in base64 or base64url; 0 where it is not of them.
pub(super) const SEXTETS: [u8; 256] = sextets();

/// What this byte is.
#[inline]
pub(super) fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class(0))
}

/// Its six bits in base64 or base64url.
pub(super) fn sextet(byte: u8) -> u8 {
    static TABLE: [u8; 256] = SEXTETS;
    TABLE.get(usize::from(byte)).copied().unwrap_or_default()
}

impl Class {
    /// Its number among letters and digits, 1 to 36, the same for both cases; none for anything else.
    #[inline]
    pub(super) fn symbol(self) -> Option<u8> {
        let symbol = self.0 & SYMBOL;
        (symbol != 0).then_some(symbol.to_le_bytes()[0])
    }

    /// Its four bits as a hexadecimal digit.
    #[inline]
    pub(super) fn nibble(self) -> Option<u8> {
        self.symbol().map(|symbol| symbol - 1).filter(|value| *value < 16)
    }

    /// White space, and the zeros of UTF-16: as if they were not there.
    #[inline]
    pub(super) fn is_dropped(self) -> bool {
        self.0 & DROPPED != 0
    }

    /// Begins an escape.
    #[inline]
    pub(super) fn begins_escape(self) -> bool {
        self.0 & ESCAPE != 0
    }

    /// May be base64 or base64url, and so hexadecimal too.
    #[inline]
    pub(super) fn is_sextet(self) -> bool {
        self.0 & SEXTET != 0
    }
}

#[expect(clippy::indexing_slicing, reason = "a table that is made at compile time, by its own length")]
const fn classes() -> [Class; 256] {
    let mut table = [Class(0); 256];
    let mut byte: u16 = 0;
    while byte < 256 {
        table[byte as usize] = Class(match byte.to_le_bytes()[0] {
            b'0'..=b'9' => (byte - 0x30 + 1) | SEXTET,
            b'A'..=b'Z' => (byte - 0x41 + 11) | SEXTET,
            b'a'..=b'z' => (byte - 0x61 + 11) | SEXTET,
            b'+' | b'/' | b'-' | b'_' => SEXTET,
            b'\\' | b'%' | b'&' => ESCAPE,
            0 | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' => DROPPED,
            _ => 0,
        });
        byte += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "a table that is made at compile time, by its own length")]
const fn sextets() -> [u8; 256] {
    let mut table = [0; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut value: u8 = 0;
    while value < 62 {
        table[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    (table[b'+' as usize], table[b'-' as usize]) = (62, 62);
    (table[b'/' as usize], table[b'_' as usize]) = (63, 63);
    table
}
