//! What an issuer was seen to do, as the provider file says it.

use serde::Deserialize;

/// What this issuer was seen to do.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// How PKCE support is known.
    pub pkce: PkceKnown,
    /// Whether `iss` is sent.
    pub iss: IssParameter,
    /// Whether requests are pushed.
    pub par: Par,
    /// Whether tokens are bound to a key.
    pub dpop: Dpop,
    /// Whether consents are independent.
    pub consents: Consents,
    /// Rotation of refresh tokens.
    pub rotation: Rotation,
    /// Narrowing at refresh.
    pub narrowed_refresh: NarrowedRefresh,
    /// What revocation does.
    pub revocation: RevocationHabit,
    /// How a consent ends at the bank.
    #[serde(default)]
    pub consent_withdrawal: ConsentWithdrawal,
    /// The bank's own limit in days.
    pub consent_days: u16,
}

/// How a consent ends at the bank. A token that is revoked and a consent that is withdrawn are two facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentWithdrawal {
    /// Only the customer can withdraw it, at the bank.
    #[default]
    AtBank,
    /// It ends with the refresh token that is revoked.
    WithToken,
}

/// How metadata is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// No document: the pins are all there is.
    None,
    /// OpenID Connect Discovery.
    Oidc,
    /// RFC 8414.
    Rfc8414,
}

/// Whether metadata says so, or the provider file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PkceKnown {
    /// `code_challenge_methods_supported` must hold S256.
    Advertised,
    /// Not in the metadata, known to work with S256.
    Stated,
}

/// Whether responses carry `iss` (RFC 9207).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssParameter {
    /// Not sent.
    Absent,
    /// Always sent; a response without it is refused.
    Advertised,
}

/// Whether requests are pushed first (RFC 9126).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Par {
    /// Not there.
    Absent,
    /// Used, because it is offered.
    Offered,
    /// Refused without.
    Required,
}

/// Whether tokens are bound to a key (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dpop {
    /// Bearer tokens.
    Absent,
    /// Supported by the bank.
    Offered,
    /// Demanded by the bank.
    Required,
}

/// Whether revoking one agent's consent ends another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consents {
    /// It does not.
    Independent,
    /// It does; the person is warned.
    Shared,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// A new one each time.
    Always,
    /// The same one.
    Never,
    /// Either.
    Sometimes,
}

/// What a refresh with fewer scopes does to the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NarrowedRefresh {
    /// Ignores the scope asked.
    Ignores,
    /// Keeps the full grant.
    Keeps,
    /// Refuses.
    Refuses,
    /// Shrinks the grant for good.
    Shrinks,
    /// Not known: never try.
    Unsafe,
}

/// What revoking the refresh token does (RFC 7009).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationHabit {
    /// There is no endpoint.
    Absent,
    /// Ends every access token too.
    Cascades,
    /// Refused to public clients.
    Refused,
    /// Ends that token alone.
    TokenOnly,
}

/// Which local ports the bank accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackPort {
    /// Any (RFC 8252 §7.3).
    Any,
    /// Only this one.
    Fixed(u16),
}

/// How id_tokens are signed (OpenID Connect Registration §2); shared secrets and `none` are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum IdTokenAlg {
    /// ECDSA on P-256.
    Es256,
    /// ECDSA on P-384.
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// RSA-PSS with SHA-384.
    Ps384,
    /// RSA-PSS with SHA-512.
    Ps512,
    /// RSA with SHA-256.
    Rs256,
    /// RSA with SHA-384.
    Rs384,
    /// RSA with SHA-512.
    Rs512,
}
