//! Notices by the desktop's own means (org.freedesktop.Notifications). What is told is told in the window too.

use std::collections::HashMap;
use std::time::Duration;

use app::port::{AsksFor, Note, Notify};
use zbus::zvariant::Value;

/// A desktop that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The desktop's notices; without a session bus nothing is shown.
#[derive(Clone, Debug)]
pub(crate) struct DesktopNotes {
    bus: Option<String>,
}

impl DesktopNotes {
    /// Notices on this session bus.
    pub(crate) fn new(bus: Option<String>) -> Self {
        Self { bus }
    }

    async fn show(&self, bus: &str, summary: &str, body: &str) -> zbus::Result<()> {
        let connection = zbus::connection::Builder::address(bus)?.build().await?;
        let hints: HashMap<&str, Value<'_>> = HashMap::from([("desktop-entry", Value::from("countersign"))]);
        let actions: [&str; 0] = [];
        let arguments = ("Countersign", 0u32, "", summary, body, &actions[..], hints, -1i32);
        let name = "org.freedesktop.Notifications";
        let path = "/org/freedesktop/Notifications";
        connection.call_method(Some(name), path, Some(name), "Notify", &arguments).await.map(drop)
    }
}

impl Notify for DesktopNotes {
    async fn notify(&self, note: Note) {
        let Some(bus) = &self.bus else { return };
        let (summary, body) = words(&note);
        match tokio::time::timeout(PATIENCE, self.show(bus, &summary, &escaped(&body))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => tracing::info!("the desktop shows no notices"),
        }
    }
}

/// What is told. Short: a notice is read in passing.
fn words(note: &Note) -> (String, String) {
    match note {
        Note::AgentPaused { agent } => (
            format!("{agent} is paused"),
            "A rule of yours paused it. Open Countersign to see what it saw.".to_owned(),
        ),
        Note::Asks { agent, bank, what } => (
            match what {
                AsksFor::Connect => format!("{agent} asks to connect {bank}"),
                AsksFor::Payment => format!("{agent} asks to make a payment"),
                AsksFor::Reading => format!("{agent} asks for something new at {bank}"),
            },
            "Nothing happens unless you allow it in Countersign.".to_owned(),
        ),
        Note::EndsSoon { agent, bank, days } => {
            let when = match days {
                0 => "today".to_owned(),
                1 => "tomorrow".to_owned(),
                days => format!("in {days} days"),
            };
            (
                format!("{agent} at {bank} ends {when}"),
                "Open Countersign to renew it, or let it end.".to_owned(),
            )
        }
        Note::ReconnectNeeded { agent, bank } => (
            format!("{agent} no longer works at {bank}"),
            "The agent gets nothing. Open Countersign to see why.".to_owned(),
        ),
        Note::RuleNoticed { agent } => (
            format!("{agent} did something unusual"),
            "Open Countersign to see what your rule saw.".to_owned(),
        ),
        Note::WantsToBeAdded => (
            "A program wants to be added as an agent".to_owned(),
            "It can do nothing yet. Compare its code in Countersign.".to_owned(),
        ),
    }
}

/// Some desktops read markup in the body.
fn escaped(body: &str) -> String {
    body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_what_ends_and_when() {
        let note = |days| Note::EndsSoon { agent: "Budget Buddy".into(), bank: "Sandbox Bank".into(), days };
        let summary = |days| words(&note(days)).0;
        assert_eq!(summary(0), "Budget Buddy at Sandbox Bank ends today");
        assert_eq!(summary(1), "Budget Buddy at Sandbox Bank ends tomorrow");
        assert_eq!(summary(7), "Budget Buddy at Sandbox Bank ends in 7 days");
        assert_eq!(escaped("a <b> & c"), "a &lt;b&gt; &amp; c");
    }
}
