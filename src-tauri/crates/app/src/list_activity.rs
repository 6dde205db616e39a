//! What happened, as the person looks through it: newest first, narrowed down, a page at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::ui::{ActivityDetails, ActivityEntry, ActivityFilter, ActivityKind, ActivityPage};
use domain::audit::{AuditEvent, AuditRecord, CHAIN_START};
use domain::id::{AgentId, GrantId, ProviderId, hex};

use crate::activity::{Named, Names, kind, purpose, words};
use crate::catalogue::Catalogue;
use crate::port::{Ports, RecordsOf, Store as _, StoreError, Tx};
use crate::report::{Refusal, Thing};
use crate::start::App;

/// The most entries of a page.
const PAGE: u16 = 200;
/// So many grants are followed by their own records; where there are more, all records are looked through.
const FOLLOWED: u16 = 64;
/// So many records are read at a time: others read in between.
const AT_A_TIME: u16 = 500;
/// So many records are looked through for one page.
const FARTHEST: usize = 100_000;
/// The longest words that are looked for.
const WORDS: usize = 100;

/// What is looked for, in our own words.
struct Search {
    agent: Option<AgentId>,
    grant: Option<GrantId>,
    bank: Option<ProviderId>,
    kinds: Vec<ActivityKind>,
    text: Option<String>,
    most: usize,
}

/// How far the search has come.
struct Found {
    named: Named,
    entries: Vec<ActivityEntry>,
    before: Option<u64>,
    looked_at: usize,
    over: bool,
}

impl<P: Ports> App<P> {
    /// What happened, newest first. Words are looked for in the names of agents and banks and in what agents said.
    ///
    /// # Errors
    /// An id that is not one, or the store.
    pub async fn list_activity(&self, filter: &ActivityFilter) -> Result<ActivityPage, Refusal> {
        let mut search = Search::read(filter)?;
        let (sources, agents) = {
            let (agent, grant, bank, kinds) =
                (search.agent, search.grant, search.bank.clone(), search.kinds.clone());
            let read =
                move |tx: &mut dyn Tx| Ok((sources(tx, agent, grant, bank.as_ref(), &kinds)?, tx.agents()?));
            self.0.ports.store().read(read).await?
        };
        let named = Named::of(agents);
        let mut found =
            Found { named, entries: Vec::new(), before: filter.before, looked_at: 0, over: false };
        let sources = Arc::new(sources);
        while !found.over && found.entries.len() <= search.most && found.looked_at < FARTHEST {
            let (inner, sources) = (Arc::clone(&self.0), Arc::clone(&sources));
            let read = move |tx: &mut dyn Tx| {
                look(tx, &sources, &search, &mut found, &inner.catalogue)?;
                Ok((search, found))
            };
            (search, found) = self.0.ports.store().read(read).await?;
        }
        let more = found.entries.len() > search.most;
        found.entries.truncate(search.most);
        Ok(ActivityPage { entries: found.entries, more })
    }

    /// One record, whole.
    ///
    /// # Errors
    /// There is no such record, or the store failed.
    pub async fn show_activity(&self, seq: u64) -> Result<ActivityDetails, Refusal> {
        let inner = Arc::clone(&self.0);
        let read = self.0.ports.store().read(move |tx| {
            let Some(record) = seq.checked_sub(1).map(|before| tx.audit_after(before, 1)).transpose()? else {
                return Ok(None);
            };
            let Some(record) = record.into_iter().next().filter(|record| record.seq == seq) else {
                return Ok(None);
            };
            let before = if seq == 1 { Some(CHAIN_START) } else { tx.audit_hash(seq - 1)? };
            let mut named = Named::of(tx.agents()?);
            let entry = named.entry(tx, &record, &inner.catalogue)?;
            Ok(entry.map(|entry| details(&record, entry, before)))
        });
        read.await?.ok_or(Refusal::Unknown(Thing::Activity))
    }
}

fn details(record: &AuditRecord, entry: ActivityEntry, before: Option<[u8; 32]>) -> ActivityDetails {
    let body: Option<serde_json::Value> = serde_json::from_str(&record.body).ok();
    let laid_out = body.and_then(|body| serde_json::to_string_pretty(&body).ok());
    ActivityDetails {
        entry,
        hash: hex(&record.hash),
        before: before.map(|hash| hex(&hash)).unwrap_or_default(),
        body: laid_out.unwrap_or_else(|| record.body.clone()),
    }
}

impl Search {
    fn read(filter: &ActivityFilter) -> Result<Self, Refusal> {
        let malformed = |_| Refusal::Malformed;
        let text = filter.text.as_deref().map(|text| text.trim().to_lowercase());
        if text.as_ref().is_some_and(|text| text.chars().count() > WORDS) {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            agent: filter.agent.as_deref().map(AgentId::parse).transpose().map_err(malformed)?,
            grant: filter.grant.as_deref().map(GrantId::parse).transpose().map_err(malformed)?,
            bank: filter
                .bank
                .as_deref()
                .map(ProviderId::parse)
                .transpose()
                .map_err(|_| Refusal::Malformed)?,
            kinds: filter.kinds.clone(),
            text: text.filter(|text| !text.is_empty()),
            most: usize::from(filter.most.clamp(1, PAGE)),
        })
    }

    fn fits(
        &self,
        tx: &mut dyn Tx,
        event: &AuditEvent,
        named: &mut Named,
        catalogue: &Catalogue,
    ) -> Result<bool, StoreError> {
        if !self.kinds.is_empty() && !self.kinds.contains(&kind(event)) {
            return Ok(false);
        }
        if self.agent.is_none() && self.grant.is_none() && self.bank.is_none() && self.text.is_none() {
            return Ok(true);
        }
        let names = named.names(tx, event)?;
        let named_ones = self.agent.is_none_or(|agent| names.agent == Some(agent))
            && self.grant.is_none_or(|grant| names.grant == Some(grant))
            && self.bank.as_ref().is_none_or(|bank| names.bank.as_ref() == Some(bank));
        let Some(text) = &self.text else { return Ok(named_ones) };
        Ok(named_ones && says(text, tx, event, &names, named, catalogue)?)
    }
}

/// Whether a text is in the names of a record, or in the agent's words.
fn says(
    text: &str,
    tx: &mut dyn Tx,
    event: &AuditEvent,
    names: &Names,
    named: &mut Named,
    catalogue: &Catalogue,
) -> Result<bool, StoreError> {
    let has = |name: &str| name.to_lowercase().contains(text);
    let agent = names.agent.and_then(|id| named.agent(id));
    if agent.is_some_and(|agent| has(agent.name.as_str())) || purpose(event).is_some_and(has) {
        return Ok(true);
    }
    let bank = names.bank.as_ref().and_then(|id| catalogue.provider(id));
    if bank.is_some_and(|bank| has(&bank.name)) {
        return Ok(true);
    }
    let grant = names.grant.map(|id| named.grant(tx, id)).transpose()?.flatten();
    Ok(grant.is_some_and(|grant| has(&grant.provider_name)))
}

/// Where to look: the indexes that lead to what is wanted and to little else.
fn sources(
    tx: &mut dyn Tx,
    agent: Option<AgentId>,
    grant: Option<GrantId>,
    bank: Option<&ProviderId>,
    kinds: &[ActivityKind],
) -> Result<Vec<RecordsOf>, StoreError> {
    if let Some(grant) = grant {
        return Ok(vec![RecordsOf::Grant(grant)]);
    }
    if agent.is_some() || bank.is_some() {
        let grants = tx.grant_ids(agent, bank, FOLLOWED + 1)?;
        if grants.len() > usize::from(FOLLOWED) {
            return Ok(vec![RecordsOf::All]);
        }
        let own = agent.map(RecordsOf::Agent);
        // Attempts name the bank, and belong to the agent, whether or not a grant came of them.
        let attempts = ["attempt_started", "attempt_ended", "callback_interference"];
        let attempts = attempts.into_iter().map(RecordsOf::Event);
        return Ok(grants.into_iter().map(RecordsOf::Grant).chain(own).chain(attempts).collect());
    }
    if kinds.is_empty() {
        return Ok(vec![RecordsOf::All]);
    }
    Ok(kinds.iter().flat_map(|kind| words(*kind)).copied().map(RecordsOf::Event).collect())
}

/// Looks at the next records of all sources together, down to where each of them was read.
fn look(
    tx: &mut dyn Tx,
    sources: &[RecordsOf],
    search: &Search,
    found: &mut Found,
    catalogue: &Catalogue,
) -> Result<(), StoreError> {
    let most = if sources.len() == 1 { AT_A_TIME } else { PAGE };
    let (mut records, mut down_to) = (BTreeMap::new(), None);
    for source in sources {
        let read = tx.audit_before(source, found.before, most)?;
        if read.len() == usize::from(most) {
            down_to = down_to.max(read.last().map(|record| record.seq));
        }
        records.extend(read.into_iter().map(|record| (record.seq, record)));
    }
    found.over = down_to.is_none();
    found.before = down_to;
    for (seq, record) in records.into_iter().rev() {
        if down_to.is_some_and(|down_to| seq < down_to) || found.entries.len() > search.most {
            break;
        }
        found.looked_at += 1;
        let fits = match record.event() {
            Some(event) => search.fits(tx, &event, &mut found.named, catalogue)?,
            // What cannot be read belongs to nobody, and is shown where everything is.
            None => search.shows_all(),
        };
        let entry = if fits { found.named.entry(tx, &record, catalogue)? } else { None };
        found.entries.extend(entry);
    }
    Ok(())
}

impl Search {
    fn shows_all(&self) -> bool {
        self.agent.is_none()
            && self.grant.is_none()
            && self.bank.is_none()
            && self.text.is_none()
            && self.kinds.is_empty()
    }
}
