//! Asks for the passphrase at the terminal in which the host was started, where there is one and only the passphrase opens
//! the vault. Nothing that is typed is shown; the terminal is left as it was found.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use app::port::Ports;
use app::{App, Refusal};
use domain::lock::{Lock, LockedBy};
use domain::secret::Passphrase;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The longest line that is read: more than the longest passphrase in any script.
const LONGEST: usize = 16 * 1024;

/// Asks until the vault is open, nobody answers, or it is dropped.
pub(crate) struct Asking {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Asking {
    /// Begins, if the vault was locked by the start and our input is a terminal.
    pub(crate) fn begin<P: Ports>(app: &App<P>) -> Option<Self> {
        let locked_by_start = matches!(app.lock_state(), Lock::Locked { by: LockedBy::Start, .. });
        if !locked_by_start || !isatty(rustix::stdio::stdin()) {
            return None;
        }
        let done = Arc::new(AtomicBool::new(false));
        let (app, stop, runtime) = (app.clone(), Arc::clone(&done), tokio::runtime::Handle::current());
        let unlock = move |passphrase| runtime.block_on(app.unlock(Some(passphrase)));
        let thread = std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || ask(rustix::stdio::stdin(), &mut io::stderr(), &stop, unlock));
        Some(Self { done, thread: thread.ok() })
    }
}

impl Drop for Asking {
    /// Waits until the terminal is as it was.
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ask(
    terminal: impl AsFd,
    out: &mut impl io::Write,
    done: &AtomicBool,
    unlock: impl Fn(Passphrase) -> Result<(), Refusal>,
) {
    loop {
        let _ = out.write_all(b"Countersign is locked. Passphrase: ").and_then(|()| out.flush());
        let line = read_hidden(&terminal, done);
        let _ = out.write_all(b"\n");
        let Some(line) = line else { return };
        let outcome = Passphrase::parse(line).map_err(|_| Refusal::PassphraseWrong).and_then(&unlock);
        let _ = out.write_all(words(&outcome).as_bytes());
        if outcome.is_ok() {
            return;
        }
    }
}

fn words(outcome: &Result<(), Refusal>) -> String {
    match outcome {
        Ok(()) => "Countersign is unlocked.\n".to_owned(),
        Err(Refusal::PassphraseWrong) => "This is not the passphrase.\n".to_owned(),
        Err(Refusal::PassphraseLater) => {
            "The last one was wrong. Wait up to a minute, then try again.\n".to_owned()
        }
        Err(other) => format!("It could not be unlocked: {other}.\n"),
    }
}

/// One line, not shown; none at the end of the input or when it is done.
fn read_hidden(terminal: &impl AsFd, done: &AtomicBool) -> Option<String> {
    let _hidden = Hidden::on(terminal.as_fd());
    // One buffer that does not grow, so that no outgrown one stays behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0; 1]);
    while !done.load(Ordering::SeqCst) {
        let wait = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        match poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        match rustix::io::read(terminal, byte.as_mut_slice()) {
            Ok(1) if byte.first() == Some(&b'\n') => {
                let text = std::str::from_utf8(&line).ok()?;
                let mut typed = String::with_capacity(text.len());
                typed.push_str(text);
                return Some(typed).filter(|typed| !typed.is_empty());
            }
            Ok(1) if line.len() < LONGEST => line.extend_from_slice(byte.as_slice()),
            Ok(1) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Ok(_) | Err(_) => return None,
        }
    }
    None
}

/// A terminal that shows nothing of what is typed but the end of the line, until it is dropped.
struct Hidden<'t> {
    terminal: std::os::fd::BorrowedFd<'t>,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn on(terminal: std::os::fd::BorrowedFd<'t>) -> Option<Self> {
        let before = tcgetattr(terminal).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &hidden).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::sync::Mutex;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A terminal: our side as a person has it, and the program's.
    fn terminal() -> (File, File) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let program = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        (File::from(person), program)
    }

    #[test]
    fn a_passphrase_is_asked_for_until_it_fits_and_nothing_of_it_is_shown() {
        let (mut person, program) = terminal();
        let before = tcgetattr(&program).unwrap();
        let tried = Mutex::new(Vec::new());
        let mut said = program.try_clone().unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                ask(&program, &mut said, &done, |passphrase| {
                    let mut tried = tried.lock().unwrap();
                    tried.push(passphrase);
                    match tried.len() {
                        1 => Err(Refusal::PassphraseWrong),
                        2 => Err(Refusal::PassphraseLater),
                        _ => Ok(()),
                    }
                });
            });
            let mut heard = String::new();
            for typed in
                ["short\n", "four words of yours\n", "four words of mine\n", "four w\u{f6}rds of mine\n"]
            {
                until(&mut person, &mut heard, "Passphrase: ");
                // What is typed before the terminal hides it is thrown away with what was shown of it.
                while tcgetattr(&program).unwrap().local_modes.contains(LocalModes::ECHO) {
                    std::thread::yield_now();
                }
                person.write_all(typed.as_bytes()).unwrap();
            }
            until(&mut person, &mut heard, "unlocked.");
        });
        let tried = tried.into_inner().unwrap();
        let expected = ["four words of yours", "four words of mine", "four w\u{f6}rds of mine"];
        assert_eq!(tried.len(), expected.len());
        for (tried, expected) in tried.iter().zip(expected) {
            assert!(tried.same_as(&Passphrase::parse(expected.to_owned()).unwrap()), "{expected}");
        }
        assert_eq!(tcgetattr(&program).unwrap().local_modes, before.local_modes, "as it was found");
    }

    #[test]
    fn it_ends_with_the_host_and_with_an_empty_line() {
        let (mut person, program) = terminal();
        let done = AtomicBool::new(true);
        ask(&program, &mut io::sink(), &done, |_| panic!("nothing was typed"));
        done.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            scope.spawn(|| ask(&program, &mut io::sink(), &done, |_| panic!("nothing was typed")));
            while tcgetattr(&program).unwrap().local_modes.contains(LocalModes::ECHO) {
                std::thread::yield_now();
            }
            person.write_all(b"\n").unwrap();
        });
        assert!(tcgetattr(&program).unwrap().local_modes.contains(LocalModes::ECHO));
    }

    /// Reads what the terminal shows up to some words, and that nothing typed is among it.
    fn until(person: &mut File, heard: &mut String, words: &str) {
        let mut fresh = String::new();
        while !fresh.contains(words) {
            let mut some = [0; 256];
            let n = person.read(&mut some).unwrap();
            fresh.push_str(&String::from_utf8_lossy(&some[..n]));
        }
        heard.push_str(&fresh);
        assert!(!heard.contains("four"), "{heard:?}");
    }
}
