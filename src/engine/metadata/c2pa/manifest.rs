//! One manifest: its claim, and of its assertions the actions, the ingredients and the camera.
//!
//! Promises: reading goes over the bytes once, and so many actions are kept.

use serde_json::Value;

use super::super::source_type::SourceType;
use super::super::{TEXT_BYTES_MAX, names};
use super::cbor::Node;
use super::jumbf::Labelled;

/// The most actions of one manifest.
pub const ACTIONS_MAX: usize = 256;

/// What a manifest says.
#[derive(Debug, Default)]
pub struct Manifest<'a> {
    /// The program that made the claim, without its version where that can be told apart.
    pub program: Option<String>,
    pub actions: Vec<Action<'a>>,
    /// How each ingredient with a manifest relates to the picture, and that manifest's label.
    pub ingredients: Vec<(&'a str, &'a str)>,
    /// The camera, by make and model.
    pub camera: Option<String>,
}

/// What was done.
#[derive(Debug)]
pub struct Action<'a> {
    /// `c2pa.created` and the like.
    pub kind: &'a str,
    /// The program that did it, if the action names one.
    pub agent: Option<&'a str>,
    pub source: Option<SourceType>,
}

impl<'a> Manifest<'a> {
    pub fn read(found: Labelled<'a>) -> Self {
        let mut manifest = Self::default();
        for part in found.superboxes() {
            // both have versions: c2pa.claim.v2
            if part.label.starts_with("c2pa.claim") {
                manifest.program = part
                    .content(*b"cbor")
                    .and_then(Node::read)
                    .and_then(|claim| program(&claim));
            } else if part.label == "c2pa.assertions" {
                for assertion in part.superboxes() {
                    manifest.assert(assertion);
                }
            }
        }
        manifest
    }

    /// Takes one assertion; a number follows the label of all but the first of a kind.
    fn assert(&mut self, assertion: Labelled<'a>) {
        let label = assertion.label;
        if let Some(text) = assertion.content(*b"json") {
            if label.starts_with("stds.exif") || label.ends_with(".metadata") {
                self.camera = camera(text).or(self.camera.take());
            }
        } else if let Some(node) = assertion.content(*b"cbor").and_then(Node::read) {
            if label.starts_with("c2pa.actions") {
                self.act(&node);
            } else if label.starts_with("c2pa.ingredient") {
                self.ingredients.extend(ingredient(&node));
            }
        }
    }

    /// Takes an assertion's actions, as many as there is room for.
    pub fn act(&mut self, assertion: &Node<'a>) {
        let left = ACTIONS_MAX.saturating_sub(self.actions.len());
        self.actions.extend(actions(assertion).take(left));
    }
}

/// The claim generator: its name, or what it calls itself as a user agent.
fn program(claim: &Node<'_>) -> Option<String> {
    let info = claim.get("claim_generator_info");
    // one map since version 2, a list of them before
    let named = info
        .and_then(|info| info.list().first().or(Some(info)))
        .and_then(|info| info.text_of("name"))
        .map(|name| names::one_line(&name.replace('_', " ")));
    named
        .or_else(|| claim.text_of("claim_generator").map(names::product))
        .filter(|name| !name.is_empty())
}

fn actions<'a>(assertion: &Node<'a>) -> impl Iterator<Item = Action<'a>> {
    let list = |key| assertion.get(key).map_or(&[][..], Node::list);
    let name = |agent: &Node<'a>| agent.text().or_else(|| agent.text_of("name"));
    // many actions may be one agent's
    let agents: Vec<_> = list("softwareAgents").iter().map(name).collect();
    list("actions").iter().filter_map(move |action| {
        let parameters = action.get("parameters");
        let parameter = |name| parameters.and_then(|all| all.text_of(name));
        let agent = match action.get("softwareAgent") {
            Some(agent) => name(agent),
            None => match action.get("softwareAgentIndex") {
                Some(Node::Number(index)) => {
                    usize::try_from(*index).ok().and_then(|at| *agents.get(at)?)
                }
                _ => None,
            },
        };
        let source = action
            .text_of("digitalSourceType")
            .or_else(|| parameter("com.adobe.digitalSourceType"));
        Some(Action {
            kind: action.text_of("action")?,
            // what Adobe's programs call a model of others'
            agent: agent.or_else(|| parameter("com.adobe.details")),
            source: source.and_then(SourceType::of),
        })
    })
}

/// The relationship, and the label in `self#jumbf=/c2pa/LABEL`.
fn ingredient<'a>(assertion: &Node<'a>) -> Option<(&'a str, &'a str)> {
    let reference = assertion
        .get("activeManifest")
        .or_else(|| assertion.get("c2pa_manifest"))?;
    let path = reference.text_of("url")?.rsplit_once("/c2pa/")?.1;
    let label = path.split('/').next()?;
    Some((assertion.text_of("relationship")?, label))
}

/// Make and model, as EXIF in JSON has them; a text that is too long would grow too much as a tree.
fn camera(text: &[u8]) -> Option<String> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let facts: Value = serde_json::from_slice(text).ok()?;
    let fact = |name: &str| facts.get(name)?.as_str();
    let make = fact("tiff:Make").or_else(|| fact("exif:Make"))?;
    let model = fact("tiff:Model").or_else(|| fact("exif:Model"))?;
    Some(names::camera(make, model))
}
