//! A manifest: its claim, and the actions among its assertions.
//!
//! <https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html#_actions>

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::names;
use super::super::source_type::SourceType;
use super::jumbf::Superbox;

/// Maximum number of actions of a manifest that are read.
pub const ACTIONS_MAX: usize = 256;
/// Maximum length of a claim or an assertion. Thumbnails are assertions of their own.
pub const CBOR_BYTES_MAX: usize = 64 * 1024;

/// Claim generator and actions of a manifest.
#[derive(Debug, Default)]
pub struct Manifest {
    /// Claim generator, without its version if that is separable.
    pub program: Option<String>,
    pub actions: Vec<ManifestAction>,
}

/// A step in the history of a picture.
#[derive(Debug)]
pub struct ManifestAction {
    /// Action label, such as `c2pa.created`.
    pub kind: String,
    /// Software agent. `None` if the action names none.
    pub agent: Option<String>,
    pub source: Option<SourceType>,
}

impl Manifest {
    pub fn read(found: Superbox<'_>) -> Self {
        let mut manifest = Self::default();
        for part in found.superboxes() {
            // Claim labels have a version, such as c2pa.claim.v2.
            if part.label.starts_with("c2pa.claim") {
                manifest.program = parse(part).and_then(ClaimMap::into_program);
            } else if part.label == "c2pa.assertions" {
                // Labels of further assertions of the same type have a number.
                let assertions = part.superboxes();
                for found in assertions.filter(|it| it.label.starts_with("c2pa.actions")) {
                    manifest.add_actions(parse(found).unwrap_or_default());
                }
            }
        }
        manifest
    }

    fn add_actions(&mut self, assertion: ActionsMap) {
        let agents = assertion.software_agents;
        let agent_at = |index: u64| agents.get(usize::try_from(index).ok()?)?.0.clone();
        let actions = assertion.actions.into_iter().map(|action| ManifestAction {
            kind: action.action,
            agent: match (action.software_agent, action.software_agent_index) {
                (Some(agent), _) => agent.0,
                (None, index) => index.and_then(agent_at),
            }
            .or(action.parameters.details),
            source: action
                .digital_source_type
                .or(action.parameters.digital_source_type)
                .and_then(|it| SourceType::from_value(&it)),
        });
        let left = ACTIONS_MAX.saturating_sub(self.actions.len());
        self.actions.extend(actions.take(left));
    }
}

/// Parses the CBOR of a superbox. `None` if there is none, or if it is too long or malformed.
fn parse<'de, T: Deserialize<'de>>(found: Superbox<'de>) -> Option<T> {
    let cbor = found.content(*b"cbor")?;
    (cbor.len() <= CBOR_BYTES_MAX).then(|| minicbor_serde::from_slice(cbor).ok())?
}

#[derive(Debug, serde::Deserialize)]
struct ClaimMap {
    #[serde(default)]
    claim_generator_info: ProgramName,
    claim_generator: Option<String>,
}

impl ClaimMap {
    fn into_program(self) -> Option<String> {
        let name = self
            .claim_generator_info
            .0
            .map(|name| names::sanitize_name(&name.replace('_', " ")));
        let product = || self.claim_generator.as_deref().map(names::product);
        name.or_else(product).filter(|name| !name.is_empty())
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ActionsMap {
    actions: Vec<ActionMap>,
    software_agents: Vec<ProgramName>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ActionMap {
    action: String,
    software_agent: Option<ProgramName>,
    software_agent_index: Option<u64>,
    digital_source_type: Option<String>,
    parameters: ParametersMap,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct ParametersMap {
    #[serde(rename = "com.adobe.digitalSourceType")]
    digital_source_type: Option<String>,
    /// Name of a model by another vendor, in Adobe's manifests.
    #[serde(rename = "com.adobe.details")]
    details: Option<String>,
}

#[derive(Debug, Default, serde::Deserialize)]
struct NameMap {
    name: Option<String>,
}

/// Name of a program: a string, a map with a `name`, or a list of such maps, of which the first
/// counts.
#[derive(Debug, Default)]
struct ProgramName(Option<String>);

impl<'de> Deserialize<'de> for ProgramName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = ProgramName;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a program's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<ProgramName, E> {
                Ok(ProgramName(Some(name.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ProgramName, A::Error> {
                let map = NameMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ProgramName(map.name))
            }

            // Lists within lists are rejected, so that the depth is bounded.
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ProgramName, A::Error> {
                let first: NameMap = list.next_element()?.unwrap_or_default();
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ProgramName(first.name))
            }
        }

        deserializer.deserialize_any(NameVisitor)
    }
}
