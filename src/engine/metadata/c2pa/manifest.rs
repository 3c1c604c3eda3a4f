//! One manifest: its claim, and the actions among its assertions.
//!
//! Promises: reading goes over the bytes once, and so many actions are kept.

use super::super::names;
use super::super::source_type::SourceType;
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
        if assertion.label.starts_with("c2pa.actions")
            && let Some(node) = assertion.content(*b"cbor").and_then(Node::read)
        {
            self.act(&node);
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
