//! Renew: the same bank and agent, a new consent. The old grant lives until the new one is stored.

use contract::ui::{ConnectAccount, DecideAccount, RenewGrant};
use domain::attempt::Attempt;
use domain::grant::Standing;
use domain::id::{AttemptId, GrantId};

use crate::port::{Clock as _, Ports};
use crate::report::{Refusal, Thing};
use crate::running::{Control, Decision};
use crate::start::App;

impl<P: Ports> App<P> {
    /// Starts a renewal. Of a grant that has ended by itself nothing is left to take the place of: that is a new
    /// connection.
    ///
    /// # Errors
    /// The grant is revoked or is being renewed, the request does not fit, or the vault is locked. Nothing was started
    /// then.
    pub async fn renew_grant(&self, request: &RenewGrant) -> Result<Attempt, Refusal> {
        self.must_be_open()?;
        let id = GrantId::parse(&request.grant).map_err(|_| Refusal::Malformed)?;
        let old = self.known_grant(id).await?;
        let renews = match old.standing(self.0.ports.clock().now()) {
            Standing::Revoked if !old.ran_out() => return Err(Refusal::Revoked),
            Standing::Revoked | Standing::Ended => None,
            Standing::Reconnect | Standing::Paused | Standing::Active => Some(id),
        };
        // The same name in the catalogue with another server behind it is another bank.
        let provider = self.0.catalogue.provider(&old.provider);
        if provider.is_none_or(|provider| provider.server.issuer.as_str() != old.issuer) {
            return Err(Refusal::Unknown(Thing::Provider));
        }
        let connect = ConnectAccount {
            provider: old.provider.to_string(),
            agent: old.agent.to_string(),
            permissions: request.permissions.clone(),
            until: request.until,
        };
        let attempt = Attempt { renews, ..self.draft_attempt(&connect).await? };
        self.start_attempt(attempt).await
    }

    /// Answers an attempt that came back with accounts nobody expected.
    ///
    /// # Errors
    /// There is no such attempt, it has ended, it asks nothing, or the vault is locked.
    pub async fn decide_account(&self, request: &DecideAccount) -> Result<AttemptId, Refusal> {
        let id = AttemptId::parse(&request.attempt).map_err(|_| Refusal::Malformed)?;
        let control = self.control(id)?;
        if request.keep {
            self.must_be_open()?;
        }
        // What was not asked is not answered, lest an answer that comes too soon meets a question nobody has seen.
        let (ended, asked) = self
            .0
            .live()
            .get(&id)
            .map_or((true, false), |live| (live.attempt.ending.is_some(), live.other.is_some()));
        if ended {
            return Err(Refusal::AttemptEnded);
        }
        if !asked {
            return Err(Refusal::Malformed);
        }
        let decision = if request.keep { Decision::Keep } else { Decision::LetGo };
        control.send(Control::Decide(decision)).await.map_err(|_| Refusal::AttemptEnded)?;
        self.settled(id).await;
        Ok(id)
    }
}
