//! What was found of a picture's source so far, and what follows from it.
//!
//! Promises: the first of each kind stands; a generator outweighs a machine's edit, that an
//! editor, and an editor a camera; a generator known by name outweighs one that is not.

use super::names;
use crate::model::picture::Provenance;

/// What a generator is called that does not say its name.
pub const UNNAMED_GENERATOR: &str = "AI generator";
/// What a machine's edit is by when nothing says.
pub const UNNAMED_AI_EDITOR: &str = "AI editor";
/// What an editor is called that does not say its name.
pub const UNNAMED_EDITOR: &str = "editor";
/// What a camera is called that does not say its model.
pub const UNNAMED_CAMERA: &str = "camera";

/// Words of a description that is a generator's name, and not a sentence.
const NAME_WORDS_MAX: usize = 3;

/// What was found so far.
#[derive(Debug, Default)]
pub struct ProvenanceSignals {
    generator: Option<String>,
    /// A machine made it, of a name that is not known or not said.
    generated: Option<Option<String>>,
    ai_editor: Option<Option<String>>,
    editor: Option<Option<String>>,
    camera: Option<Option<String>>,
}

impl ProvenanceSignals {
    /// Takes the name of a known generator that made the picture.
    pub fn add_generator(&mut self, name: &str) {
        self.generator.get_or_insert_with(|| name.to_owned());
    }

    /// Takes that a machine made the picture, and by which program.
    pub fn add_generated(&mut self, program: Option<&str>) {
        match program.and_then(names::generator_from_claim) {
            Some(name) => self.add_generator(name),
            None => first(&mut self.generated, program),
        }
    }

    /// Takes that a machine changed the picture, and by which program.
    pub fn add_ai_edited(&mut self, program: Option<&str>) {
        let known = program.and_then(names::generator_from_claim);
        first(&mut self.ai_editor, known.or(program));
    }

    /// Takes that a person changed the picture, and by which program.
    pub fn add_edited(&mut self, program: Option<&str>) {
        first(&mut self.editor, program);
    }

    /// Takes that a camera or a scanner took the picture, and which.
    pub fn add_captured(&mut self, camera: Option<&str>) {
        first(&mut self.camera, camera);
    }

    /// Takes a text in which a program names itself.
    pub fn add_software(&mut self, text: &str) {
        if let Some(name) = names::generator_from_software(text) {
            self.add_generator(name);
        } else if names::is_editor(text) {
            self.add_edited(Some(text));
        }
    }

    /// Takes a text where user interfaces of generators leave their settings, and people a remark. A
    /// remark counts if it is a generator's name alone.
    pub fn add_description(&mut self, text: &str) {
        if names::is_comfyui_graph(text) {
            self.add_generator("ComfyUI");
        } else if names::is_sd_parameters(text) {
            self.add_generator(names::program_from_parameters(text));
        } else if text.split_whitespace().count() <= NAME_WORDS_MAX
            && let Some(name) = names::generator_from_software(text)
        {
            self.add_generator(name);
        }
    }

    /// What follows.
    pub fn resolve(self) -> Provenance {
        let named =
            |name: Option<String>, unnamed: &str| name.unwrap_or_else(|| unnamed.to_owned());
        if let Some(name) = self.generator {
            Provenance::Generator(name)
        } else if let Some(name) = self.generated {
            Provenance::Generator(named(name, UNNAMED_GENERATOR))
        } else if let Some(name) = self.ai_editor {
            Provenance::AiEditor(named(name, UNNAMED_AI_EDITOR))
        } else if let Some(name) = self.editor {
            Provenance::Editor(named(name, UNNAMED_EDITOR))
        } else if let Some(name) = self.camera {
            Provenance::Camera(named(name, UNNAMED_CAMERA))
        } else {
            Provenance::Unknown
        }
    }
}

/// Keeps the first; a name fills the place of one that was not said.
fn first(stored: &mut Option<Option<String>>, name: Option<&str>) {
    let name = name
        .map(names::sanitize_name)
        .filter(|name| !name.is_empty());
    let stored = stored.get_or_insert(None);
    if stored.is_none() {
        *stored = name;
    }
}
