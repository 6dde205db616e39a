//! What went wrong, and what to do: one pair of sentences for each code, as the window says them.

use contract::error_code::ErrorCode;

/// What happened, and what to do.
#[expect(clippy::too_many_lines, reason = "a table, one entry for each code")]
pub(crate) fn of(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::AgentKeyKnown
        | ErrorCode::AgentKeyMalformed
        | ErrorCode::AgentKeyPrivate
        | ErrorCode::AgentNameKnown
        | ErrorCode::AgentNameUnfit => {
            ("This agent can't be added.", "Nothing was added. Look at its name and its key.")
        }
        ErrorCode::ActivityUnknown => ("Countersign has no record of this.", "Nothing changed."),
        ErrorCode::AgentRemoved => {
            ("This agent was removed.", "Nothing changed. Add it again if you want it back.")
        }
        ErrorCode::AlertUnknown => ("This notice is gone already.", "Nothing changed."),
        ErrorCode::ApprovalOver => {
            ("This question is over.", "Nothing was allowed. See countersign approve for what is open.")
        }
        ErrorCode::ChoiceUnknown => ("This was forgotten already.", "Nothing changed."),
        ErrorCode::EnrolmentUnknown => {
            ("Nobody asks for this any more.", "Nothing was added. Have the program ask again.")
        }
        ErrorCode::AgentUnknown => {
            ("Countersign does not know this agent.", "Nothing changed. See countersign agents.")
        }
        ErrorCode::AgentsStopped => {
            ("All agents are stopped.", "Nothing changed. Resume the agents first, or leave them stopped.")
        }
        ErrorCode::AskedUnknown => ("This has been answered already.", "Nothing changed."),
        ErrorCode::AttemptEnded => ("This has already ended.", "Nothing changed. See countersign attempts."),
        ErrorCode::AttemptUnknown => {
            ("Countersign has no record of this.", "Nothing changed. See countersign attempts.")
        }
        ErrorCode::BrowserNotOpened => {
            ("Your browser did not open.", "Copy the link in Countersign's window.")
        }
        ErrorCode::DataFolderUnfit => (
            "Countersign's data folder is not private to you.",
            "Nothing was changed. Make the folder yours alone, then start Countersign again.",
        ),
        ErrorCode::BankUnavailable => {
            ("The bank is busy or can't be reached.", "Nothing changed. Try again in a few minutes.")
        }
        ErrorCode::DateOutOfRange => {
            ("The bank does not allow this date.", "Nothing was connected. Choose fewer days.")
        }
        ErrorCode::GrantNeedsReconnect => {
            ("This connection does not work any more.", "Nothing changed. Connect again, or revoke it.")
        }
        ErrorCode::GrantOver => {
            ("This connection's time is over.", "Nothing changed. Connect again if you still want it.")
        }
        ErrorCode::GrantPaused => {
            ("This connection is paused.", "Nothing changed. Resume it first, or leave it paused.")
        }
        ErrorCode::GrantRevoked => {
            ("This connection is already revoked.", "Nothing changed. The agent can't use it.")
        }
        ErrorCode::GrantUnknown => {
            ("Countersign has no record of this connection.", "Nothing changed. See countersign grants.")
        }
        ErrorCode::HostGone => (
            "Countersign is not running.",
            "Agents can't use your connections now. Start Countersign, then try again.",
        ),
        ErrorCode::Internal => (
            "Something went wrong in Countersign.",
            "See countersign grants for how things stand. Then try again.",
        ),
        ErrorCode::KeychainKeyLost => (
            "Your keychain no longer has Countersign's key.",
            "Nothing was shared. Revoke the old connections and connect again.",
        ),
        ErrorCode::KeychainLocked => {
            ("Your keychain is locked.", "Nothing changed. Unlock your login keychain, then try again.")
        }
        ErrorCode::KeychainUnavailable => {
            ("Your keychain does not answer.", "Nothing changed. Check that it is running, then try again.")
        }
        ErrorCode::Locked => ("Countersign is locked.", "Nothing changed. Unlock it, then try again."),
        ErrorCode::NotWritten => (
            "The file could not be written.",
            "Nothing was saved. Check that the disk has room, then try again.",
        ),
        ErrorCode::PassphraseLater => (
            "That was not the passphrase a moment ago.",
            "Nothing changed. Wait a minute, then type it again.",
        ),
        ErrorCode::PassphraseUnfit => {
            ("This passphrase is too short or too long.", "Nothing changed. Use 8 to 1,024 characters.")
        }
        ErrorCode::PassphraseWrong => {
            ("This is not the passphrase.", "Nothing changed. Type it again. Capitals and spaces count.")
        }
        ErrorCode::PermissionsUnfit => (
            "These choices don't work at this bank.",
            "Nothing was connected. Choose at least one thing the agent may do.",
        ),
        ErrorCode::ProviderUnknown => {
            ("This bank is not in the list.", "Nothing was connected. Choose another bank.")
        }
        ErrorCode::ReceiptUnknown => ("Countersign has no record of this receipt.", "Nothing changed."),
        ErrorCode::RecordDamaged => (
            "A stored record of a connection is damaged.",
            "Nothing changed. The connection is named in the list. Revoke it there, then try again.",
        ),
        ErrorCode::RequestMalformed => (
            "Countersign did not understand this command.",
            "Nothing changed. The program and Countersign may be of different versions.",
        ),
        ErrorCode::StoreDamaged => (
            "Countersign can't read its own data.",
            "Nothing was changed. Put a backup of the data folder back, or call support.",
        ),
        ErrorCode::StoreFailed => (
            "Countersign could not write to your disk.",
            "Nothing changed. Check that the disk has room, then try again.",
        ),
        ErrorCode::StoreNewer => {
            ("A newer Countersign has used this data.", "Nothing was changed. Install that version again.")
        }
        ErrorCode::StillStopped => (
            "The agents could not be resumed.",
            "All of them are still stopped. Check that the disk has room, then try again.",
        ),
        ErrorCode::TooManyAttempts => {
            ("Too much is waiting at once.", "Nothing was started. Answer or cancel what waits first.")
        }
    }
}
