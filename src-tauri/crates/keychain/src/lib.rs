//! The operating system's keychain behind app::port::Keychain.
//!
//! **Invariant:** one store per operating system, chosen at compile time: never a stand-in in memory, never keyutils,
//! never a file. It holds key-encryption keys, the store's anchor, and nothing else.

mod item;
#[cfg(target_os = "linux")]
mod linux;
mod memory;
#[cfg(any(target_os = "macos", windows))]
mod native;

#[cfg(target_os = "linux")]
pub use linux::SecretService;
pub use memory::MemoryKeychain;
#[cfg(any(target_os = "macos", windows))]
pub use native::NativeKeychain;

/// How long the keychain may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a call that shows nothing to anybody.
    pub call: std::time::Duration,
    /// For a person at the system's own prompt.
    pub prompt: std::time::Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { call: std::time::Duration::from_secs(3), prompt: std::time::Duration::from_secs(60) }
    }
}

/// What the host decides about the keychain.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The session bus (`DBUS_SESSION_BUS_ADDRESS`), Linux only; without one there is no keychain.
    pub bus: Option<String>,
    /// How long it may take.
    pub limits: Limits,
}
