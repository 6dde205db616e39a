//! Local sockets: addresses, listen, dial, who the peer is. Carries HTTP and knows no message.
//!
//! Two transports, told apart on purpose. The *public socket* is a path that every program of the same user may
//! dial: [`address`], [`listen`], [`dial`]. The *private channel* has no path at all; it is inherited from the host
//! and cannot be dialled: [`channel`]. [`http`] asks over both.
//!
//! **Invariant:** no byte of a connection is read before its peer is known to be the same user.
//!
//! Unix only. A Windows named pipe needs a security descriptor of its own (the default one lets everybody read),
//! which is why there is none here rather than one with the default.
#![cfg(unix)]

pub mod address;
pub mod channel;
pub mod dial;
pub mod folder;
pub mod http;
pub mod listen;
pub mod peer;
