//! Python: packages of the Django bank, in a virtual environment of the project's own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::child;

const BANK: &str = "tests/django-bank";
/// Django needs 3.10; venv is a package of its own on Debian.
const CAN: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";
/// The system's own first: others that stand earlier in the path may be half installed.
const PYTHONS: [&str; 2] = ["/usr/bin/python3", "python3"];

/// The Python of `target/tools/django-bank`, with what the bank's `requirements.txt` names and nothing else.
pub(crate) fn of_the_django_bank() -> anyhow::Result<PathBuf> {
    let wanted = child::root().join(BANK).join("requirements.txt");
    let wanted = fs::read_to_string(wanted).with_context(|| format!("{BANK}/requirements.txt"))?;
    let folder = child::target("tools/django-bank");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    // Written last: an installation that was interrupted is made anew.
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) && runs(&python) {
        return Ok(python);
    }
    let can = |python: &str| child::heard(child::command(python).args(["-c", CAN])).is_some();
    let base = PYTHONS.into_iter().find(|python| can(python)).context(
        "there is no Python 3.10 or later that can make a virtual environment; \
         on Debian the packages python3 and python3-venv do",
    )?;
    println!("Installing the Python packages of {BANK} into target/tools/django-bank");
    child::run(child::command(base).args(["-m", "venv", "--clear"]).arg(&folder))?;
    child::run(child::command(&python).args(["-m", "pip", "install", "--quiet", "--no-input"]).args([
        // Everything is listed; nothing is built here.
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
        "--requirement",
        &format!("{BANK}/requirements.txt"),
    ]))?;
    child::run(child::command(&python).args(["-m", "pip", "check", "--disable-pip-version-check"]))?;
    fs::write(&installed, wanted)?;
    Ok(python)
}

fn runs(python: &Path) -> bool {
    child::heard(child::command(python).args(["-c", "import oauth2_provider"])).is_some()
}
