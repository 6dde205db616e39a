//! A passphrase, typed at the terminal and not shown. It comes from nowhere else.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use contract::ui::PassphraseText;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// No passphrase is longer, in bytes.
const LONGEST: usize = 4096;
/// What a terminal sends for the keys that give up, and for the one that takes a sign back.
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: [u8; 2] = [8, 127];

/// Asks for it. None without a terminal, or where the person gave up.
pub(crate) fn ask(question: &str) -> Option<PassphraseText> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let hidden = Hidden::begin(&terminal).ok()?;
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let read = (&terminal).write_all(question.as_bytes()).and_then(|()| read_line(&terminal, &mut line));
    drop(hidden);
    let _ = (&terminal).write_all(b"\n");
    if !read.ok()? {
        return None;
    }
    std::str::from_utf8(&line).ok().map(|text| PassphraseText::new(text.to_owned()))
}

/// Reads up to the end of the line, key by key: the signs never stand in a buffer of ours that is not wiped. False if
/// the person gave up.
fn read_line(mut terminal: impl io::Read, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut key = [0];
    loop {
        if terminal.read(&mut key)? == 0 {
            return Ok(false);
        }
        match key {
            [INTERRUPT | END] => return Ok(false),
            [b'\n' | b'\r'] => return Ok(true),
            [byte] if BACKSPACE.contains(&byte) => take_back(line),
            [byte] if line.len() < LONGEST => line.push(byte),
            [_] => return Ok(false),
        }
    }
}

/// Takes the last sign back, however many bytes it has.
fn take_back(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        if byte & 0b1100_0000 != 0b1000_0000 {
            return;
        }
    }
}

/// A terminal that shows nothing of what is typed, until dropped. Keys that would end the program come as keys, so
/// that it cannot end with the terminal silent.
struct Hidden<'t> {
    terminal: &'t std::fs::File,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn begin(terminal: &'t std::fs::File) -> io::Result<Self> {
        let before = tcgetattr(terminal.as_fd())?;
        let mut silent = before.clone();
        silent.local_modes.remove(
            LocalModes::ECHO
                | LocalModes::ECHONL
                | LocalModes::ICANON
                | LocalModes::ISIG
                | LocalModes::IEXTEN,
        );
        tcsetattr(terminal.as_fd(), OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal.as_fd(), OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &[u8]) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        read_line(keys, &mut line).unwrap().then_some(line)
    }

    #[test]
    fn keys_become_a_line() {
        assert_eq!(read(b"correct horse\nrest").unwrap(), b"correct horse");
        assert_eq!(read("gr\u{fc}n\u{7f}\u{7f}een\r".as_bytes()).unwrap(), b"green");
        assert_eq!(read(b"\x7f\x7fa\n").unwrap(), b"a");
        assert_eq!(read(b"half\x03"), None, "given up");
        assert_eq!(read(b"half"), None, "the terminal is gone");
        assert_eq!(read(&[b'x'; LONGEST + 2]), None, "nobody types that");
    }
}
