//! The page of a receipt: static, self-contained, without script, and sound on paper.

use contract::ui::{BankTold, ConsentTold, ReceiptKind, ReceiptView, RevocationView};

use crate::receipt::{is_end, text_of};

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<style>
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #16202a; background: #fff; max-width: 640px; margin: 48px auto; padding: 0 24px; }
h1 { font-size: 24px; font-weight: 600; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 15px; font-weight: 600; margin: 24px 0 4px; }
p, ul, dl { margin: 0; }
ul { padding-left: 20px; }
dl { display: grid; grid-template-columns: 160px 1fr; gap: 4px 16px; margin-top: 24px; }
dt { color: #55626e; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
footer { margin-top: 32px; padding-top: 12px; border-top: 1px solid #c9d1d8; color: #55626e; font-size: 13px; }
@page { margin: 20mm; }
@media print { body { margin: 0; max-width: none; padding: 0; } h2, li, dd { break-inside: avoid; } h2 { break-after: avoid; } }
</style>
"#;

/// The page, for a person who opens it years from now.
pub(crate) fn page(receipt: &ReceiptView, reference: Option<&str>) -> String {
    let title = format!("{}: {} at {}", heading(receipt.what), receipt.agent, receipt.bank);
    let mut page = format!("{HEAD}<title>{}</title>\n</head>\n<body>\n", escaped(&title));
    page.push_str(&format!("<h1>{}</h1>\n<p>{}</p>\n", escaped(&title), escaped(&when(receipt.at))));
    if !is_end(receipt.what) {
        let may = format!("What {} may do", receipt.agent);
        page.push_str(&list(&may, receipt.permissions.iter().cloned()));
    }
    let accounts = receipt.accounts.iter().map(|account| format!("{} {}", account.name, account.number));
    page.push_str(&list("Accounts", accounts));
    if let Some(facts) = &receipt.facts {
        page.push_str(&list("What is known of the end", facts_in_words(facts, &receipt.bank).into_iter()));
    }
    page.push_str("<dl>\n");
    let until = receipt.until.map(when);
    let facts = [
        ("Until", until.as_deref()),
        ("Account holder", receipt.holder.as_deref()),
        ("Bank", Some(receipt.bank.as_str())),
        ("Bank's address", Some(receipt.issuer.as_str())),
        ("Agent", Some(receipt.agent.as_str())),
        ("Agent's key", Some(receipt.thumbprint.as_str()).filter(|thumbprint| !thumbprint.is_empty())),
        ("Reference", reference),
        ("Receipt", Some(receipt.id.as_str())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            page.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value)));
        }
    }
    page.push_str("</dl>\n<footer>Made by Countersign. Times are in UTC.</footer>\n</body>\n</html>\n");
    page
}

fn heading(what: ReceiptKind) -> &'static str {
    match what {
        ReceiptKind::Connected => "Connected",
        ReceiptKind::Ended => "Ended",
        ReceiptKind::Narrowed => "Narrowed",
        ReceiptKind::Renewed => "Renewed",
        ReceiptKind::Revoked => "Revoked",
        ReceiptKind::Widened => "Narrowing undone",
    }
}

fn list(heading: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("<li>{}</li>\n", escaped(&item))).collect();
    if items.is_empty() {
        return String::new();
    }
    format!("<h2>{}</h2>\n<ul>\n{}</ul>\n", escaped(heading), items.concat())
}

/// Each fact for itself, and none that was not proven.
fn facts_in_words(facts: &RevocationView, bank: &str) -> Vec<String> {
    let mut words = vec![format!("Cut off here on {}.", when(facts.cut_off_at))];
    words.push(match &facts.bank {
        BankTold::Confirmed { at } => format!("{bank} confirmed on {}.", when(*at)),
        BankTold::GivenUp { at } => {
            format!("{bank} did not confirm. You stopped the tries on {}.", when(*at))
        }
        BankTold::NotOffered => format!("{bank} takes no word from us. Withdraw the access there."),
        BankTold::Replaced { at } => format!("A new connection took its place on {}.", when(*at)),
        BankTold::NotYet { .. } => format!("{bank} has not confirmed yet. Countersign keeps trying."),
    });
    words.push(match &facts.consent {
        ConsentTold::AtBank => format!("Whether {bank} still lists your consent, only you can see there."),
        ConsentTold::NotYet => format!("Your consent at {bank} ends when the bank confirms."),
        ConsentTold::Withdrawn { at } => format!("Your consent at {bank} ended on {}.", when(*at)),
    });
    if let Some(until) = facts.valid_until {
        words.push(format!("Access handed out earlier may still work at {bank} until {}.", when(until)));
    }
    words
}

/// `2026-11-26 14:32 UTC`.
fn when(millis: i64) -> String {
    let text = text_of(millis);
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.rsplit_once(':').map_or("", |(minute, _)| minute))
}

/// Text as text, whatever it holds.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use contract::ui::ReceiptAccount;

    use super::*;

    fn receipt(evil: &str) -> ReceiptView {
        ReceiptView {
            id: "R1".into(),
            what: ReceiptKind::Revoked,
            at: 1_795_703_523_000,
            bank: evil.into(),
            issuer: evil.into(),
            agent: evil.into(),
            thumbprint: evil.into(),
            holder: Some(evil.into()),
            permissions: vec![evil.into()],
            accounts: vec![ReceiptAccount { name: evil.into(), number: evil.into() }],
            until: Some(0),
            facts: Some(RevocationView {
                cut_off_at: 0,
                bank: BankTold::NotOffered,
                consent: ConsentTold::AtBank,
                valid_until: Some(0),
            }),
            json: String::new(),
        }
    }

    #[test]
    fn whatever_a_name_holds_is_drawn_as_text() {
        let evil = r#"<script>alert(1)</script><img src=x onerror='a'>"</title>"#;
        for what in [ReceiptKind::Revoked, ReceiptKind::Connected] {
            let page = page(&ReceiptView { what, ..receipt(evil) }, Some(evil));
            let page = page.strip_prefix(HEAD).unwrap();
            assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("'a'"), "{page}");
            assert_eq!(page.matches("</title>").count(), 1);
        }
    }

    #[test]
    fn it_loads_nothing_and_runs_nothing() {
        let page = page(&receipt("Bank"), None);
        for word in ["<script", "http:", "https:", "src=", "href=", "url(", "@import", "javascript"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn what_was_not_proven_is_not_claimed() {
        let check = |bank: BankTold, consent: ConsentTold, expected: &[&str]| {
            let facts = RevocationView { cut_off_at: 0, bank, consent, valid_until: None };
            assert_eq!(facts_in_words(&facts, "Bank"), expected);
        };
        let waits_for = contract::ui::WaitsForView::FirstTry;
        check(
            BankTold::NotYet { tries: 0, last_try: None, next_try: 0, waits_for },
            ConsentTold::NotYet,
            &[
                "Cut off here on 1970-01-01 00:00 UTC.",
                "Bank has not confirmed yet. Countersign keeps trying.",
                "Your consent at Bank ends when the bank confirms.",
            ],
        );
        check(
            BankTold::Confirmed { at: 60_000 },
            ConsentTold::Withdrawn { at: 60_000 },
            &[
                "Cut off here on 1970-01-01 00:00 UTC.",
                "Bank confirmed on 1970-01-01 00:01 UTC.",
                "Your consent at Bank ended on 1970-01-01 00:01 UTC.",
            ],
        );
    }
}
