//! The command line: whose key is used.

use std::ffi::OsString;
use std::path::PathBuf;

use client::keys::KeySource;
use lexopt::{Arg, Parser, ValueExt as _};

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To be told something.
    Page(&'static str),
    /// To serve, with the key that is found there.
    Serve(KeySource),
}

const HELP: &str = "\
countersign-mcp: your bank for your assistant, as far as you allow it

Usage: countersign-mcp [--agent NAME | --key-file PATH]

An assistant starts it and speaks MCP with it by its standard input and output.
Make its key, and add it to Countersign, once: countersign-agent enrol NAME.

  --agent NAME      Which of several agents it is
  --key-file PATH   Where its key is; also COUNTERSIGN_AGENT_KEY_FILE

COUNTERSIGN_HOME names another data folder of Countersign.";

const VERSION: &str = concat!("countersign-mcp ", env!("CARGO_PKG_VERSION"));

/// Reads the command line; the first word is the program's own name.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Wanted, lexopt::Error> {
    let mut parser = Parser::from_iter(words);
    let (mut agent, mut file) = (None, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("agent") => agent = Some(parser.value()?.string()?),
            Arg::Long("key-file") => file = Some(PathBuf::from(parser.value()?)),
            Arg::Short('h') | Arg::Long("help") => return Ok(Wanted::Page(HELP)),
            Arg::Short('V') | Arg::Long("version") => return Ok(Wanted::Page(VERSION)),
            Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => return Err(arg.unexpected()),
        }
    }
    let mut keys = KeySource::of_person();
    if let Some(name) = agent {
        keys = keys.named(&name);
    }
    if let Some(file) = file {
        keys = keys.in_file(file);
    }
    Ok(Wanted::Serve(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Wanted, lexopt::Error> {
        parse(std::iter::once("countersign-mcp").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn it_is_told_whose_key_to_use_and_nothing_else() {
        assert_eq!(read("").unwrap(), Wanted::Serve(KeySource::of_person()));
        assert_eq!(read("--agent buddy").unwrap(), Wanted::Serve(KeySource::of_person().named("buddy")));
        let in_file = KeySource::of_person().in_file("/k".into());
        assert_eq!(read("--key-file /k").unwrap(), Wanted::Serve(in_file));
        assert_eq!(read("--help").unwrap(), Wanted::Page(HELP));
        for line in ["serve", "--port 1", "-x", "--agent"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
