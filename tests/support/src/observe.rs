//! Looking at processes and ports from outside, as the system sees them. The host is closed to others of its user, so
//! this needs root.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use url::Url;

/// All processes.
#[must_use]
pub fn processes() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The environment of a process, its entries parted by line ends.
#[must_use]
pub fn environment_of(pid: u32) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default())
        .replace('\0', "\n")
}

/// The processes of Countersign that work on this data folder; without those that have ended and are not yet reaped.
#[must_use]
pub fn programs_of(data: &Path, name: &str) -> Vec<u32> {
    let home = format!("COUNTERSIGN_HOME={}", data.display());
    let is_one = |pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.ends_with(name))
            && environment_of(*pid).lines().any(|line| line == home)
    };
    processes().into_iter().filter(is_one).collect()
}

/// The files and sockets a process holds: descriptor and what it leads to.
#[must_use]
pub fn descriptors_of(pid: u32) -> BTreeMap<u32, String> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let read = |entry: std::fs::DirEntry| {
        let to = std::fs::read_link(entry.path()).ok()?.display().to_string();
        Some((entry.file_name().to_str()?.parse().ok()?, to))
    };
    entries.filter_map(read).collect()
}

/// The sockets a process holds, by inode.
#[must_use]
pub fn sockets_of(pid: u32) -> BTreeSet<String> {
    descriptors_of(pid).into_values().filter(|to| to.starts_with("socket:")).collect()
}

/// The TCP ports a process listens on.
#[must_use]
pub fn listening(pid: u32) -> Vec<u16> {
    let held = sockets_of(pid);
    assert!(!held.is_empty(), "process {pid} cannot be looked into: this test needs root");
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let listens = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ours = words.get(3) == Some(&"0A") && held.contains(&format!("socket:[{}]", words.get(9)?));
        let (_, port) = words.get(1)?.rsplit_once(':')?;
        ours.then(|| u16::from_str_radix(port, 16).ok())?
    };
    tables.iter().flat_map(|table| table.lines().filter_map(listens)).collect()
}

/// Whether connections to this port are refused.
#[must_use]
pub fn is_refused(port: u16) -> bool {
    matches!(TcpStream::connect(("127.0.0.1", port)), Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// Gets a page of this computer, as a browser does in which somebody opens a link: status and body, or none if the
/// connection is refused.
#[must_use]
pub fn get(url: &str) -> Option<(u16, String)> {
    let url = Url::parse(url).expect("an address");
    let authority = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let mut stream = TcpStream::connect(&authority).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let head = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())?;
    Some((status, body))
}
