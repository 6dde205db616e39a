//! The host's program as it is built, from outside.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod closed;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod plain_user;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod surroundings;
