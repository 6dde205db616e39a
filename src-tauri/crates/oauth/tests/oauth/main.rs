//! What a bank answers, from outside: tables of replies with one fault each, and the word each is refused with.

#[cfg(test)]
mod bank;
#[cfg(test)]
mod every_byte;
#[cfg(test)]
mod id_tokens;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod other_replies;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod token_replies;
