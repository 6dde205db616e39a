//! Everything that a window can be told, to the last text. Names can deceive: this goes by types, from every command's
//! answer to its leaves, and each text among them is on a list with what it is.

use std::collections::{BTreeMap, BTreeSet};

/// Every text that an answer, a refusal or an event can hold: (type, member, what it is).
const TEXTS: &[(&str, &str, &str)] = &[
    ("AccountView", "currency", "three capital letters"),
    ("AccountView", "id", "the bank's opaque id, of visible ASCII"),
    ("AccountView", "masked", "four signs of a number"),
    ("AccountView", "name", "the bank's words, cleaned and cut"),
    ("ActivityDetails", "before", "hexadecimal digits of a hash"),
    (
        "ActivityDetails",
        "body",
        "a record of the audit log: ids, codes and our words; the agent's words as JSON text",
    ),
    ("ActivityDetails", "hash", "hexadecimal digits of a hash"),
    ("ActivityEntry", "grant", "a UUID of ours"),
    ("ActivityEntry", "quoted", "the agent's words, cleaned and cut"),
    ("ActivityWhat", "name", "an event's name, of another version of ours"),
    ("ActivityWhat", "operation", "of the API profile"),
    ("ActivityWhat", "operations", "of the API profile"),
    ("ActivityWhat", "permissions", "of the API profile"),
    ("AgentMark", "id", "a UUID of ours"),
    ("AgentMark", "name", "the person's words"),
    ("AgentMark", "thumbprint", "of a public key"),
    ("AgentView", "id", "a UUID of ours"),
    ("AgentView", "name", "the person's words"),
    ("AgentView", "thumbprint", "of a public key"),
    ("AppState", "home", "a path that the person set"),
    ("AppState", "version", "of this program"),
    ("ApprovalOperation", "id", "of the API profile"),
    ("ApprovalOperation", "says", "of the API profile"),
    ("ApprovalView", "drawn", "hexadecimal digits of a hash"),
    ("ApprovalView", "grant", "a UUID of ours"),
    ("ApprovalView", "id", "a UUID of ours"),
    ("ApprovalView", "program", "a path that the system knows, cleaned and cut"),
    ("ApprovalView", "purpose", "the agent's words, cleaned and cut"),
    ("ApprovalWhat", "date_from", "a date"),
    ("ApprovalWhat", "date_to", "a date"),
    ("ApprovalWhat", "reference", "the agent's words, cleaned and cut"),
    ("ApprovalWhat", "says", "of the API profile"),
    ("ApprovalWhat", "to", "the agent's words, cleaned and cut"),
    ("ApprovalWhat", "to_account", "the last signs of an account's id"),
    ("AskedView", "id", "a UUID of ours"),
    ("AskedWhat", "grant", "a UUID of ours"),
    ("AskedWhat", "purpose", "the agent's words, cleaned and cut"),
    ("AttemptView", "grant", "a UUID of ours"),
    ("AttemptView", "id", "a UUID of ours"),
    ("AttemptView", "reference", "for support; made of a stage, a cause and dice of its own"),
    ("AttemptView", "renews", "a UUID of ours"),
    ("BankMark", "colour", "#rrggbb, of the provider file"),
    ("BankMark", "help", "an address of the provider file"),
    ("BankMark", "host", "of the provider file"),
    ("BankMark", "id", "of the provider file"),
    ("BankMark", "monogram", "of the provider file"),
    ("BankMark", "name", "of the provider file"),
    ("CatalogueProblem", "file", "a file's name"),
    ("CatalogueProblem", "rule", "our words, with names and positions"),
    ("ChoiceView", "grant", "a UUID of ours"),
    ("ChoiceView", "id", "a UUID of ours"),
    ("ChoiceView", "operation", "of the API profile"),
    ("CommandError", "reference", "for support"),
    ("DamagedRecord", "id", "a UUID of ours"),
    ("DamagedRecord", "name", "of a bank or an agent, as they are shown elsewhere"),
    ("EndingView", "code", "a registered OAuth error code"),
    ("EndingView", "extra", "scopes, cleaned and cut"),
    ("EndingView", "member", "a member's name that our own list knows"),
    ("EndingView", "rule", "a rule's name of ours"),
    ("EnrolmentView", "code", "eight signs, to be compared"),
    ("EnrolmentView", "id", "a UUID of ours"),
    ("EnrolmentView", "program", "a path that the system knows, cleaned and cut"),
    ("EnrolmentView", "suggested_name", "the agent's words, cleaned and cut"),
    ("EnrolmentView", "thumbprint", "of a public key"),
    ("Event", "id", "a UUID of ours"),
    ("GrantRow", "id", "a UUID of ours"),
    ("GrantState", "replaced_by", "a UUID of ours"),
    ("GrantView", "extra", "scopes, cleaned and cut"),
    ("GrantView", "holder", "the bank's words, cleaned and cut"),
    ("GrantView", "reference", "for support"),
    ("GrantView", "renews", "a UUID of ours"),
    ("MoneyView", "amount", "a decimal number"),
    ("MoneyView", "currency", "three capital letters"),
    ("OtherAccountView", "holder", "the bank's words, cleaned and cut"),
    ("PermissionView", "cannot", "of the API profile"),
    ("PermissionView", "id", "of the API profile"),
    ("PermissionView", "needs", "ids of the API profile"),
    ("PermissionView", "short", "of the API profile"),
    ("PermissionView", "text", "of the API profile"),
    ("ProviderView", "colour", "#rrggbb, of the provider file"),
    ("ProviderView", "host", "of the provider file"),
    ("ProviderView", "id", "of the provider file"),
    ("ProviderView", "monogram", "of the provider file"),
    ("ProviderView", "name", "of the provider file"),
    ("ReceiptAccount", "name", "the bank's words, cleaned and cut"),
    ("ReceiptAccount", "number", "four signs of a number"),
    ("ReceiptEntry", "id", "a UUID of ours"),
    ("ReceiptView", "agent", "the person's words"),
    ("ReceiptView", "bank", "of the provider file"),
    ("ReceiptView", "holder", "the bank's words, cleaned and cut"),
    ("ReceiptView", "id", "a UUID of ours"),
    ("ReceiptView", "issuer", "of the provider file"),
    ("ReceiptView", "json", "the rest of the receipt once more"),
    ("ReceiptView", "permissions", "of the API profile"),
    ("ReceiptView", "thumbprint", "of a public key"),
    ("RuleAlertView", "id", "an id of ours"),
    ("RuleFact", "value", "a number, an hour or an operation's id"),
    ("SavedFile", "path", "where a receipt was written for the person"),
    ("TroubleView", "detail", "a registered OAuth error code, or a rule's name of ours"),
];

/// What a leaf can be beside a text: none of these can be anything that somebody made up.
const PLAIN: [&str; 3] = ["boolean", "null", "number"];

/// A type's members by name, each with the words of its type; alternatives of a type are taken together.
type Members = BTreeMap<String, BTreeSet<String>>;

/// The declarations of the generated TypeScript, comments left out.
fn declarations(typescript: &str) -> BTreeMap<String, String> {
    let mut text = String::new();
    let mut rest = typescript;
    while let Some((before, after)) = rest.split_once("/**") {
        text += before;
        rest = after.split_once("*/").expect("the comment's end").1;
    }
    text += rest;
    let parts = text.split("export type ").skip(1);
    parts
        .map(|part| part.split_once(" = ").expect("a declaration"))
        .map(|(name, body)| (name.to_owned(), body.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}

/// The words of a type: names and kinds; literals are left out.
fn words(of: &str) -> BTreeSet<String> {
    let unquoted: String = of.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words = unquoted.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty() && *word != "Array").map(str::to_owned).collect()
}

/// The members of a declaration: what stands before a colon, with what stands up to the next comma.
fn members(body: &str) -> Members {
    let mut members = Members::new();
    for part in body.split([',', ';', '{', '}']) {
        if let Some((name, of)) = part.split_once(':') {
            let name = name.trim().trim_matches('"').trim_end_matches('?');
            members.entry(name.to_owned()).or_default().extend(words(of));
        }
    }
    members
}

/// The members of one type of the contract, for whoever wants to break each.
pub(crate) fn members_of(name: &str) -> Vec<String> {
    let declarations = declarations(&contract::bindings::typescript());
    let body = declarations.get(name).unwrap_or_else(|| panic!("no type {name}"));
    members(body).into_keys().filter(|member| member != "symbol").collect()
}

/// Every text that can be reached from what a window is told, and every word that is no type of ours.
fn texts(typescript: &str) -> (BTreeSet<(String, String)>, Vec<String>) {
    let declarations = declarations(typescript);
    let tables = ["ApprovalCommands", "Commands"].map(|table| declarations[table].split("answer:").skip(1));
    let answers = tables.into_iter().flatten();
    let answers = answers.flat_map(|part| words(part.split('}').next().expect("an end")));
    let mut open: Vec<String> = answers.chain(["CommandError".into(), "Event".into()]).collect();
    let (mut seen, mut texts, mut strange) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    while let Some(name) = open.pop() {
        if PLAIN.contains(&name.as_str()) || !seen.insert(name.clone()) {
            continue;
        }
        let Some(body) = declarations.get(&name) else {
            strange.push(name);
            continue;
        };
        let members = members(body);
        if members.is_empty() {
            // A list of literals, or the name of another type.
            open.extend(words(body));
        }
        for (member, words) in members {
            for word in words {
                if word == "string" {
                    texts.insert((name.clone(), member.clone()));
                } else {
                    open.push(word);
                }
            }
        }
    }
    (texts, strange)
}

fn listed() -> BTreeSet<(String, String)> {
    TEXTS.iter().map(|(of, member, _)| ((*of).to_owned(), (*member).to_owned())).collect()
}

#[test]
fn every_text_that_a_window_can_be_told_is_known() {
    let (texts, strange) = texts(&contract::bindings::typescript());
    assert_eq!(
        strange,
        Vec::<String>::new(),
        "neither a number, a word of a list, nor a type of the contract"
    );
    let listed = listed();
    assert_eq!(
        texts.difference(&listed).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "new: what is it?"
    );
    assert_eq!(
        listed.difference(&texts).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "gone: take it off"
    );
}

#[test]
fn a_planted_text_is_found_however_deep() {
    let planted = |from: &str, to: &str| {
        let typescript = contract::bindings::typescript();
        assert!(typescript.contains(from), "{from}");
        texts(&typescript.replacen(from, to, 1)).0.difference(&listed()).cloned().collect::<Vec<_>>()
    };
    let pair = |of: &str, member: &str| vec![(of.to_owned(), member.to_owned())];
    assert_eq!(planted("masked: string,", "masked: string, blob: string,"), pair("AccountView", "blob"));
    assert_eq!(planted("tries: number,", "tries: number | string,"), pair("BankTold", "tries"));
    assert_eq!(
        planted("needs: Array<string>", "needs: Array<string>, more: Array<string>"),
        pair("PermissionView", "more")
    );
    assert_eq!(
        planted(
            "tries: number,",
            "tries: Sealed, };\nexport type Sealed = { \"kind\": \"a\", bytes: Array<string>,"
        ),
        pair("Sealed", "bytes")
    );
    let typescript = contract::bindings::typescript();
    let (_, strange) = texts(&typescript.replacen("currency: string | null", "currency: any", 1));
    assert_eq!(strange, ["any"]);
    let (_, strange) = texts(&typescript.replacen("answer: AppState", "answer: unknown", 1));
    assert_eq!(strange, ["unknown"]);
}

/// The bank's authorization address, which carries a state, goes from the host to the clipboard past every webview.
#[test]
fn no_webview_is_told_an_authorization_address() {
    let declarations = declarations(&contract::bindings::typescript());
    assert!(!declarations.contains_key("Link"), "{:?}", declarations.keys());
    let copy_link =
        declarations["Commands"].split(';').find(|part| part.trim().contains("copy_link")).unwrap_or("");
    assert!(
        declarations["Commands"].contains("copy_link: { request: AttemptRef; answer: AttemptView }"),
        "{copy_link}"
    );
}
