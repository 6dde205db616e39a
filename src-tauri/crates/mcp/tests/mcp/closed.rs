//! Another program of the same user reads nothing of the server, which holds its agent's key (attack 114).

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use crate::plain_user::as_plain_user;

const BUILT: &str = env!("CARGO_BIN_EXE_countersign-mcp");
/// Where the kernel shows what a process has in its memory and was given.
const PLACES: [&str; 5] = ["auxv", "environ", "maps", "mem", "pagemap"];
const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"0"}}}"#;

fn open_places(process: &Child) -> Vec<&'static str> {
    let opens = |place: &&str| File::open(format!("/proc/{}/{place}", process.id())).is_ok();
    PLACES.into_iter().filter(opens).collect()
}

fn end(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn another_program_of_the_same_user_reads_nothing_of_the_server() {
    let name = "closed::another_program_of_the_same_user_reads_nothing_of_the_server";
    as_plain_user(name, &[BUILT.as_ref()], || {
        let beside = std::env::current_exe().unwrap().with_file_name("countersign-mcp");
        let program = if beside.exists() { beside } else { BUILT.into() };
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(program)
            .env_clear()
            .env("COUNTERSIGN_HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(server.stdin.as_mut().unwrap(), "{HELLO}").unwrap();
        let mut answer = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
        assert!(answer.contains("serverInfo"), "it serves: {answer}");
        assert_eq!(open_places(&server), Vec::<&str>::new());
        let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
        let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(cores.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{cores}");
        end(server);
        let other = Command::new("sleep").arg("600").spawn().unwrap();
        assert_eq!(open_places(&other), PLACES, "the control");
        end(other);
    });
}
