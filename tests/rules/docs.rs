//! A page that sends its reader somewhere sends them somewhere that is there.

use std::path::{Path, PathBuf};

use support::process::root;

/// The targets of a page's Markdown links and pictures, code left out.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second part is between backticks.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("·");
        for after in prose.split("](").skip(1) {
            if let Some((target, _)) = after.split_once(')') {
                found.push(target.split(' ').next().unwrap_or_default().to_owned());
            }
        }
        if let Some((label, target)) = prose.split_once("]: ")
            && label.starts_with('[')
        {
            found.push(target.trim().to_owned());
        }
    }
    found
}

/// The anchors of a page, as they are made from its headings.
fn anchors(text: &str) -> Vec<String> {
    let heading =
        |line: &str| line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_lowercase());
    let anchor = |heading: String| -> String {
        heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    text.lines().filter_map(heading).map(anchor).collect()
}

fn broken(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().expect("a folder");
    let resolves = |target: &str| {
        if target.contains("://") || target.starts_with("mailto:") {
            return true;
        }
        let (path, anchor) =
            target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let file = if path.is_empty() { page.to_owned() } else { folder.join(path) };
        let Some(anchor) = anchor else { return file.exists() };
        let there =
            if path.is_empty() { text.to_owned() } else { std::fs::read_to_string(file).unwrap_or_default() };
        anchors(&there).iter().any(|a| a == anchor)
    };
    targets(text).into_iter().filter(|target| !resolves(target)).collect()
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![
        root().join("README.md"),
        root().join("tests/django-bank/README.md"),
        root().join("tests/sandbox-bank/README.md"),
        root().join("ui/TESTIDS.md"),
    ];
    support::scan::each_file(&root().join("src-tauri/docs"), &mut |path, _| {
        if path.extension().is_some_and(|end| end == "md") {
            pages.push(path.to_owned());
        }
    });
    pages.retain(|page| page.exists());
    pages
}

#[test]
fn every_relative_link_leads_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        assert_eq!(broken(&page, &text), Vec::<String>::new(), "{}", page.display());
    }
}

#[test]
fn a_broken_link_is_found() {
    let page = root().join("tests/sandbox-bank/README.md");
    let text = "# A heading: here\n[a](package.json) [b](gone.md) ![c](src/nothing.png \"title\") [d](https://example.org/x)\n\
        [e](#a-heading-here) [f](#another) `[g](code.md)`\n```\n[h](code.md)\n```\n[i]: ../fixtures\n[j]: ../nowhere\n";
    assert_eq!(broken(&page, text), ["gone.md", "src/nothing.png", "#another", "../nowhere"]);
}
