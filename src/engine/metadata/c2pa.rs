//! C2PA manifests (<https://spec.c2pa.org/>, 1.0 to 2.4): the claim generator and the actions of
//! the active manifest, which is the last one of the store. Ingredients are not followed, and
//! signatures are not verified.
//!
//! Guarantees: reading never panics, and is bounded in the bytes of a store and the actions of a
//! manifest.

mod jumbf;
mod manifest;

use super::source_type::SourceType;
use super::{ProvenanceSignals, names};
use jumbf::Superbox;
use manifest::{Manifest, ManifestAction};

/// Maximum length of a manifest store, about the capacity of a JPEG's segments. Thumbnails of the
/// picture and its ingredients in the store take a megabyte or two.
pub const STORE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Length of the header that each APP11 segment repeats: identifier, instance, sequence number.
const SEGMENT_HEAD_BYTES: usize = 8;
/// Length of the box header (length and type) that segments after the first repeat.
const BOX_HEAD_BYTES: usize = 8;

/// Appends the part of the manifest store in an APP11 segment of a JPEG.
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

/// Adds the signals of a manifest store. A store longer than [`STORE_BYTES_MAX`] is ignored, one of
/// that length may be incomplete.
pub fn read(signals: &mut ProvenanceSignals, store: &[u8]) {
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
        apply_action(signals, action, manifest.program.as_deref());
    }
    if let Some(program) = &manifest.program {
        apply_claim_generator(signals, program, &manifest);
    }
}

/// Adds the origin that an action states.
fn apply_action(signals: &mut ProvenanceSignals, action: &ManifestAction, program: Option<&str>) {
    let agent = action.agent.as_deref().or(program);
    let is_origin = matches!(action.kind.as_str(), "c2pa.created" | "c2pa.opened");
    match action.source {
        Some(SourceType::Generated) if is_origin => signals.add_generated(agent),
        // A generator changed a picture that existed before.
        Some(SourceType::Generated | SourceType::Composite) => signals.add_ai_edited(agent),
        Some(SourceType::Edited) => signals.add_edited(agent),
        Some(SourceType::Captured) => signals.add_captured(program),
        None => {
            let Some(generator) = action
                .agent
                .as_deref()
                .and_then(names::generator_from_software)
            else {
                return;
            };
            if action.kind == "c2pa.created" {
                signals.add_generator(generator);
            } else if !is_origin && action.kind != "c2pa.converted" {
                signals.add_ai_edited(Some(generator));
            }
        }
    }
}

/// Adds the origin that the claim generator implies.
fn apply_claim_generator(signals: &mut ProvenanceSignals, program: &str, manifest: &Manifest) {
    if names::is_editor(program) {
        signals.add_edited(Some(program));
    } else if let Some(generator) = names::generator_from_software(program) {
        let is_opened = manifest
            .actions
            .iter()
            .any(|action| action.kind == "c2pa.opened");
        if is_opened {
            signals.add_ai_edited(Some(generator));
        } else {
            signals.add_generator(generator);
        }
    }
}

#[cfg(test)]
mod tests;
