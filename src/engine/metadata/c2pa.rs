//! C2PA manifests (<https://spec.c2pa.org/>, 1.0 to 2.4): who made the picture, who changed it.
//!
//! The last manifest of the store is the picture's own; what it opened or placed has manifests
//! of its own before that. No signature is verified.
//!
//! Promises: reading is total and bounded: a store of so many bytes, so many manifests of it, each
//! read at most twice, in so many steps from ingredient to ingredient, whatever they name as their
//! ingredients, and so many actions of each.

mod cbor;
mod jumbf;
mod manifest;

use std::collections::{HashMap, HashSet};

use super::source_type::SourceType;
use super::{Clues, names};
use jumbf::Labelled;
use manifest::{Action, Manifest};

/// The most bytes of a manifest store, about as many as a JPEG's segments hold; thumbnails of
/// the picture and its ingredients lie in it, which are a megabyte or two in all.
pub const STORE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What APP11 repeats at the head of each segment: identifier, instance, number.
const SEGMENT_HEAD_BYTES: usize = 8;
/// The box's length and type, which segments after the first repeat.
const BOX_HEAD_BYTES: usize = 8;
/// How many manifests of one store are told of.
const MANIFESTS_MAX: usize = 64;
/// How many ingredients may lie in one another.
const DEPTH_MAX: usize = 16;

/// Adds what one APP11 segment of a JPEG holds of the store.
pub fn collect(store: &mut Vec<u8>, segment: &[u8]) {
    let skipped = if store.is_empty() {
        SEGMENT_HEAD_BYTES
    } else {
        SEGMENT_HEAD_BYTES + BOX_HEAD_BYTES
    };
    if let Some(body) = segment.get(skipped..)
        && segment.starts_with(b"JP")
        && store.len() + body.len() <= STORE_BYTES_MAX
    {
        store.extend_from_slice(body);
    }
}

/// Takes what the store says; one that is too large is not looked into, or no
/// further than it was read.
pub fn read(clues: &mut Clues, store: &[u8]) {
    if store.len() > STORE_BYTES_MAX {
        return;
    }
    let Some(store) = Labelled::first(store).filter(|store| store.label == "c2pa") else {
        return;
    };
    let mut history = History::of(store);
    if let Some(active) = history.manifests.len().checked_sub(1) {
        history.tell(clues, active, Role::Picture, DEPTH_MAX);
    }
}

/// What a manifest's claims are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    /// The picture, or what it was before.
    Picture,
    /// What was placed in it.
    Part,
}

/// The manifests of a store, and which of them were told of.
struct History<'a> {
    manifests: Vec<Labelled<'a>>,
    /// The first manifest of each label.
    places: HashMap<&'a str, usize>,
    /// A second time, a manifest says nothing new.
    told: HashSet<(usize, Role)>,
    /// How many more may be told of.
    left: usize,
}

impl<'a> History<'a> {
    fn of(store: Labelled<'a>) -> Self {
        let manifests: Vec<Labelled<'_>> = store.superboxes().collect();
        let mut places = HashMap::new();
        for (place, found) in manifests.iter().enumerate() {
            places.entry(found.label).or_insert(place);
        }
        Self {
            manifests,
            places,
            told: HashSet::new(),
            left: MANIFESTS_MAX,
        }
    }

    fn tell(&mut self, clues: &mut Clues, place: usize, role: Role, depth: usize) {
        if self.left == 0 || depth == 0 || !self.told.insert((place, role)) {
            return;
        }
        self.left -= 1;
        let manifest = Manifest::read(self.manifests[place]);
        if let Some(camera) = &manifest.camera {
            clues.captured(Some(camera));
        }
        for action in &manifest.actions {
            told(clues, action, manifest.program.as_deref());
        }
        for (relationship, label) in &manifest.ingredients {
            let Some(ingredient) = self.places.get(label).copied() else {
                continue;
            };
            match *relationship {
                "parentOf" => self.tell(clues, ingredient, role, depth - 1),
                "componentOf" => {
                    let mut part = Clues::default();
                    self.tell(&mut part, ingredient, Role::Part, depth - 1);
                    if let Some(program) = part.machine() {
                        clues.ai_edited(program);
                    }
                }
                // what a generator was shown beside its prompt
                _ => {}
            }
        }
        if let Some(program) = &manifest.program {
            claimed(clues, program, &manifest);
        }
    }
}

/// What an action says of where the picture comes from.
fn told(clues: &mut Clues, action: &Action<'_>, program: Option<&str>) {
    let agent = action.agent.or(program);
    let is_origin = matches!(action.kind, "c2pa.created" | "c2pa.opened");
    match action.source {
        Some(SourceType::Generated) if is_origin => clues.generated(agent),
        // a machine's part in a picture that was there before
        Some(SourceType::Generated | SourceType::Composite) => clues.ai_edited(agent),
        Some(SourceType::Edited) => clues.edited(agent),
        Some(SourceType::Captured) => clues.captured(program),
        None => {
            let Some(generator) = action.agent.and_then(names::generator_of_tool) else {
                return;
            };
            if action.kind == "c2pa.created" {
                clues.generator(generator);
            } else if !is_origin && action.kind != "c2pa.converted" {
                clues.ai_edited(Some(generator));
            }
        }
    }
}

/// What follows from the program that made the claim, where the actions leave it open.
fn claimed(clues: &mut Clues, program: &str, manifest: &Manifest<'_>) {
    if names::is_editor(program) {
        clues.edited(Some(program));
    } else if let Some(generator) = names::generator_of_tool(program) {
        let is_opened = manifest.actions.iter().any(|of| of.kind == "c2pa.opened");
        if is_opened {
            clues.ai_edited(Some(generator));
        } else {
            clues.generator(generator);
        }
    }
}

#[cfg(test)]
mod tests;
