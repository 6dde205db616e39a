//! The catalogue: provider files, the profiles beside them, and the sandbox's agents, parsed once at start.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::agent::{AgentKey, AgentName};
use domain::id::{ProfileId, ProviderId};
use domain::profile::Profile;
use domain::provider::{self, AddressRule, Provider};
use domain::text::likeness;
use serde::Deserialize;

/// A file as it was read: its name without the folder, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// For messages.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// A file that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which file.
    pub file: String,
    /// Which rule; names and positions, no content.
    pub rule: String,
}

/// Everything a catalogue folder holds, as text.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// One per provider.
    pub providers: Vec<SourceFile>,
    /// One per API profile.
    pub profiles: Vec<SourceFile>,
    /// One per agent; `sandbox` only.
    pub agents: Vec<SourceFile>,
    /// Files that could not even be read.
    pub unreadable: Vec<Problem>,
}

/// An agent named by the catalogue folder.
#[derive(Clone, Debug)]
pub struct ListedAgent {
    /// Its name.
    pub name: AgentName,
    /// Its key.
    pub key: AgentKey,
}

/// What can be connected.
#[derive(Debug, Default)]
pub struct Catalogue {
    providers: Vec<Provider>,
    /// Agents that are known from the start.
    pub agents: Vec<ListedAgent>,
    /// Files that were refused; the others work.
    pub problems: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentFile {
    name: String,
    jwk: JwkFile,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct JwkFile {
    kty: String,
    crv: String,
    x: String,
}

const SAME_ID: &str = "another file has this id";

impl Catalogue {
    /// Parses every file; one that is refused is named and hurts no other.
    #[must_use]
    pub fn parse(sources: &Sources, addresses: AddressRule) -> Self {
        let mut catalogue = Self { problems: sources.unreadable.clone(), ..Self::default() };
        let profiles = catalogue.parse_profiles(&sources.profiles);
        for file in &sources.providers {
            match parse_provider(file, &profiles, addresses)
                .and_then(|provider| catalogue.check_unique(provider))
            {
                Ok(provider) => catalogue.providers.push(provider),
                Err(rule) => catalogue.problems.push(Problem { file: file.name.clone(), rule }),
            }
        }
        for file in &sources.agents {
            match parse_agent(&file.text) {
                Ok(agent) => catalogue.agents.push(agent),
                Err(rule) => catalogue.problems.push(Problem { file: file.name.clone(), rule }),
            }
        }
        catalogue.providers.sort_by(|a, b| a.name.cmp(&b.name));
        catalogue
    }

    /// All banks, by name.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// One bank.
    #[must_use]
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers.iter().find(|p| p.id == *id)
    }

    fn parse_profiles(&mut self, files: &[SourceFile]) -> BTreeMap<ProfileId, Profile> {
        let mut profiles = BTreeMap::new();
        for file in files {
            let refused = match Profile::parse(&file.text) {
                // A folder's own profile goes before the built-in one of the same id, and that is said.
                Ok(profile) => match profiles.entry(profile.id.clone()) {
                    Entry::Vacant(place) => {
                        place.insert((profile, &file.text));
                        None
                    }
                    Entry::Occupied(other) => (*other.get().1 != file.text).then(|| SAME_ID.to_owned()),
                },
                Err(err) => Some(err.to_string()),
            };
            self.problems.extend(refused.map(|rule| Problem { file: file.name.clone(), rule }));
        }
        profiles.into_iter().map(|(id, (profile, _))| (id, profile)).collect()
    }

    /// Keeps ids and issuers unique (RFC 9207 §4), since two entries for one issuer could be played against each
    /// other, and names too, since a person knows a bank by nothing else.
    fn check_unique(&self, provider: Provider) -> Result<Provider, String> {
        let name = likeness(&provider.name);
        let rule = self.providers.iter().find_map(|other| {
            if other.id == provider.id {
                Some(SAME_ID)
            } else if other.server.issuer.looks_like(&provider.server.issuer) {
                Some("another file has this issuer")
            } else if likeness(&other.name) == name {
                Some("another bank has a name like this")
            } else {
                None
            }
        });
        rule.map_or(Ok(provider), |rule| Err(rule.to_owned()))
    }
}

fn parse_provider(
    file: &SourceFile,
    profiles: &BTreeMap<ProfileId, Profile>,
    addresses: AddressRule,
) -> Result<Provider, String> {
    let wanted = provider::wanted_profile(&file.text).map_err(|err| err.to_string())?;
    let profile = profiles.get(&wanted).cloned().ok_or_else(|| format!("profile {wanted} is not there"))?;
    Provider::parse(&file.text, profile, addresses).map_err(|err| err.to_string())
}

fn parse_agent(text: &str) -> Result<ListedAgent, String> {
    let file: AgentFile = toml::from_str(text).map_err(|_| "not an agent file".to_owned())?;
    let name = AgentName::parse(&file.name).map_err(|err| err.to_string())?;
    let jwk = serde_json::to_string(&file.jwk).map_err(|_| "not an agent file".to_owned())?;
    let key = AgentKey::parse(&jwk).map_err(|err| err.to_string())?;
    Ok(ListedAgent { name, key })
}

#[cfg(test)]
mod tests;
