//! The names of all tests there are, as the tests' own programs list them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use crate::{child, test};

/// Every test of the workspace, of the interface and of the programs written for Node.
pub(crate) struct Names {
    rust: BTreeSet<String>,
    /// Prefix of a name in the map, and the texts of the test files it speaks of.
    others: Vec<(&'static str, Vec<String>)>,
}

/// Prefix, and where its test files lie.
const OTHERS: [(&str, &str); 4] = [
    ("ui: ", "ui/test"),
    ("bank: ", "tests/sandbox-bank/test"),
    ("openid-client: ", "tests/openid-client"),
    ("mcp-client: ", "tests/mcp-client/test"),
];

impl Names {
    /// Builds the tests where that is still to be done, and asks each program of tests what it holds.
    pub(crate) fn of_the_workspace() -> anyhow::Result<Self> {
        let mut rust = BTreeSet::new();
        for (room, program) in programs()? {
            let listed = child::heard(child::command(&program).arg("--list"));
            let listed = listed.with_context(|| format!("{} --list", program.display()))?;
            rust.extend(names(&room, &listed));
        }
        let mut others = Vec::new();
        for (prefix, folder) in OTHERS {
            let mut texts = Vec::new();
            collect(&child::root().join(folder), &mut texts)?;
            others.push((prefix, texts));
        }
        Ok(Self { rust, others })
    }

    /// Names as programs would have listed them.
    #[cfg(test)]
    pub(crate) fn from_lists<'a>(lists: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let rust = lists.into_iter().flat_map(|(room, listed)| names(room, listed)).collect();
        Self { rust, others: Vec::new() }
    }

    /// Whether there is a test of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.rust.contains(name)
            || self.others.iter().any(|(prefix, texts)| {
                name.strip_prefix(prefix).is_some_and(|title| texts.iter().any(|text| has_title(text, title)))
            })
    }
}

fn has_title(text: &str, title: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| text.contains(&format!("{quote}{title}{quote}")))
}

fn names(room: &str, listed: &str) -> Vec<String> {
    listed.lines().filter_map(|line| Some(format!("{room}::{}", line.strip_suffix(": test")?))).collect()
}

/// Room or suite, and the program that holds its tests.
fn programs() -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut build = test::every_rust_test()?;
    build.args(["--no-run", "--message-format=json"]);
    let output = build.stderr(std::process::Stdio::inherit()).output().context("cargo test --no-run")?;
    anyhow::ensure!(output.status.success(), "the tests could not be built");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(|line| program(&serde_json::from_str(line).ok()?)).collect())
}

fn program(message: &Value) -> Option<(String, PathBuf)> {
    let executable = message.get("executable")?.as_str()?;
    message.get("profile")?.get("test")?.as_bool()?.then_some(())?;
    let target = message.get("target")?;
    let name = target.get("name")?.as_str()?;
    let room = name.strip_prefix("countersign_").or(name.strip_prefix("countersign-")).unwrap_or(name);
    Some((room.to_owned(), executable.into()))
}

fn collect(folder: &Path, texts: &mut Vec<String>) -> anyhow::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for file in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" {
            collect(&path, texts)?;
        } else if name.contains(".test.") {
            texts.push(std::fs::read_to_string(&path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(())
}
