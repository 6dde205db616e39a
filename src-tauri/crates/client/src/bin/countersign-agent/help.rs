//! The page of help.

/// Everything.
pub(crate) const PAGE: &str = "\
countersign-agent: use your bank from a script, as far as you allow it

Usage: countersign-agent COMMAND [--agent NAME | --key-file PATH] [--json]

Once
  enrol NAME             Make a key, and ask you to add the agent in Countersign
  key                    The agent's public key
  connect BANK           Ask you to connect a bank for the agent
      [--permissions LIST] [--days N] [--purpose TEXT]

Then
  connections            What you have connected for it
  call METHOD PATH       One call to the bank: a lease, the call, the lease back
      --grant G --purpose TEXT [--query NAME=VALUE]… [--body JSON]
      [--payment JSON] [--class CLASS]
  token                  A lease, for programs that make the calls themselves
      --grant G --purpose TEXT --actions LIST [--accounts LIST]
      [--from DAY --to DAY] [--uses N] [--lifetime SECONDS] [--class CLASS]
  proof METHOD PATH      A proof (DPoP) for one request that another program sends
      [--lease]          Beside the lease that comes by standard input

G is a connection's id, the beginning of one, or the bank. LIST has commas.
PATH is the bank's, such as /accounts. DAY is 2026-01-31. CLASS is bookkeeping,
budgeting, lending, other, payments, support or taxes. A payment's JSON has
amount, currency, from, to, payee and, if you like, message.

Where you have to be asked, the command waits for five minutes.

The key is in your keychain, or in a file of yours where there is none.
--key-file, or COUNTERSIGN_AGENT_KEY_FILE, names another file; --agent says which
of several agents is meant. --json writes answers and refusals for programs;
what a bank answers to call is always written as it came.

Exit status
  0  It is done.
  1  It was refused; asking otherwise may help. Or you said no.
  2  The command line was not understood.
  3  Countersign is not running.
  4  The bank is in the way, or answered with an error, which is written out.
  5  You have not answered.
  6  Not now: agents are stopped, Countersign is locked, or the key can't be read.
  7  A fault.

COUNTERSIGN_HOME names another data folder of Countersign.";
