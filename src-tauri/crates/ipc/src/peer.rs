//! Which program is at the other end, as the system names it: for a person to read, and evidence of nothing.

/// The name of a process, if it still runs. It may have ended, or have become another program since it dialled.
#[cfg(target_os = "linux")]
#[must_use]
pub fn program(pid: i32) -> Option<String> {
    // The program's own file where it lets itself be looked at; else the name that it goes by.
    let file = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let name = || std::fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    let shown = file.map(|path| path.to_string_lossy().into_owned()).or_else(name)?;
    Some(shown.trim_end().to_owned()).filter(|shown| !shown.is_empty())
}

/// Elsewhere the connection does not say.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn program(_pid: i32) -> Option<String> {
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_while_it_runs() {
        let own = program(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.contains("ipc"), "{own}");
        assert_eq!(program(0), None);
        assert_eq!(program(i32::MAX), None);
    }
}
