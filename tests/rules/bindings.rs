//! The generated TypeScript is current, and no type that crosses a border could carry a secret.

use std::collections::BTreeSet;
use std::path::Path;

use support::process::root;

/// A name that holds one of these words could carry a secret.
const SECRET_WORDS: &[&str] = &[
    "assertion",
    "bearer",
    "challenge",
    "code",
    "cookie",
    "credential",
    "credentials",
    "jwk",
    "jwt",
    "kek",
    "key",
    "nonce",
    "passphrase",
    "password",
    "secret",
    "token",
    "tokens",
    "verifier",
];

/// Names with such a word that carry none. (type, member); a type's own name stands alone.
const HARMLESS: &[(&str, &str)] = &[
    ("AddAgent", "key"),                  // an agent's public key, pasted by the person
    ("CommandError", "code"),             // an ErrorCode
    ("AnswerApproval", "passphrase"),     // typed by the person, as below
    ("ApprovalView", "needs_passphrase"), // whether one is to be typed
    ("EndingView", "code"),               // a registered OAuth error code of the bank, never free text
    ("EnrolmentView", "code"), // compared by the person with what the program shows; made of a public key and dice
    ("ErrorCode", ""),
    // What the person types on its way to the host, in a type of its own that does not print; no answer has it.
    ("PassphraseText", ""),
    ("Unlock", "passphrase"),
];
/// The same, in what crosses between our own processes.
const HARMLESS_ON_THE_CHANNEL: &[&str] = &[
    "code",             // CommandError, EndingView and EnrolmentView, as above
    "key",              // AddAgent, as above
    "needs_passphrase", // whether one is to be typed
    "passphrase",       // typed by the person, into the host and never out of it
    "activation_token", // lets a compositor raise a window; it opens nothing at a bank
    // What agents say on the public socket. A lease has a type of its own that does not print.
    "assertion", // the signed task: without a proof by the same key it opens nothing
    "jwk",       // an agent's public key
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
];

fn committed() -> String {
    std::fs::read_to_string(root().join("ui/src/ipc/generated/contract.ts")).expect("the generated file")
}

/// The words of a name, whether they are joined by case or by `_`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for sign in name.chars() {
        if sign == '_' || (sign.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            words.push(String::new());
        }
        if sign != '_' {
            words.last_mut().expect("a word").push(sign.to_ascii_lowercase());
        }
        before = sign;
    }
    words
}

fn is_telling(name: &str) -> bool {
    words(name).iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
}

/// Every type with every member it has at any depth, and every type by itself.
fn names(typescript: &str) -> BTreeSet<(String, String)> {
    let mut names = BTreeSet::new();
    let mut of = String::new();
    let mut in_comment = false;
    for line in typescript.lines() {
        let mut rest = line.trim();
        in_comment |= rest.starts_with("/**");
        if in_comment {
            in_comment = !rest.ends_with("*/");
            continue;
        }
        if let Some(declaration) = rest.strip_prefix("export type ") {
            let (name, body) = declaration.split_once(" =").expect("a declaration");
            of = name.to_owned();
            names.insert((of.clone(), String::new()));
            rest = body;
        }
        // A member is a word before a colon, and no value is written with one.
        let mut parts: Vec<&str> = rest.split(':').collect();
        parts.pop();
        for part in parts {
            let member = part
                .trim_end_matches(['"', '?', ' '])
                .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
                .next();
            names.insert((of.clone(), member.unwrap_or_default().to_owned()));
        }
    }
    names
}

fn telling(typescript: &str) -> Vec<(String, String)> {
    let harmless = |(of, member): &(String, String)| HARMLESS.contains(&(of.as_str(), member.as_str()));
    let telling = |(of, member): &(String, String)| is_telling(if member.is_empty() { of } else { member });
    names(typescript).into_iter().filter(|name| telling(name) && !harmless(name)).collect()
}

#[test]
fn the_committed_typescript_is_what_the_types_say() {
    let current = contract::bindings::typescript();
    assert!(current == committed(), "ui/src/ipc/generated/contract.ts is old: run `cargo xtask bindings`");
}

#[test]
fn nothing_a_window_sees_could_carry_a_secret() {
    assert_eq!(telling(&committed()), Vec::new());
    let names = names(&committed());
    for (of, member) in HARMLESS {
        assert!(
            names.contains(&((*of).to_owned(), (*member).to_owned())),
            "{of}.{member} is gone: take it off the list"
        );
    }
    assert!(names.contains(&("RevocationView".into(), "valid_until".into())), "members are found");
}

#[test]
fn a_planted_member_is_found() {
    let planted = "export type GrantView = {\n/**\n * key: a comment\n */\nrefresh_token: string, };\n\
        export type Answer = { \"kind\": \"done\", codeVerifier?: string, } | { clientSecret: string };\n\
        export type AccessToken = string;\nexport type Kept = { keychain: string, encoded: string, };\n";
    let pairs = [
        ("AccessToken", ""),
        ("Answer", "clientSecret"),
        ("Answer", "codeVerifier"),
        ("GrantView", "refresh_token"),
    ];
    assert_eq!(telling(planted), pairs.map(|(of, member)| (of.to_owned(), member.to_owned())));
}

/// The private channel and the public socket are made of the same crate's types.
#[test]
fn nothing_that_crosses_a_process_could_carry_a_secret() {
    let mut members = 0;
    let mut visit = |path: &Path, text: &str| {
        for line in text.lines() {
            let Some((name, _)) = line.trim().trim_start_matches("pub ").split_once(": ") else { continue };
            if !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                members += 1;
                let fine = !is_telling(name) || HARMLESS_ON_THE_CHANNEL.contains(&name);
                assert!(fine, "{}: {name}", path.display());
            }
        }
    };
    support::scan::each_file(&root().join("src-tauri/crates/contract/src"), &mut |path, bytes| {
        visit(path, std::str::from_utf8(bytes).expect("text"));
    });
    assert!(members > 100, "members are found: {members}");
    assert!(is_telling("refresh_token") && is_telling("kekId") && !is_telling("keychain"));
}
