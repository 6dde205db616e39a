//! The vault from outside: what opens, what does not, and what must open for ever.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod passphrase;
#[cfg(test)]
mod permanent;
#[cfg(test)]
mod rewrap;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod support;
#[cfg(test)]
mod table;
