//! What each verb does.

use client::agent::{Agent, AgentError, Lease, Request};
use client::key::AgentKey;
use client::keys::{Kept, KeyError, KeySource};
use client::operation::{self, Unclear};
use client::task::Task;
use contract::agent::{ConnectWish, Connecting, Enrolment, Grant, Risk};
use serde_json::json;
use thiserror::Error;

use crate::arguments::{Arguments, Call, Connect, Token, Verb};
use crate::exit::{self, Exit};
use crate::{help, output, told};

/// Why it was not done.
#[derive(Debug, Error)]
enum Stop {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What was named is not clear.
    #[error("unclear")]
    Unclear(&'static str, Unclear),
    /// A payment without what the person is asked.
    #[error("no payment")]
    NoPayment,
}

/// Does what is wanted, and says what it ended with.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    verb(arguments).unwrap_or_else(|stop| stopped(arguments, &stop))
}

fn verb(arguments: &Arguments) -> Result<Exit, Stop> {
    let keys = keys(arguments);
    let agent = || keys.load().map(Agent::of_person);
    match &arguments.verb {
        Verb::Call(call) => make_call(&mut agent()?, call),
        Verb::Connect(connect) => ask_to_connect(arguments, &mut agent()?, connect),
        Verb::Connections => {
            let grants = agent()?.grants()?;
            write(arguments, &grants, || told::grants(&grants.grants));
            Ok(Exit::Done)
        }
        Verb::Enrol(name) => enrol(arguments, &keys, name),
        Verb::Help => {
            output::say(help::PAGE);
            Ok(Exit::Done)
        }
        Verb::Key => {
            output::json(keys.load()?.public());
            Ok(Exit::Done)
        }
        Verb::Proof { method, path, with_lease } => {
            let lease = with_lease.then(output::read_lease);
            output::say(&agent()?.proof(method, path, lease.as_ref())?);
            Ok(Exit::Done)
        }
        Verb::Token(token) => get_lease(&mut agent()?, token),
        Verb::Version => {
            output::say(concat!("countersign-agent ", env!("CARGO_PKG_VERSION")));
            Ok(Exit::Done)
        }
    }
}

fn keys(arguments: &Arguments) -> KeySource {
    let mut keys = KeySource::of_person();
    if let Verb::Enrol(name) = &arguments.verb
        && arguments.agent.is_none()
    {
        keys = keys.for_new(name);
    }
    if let Some(name) = &arguments.agent {
        keys = keys.named(name);
    }
    if let Some(file) = &arguments.key_file {
        keys = keys.in_file(file.clone());
    }
    keys
}

/// With the key that is there, or a new one: who was declined can ask again.
fn enrol(arguments: &Arguments, keys: &KeySource, name: &str) -> Result<Exit, Stop> {
    let key = match keys.load() {
        Err(KeyError::NoKey) => {
            let (key, kept) = keys.make(name)?;
            tell_where(&key, &kept);
            key
        }
        other => other?,
    };
    let mut agent = Agent::of_person(key);
    let mut last = None;
    let enrolment = agent.enrol(name, &mut |waiting| {
        let Enrolment::Waiting { code, .. } = waiting else { return };
        if last.as_ref() != Some(code) {
            output::complain(&format!("Open Countersign, compare the code {code}, and add the agent."));
            last = Some(code.clone());
        }
    })?;
    write(arguments, &enrolment, || match &enrolment {
        Enrolment::Declined => "You said no. The agent was not added.".to_owned(),
        Enrolment::Enrolled { agent, name } => format!("The agent is added as {name}.\n{agent}"),
        Enrolment::Expired | Enrolment::Waiting { .. } => {
            "You have not answered in Countersign. The agent was not added.".to_owned()
        }
    });
    Ok(match enrolment {
        Enrolment::Declined => Exit::Refused,
        Enrolment::Enrolled { .. } => Exit::Done,
        Enrolment::Expired | Enrolment::Waiting { .. } => Exit::Waiting,
    })
}

fn tell_where(key: &AgentKey, kept: &Kept) {
    let place = match kept {
        Kept::File(path) => format!("the file {}", path.display()),
        Kept::Keychain => "your keychain".to_owned(),
    };
    output::complain(&format!("Made the key {}. It is kept in {place}.", key.thumbprint()));
}

fn ask_to_connect(arguments: &Arguments, agent: &mut Agent, connect: &Connect) -> Result<Exit, Stop> {
    let wish = ConnectWish {
        provider: connect.provider.clone(),
        permissions: connect.permissions.clone(),
        days: connect.days,
        purpose: connect.purpose.clone(),
    };
    let mut is_told = false;
    let connecting = agent.connect(&wish, &mut |_| {
        if !is_told {
            output::complain("Open Countersign to connect the bank, or to say no.");
            is_told = true;
        }
    })?;
    write(arguments, &connecting, || match &connecting {
        Connecting::Connected { grant } => format!("Connected.\n{grant}"),
        Connecting::Declined => "You said no. Nothing was connected.".to_owned(),
        Connecting::Expired | Connecting::Waiting { .. } => {
            "You have not answered in Countersign. Nothing was connected.".to_owned()
        }
    });
    Ok(match connecting {
        Connecting::Connected { .. } => Exit::Done,
        Connecting::Declined => Exit::Refused,
        Connecting::Expired | Connecting::Waiting { .. } => Exit::Waiting,
    })
}

/// The id of the grant that was named. A whole id is taken as it is, which spares asking.
fn grant_id(agent: &mut Agent, named: &str) -> Result<String, Stop> {
    const WHOLE: usize = 36;
    if named.len() == WHOLE {
        return Ok(named.to_owned());
    }
    let grants = agent.grants()?.grants;
    Ok(the_grant(&grants, named)?.id.clone())
}

fn the_grant<'a>(grants: &'a [Grant], named: &str) -> Result<&'a Grant, Stop> {
    operation::grant(grants, named).map_err(|unclear| Stop::Unclear("connection", unclear))
}

fn get_lease(agent: &mut Agent, token: &Token) -> Result<Exit, Stop> {
    let grant = grant_id(agent, &token.grant)?;
    let mut task = Task::new(&grant, &token.purpose).reads(token.actions.iter());
    if let Some(accounts) = &token.accounts {
        task = task.of_accounts(accounts.iter());
    }
    if let Some((from, to)) = &token.days {
        task = task.between(from, to);
    }
    if let Some(class) = token.class {
        task = task.class(class);
    }
    if let Some(seconds) = token.lifetime {
        task = task.lifetime(seconds);
    }
    let lease = wait_for(agent, &task.uses(token.uses.unwrap_or(1)))?;
    output::json(lease.answer());
    Ok(Exit::Done)
}

fn make_call(agent: &mut Agent, call: &Call) -> Result<Exit, Stop> {
    let grants = agent.grants()?.grants;
    let grant = the_grant(&grants, &call.grant)?;
    let found = operation::of_request(grant, &call.method, &call.path)
        .ok_or(Stop::Unclear("operation", Unclear::Nothing))?;
    let mut task = Task::new(&grant.id, &call.purpose);
    task = match &call.payment {
        Some(payment) => {
            let mut payment = payment.clone();
            payment.operation.clone_from(&found.operation.id);
            task.pays(payment)
        }
        None if found.operation.risk == Risk::Money => return Err(Stop::NoPayment),
        None => task.reads([&found.operation.id]),
    };
    if let Some(account) = found.account {
        task = task.of_accounts([account]);
    }
    if let Some(class) = call.class {
        task = task.class(class);
    }
    let lease = wait_for(agent, &task)?;
    let mut request = Request::of(&call.method, &call.path);
    for (name, value) in &call.query {
        request = request.query(name, value);
    }
    if let Some(body) = &call.body {
        request = request.json(body);
    }
    let called = agent.call(&lease, &request);
    // It is used up or runs out by itself; what counts is what the call gave.
    let _ = agent.give_back(&lease);
    let answer = called?;
    output::pass_on(&answer.body);
    if answer.status < 400 {
        return Ok(Exit::Done);
    }
    output::complain(&format!("The bank answered with status {}.", answer.status));
    Ok(Exit::Bank)
}

fn wait_for(agent: &mut Agent, task: &Task) -> Result<Lease, AgentError> {
    let mut is_told = false;
    agent.lease_telling(task, &mut || {
        if !is_told {
            output::complain("Countersign asks you. Answer in its window.");
            is_told = true;
        }
    })
}

fn stopped(arguments: &Arguments, stop: &Stop) -> Exit {
    let (exit, text, code) = match stop {
        Stop::Agent(error) => (exit::of_error(error), told::error(error), code(error)),
        Stop::Key(error) => (exit::of_key(error), told::key(error), None),
        Stop::Unclear(what, unclear) => (Exit::Refused, told::unclear(what, unclear), None),
        Stop::NoPayment => (Exit::Usage, "This moves money: say what with --payment.".to_owned(), None),
    };
    if arguments.json {
        let refused = code.unwrap_or_else(|| json!({ "error": "not_done", "error_description": text }));
        output::json(&json!({ "refused": refused }));
    } else {
        output::complain(&text);
    }
    exit
}

/// A refusal as Countersign wrote it.
fn code(error: &AgentError) -> Option<serde_json::Value> {
    if let AgentError::Refused(refused) = error { serde_json::to_value(&refused.refusal).ok() } else { None }
}

fn write<T: serde::Serialize>(arguments: &Arguments, value: &T, text: impl FnOnce() -> String) {
    if arguments.json {
        output::json(value);
    } else {
        output::say(&text());
    }
}
