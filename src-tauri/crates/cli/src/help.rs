//! The pages of help.

use crate::arguments::Topic;

const MAIN: &str = "\
countersign: your bank, your agents, from a terminal

Usage: countersign COMMAND [--json]

See how things stand
  status                 Whether Countersign runs, and what needs you
  grants [CONNECTION]    Your connections, or one of them
  agents                 The agents you added
  attempts               The last tries to connect, with their references
  check CONNECTION       Ask the bank whether a connection still works
  audit export [FILE]    Write down everything that happened, as a file
  audit verify FILE      Check that nothing in such a file was changed

Stop something, at once and without asking
  pause CONNECTION       Hold a connection back
  revoke CONNECTION      End a connection, here and at the bank
  narrow CONNECTION …    Take something back from a connection
  kill                   Stop all agents
  lock                   Lock Countersign; agents get nothing
  agents pause AGENT     Hold an agent back; it gets nothing
  agents remove AGENT    Remove an agent, and end its connections
  approve WHICH --deny   Say no to what an agent asks

Start something; you confirm it in Countersign's window
  connect BANK …         Connect an agent to a bank
  renew CONNECTION …     Connect anew, before or after a connection ends
  resume CONNECTION      Let a paused connection go on
  resume --agents        Let all agents go on
  agents resume AGENT    Let a paused agent go on
  widen CONNECTION       Give back what you took from a connection
  unlock                 Unlock Countersign, with its passphrase
  approve [WHICH]        See what agents ask, or allow one thing, without a window

A CONNECTION is the beginning of its id, or AGENT@BANK.
--json writes the answer for programs. countersign COMMAND --help says more.

Exit status
  0  It is done.
  1  It was refused; choosing otherwise helps. Or you said no.
  2  The command line was not understood.
  3  Countersign is not running. What it last knew is shown all the same.
  4  The bank is in the way.
  5  It waits for you in Countersign's window.
  6  This computer is in the way: its keychain, its disk.
  7  A fault of Countersign.

COUNTERSIGN_HOME names another data folder.";

const STATUS: &str = "\
Usage: countersign status [--json]

Says whether Countersign runs, whether all agents are stopped, how your keychain
is, and what needs you. Where it does not run, you see what it last knew.";

const GRANTS: &str = "\
Usage: countersign grants [--history] [--json]
       countersign grants CONNECTION [--json]

Lists your connections: who can see or do what, at which bank, until when.
With --history, the ones that have ended. With the beginning of an id, or
AGENT@BANK, everything about one connection.";

const AGENTS: &str = "\
Usage: countersign agents [--json]
       countersign agents pause AGENT [--json]
       countersign agents resume AGENT [--passphrase] [--json]
       countersign agents remove AGENT [--json]

Lists the agents you added, and how many connections each has.

  pause    The agent gets nothing until you resume it. Its connections stay.
  resume   It goes on. You confirm it in Countersign's window, or with
           --passphrase, typed here.
  remove   It gets nothing any more. Its connections end here and at the bank.
           It may keep what it has already seen.

An AGENT is its name.";

const APPROVE: &str = "\
Usage: countersign approve [--json]
       countersign approve WHICH --passphrase [--days N] [--json]
       countersign approve CODE --passphrase [--name NAME] [--json]
       countersign approve WHICH --deny [--json]

Lists what agents ask you, and the programs that want to be added. Countersign's
window asks the same; this is for computers without a screen.

  WHICH          A question, by the beginning of its id. Without more, allowed once
  CODE           A program that wants to be added, by the code that it shows you.
                 Type it from there: that is the comparison
  --days N       Don't ask again for N days; never for payments
  --name NAME    What you call the program, where its own words don't suit you
  --deny         Say no. This needs no passphrase
  --passphrase   Confirm with Countersign's passphrase, typed here

The passphrase is read from the terminal. It can't be given in any other way.";

const ATTEMPTS: &str = "\
Usage: countersign attempts [--json]

Lists the last 20 tries to connect, newest first. Each has a reference that you
can read to support, and how it ended.";

const AUDIT: &str = "\
Usage: countersign audit export [FILE]
       countersign audit verify FILE [--json]

export writes the log of everything that happened, one line for each record, to
FILE or to the terminal. A file that is there already is left alone.

verify checks such a file: each record holds a hash of the one before it, so one
that was changed, moved or left out is found, and the first of them is named.
Countersign need not run. The last lines of a log can be cut off, and a whole log
replaced, by someone who can write your files: what the keychain knew at the time
of the export is in the first line and is compared too.";

const CHECK: &str = "\
Usage: countersign check CONNECTION [--json]

Asks the bank whether a connection still works, and shows what it says. Nothing
is handed out.";

const CONNECT: &str = "\
Usage: countersign connect BANK --agent AGENT --permissions LIST --days N
                           [--passphrase] [--json]

Asks Countersign to connect an agent to a bank. You confirm it in its window;
your browser then opens at the bank, where you sign in. The steps are shown here,
and the end. Ctrl-C cancels; nothing is connected then.

  --agent AGENT        Which agent, by its name
  --permissions LIST   What it may do, such as accounts,balances
  --days N             For how long
  --passphrase         Confirm with Countersign's passphrase, typed here

The passphrase is read from the terminal. It can't be given in any other way.";

const LOCK: &str = "\
Usage: countersign lock [--json]

Locks Countersign. Agents get nothing until it is unlocked. Stopping and revoking
still work.";

const NARROW: &str = "\
Usage: countersign narrow CONNECTION [--permissions LIST] [--accounts LIST]
                          [--days N] [--json]

Takes something back from a connection, here and at once. What you name is what
is left; what you don't name stays as it is.

  --permissions LIST   What the agent may still do, such as accounts,balances
  --accounts LIST      The accounts it may still use: the last signs of their
                       numbers, or their ids
  --days N             For how long from now";

const UNLOCK: &str = "\
Usage: countersign unlock [--json]

Unlocks Countersign with its passphrase, typed here. Where it has none, unlock it
in its window.";

const WIDEN: &str = "\
Usage: countersign widen CONNECTION [--passphrase] [--json]

Gives back what you took from a connection. You confirm it in Countersign's
window, or with its passphrase, typed here.";

const PAUSE: &str = "\
Usage: countersign pause CONNECTION [--json]

Holds a connection back at once. The agent gets nothing until you resume it. The
bank is not told.";

const RENEW: &str = "\
Usage: countersign renew CONNECTION --days N [--permissions LIST]
                         [--passphrase] [--json]

Connects anew, at the bank, what a connection allows. The old connection stays as
it is until the new one is there. The steps are shown here, and the end.

  --days N             For how long
  --permissions LIST   What the agent may do from then on
  --passphrase         Confirm with Countersign's passphrase, typed here";

const RESUME: &str = "\
Usage: countersign resume CONNECTION [--passphrase] [--json]
       countersign resume --agents [--passphrase] [--json]

Lets a paused connection go on, or all agents after countersign kill. You confirm
it in Countersign's window, or with its passphrase, typed here.";

const REVOKE: &str = "\
Usage: countersign revoke CONNECTION [--json]

Ends a connection. It is cut off here at once. The bank is told, and told again
until it confirms; countersign grants CONNECTION says whether it has.";

const KILL: &str = "\
Usage: countersign kill [--json]

Stops all agents at once. This works while Countersign is locked, without a
network, with a keychain that does not answer and with a full disk. Connections
stay; countersign revoke ends them. countersign resume --agents lets agents go on.";

/// One page.
pub(crate) fn of(topic: Option<Topic>) -> String {
    let page = match topic {
        None => MAIN,
        Some(Topic::Agents) => AGENTS,
        Some(Topic::Approve) => APPROVE,
        Some(Topic::Attempts) => ATTEMPTS,
        Some(Topic::Audit) => AUDIT,
        Some(Topic::Check) => CHECK,
        Some(Topic::Connect) => CONNECT,
        Some(Topic::Grants) => GRANTS,
        Some(Topic::Kill) => KILL,
        Some(Topic::Lock) => LOCK,
        Some(Topic::Narrow) => NARROW,
        Some(Topic::Pause) => PAUSE,
        Some(Topic::Renew) => RENEW,
        Some(Topic::Resume) => RESUME,
        Some(Topic::Revoke) => REVOKE,
        Some(Topic::Status) => STATUS,
        Some(Topic::Unlock) => UNLOCK,
        Some(Topic::Widen) => WIDEN,
    };
    page.to_owned()
}
