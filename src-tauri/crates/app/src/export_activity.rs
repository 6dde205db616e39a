//! The log as a file: JSON lines that anybody can check without us.

use contract::support::{AuditFrom, AuditPart};
use contract::ui::SavedFile;
use domain::audit::file::{Header, record_line};
use domain::audit::{AuditRecord, CHAIN_START};
use tokio::sync::mpsc;

use crate::port::{Clock as _, Files as _, FilesError, Ports, Store as _};
use crate::report::Refusal;
use crate::start::App;

/// So many records are read at a time.
const AT_A_TIME: u16 = 500;
/// So many bytes of them: what the socket carries is bounded.
const ROOM: usize = 256 * 1024;
/// Parts that wait for the disk.
const AHEAD: usize = 4;

impl<P: Ports> App<P> {
    /// Writes the log into the person's folder for downloads.
    ///
    /// # Errors
    /// It could not be written, or the store failed.
    pub async fn export_activity(&self) -> Result<SavedFile, Refusal> {
        let (sender, parts) = mpsc::channel(AHEAD);
        let date = crate::receipt::text_of(self.0.ports.clock().now().millis());
        let date = date.split_once('T').map_or(date.as_str(), |(date, _)| date);
        let name = format!("Countersign activity {date}");
        let saving = self.0.ports.files().save_parts(name, "jsonl", parts);
        let (saved, read) = tokio::join!(saving, self.send_parts(sender));
        read?;
        Ok(SavedFile { path: saved.map_err(|_| Refusal::NotWritten)? })
    }

    async fn send_parts(&self, parts: mpsc::Sender<Result<String, FilesError>>) -> Result<(), Refusal> {
        let mut from = AuditFrom::default();
        loop {
            let part = match self.audit_part(from).await {
                Ok(part) => part,
                Err(refusal) => {
                    // What is there of the file does not stay.
                    let _ = parts.send(Err(FilesError)).await;
                    return Err(refusal);
                }
            };
            let text: String = part.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let over = part.after >= part.through;
            if parts.send(Ok(text)).await.is_err() || over {
                return Ok(());
            }
            from = AuditFrom { after: part.after, through: Some(part.through) };
        }
    }

    /// A part of the log as the file has it. What is written while it is read is not in it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn audit_part(&self, from: AuditFrom) -> Result<AuditPart, Refusal> {
        let AuditFrom { after, through } = from;
        let anchors = if after == 0 { self.anchors().await } else { Vec::new() };
        let read = self.0.ports.store().read(move |tx| {
            let newest = tx.audit_head()?.map_or((0, CHAIN_START), |head| (head.seq, head.hash));
            Ok((newest, tx.audit_after(after, AT_A_TIME)?))
        });
        let ((newest, head), records) = read.await?;
        let through = through.unwrap_or(newest).min(newest);
        let mut lines = Vec::new();
        if after == 0 {
            let anchor = anchors.iter().max_by_key(|anchor| anchor.seq);
            let anchor = anchor.map(|anchor| (anchor.seq, anchor.hash));
            let (install, now) = (self.0.install.to_string(), self.0.ports.clock().now());
            lines.push(Header::new(install, now, through, &head, anchor).line());
        }
        let mut room = ROOM;
        let fits = |record: &&AuditRecord| {
            let fits = record.seq <= through && room > 0;
            room = room.saturating_sub(record.body.len());
            fits
        };
        let records: Vec<&AuditRecord> = records.iter().take_while(fits).collect();
        // A log with a gap ends there: the file says how many there should be.
        let after = records.last().map_or(through, |record| record.seq);
        lines.extend(records.into_iter().map(record_line));
        Ok(AuditPart { lines, after, through })
    }
}
