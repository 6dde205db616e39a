//! What each verb does: asks the host, and writes the answer.

use contract::error_code::{CommandError, ErrorCode};
use contract::support::{self, AskedRef, AttemptRow, Killed, Start, Started, Status, Wanted};
use contract::ui::{
    AgentsView, AppState, GrantRef, GrantView, GrantsView, LockView, NarrowGrant, Nothing, ProtectionView,
    Unlock,
};
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::arguments::{Arguments, Confirm, Narrow, Verb};
use crate::choose::{self, Unclear};
use crate::exit::{self, Exit};
use crate::host::{Host, Unanswered};
use crate::{advice, audit, environment, help, output, passphrase, render};

/// How often a question is asked again: as long as the person may take to answer it, and a little more.
const QUESTIONS: u32 = 16;

/// A day, in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

/// Why it was not done.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// The host did not do it.
    #[error(transparent)]
    Host(#[from] Unanswered),
    /// What was named is not clear.
    #[error("unclear")]
    Unclear(&'static str, Unclear),
    /// No passphrase was typed.
    #[error("no passphrase")]
    NoPassphrase,
}

impl Stop {
    pub(crate) fn unclear(what: &'static str, unclear: Unclear) -> Self {
        Self::Unclear(what, unclear)
    }
}

/// One run of the program.
pub(crate) struct Session {
    pub(crate) host: Host,
}

/// Does what is wanted, and says what it ended with.
pub(crate) async fn run(arguments: Arguments) -> Exit {
    let session = Session { host: Host::of(environment::data_folder()) };
    match session.verb(&arguments).await {
        Ok(exit) => exit,
        Err(stop) => session.stopped(&arguments, stop).await,
    }
}

impl Session {
    async fn verb(&self, arguments: &Arguments) -> Result<Exit, Stop> {
        match &arguments.verb {
            Verb::Agent(verb, named) => self.agent(arguments, *verb, named).await,
            Verb::Approve(approve) => self.approve(arguments, approve).await,
            Verb::Agents => {
                let agents: AgentsView = self.host.ask(support::AGENTS, &Nothing {}).await?;
                Ok(write(arguments, &agents, |agents| render::agents(&agents.agents)))
            }
            Verb::Attempts => {
                let attempts: Vec<AttemptRow> = self.host.ask(support::ATTEMPTS, &Nothing {}).await?;
                Ok(write(arguments, &attempts, |attempts| render::attempts(attempts)))
            }
            Verb::AuditExport(file) => self.export_audit(arguments, file.as_deref()).await,
            Verb::AuditVerify(file) => Ok(audit::verify(arguments, file)),
            Verb::Check(named) => self.change(arguments, support::CHECK, named).await,
            Verb::Connect(wanted) => self.connect(arguments, wanted).await,
            Verb::Grants { history } => {
                let grants: GrantsView = self.host.ask(support::GRANTS, &Nothing {}).await?;
                Ok(write(arguments, &grants, |grants| render::grants(grants, *history)))
            }
            Verb::Help(topic) => {
                output::say(&help::of(*topic));
                Ok(Exit::Done)
            }
            Verb::Kill => {
                let killed: Killed = self.host.ask(support::KILL, &Nothing {}).await?;
                Ok(write(arguments, &killed, |killed| render_killed(*killed)))
            }
            Verb::Lock => {
                let app: AppState = self.host.ask(support::LOCK, &Nothing {}).await?;
                Ok(write(arguments, &app, |_| "Countersign is locked. Agents get nothing.".to_owned()))
            }
            Verb::Narrow(narrow) => self.narrow(arguments, narrow).await,
            Verb::Pause(named) => self.change(arguments, support::PAUSE, named).await,
            Verb::Renew(renew) => self.renew(arguments, renew).await,
            Verb::Resume(named) => {
                let grant = self.named(named).await?;
                let started = self.start(arguments, Wanted::Resume { grant }).await?;
                Ok(self.tell(arguments, &started))
            }
            Verb::ResumeAgents => {
                let started = self.start(arguments, Wanted::ResumeAgents {}).await?;
                Ok(self.tell(arguments, &started))
            }
            Verb::Revoke(named) => self.change(arguments, support::REVOKE, named).await,
            Verb::Show(named) => self.change(arguments, support::GRANT, named).await,
            Verb::Status => {
                let status: Status = self.host.ask(support::STATUS, &Nothing {}).await?;
                Ok(write(arguments, &status, render::status))
            }
            Verb::Unlock => self.unlock(arguments).await,
            Verb::Widen(named) => {
                let grant = self.named(named).await?;
                let started = self.start(arguments, Wanted::Widen { grant }).await?;
                Ok(self.tell(arguments, &started))
            }
            Verb::Version => {
                output::say(concat!("countersign ", env!("CARGO_PKG_VERSION")));
                Ok(Exit::Done)
            }
        }
    }

    /// Asks for one connection, or for a change of it that needs nobody.
    async fn change(&self, arguments: &Arguments, path: &str, named: &str) -> Result<Exit, Stop> {
        let grant = self.named(named).await?;
        let view: GrantView = self.host.ask(path, &GrantRef { grant }).await?;
        Ok(write(arguments, &view, render::grant))
    }

    /// Takes something back: what is not named stays as it is.
    async fn narrow(&self, arguments: &Arguments, narrow: &Narrow) -> Result<Exit, Stop> {
        let grant = self.named(&narrow.connection).await?;
        let view: GrantView = self.host.ask(support::GRANT, &GrantRef { grant: grant.clone() }).await?;
        let status: Status = self.host.ask(support::STATUS, &Nothing {}).await?;
        let kept = || view.row.permissions.iter().map(|permission| permission.id.clone()).collect();
        let accounts = choose::accounts(&view.accounts, narrow.accounts.as_deref())
            .map_err(|unclear| Stop::unclear("account", unclear))?;
        let in_days = |days: u16| status.now.saturating_add(i64::from(days) * DAY);
        let left = NarrowGrant {
            grant,
            permissions: narrow.permissions.clone().unwrap_or_else(kept),
            accounts,
            until: narrow.days.map_or(view.row.ends_at, in_days),
        };
        let view: GrantView = self.host.ask(support::NARROW, &left).await?;
        Ok(write(arguments, &view, render::grant))
    }

    /// Opens the lock with the passphrase, where there is one.
    async fn unlock(&self, arguments: &Arguments) -> Result<Exit, Stop> {
        let status: Status = self.host.ask(support::STATUS, &Nothing {}).await?;
        if status.app.lock == LockView::Open {
            return Ok(write(arguments, &status.app, |_| "Countersign is not locked.".to_owned()));
        }
        if status.app.protection == ProtectionView::Keychain {
            self.host.show().await?;
            output::complain("Countersign has no passphrase. Unlock it in its window.");
            return Ok(Exit::Waiting);
        }
        let passphrase = passphrase::ask("Countersign's passphrase: ").ok_or(Stop::NoPassphrase)?;
        let unlock = Unlock { passphrase: Some(passphrase) };
        let app: AppState = self.host.ask(support::UNLOCK, &unlock).await?;
        Ok(write(arguments, &app, |_| "Countersign is unlocked.".to_owned()))
    }

    /// The id of the connection that was named.
    pub(crate) async fn named(&self, named: &str) -> Result<String, Stop> {
        let grants: GrantsView = self.host.ask(support::GRANTS, &Nothing {}).await?;
        let row = choose::grant(&grants, named).map_err(|unclear| Stop::unclear("connection", unclear))?;
        Ok(row.id.clone())
    }

    /// Asks for what only the person may start, and waits for what they say.
    pub(crate) async fn start(&self, arguments: &Arguments, wanted: Wanted) -> Result<Started, Stop> {
        let passphrase = match arguments.confirm {
            Confirm::Passphrase => {
                Some(passphrase::ask("Countersign's passphrase: ").ok_or(Stop::NoPassphrase)?)
            }
            Confirm::Click | Confirm::Unasked => None,
        };
        let clicks = arguments.confirm == Confirm::Click;
        if clicks {
            self.host.show().await?;
            if !arguments.json {
                output::say("Confirm this in Countersign's window. Without a screen, use --passphrase.");
            }
        }
        let start = Start { wanted, passphrase, unasked: arguments.confirm == Confirm::Unasked };
        let mut started: Started = self.host.ask(support::START, &start).await?;
        for _ in 0..QUESTIONS {
            let Started::Waiting { asked } = &started else { break };
            started = self.host.ask(support::ASKED, &AskedRef { asked: asked.clone() }).await?;
        }
        Ok(started)
    }

    /// Writes what became of it.
    pub(crate) fn tell(&self, arguments: &Arguments, started: &Started) -> Exit {
        write(arguments, started, |started| match started {
            Started::Agent { agent } => render::agents(std::slice::from_ref(agent.as_ref())),
            Started::Approved => "Allowed.".to_owned(),
            Started::Attempt { attempt } => render::attempt(attempt),
            Started::Declined => "You said no, or nothing. Nothing changed.".to_owned(),
            Started::Grant { grant } => render::grant(grant),
            Started::Resumed => "The agents go on.".to_owned(),
            Started::Waiting { .. } => "This still waits for you in Countersign's window.".to_owned(),
        });
        match started {
            Started::Agent { .. }
            | Started::Approved
            | Started::Attempt { .. }
            | Started::Grant { .. }
            | Started::Resumed => Exit::Done,
            Started::Declined => Exit::Refused,
            Started::Waiting { .. } => Exit::Waiting,
        }
    }

    /// Says why it was not done.
    async fn stopped(&self, arguments: &Arguments, stop: Stop) -> Exit {
        match stop {
            Stop::Host(Unanswered::NotRunning) => self.without_host(arguments).await,
            Stop::Host(unanswered) => {
                let code = unanswered.code();
                let reference = match unanswered {
                    Unanswered::Refused(error) => error.reference,
                    Unanswered::Broken | Unanswered::NotRunning => None,
                };
                refused(arguments, code, reference)
            }
            Stop::NoPassphrase => {
                output::complain("No passphrase was typed. Nothing changed.");
                Exit::Refused
            }
            Stop::Unclear(what, Unclear::Nothing) => {
                output::complain(&format!("There is no such {what}. Nothing changed."));
                Exit::Refused
            }
            Stop::Unclear(what, Unclear::Several(lines)) => {
                output::complain(&format!("More than one {what} has this name:\n  {}", lines.join("\n  ")));
                Exit::Refused
            }
        }
    }

    /// What can be shown without a host is shown; nothing else can be done.
    async fn without_host(&self, arguments: &Arguments) -> Exit {
        let shows =
            matches!(arguments.verb, Verb::Agents | Verb::Attempts | Verb::Grants { .. } | Verb::Status);
        let report = if shows { self.host.report().await } else { None };
        let Some(report) = report else { return refused(arguments, ErrorCode::HostGone, None) };
        if arguments.json {
            output::json(&json!({ "running": false, "report": report }));
            return Exit::NotRunning;
        }
        output::complain("Countersign is not running. This is what it last knew.");
        output::say(&match &arguments.verb {
            Verb::Agents => render::agents(&report.agents),
            Verb::Attempts => render::attempts(&report.attempts),
            Verb::Grants { history } => render::grants(&report.grants, *history),
            Verb::Agent(..)
            | Verb::Approve(_)
            | Verb::AuditExport(_)
            | Verb::AuditVerify(_)
            | Verb::Check(_)
            | Verb::Connect(_)
            | Verb::Help(_)
            | Verb::Kill
            | Verb::Lock
            | Verb::Narrow(_)
            | Verb::Pause(_)
            | Verb::Renew(_)
            | Verb::Resume(_)
            | Verb::ResumeAgents
            | Verb::Revoke(_)
            | Verb::Show(_)
            | Verb::Status
            | Verb::Unlock
            | Verb::Version
            | Verb::Widen(_) => render::report(&report),
        });
        Exit::NotRunning
    }
}

fn render_killed(killed: Killed) -> String {
    let kept = if killed.recorded {
        "They stay stopped after a restart too."
    } else {
        "This is not written to the disk yet; Countersign keeps trying."
    };
    format!("All agents are stopped. {kept}\nResume them with countersign resume --agents.")
}

fn refused(arguments: &Arguments, code: ErrorCode, reference: Option<String>) -> Exit {
    if arguments.json {
        output::json(&json!({ "refused": CommandError { code, reference } }));
    } else {
        let (what, todo) = advice::of(code);
        output::complain(&format!("{what}\n{todo}"));
        if let Some(reference) = reference {
            output::complain(&format!("Reference {reference}."));
        }
    }
    exit::of_code(code)
}

pub(crate) fn write<T: Serialize>(arguments: &Arguments, value: &T, text: impl FnOnce(&T) -> String) -> Exit {
    if arguments.json {
        output::json(value);
    } else {
        output::say(&text(value));
    }
    Exit::Done
}
