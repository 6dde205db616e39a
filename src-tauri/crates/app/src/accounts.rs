//! After the exchange: who it is, and which accounts the consent covers.

use domain::attempt::Ending;
use domain::grant::{Account, mask_number};
use domain::permission::PermissionSet;
use domain::profile::Profile;
use domain::provider::{HolderSource, Provider};
use domain::reference::Stage;
use domain::secret::{AccessToken, Nonce};
use domain::text::quoted;
use oauth::id_token::{self, Identity};
use oauth::json;
use oauth::message::{Reply, Request};
use oauth::metadata::Endpoints;
use oauth::refusal::ProviderRule;
use oauth::token::Issued;
use oauth::userinfo;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use crate::endings::{self, misbehaved};
use crate::port::{Clock as _, Http as _, Ports};
use crate::running::Running;

/// More accounts than any consent has.
const MAX_ACCOUNTS: usize = 500;

/// What a consent covers.
pub(crate) struct Holdings {
    /// Asked and allowed.
    pub(crate) permissions: PermissionSet,
    /// Asked, not allowed.
    pub(crate) missing: PermissionSet,
    /// Allowed without being asked, as scopes, cleaned for the screen.
    pub(crate) extra: Vec<String>,
    /// The bank's name for the person.
    pub(crate) subject: Option<Zeroizing<String>>,
    /// The nonce of the first id_token, which later ones may repeat.
    pub(crate) nonce: Option<Nonce>,
    /// Whose accounts these are.
    pub(crate) holder: Option<String>,
    /// The accounts, masked.
    pub(crate) accounts: Vec<Account>,
    /// The full numbers by account id, as JSON, to be sealed.
    pub(crate) numbers: Zeroizing<String>,
}

impl<P: Ports> Running<P> {
    /// Checks the id_token, compares what was granted with what was asked, and reads holder and accounts.
    pub(crate) async fn read_holdings(
        &mut self,
        provider: &Provider,
        endpoints: &Endpoints,
        issued: &mut Issued,
    ) -> Result<Holdings, Ending> {
        self.reach(Stage::Identity).await?;
        let identity = self.check_identity(provider, endpoints, issued).await?;
        let (permissions, missing, extra) = compare(provider, &self.attempt.permissions, &issued.scopes);
        if permissions.is_empty() {
            return Err(Ending::NothingAllowed);
        }
        let holder =
            self.read_holder(provider, endpoints, &issued.access, identity.as_ref(), &permissions).await?;
        self.reach(Stage::Accounts).await?;
        let (accounts, numbers) = self.read_accounts(provider, &issued.access, &permissions).await?;
        let (subject, nonce) =
            identity.map(|identity| (Zeroizing::new(identity.subject), identity.nonce)).unzip();
        Ok(Holdings { permissions, missing, extra, subject, nonce, holder, accounts, numbers })
    }

    async fn check_identity(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        issued: &mut Issued,
    ) -> Result<Option<Identity>, Ending> {
        let Some((token, expect)) = issued.identity.take() else { return Ok(None) };
        let jwks = endpoints.jwks.as_ref().and_then(|jwks| id_token::jwks_request(jwks.url()));
        let request = jwks.ok_or(misbehaved(ProviderRule::IdTokenSignature))?;
        let keys = self.send(request).await?;
        // Made just now by the clock of the bank, which ours need not agree with.
        let now = keys.date.unwrap_or_else(|| self.inner.ports.clock().now());
        expect.accept(&token, &keys, now, &provider.holder_claim).map(Some).map_err(misbehaved)
    }

    async fn read_holder(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        access: &AccessToken,
        identity: Option<&Identity>,
        permissions: &PermissionSet,
    ) -> Result<Option<String>, Ending> {
        match (&provider.holder, identity) {
            (HolderSource::IdToken, identity) => Ok(identity.and_then(|i| i.name.clone())),
            (HolderSource::UserInfo, None) => Ok(None),
            (HolderSource::UserInfo, Some(identity)) => {
                let Some(userinfo) = &endpoints.userinfo else { return Ok(None) };
                let reply = self.get(userinfo.url(), access).await?;
                userinfo::holder_name(&reply, &identity.subject, &provider.holder_claim).map_err(misbehaved)
            }
            (HolderSource::Operation(id), _) => {
                // What was not asked is not used, not even where the bank allows it; the name stays unknown then.
                let operation = provider.profile.operation(id);
                let Some(operation) = operation.filter(|o| permissions.contains(&o.permission)) else {
                    return Ok(None);
                };
                let url = Url::parse(&provider.operation_url(&operation.path))
                    .map_err(|_| Ending::BankUnreachable)?;
                let reply = self.get(&url, access).await?;
                if matches!(reply.status, 401 | 403) {
                    // The operation needs a permission that was not given: the name stays unknown.
                    return Ok(None);
                }
                let answer = answer(&reply)?;
                let name = json::name(&answer, &provider.holder_claim).map_err(misbehaved)?;
                Ok(name.map(|name| quoted(&name, 80)).filter(|name| !name.is_empty()))
            }
        }
    }

    async fn read_accounts(
        &self,
        provider: &Provider,
        access: &AccessToken,
        permissions: &PermissionSet,
    ) -> Result<(Vec<Account>, Zeroizing<String>), Ending> {
        let Some(request) = accounts_request(provider, access, permissions) else {
            return Ok((Vec::new(), Zeroizing::new("{}".into())));
        };
        parse_accounts(&provider.profile, &answer(&self.send(request).await?)?).map_err(misbehaved)
    }

    async fn get(&self, url: &Url, access: &AccessToken) -> Result<Reply, Ending> {
        self.send(userinfo::bearer_get(url, access).ok_or(Ending::BankUnreachable)?).await
    }

    /// Sends once; a bank that is busy, or sends us elsewhere, has not answered.
    async fn send(&self, request: Request) -> Result<Reply, Ending> {
        let reply = self.inner.ports.http().send(request).await.map_err(endings::of_http)?;
        match reply.status {
            429 | 500..=599 => Err(Ending::BankUnreachable),
            300..=399 => Err(misbehaved(ProviderRule::RedirectUnexpected)),
            _ => Ok(reply),
        }
    }
}

/// Asks for the accounts, where that is allowed.
pub(crate) fn accounts_request(
    provider: &Provider,
    access: &AccessToken,
    permissions: &PermissionSet,
) -> Option<Request> {
    let list = &provider.profile.accounts;
    let readable = list.needs.iter().all(|needed| permissions.contains(needed));
    let operation = provider.profile.operation(&list.operation).filter(|_| readable)?;
    let url = Url::parse(&provider.operation_url(&operation.path)).ok()?;
    userinfo::bearer_get(&url, access)
}

/// The accounts in an answer, masked; without their numbers.
pub(crate) fn masked_accounts(profile: &Profile, reply: &Reply) -> Result<Vec<Account>, ProviderRule> {
    parse_accounts(profile, &json::object_of(reply)?).map(|(accounts, _)| accounts)
}

fn answer(reply: &Reply) -> Result<Map<String, Value>, Ending> {
    if reply.status != 200 {
        return Err(misbehaved(ProviderRule::StatusUnexpected));
    }
    json::object_of(reply).map_err(misbehaved)
}

/// What was granted against what was asked: usable, missing, and extra (never used, always shown).
fn compare(
    provider: &Provider,
    asked: &PermissionSet,
    scopes: &[String],
) -> (PermissionSet, PermissionSet, Vec<String>) {
    let (granted, unknown) = provider.profile.permissions_of(scopes.iter().map(String::as_str));
    let surplus = granted.without(asked);
    let words = surplus.iter().filter_map(|id| provider.profile.permission(id)).map(|p| p.short.clone());
    let strange = unknown.iter().filter(|s| !provider.always_scopes.iter().any(|always| always == *s));
    let extra = words.chain(strange.map(|s| quoted(s, 60))).collect();
    (granted.both(asked), asked.without(&granted), extra)
}

fn parse_accounts(
    profile: &Profile,
    answer: &Map<String, Value>,
) -> Result<(Vec<Account>, Zeroizing<String>), ProviderRule> {
    let list = &profile.accounts;
    let malformed = ProviderRule::BodyMalformed;
    let items = answer.get(&list.list).and_then(Value::as_array).ok_or(malformed)?;
    if items.len() > MAX_ACCOUNTS {
        return Err(malformed);
    }
    let mut accounts: Vec<Account> = Vec::with_capacity(items.len());
    let mut numbers = Map::new();
    for item in items {
        let item = item.as_object().ok_or(malformed)?;
        let id = json::text(item, &list.id)?.ok_or(malformed)?;
        let id_ok = !id.is_empty() && id.len() <= 256 && id.bytes().all(|b| (0x21..=0x7e).contains(&b));
        if !id_ok || accounts.iter().any(|a| a.id == id) {
            return Err(malformed);
        }
        let number = json::text(item, &list.number)?.unwrap_or_default();
        numbers.insert(id.to_owned(), Value::String(number.to_owned()));
        let currency = json::text(item, &list.currency)?;
        accounts.push(Account {
            id: id.to_owned(),
            name: quoted(json::text(item, &list.name)?.unwrap_or_default(), 60),
            masked: mask_number(number),
            currency: currency
                .filter(|c| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase()))
                .map(str::to_owned),
        });
    }
    Ok((accounts, Zeroizing::new(Value::Object(numbers).to_string())))
}
