//! C2PA manifests (<https://spec.c2pa.org/>, 1.0 to 2.4): the claim generator and the actions of the
//! active one, which is the last of the store. Ingredients are not followed, and no signature is
//! verified.
//!
//! Guarantees: reading is total and bounded in the bytes of a store and in the actions of a manifest.

mod jumbf;
mod manifest;

use super::source_type::SourceType;
use super::{ProvenanceSignals, names};
use jumbf::Superbox;
use manifest::{Action, Manifest};

/// The most bytes of a manifest store, about as many as a JPEG's segments hold; thumbnails of
/// the picture and its ingredients lie in it, which are a megabyte or two in all.
pub const STORE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What APP11 repeats at the head of each segment: identifier, instance, number.
const SEGMENT_HEAD_BYTES: usize = 8;
/// The box's length and type, which segments after the first repeat.
const BOX_HEAD_BYTES: usize = 8;

/// Adds what one APP11 segment of a JPEG holds of the store.
pub fn append_app11(store: &mut Vec<u8>, segment: &[u8]) {
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
pub fn read(clues: &mut ProvenanceSignals, store: &[u8]) {
    if store.len() > STORE_BYTES_MAX {
        return;
    }
    let Some(store) = Superbox::first(store).filter(|store| store.label == "c2pa") else {
        return;
    };
    let Some(active) = store.superboxes().last() else {
        return;
    };
    let manifest = Manifest::read(active);
    for action in &manifest.actions {
        apply_action(clues, action, manifest.program.as_deref());
    }
    if let Some(program) = &manifest.program {
        apply_claim_generator(clues, program, &manifest);
    }
}

/// Adds the source of the picture that an action states.
fn apply_action(clues: &mut ProvenanceSignals, action: &Action, program: Option<&str>) {
    let agent = action.agent.as_deref().or(program);
    let is_origin = matches!(action.kind.as_str(), "c2pa.created" | "c2pa.opened");
    match action.source {
        Some(SourceType::Generated) if is_origin => clues.add_generated(agent),
        // a machine's part in a picture that was there before
        Some(SourceType::Generated | SourceType::Composite) => clues.add_ai_edited(agent),
        Some(SourceType::Edited) => clues.add_edited(agent),
        Some(SourceType::Captured) => clues.add_captured(program),
        None => {
            let Some(generator) = action
                .agent
                .as_deref()
                .and_then(names::generator_from_software)
            else {
                return;
            };
            if action.kind == "c2pa.created" {
                clues.add_generator(generator);
            } else if !is_origin && action.kind != "c2pa.converted" {
                clues.add_ai_edited(Some(generator));
            }
        }
    }
}

/// Adds the source that the program which made the claim stands for, if the actions state none.
fn apply_claim_generator(clues: &mut ProvenanceSignals, program: &str, manifest: &Manifest) {
    if names::is_editor(program) {
        clues.add_edited(Some(program));
    } else if let Some(generator) = names::generator_from_software(program) {
        let is_opened = manifest.actions.iter().any(|of| of.kind == "c2pa.opened");
        if is_opened {
            clues.add_ai_edited(Some(generator));
        } else {
            clues.add_generator(generator);
        }
    }
}

#[cfg(test)]
mod tests;
