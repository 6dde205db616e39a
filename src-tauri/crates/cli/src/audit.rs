//! The audit log as a file: written out by the host that runs, and checked without one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use contract::support::{self, AuditFrom, AuditPart};
use domain::audit::file::{FileCheck, FileFault, Header, LONGEST_LINE};
use serde::Serialize;
use thiserror::Error;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::output;
use crate::run::{Session, Stop, write};

/// What was found of a file.
#[derive(Serialize)]
struct Verdict {
    sound: bool,
    records: u64,
    /// The first record that is not as it was written.
    first_bad: Option<u64>,
    /// What is wrong.
    fault: Option<String>,
    /// The newest record that the keychain knew.
    anchor: Option<u64>,
}

/// Why a file was not found sound.
#[derive(Debug, Error)]
enum Unsound {
    #[error(transparent)]
    Fault(#[from] FileFault),
    #[error("it can't be read")]
    Unreadable(#[from] io::Error),
}

impl Session {
    /// Writes the log to a new file, or to the terminal.
    pub(crate) async fn export_audit(
        &self,
        arguments: &Arguments,
        file: Option<&Path>,
    ) -> Result<Exit, Stop> {
        let mut part: AuditPart = self.host.ask(support::AUDIT, &AuditFrom::default()).await?;
        let created = match file {
            None => Ok(Box::new(io::stdout()) as Box<dyn Write>),
            Some(path) => new_file(path).map(|file| Box::new(file) as Box<dyn Write>),
        };
        let Ok(created) = created else {
            output::complain("The file can't be written. Perhaps there is one of this name already.");
            return Ok(Exit::Machine);
        };
        let mut out = BufWriter::new(created);
        loop {
            let written = part.lines.iter().try_for_each(|line| writeln!(out, "{line}"));
            if written.and_then(|()| out.flush()).is_err() {
                output::complain("The file could not be written to its end.");
                return Ok(Exit::Machine);
            }
            if part.after >= part.through {
                break;
            }
            let next = AuditFrom { after: part.after, through: Some(part.through) };
            part = self.host.ask(support::AUDIT, &next).await?;
        }
        if file.is_some() && !arguments.json {
            output::say(&format!("{} records are in the file.", part.through));
        }
        Ok(Exit::Done)
    }
}

/// For the person alone, and never in the place of another.
fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Checks a file.
pub(crate) fn verify(arguments: &Arguments, path: &Path) -> Exit {
    let checked = File::open(path).map_err(Unsound::from).and_then(|file| check(&mut BufReader::new(file)));
    let (verdict, exit) = match checked {
        Ok(header) => {
            let anchor = header.anchor.map(|anchor| anchor.seq);
            let records = header.records;
            (Verdict { sound: true, records, first_bad: None, fault: None, anchor }, Exit::Done)
        }
        Err(unsound) => {
            let (first_bad, exit) = match &unsound {
                Unsound::Fault(fault) => (fault.seq(), Exit::Refused),
                Unsound::Unreadable(_) => (None, Exit::Machine),
            };
            let fault = Some(unsound.to_string());
            (Verdict { sound: false, records: 0, first_bad, fault, anchor: None }, exit)
        }
    };
    write(arguments, &verdict, said);
    exit
}

fn check(lines: &mut impl BufRead) -> Result<Header, Unsound> {
    let (mut check, mut line) = (FileCheck::default(), Vec::new());
    loop {
        line.clear();
        if lines.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(check.finish()?);
        }
        check.accept(&line)?;
    }
}

fn said(verdict: &Verdict) -> String {
    match (&verdict.fault, verdict.anchor) {
        (Some(fault), _) => format!("This is not what was exported: {fault}."),
        (None, None) => format!(
            "{} records, and none was changed. What the keychain knows of them is not in the file: whether the log \
             was replaced as a whole can't be told.",
            verdict.records
        ),
        (None, Some(anchor)) => format!(
            "{} records, and none was changed. The keychain knew record {anchor} when the file was made.",
            verdict.records
        ),
    }
}
