//! Which addresses are connected to: the ones that were checked, and no others (CWE-918, DNS rebinding).

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use domain::provider::{AddressRule, is_public};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

/// The addresses of a name, as some name service gives them.
pub(super) type Lookup = Arc<dyn Fn(String) -> Answer + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// A name that leads to no address we connect to.
#[derive(Debug, Error)]
#[error("not a public address")]
pub(super) struct NotPublic;

/// Hands the connector checked addresses only; it connects to what it is handed.
pub(super) struct PublicResolver {
    lookup: Lookup,
    addresses: AddressRule,
}

impl PublicResolver {
    pub(super) fn new(lookup: Lookup, addresses: AddressRule) -> Self {
        Self { lookup, addresses }
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (answer, addresses) = ((self.lookup)(name.as_str().to_owned()), self.addresses);
        Box::pin(async move {
            let found = answer.await?;
            let named = !found.is_empty();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|ip| is_allowed(*ip, addresses))
                .map(|ip| SocketAddr::new(ip, 0))
                .collect();
            if named && allowed.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The operating system's name service.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(
            async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) },
        )
    })
}

/// Public addresses; in the sandbox this computer's own too, but never a private network's.
pub(super) fn is_allowed(ip: IpAddr, addresses: AddressRule) -> bool {
    is_public(ip) || (addresses == AddressRule::DangerLoopback && ip.is_loopback())
}
