//! Receipts, shown and written out for the person to keep.

use contract::ui::{ReceiptView, SavedFile};
use domain::id::ReceiptId;
use domain::text::quoted;

use crate::port::{Clock as _, Document, Files as _, Ports, Store as _};
use crate::receipt::Reading;
use crate::receipt_page;
use crate::report::{Refusal, Thing};
use crate::start::App;

impl<P: Ports> App<P> {
    /// A receipt, with what is known of an end now.
    ///
    /// # Errors
    /// There is no such receipt, or the store failed.
    pub async fn show_receipt(&self, id: ReceiptId) -> Result<ReceiptView, Refusal> {
        self.read_receipt(id).await.map(|(view, _)| view)
    }

    /// Writes a receipt into the person's folder for downloads: a page to print, and JSON beside it.
    ///
    /// # Errors
    /// There is no such receipt, it could not be written, or the store failed.
    pub async fn save_receipt(&self, id: ReceiptId) -> Result<SavedFile, Refusal> {
        let (view, reference) = self.read_receipt(id).await?;
        let name = file_name(&view, reference.as_deref());
        let documents = vec![
            Document { ending: "html", text: receipt_page::page(&view, reference.as_deref()) },
            Document { ending: "json", text: view.json },
        ];
        let path = self.0.ports.files().save(name, documents).await.map_err(|_| Refusal::NotWritten)?;
        Ok(SavedFile { path })
    }

    async fn read_receipt(&self, id: ReceiptId) -> Result<(ReceiptView, Option<String>), Refusal> {
        let read = self.0.ports.store().read(move |tx| {
            let Some(row) = tx.receipt(id)? else { return Ok(None) };
            let (grant, attempt) = (tx.grant(row.grant)?, tx.attempt_of(row.grant)?);
            Ok(grant.map(|grant| (row, grant, attempt)).zip(Some(tx.agents()?)))
        });
        let ((row, grant, attempt), agents) = read.await?.ok_or(Refusal::Unknown(Thing::Receipt))?;
        let reference = attempt.map(|attempt| attempt.reference().to_string());
        let reading = Reading {
            row: &row,
            grant: &grant,
            agents: &agents,
            provider: self.0.catalogue.provider(&grant.provider),
            reference: reference.clone(),
            now: self.0.ports.clock().now(),
        };
        let view = reading.view().ok_or(Refusal::Unknown(Thing::Receipt))?;
        Ok((view, reference))
    }
}

/// `Countersign receipt 2026-11-26 Sandbox Bank (K7-4MQ-2P)`: letters, digits and what cannot mean anything in a path.
fn file_name(view: &ReceiptView, reference: Option<&str>) -> String {
    let fits = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '(' | ')');
    let date = crate::receipt::text_of(view.at);
    let date = date.split_once('T').map_or(date.as_str(), |(date, _)| date);
    let bank: String = view.bank.chars().filter(fits).take(40).collect();
    let reference = reference.map_or_else(String::new, |reference| format!(" ({reference})"));
    let name: String = format!("Countersign receipt {date} {bank}{reference}").chars().filter(fits).collect();
    quoted(&name, 120)
}

#[cfg(test)]
mod tests {
    use contract::ui::ReceiptKind;

    use super::*;

    #[test]
    fn a_files_name_holds_nothing_odd() {
        let name = |bank: &str, reference: Option<&str>| {
            let view = ReceiptView {
                id: String::new(),
                what: ReceiptKind::Connected,
                at: 1_795_703_523_000,
                bank: bank.into(),
                issuer: String::new(),
                agent: String::new(),
                thumbprint: String::new(),
                holder: None,
                permissions: Vec::new(),
                accounts: Vec::new(),
                until: None,
                facts: None,
                json: String::new(),
            };
            file_name(&view, reference)
        };
        assert_eq!(
            name("Sandbox Bank", Some("K7-4MQ-2P")),
            "Countersign receipt 2026-11-26 Sandbox Bank (K7-4MQ-2P)"
        );
        let check = |bank: &str, expected: &str| {
            assert_eq!(name(bank, None), format!("Countersign receipt 2026-11-26{expected}"), "{bank:?}");
        };
        check("../../etc/passwd", " etcpasswd");
        check("Bank\u{202e}gpj.exe\n\0", " Bankgpjexe");
        check("Bänk & Söhne", " Bänk Söhne");
        check("/.:*?\"<>|\\", "");
        check("銀行", " 銀行");
        assert!(name(&"銀".repeat(500), Some("K7-4MQ-2P")).len() <= 200);
    }
}
