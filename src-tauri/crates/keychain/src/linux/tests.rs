//! The real gnome-keyring on a bus of its own, and a Secret Service that misbehaves on purpose.

mod fake;
mod hostile;
mod real;
mod session;

use std::time::Duration;

use super::*;
use crate::Limits;

/// Room for a busy computer, where the answer counts and not the time.
const PATIENT: Limits = Limits { call: Duration::from_secs(15), prompt: Duration::from_secs(5) };

/// Where no answer is expected.
const HASTY: Limits = Limits { call: Duration::from_secs(1), prompt: Duration::from_secs(5) };

fn keychain(bus: &str, limits: Limits) -> SecretService {
    SecretService::new(Settings { bus: Some(bus.to_owned()), limits })
}

fn install() -> InstallId {
    InstallId::parse("00112233445566aa").unwrap()
}

fn kek(number: u8) -> KekId {
    KekId::make_from([number; 8])
}

fn key(byte: u8) -> KeyEncryptionKey {
    KeyEncryptionKey::from_random([byte; 32])
}

/// What every operation says, in one order.
async fn all(keychain: &SecretService) -> [Option<KeychainError>; 4] {
    [
        keychain.status().await.err(),
        keychain.probe(&install()).await.err(),
        keychain.read_keks(&install(), kek(1)).await.err(),
        keychain.write_kek(&install(), kek(1), &key(1)).await.err(),
    ]
}

/// Runs futures at once; there are few.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if waiting.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}
