//! Signals of a picture's origin, and the origin that follows from them.
//!
//! Guarantees: the first signal of each kind counts. A generator takes precedence over an AI
//! editor, an AI editor over an editor, and an editor over a camera. A known generator takes
//! precedence over an unknown one.

use super::names;
use crate::model::picture::Provenance;

/// Name of a generator that the metadata do not name.
pub const UNNAMED_GENERATOR: &str = "AI generator";
/// Name of an AI editor that the metadata do not name.
pub const UNNAMED_AI_EDITOR: &str = "AI editor";
/// Name of an editor that the metadata do not name.
pub const UNNAMED_EDITOR: &str = "editor";
/// Name of a camera that the metadata do not name.
pub const UNNAMED_CAMERA: &str = "camera";

/// Maximum number of words of a description that counts as a generator's name.
const NAME_WORDS_MAX: usize = 3;

/// Signals found so far. The inner `None` means that the program is not named.
#[derive(Debug, Default)]
pub struct ProvenanceSignals {
    generator: Option<String>,
    /// AI-generated, by a program that is unknown or not named.
    generated: Option<Option<String>>,
    ai_editor: Option<Option<String>>,
    editor: Option<Option<String>>,
    camera: Option<Option<String>>,
}

impl ProvenanceSignals {
    /// Adds a known generator.
    pub fn add_generator(&mut self, name: &str) {
        self.generator.get_or_insert_with(|| name.to_owned());
    }

    /// Adds that the picture is AI-generated, and by which program.
    pub fn add_generated(&mut self, program: Option<&str>) {
        match program.and_then(names::generator_from_claim) {
            Some(name) => self.add_generator(name),
            None => record_first(&mut self.generated, program),
        }
    }

    /// Adds that the picture was edited by AI, and by which program.
    pub fn add_ai_edited(&mut self, program: Option<&str>) {
        let known = program.and_then(names::generator_from_claim);
        record_first(&mut self.ai_editor, known.or(program));
    }

    /// Adds that the picture was edited by a person, and with which program.
    pub fn add_edited(&mut self, program: Option<&str>) {
        record_first(&mut self.editor, program);
    }

    /// Adds that the picture was captured by a camera or a scanner, and by which.
    pub fn add_captured(&mut self, camera: Option<&str>) {
        record_first(&mut self.camera, camera);
    }

    /// Adds a software name: the name of a generator or an editor.
    pub fn add_software(&mut self, text: &str) {
        if let Some(name) = names::generator_from_software(text) {
            self.add_generator(name);
        } else if names::is_editor(text) {
            self.add_edited(Some(text));
        }
    }

    /// Adds a description, in which generators write their parameters and people a remark. A remark
    /// counts only if it is a generator's name.
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

    /// Returns the origin that follows from the signals.
    pub fn resolve(self) -> Provenance {
        let name_or =
            |name: Option<String>, unnamed: &str| name.unwrap_or_else(|| unnamed.to_owned());
        if let Some(name) = self.generator {
            Provenance::Generator(name)
        } else if let Some(name) = self.generated {
            Provenance::Generator(name_or(name, UNNAMED_GENERATOR))
        } else if let Some(name) = self.ai_editor {
            Provenance::AiEditor(name_or(name, UNNAMED_AI_EDITOR))
        } else if let Some(name) = self.editor {
            Provenance::Editor(name_or(name, UNNAMED_EDITOR))
        } else if let Some(name) = self.camera {
            Provenance::Camera(name_or(name, UNNAMED_CAMERA))
        } else {
            Provenance::Unknown
        }
    }
}

/// Stores the first signal. A later one counts only if it adds a name.
fn record_first(stored: &mut Option<Option<String>>, name: Option<&str>) {
    let name = name
        .map(names::sanitize_name)
        .filter(|name| !name.is_empty());
    let stored_name = stored.get_or_insert(None);
    if stored_name.is_none() {
        *stored_name = name;
    }
}
