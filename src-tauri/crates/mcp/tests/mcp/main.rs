//! The server's program as it is built, from outside.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod closed;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../../../host/tests/host/plain_user.rs"]
mod plain_user;
