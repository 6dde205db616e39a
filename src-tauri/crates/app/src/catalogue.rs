//! The catalogue: provider files, the profiles beside them, and the sandbox's agents, parsed once at start.

use std::collections::BTreeMap;

use domain::agent::{AgentKey, AgentName};
use domain::id::{ProfileId, ProviderId};
use domain::profile::Profile;
use domain::provider::{self, AddressRule, Provider};
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
            match Profile::parse(&file.text) {
                // A folder's own profile goes before the built-in one of the same id.
                Ok(profile) => {
                    profiles.entry(profile.id.clone()).or_insert(profile);
                }
                Err(err) => self.problems.push(Problem { file: file.name.clone(), rule: err.to_string() }),
            }
        }
        profiles
    }

    /// Keeps issuers and ids unique (RFC 9207 §4): two entries for one issuer could be played against each other.
    fn check_unique(&self, provider: Provider) -> Result<Provider, String> {
        if self.providers.iter().any(|p| p.id == provider.id) {
            return Err("another file has this id".into());
        }
        if self.providers.iter().any(|p| p.server.issuer == provider.server.issuer) {
            return Err("another file has this issuer".into());
        }
        Ok(provider)
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
mod tests {
    use super::*;

    const FDX: &str = include_str!("../../oauth/providers/profiles/fdx-v6.toml");
    const EXAMPLE: &str = include_str!("../../oauth/providers/example.toml");

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.into(), text: text.into() }
    }

    #[test]
    fn a_refused_file_is_named_and_hurts_no_other() {
        let same_issuer = EXAMPLE.replacen("example-bank", "twin", 1);
        let other = same_issuer.replace("auth.bank.example\"", "auth.other.example\"");
        let sources = Sources {
            providers: vec![
                file("a.toml", EXAMPLE),
                file("b.toml", EXAMPLE),
                file("c.toml", &same_issuer),
                file("d.toml", "id = "),
                file("e.toml", &other),
                file("f.toml", &EXAMPLE.replace("fdx-v6\"", "berlin\"")),
            ],
            profiles: vec![file("fdx-v6.toml", FDX), file("bad.toml", "id = 7")],
            agents: vec![file("x.toml", "name = \"X\"")],
            unreadable: vec![Problem { file: "g.toml".into(), rule: "not UTF-8".into() }],
        };
        let catalogue = Catalogue::parse(&sources, AddressRule::Public);
        let ids: Vec<_> = catalogue.providers().iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["example-bank", "twin"]);
        let problems: Vec<_> =
            catalogue.problems.iter().map(|p| (p.file.as_str(), p.rule.as_str())).collect();
        assert_eq!(
            problems,
            [
                ("g.toml", "not UTF-8"),
                ("bad.toml", "not a profile file: invalid type at byte 5"),
                ("b.toml", "another file has this id"),
                ("c.toml", "another file has this issuer"),
                ("d.toml", "not a provider file: syntax at byte 5"),
                ("f.toml", "profile berlin is not there"),
                ("x.toml", "not an agent file"),
            ]
        );
    }
}
