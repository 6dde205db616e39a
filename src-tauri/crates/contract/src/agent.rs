//! What agents and the broker say to each other on the public socket; `docs/broker.md` says it in words.
//!
//! Times are seconds since 1970. What a broker reads refuses members it does not know; what an agent reads may have more
//! members than are named here, and words of a later version, which read as `Unknown`.
//!
//! **Invariant:** of the secrets there are, a lease alone can be written here. It opens nothing without the agent's key.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET`: the broker's [`Metadata`] (RFC 8414).
pub const METADATA: &str = "/.well-known/oauth-authorization-server";
/// `GET`: what the person has connected for the agent, [`Grants`].
pub const GRANTS: &str = "/grants";
/// `POST` with a [`TokenForm`]: a lease for one task, [`TokenAnswer`].
pub const TOKEN: &str = "/token";
/// Any method: `/call/{grant}/{path}`, a call to the bank under a lease.
pub const CALL: &str = "/call";
/// `POST` with a [`RevokeForm`]: gives a lease back (RFC 7009).
pub const REVOKE: &str = "/revoke";
/// `POST` with an [`Enrol`]: asks the person to add the agent, [`Enrolment`].
pub const AGENTS: &str = "/agents";
/// `POST` with a [`Connect`]: asks the person to connect a bank, [`Connecting`].
pub const CONNECT: &str = "/connect";

/// The one grant type (RFC 7523).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The `typ` of a task.
pub const TASK_TYPE: &str = "countersign-task+jwt";
/// The `typ` of a proof (RFC 9449).
pub const PROOF_TYPE: &str = "dpop+jwt";
/// What an Ed25519 signature's `alg` may be: its old name (RFC 8037) and its new one (RFC 9864).
pub const ALGORITHMS: [&str; 2] = ["EdDSA", "Ed25519"];
/// The `token_type` of a lease, and the scheme it is presented with.
pub const LEASE_TYPE: &str = "DPoP";
/// The header that carries a proof.
pub const PROOF_HEADER: &str = "DPoP";
/// The header that says whose answer this is; only the bank's own have it.
pub const ANSWER_HEADER: &str = "Countersign-Answer";
/// What that header says then.
pub const ANSWER_OF_BANK: &str = "bank";

/// The longest request, head and body, in bytes.
pub const MAX_REQUEST: usize = 64 * 1024;
/// The longest answer of a bank that is passed on, in bytes.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// How long a task may be presented, at most: `exp` less `iat`.
pub const MAX_TASK_SECONDS: i64 = 300;
/// How far a proof's `iat` may be from now, either way.
pub const PROOF_SECONDS: i64 = 60;
/// The shortest and the longest `jti`, in characters.
pub const JTI_LENGTH: std::ops::RangeInclusive<usize> = 16..=128;
/// The longest purpose, in characters.
pub const MAX_PURPOSE: usize = 200;
/// How many entries `authorization_details` may have.
pub const MAX_DETAILS: usize = 8;
/// How many calls a lease may be for.
pub const MAX_USES: u32 = 100;
/// How long a lease lives where the task does not say.
pub const LEASE_SECONDS: u32 = 300;
/// How long a lease may live.
pub const MAX_LEASE_SECONDS: u32 = 900;
/// How long a request is kept open for the person before it is answered with `authorization_pending`.
pub const WAIT_SECONDS: u64 = 20;
/// How long a question waits for the person altogether. After that it is a no.
pub const QUESTION_SECONDS: u64 = 300;
/// How long a question outlives the connection that asked it, unless it is taken up again.
pub const RESUME_SECONDS: u64 = 10;
/// How long a call to the bank may take.
pub const CALL_SECONDS: u64 = 60;
/// How long an agent goes on trying where `endpoint.json` may be stale: the host may be about to start.
pub const STALE_SECONDS: u64 = 5;

/// A lease as text. `Debug` does not print it, and it is wiped when dropped.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseText(String);

impl LeaseText {
    /// Takes what the broker made, or what an agent sent.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for one header or form field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for LeaseText {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl fmt::Debug for LeaseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseText")
    }
}

/// An Ed25519 public key as a JWK (RFC 8037) with the members that its thumbprint is made of and no other, in the
/// order that RFC 7638 hashes them in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicJwk {
    /// `Ed25519`.
    pub crv: String,
    /// `OKP`.
    pub kty: String,
    /// The 32 bytes, base64url without padding.
    pub x: String,
}

impl PublicJwk {
    /// The key whose 32 bytes are written like this.
    #[must_use]
    pub fn of_x(x: String) -> Self {
        Self { crv: "Ed25519".to_owned(), kty: "OKP".to_owned(), x }
    }

    /// Whether it says that it is an Ed25519 key. What `x` holds is for whoever verifies with it.
    #[must_use]
    pub fn is_ed25519(&self) -> bool {
        self.crv == "Ed25519" && self.kty == "OKP"
    }
}

/// The protected header of a proof (RFC 9449 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofHeader {
    /// [`PROOF_TYPE`].
    pub typ: String,
    /// One of [`ALGORITHMS`].
    pub alg: String,
    /// The key the proof is made with.
    pub jwk: PublicJwk,
}

/// The claims of a proof (RFC 9449 §4.2). A library may add further ones; they mean nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Never used before.
    pub jti: String,
    /// The request's method.
    pub htm: String,
    /// The request's address without query: the issuer and the path.
    pub htu: String,
    /// When it was made.
    pub iat: i64,
    /// The lease's SHA-256, base64url, where there is a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
}

/// The protected header of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskHeader {
    /// One of [`ALGORITHMS`].
    pub alg: String,
    /// [`TASK_TYPE`].
    pub typ: String,
    /// The key's thumbprint.
    pub kid: String,
}

/// The claims of a task: what an agent says it is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The key's thumbprint.
    pub iss: String,
    /// The broker's issuer.
    pub aud: String,
    /// When it was made.
    pub iat: i64,
    /// When it can no longer be presented: at most [`MAX_TASK_SECONDS`] after `iat`.
    pub exp: i64,
    /// When it can be presented first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Never used before.
    pub jti: String,
    /// The grant's id.
    pub grant: String,
    /// What it is for, in the agent's own words; the person sees them as such.
    pub purpose: String,
    /// What sort of purpose that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_class: Option<PurposeClass>,
    /// What it is for, exactly (RFC 9396).
    pub authorization_details: Vec<Detail>,
    /// How many calls.
    pub uses: u32,
    /// How many seconds the lease is to live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
}

/// What sort of purpose a task has. What a person allowed for one sort is not allowed for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurposeClass {
    /// Keeping the books of a firm.
    Bookkeeping,
    /// Seeing where one's money goes.
    Budgeting,
    /// Applying for credit.
    Lending,
    /// None of the others.
    Other,
    /// Paying somebody.
    Payments,
    /// Helping the person with the bank or with an app.
    Support,
    /// Doing one's taxes.
    Taxes,
}

/// One entry of `authorization_details`, in the words of RFC 9396's own examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Detail {
    /// To read something, or to do what moves no money.
    #[serde(rename_all = "camelCase")]
    AccountInformation {
        /// Ids of operations.
        actions: Vec<String>,
        /// Ids of accounts; without it, all accounts of the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identifier: Option<Vec<String>>,
        /// The first day, `2026-01-01`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date_from: Option<String>,
        /// The last day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date_to: Option<String>,
    },
    /// One payment.
    #[serde(rename_all = "camelCase")]
    PaymentInitiation {
        /// The id of the one operation.
        actions: Vec<String>,
        /// How much.
        instructed_amount: Amount,
        /// To whom, by name.
        creditor_name: String,
        /// To whom.
        creditor_account: AccountId,
        /// From which account.
        debtor_account: AccountId,
        /// What the payee is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remittance_information_unstructured: Option<String>,
    },
}

/// A sum of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Three letters (ISO 4217).
    pub currency: String,
    /// A decimal number, such as `12.50`.
    pub amount: String,
}

/// Names an account or a payee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountId {
    /// Its id.
    pub id: String,
}

/// The form of [`TOKEN`]. Parameters it does not know are ignored (RFC 6749 §3.2: a server must).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenForm {
    /// [`JWT_BEARER`].
    pub grant_type: String,
    /// The task, as a compact JWS.
    pub assertion: String,
    /// The key's thumbprint, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// The form of [`REVOKE`]. Parameters it does not know are ignored (RFC 6749 §3.2).
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeForm {
    /// What is given back.
    #[serde(rename = "token")]
    pub lease: LeaseText,
}

/// A lease.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The lease.
    #[serde(rename = "access_token")]
    pub lease: LeaseText,
    /// [`LEASE_TYPE`].
    #[serde(rename = "token_type")]
    pub lease_type: String,
    /// How many seconds it lives.
    pub expires_in: u32,
    /// The operations it is for, with a space between them.
    #[serde(default)]
    pub scope: String,
    /// Where calls go: the issuer and `/call/{grant}`.
    #[serde(default)]
    pub resource: String,
    /// What it is for: each entry is a [`Detail`], with what a later version may add.
    #[serde(default)]
    pub authorization_details: Vec<Value>,
}

/// What a client library wants to know of the broker (RFC 8414).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The broker's issuer.
    pub issuer: String,
    /// The address of [`TOKEN`].
    pub token_endpoint: String,
    /// The address of [`REVOKE`].
    pub revocation_endpoint: String,
    /// [`JWT_BEARER`].
    pub grant_types_supported: Vec<String>,
    /// `none`: the proof is the only credential.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// [`ALGORITHMS`].
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// The types of [`Detail`].
    pub authorization_details_types_supported: Vec<String>,
}

/// What the person has connected for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Each connection.
    pub grants: Vec<Grant>,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// The bank.
    pub provider: Provider,
    /// Whether it can be used now.
    pub state: State,
    /// When it ends.
    pub until: i64,
    /// What it may be used for.
    pub operations: Vec<Operation>,
    /// The accounts it is about.
    pub accounts: Vec<Account>,
}

/// A bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Whether a connection can be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It can.
    Active,
    /// It is over.
    Ended,
    /// Countersign is locked.
    Locked,
    /// The person holds it back.
    Paused,
    /// It has to be connected again.
    Reconnect,
    /// All agents are stopped.
    Stopped,
    /// A word of a later version: it cannot be relied on.
    #[serde(other)]
    Unknown,
}

/// Something that a bank's API offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id: what a task names.
    pub id: String,
    /// The method.
    pub method: String,
    /// The path below the bank's base address, with its places in braces.
    pub path: String,
    /// The names that a query may have.
    #[serde(default)]
    pub query: Vec<String>,
    /// The names that a JSON body may have.
    #[serde(default)]
    pub body: Vec<String>,
    /// How much harm it can do.
    pub risk: Risk,
    /// Whether the person is asked.
    pub asks: Asks,
}

/// How much harm an operation can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It moves money.
    Money,
    /// It reads who the person is.
    Personal,
    /// It reads account data.
    Read,
    /// A word of a later version.
    #[serde(other)]
    Unknown,
}

/// Whether the person is asked before an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Each time.
    Always,
    /// Not: it was agreed when connecting.
    Never,
    /// The first time.
    Once,
    /// A word of a later version.
    #[serde(other)]
    Unknown,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id: what a task and a path name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The end of its number.
    pub number: String,
    /// Three letters (ISO 4217), where the bank says.
    #[serde(default)]
    pub currency: Option<String>,
}

/// Asks the person to add an agent. Asked again with the same content until it is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// What the agent calls itself.
    pub name: String,
    /// Its key; the request's proof is made with the same.
    pub key: PublicJwk,
}

/// What became of an [`Enrol`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Enrolment {
    /// The person said no.
    Declined,
    /// It is added.
    Enrolled {
        /// The key's thumbprint.
        agent: String,
        /// The name that the person chose.
        name: String,
    },
    /// Nobody answered in time.
    Expired,
    /// The person has not answered.
    Waiting {
        /// What the person compares.
        code: String,
        /// How many seconds to wait before asking again.
        interval: u32,
        /// In how many seconds it is over.
        expires_in: u32,
    },
}

/// Asks the person to connect a bank for the agent, or asks again what became of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Connect {
    /// Asks.
    Ask(ConnectWish),
    /// Asks again.
    Again(ConnectAgain),
}

/// What is to be connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectWish {
    /// The bank's id.
    pub provider: String,
    /// What the agent would like to do there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// For how many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// What for, in the agent's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// Names a wish that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectAgain {
    /// Its id.
    pub asked: String,
}

/// What became of a [`Connect`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Connecting {
    /// It is connected.
    Connected {
        /// The new grant's id.
        grant: String,
    },
    /// The person said no.
    Declined,
    /// Nobody answered in time.
    Expired,
    /// The person has not answered, or is at the bank.
    Waiting {
        /// What to ask again with.
        asked: String,
        /// How many seconds to wait before asking again.
        interval: u32,
    },
}

/// A request that was refused (RFC 6749 §5.2, RFC 9449 §7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub error: RefusalCode,
    /// What the agent can do.
    #[serde(default)]
    pub error_description: String,
    /// A sentence for the person.
    #[serde(default)]
    pub user_message: String,
    /// What the person can read to support, where there is a record of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// How many seconds to wait before asking again; with [`RefusalCode::AuthorizationPending`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The person, or a rule, said no.
    AccessDenied,
    /// The person has not answered.
    AuthorizationPending,
    /// The bank's answer could not be used.
    BadGateway,
    /// Not what the lease is for.
    InsufficientScope,
    /// The task asks for what cannot be asked.
    InvalidAuthorizationDetails,
    /// The key is not, or no longer, an enrolled agent's.
    InvalidClient,
    /// The proof does not hold.
    InvalidDpopProof,
    /// The task does not verify, has run out, or was used.
    InvalidGrant,
    /// Not of the right shape, or too long.
    InvalidRequest,
    /// More than the person allowed.
    InvalidScope,
    /// No grant of this agent.
    InvalidTarget,
    /// No such lease, or it is over.
    InvalidToken,
    /// Too many requests.
    SlowDown,
    /// Agents are stopped or paused, the vault is locked, or the bank or the disk does not work.
    TemporarilyUnavailable,
    /// Another grant type.
    UnsupportedGrantType,
    /// A word of a later version; never sent.
    #[serde(other)]
    Unknown,
}

impl RefusalCode {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::BadGateway => "bad_gateway",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidClient => "invalid_client",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::SlowDown => "slow_down",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::Unknown => "unknown",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }

    /// The HTTP status it is sent with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::AuthorizationPending
            | Self::InvalidAuthorizationDetails
            | Self::InvalidDpopProof
            | Self::InvalidGrant
            | Self::InvalidRequest
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::UnsupportedGrantType => 400,
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::AccessDenied | Self::InsufficientScope => 403,
            Self::SlowDown => 429,
            Self::Unknown => 500,
            Self::BadGateway => 502,
            Self::TemporarilyUnavailable => 503,
        }
    }

    /// The HTTP status it is sent with at [`CALL`], where a proof stands beside a lease (RFC 9449 §7.1).
    #[must_use]
    pub fn status_at_call(self) -> u16 {
        if self == Self::InvalidDpopProof { 401 } else { self.status() }
    }
}

#[cfg(test)]
mod tests;
