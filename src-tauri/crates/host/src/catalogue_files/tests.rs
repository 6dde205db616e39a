//! A folder of files that somebody else wrote; and builds in which there is no such folder.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;
use crate::environment::tests::{again, told};

fn read_from(folder: &Path) -> (Vec<SourceFile>, Vec<(String, String)>) {
    let mut unreadable = Vec::new();
    let files = read_folder(folder, &mut unreadable);
    (files, unreadable.into_iter().map(|problem| (problem.file, problem.rule)).collect())
}

#[test]
fn files_are_read_in_order_and_what_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("b.toml", b"second");
    put("a.toml", b"first");
    put("c.toml.bak", b"no");
    put("d", b"no");
    put("e.toml", &vec![b'x'; 64 * 1024]);
    put("f.toml", &vec![b'x'; 64 * 1024 + 1]);
    put("g.toml", b"\xff\xfe");
    put("i.toml", b"");
    std::fs::create_dir(folder.path().join("h.toml")).unwrap();
    symlink("/dev/zero", folder.path().join("j.toml")).unwrap();
    symlink("/nowhere", folder.path().join("k.toml")).unwrap();
    // Reading a pipe that nobody writes to would never end.
    let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("l.toml")).status().unwrap();
    assert!(pipe.success());
    let (files, unreadable) = read_from(folder.path());
    let names: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.text.len())).collect();
    assert_eq!(names, [("a.toml", 5), ("b.toml", 6), ("e.toml", 65_536), ("i.toml", 0)]);
    let size = "not a file of a sensible size";
    let problems: Vec<_> = unreadable.iter().map(|(file, rule)| (file.as_str(), rule.as_str())).collect();
    assert_eq!(
        problems,
        [
            ("f.toml", size),
            ("g.toml", "not UTF-8 text"),
            ("h.toml", size),
            ("j.toml", size),
            ("k.toml", "cannot be read"),
            ("l.toml", size),
        ]
    );
    assert_eq!(read_from(Path::new("/nowhere")).0.len(), 0);
}

/// In a build that people use, no file of theirs is part of the catalogue: what is compiled in is all there is.
#[test]
fn a_folder_counts_in_a_sandbox_build_alone() {
    const NAME: &str = "catalogue_files::tests::a_folder_counts_in_a_sandbox_build_alone";
    if told("TEST_CHILD").is_some() {
        let sources = read(&Environment::read());
        let count = |files: &[SourceFile]| files.len();
        println!(
            "{} providers, {} profiles, {} agents",
            count(&sources.providers),
            count(&sources.profiles),
            count(&sources.agents)
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("bank.toml", include_str!("../../../oauth/providers/example.toml")),
        ("profiles/fdx-v6.toml", PROFILES[0].1),
        ("agents/x.toml", "name = \"X\""),
    ] {
        let path: PathBuf = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let environment = [
        ("COUNTERSIGN_CATALOGUE", folder.path().display().to_string()),
        ("COUNTERSIGN_HOME", folder.path().display().to_string()),
    ];
    let expected = if crate::SANDBOX {
        "1 providers, 2 profiles, 1 agents"
    } else {
        "0 providers, 1 profiles, 0 agents"
    };
    let said = again(NAME, &environment);
    assert!(said.contains(expected), "{said}");
}

/// Every profile that is built in is one that the program reads.
#[test]
fn what_is_compiled_in_is_sound() {
    for (name, text) in PROFILES {
        let profile = domain::profile::Profile::parse(text).unwrap();
        assert_eq!(format!("{}.toml", profile.id), name);
    }
}
