//! Peers: honest servers that nobody here wrote, with habits of their own, each known to the app by its provider file
//! and nothing else. The real app on its real store, HTTP and loopback meets oidc-provider and django-oauth-toolkit,
//! with OpenID and without, through one and the same test bodies; a scripted person fills in the banks' own forms.
//! No window.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw"
)]

mod alike;
mod client;
mod django;
mod peer;
mod refresh;
