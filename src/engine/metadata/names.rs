//! The names programs go by in metadata.
//!
//! Guarantees: a name counts only where a word begins and ends with it, so that `Affluxion` is not
//! Flux. A name is looked for in the first [`NAME_BYTES_MAX`] bytes of a text.

/// How generators spell themselves; the first that fits is the one named.
const GENERATORS: [(&str, &[&str]); 25] = [
    ("Midjourney", &["midjourney", "niji journey"]),
    (
        "Bing Image Creator",
        &[
            "bing image creator",
            "image creator from designer",
            "image creator from microsoft designer",
            "microsoft responsible ai",
            "microsoft_responsible_ai",
            "microsoft designer",
        ],
    ),
    ("ChatGPT", &["chatgpt", "gpt-4o"]),
    ("GPT Image", &["gpt-image", "gpt image"]),
    ("DALL·E", &["dall-e", "dall·e", "dalle"]),
    ("Sora", &["openai sora", "sora 2"]),
    ("OpenAI", &["openai", "openai-api", "sora"]),
    ("InvokeAI", &["invokeai", "invoke-ai"]),
    ("NovelAI", &["novelai"]),
    ("ComfyUI", &["comfyui"]),
    ("Fooocus", &["fooocus"]),
    (
        "Flux",
        &["black forest labs", "flux", "flux.1", "flux.2", "bfl"],
    ),
    (
        "Stable Diffusion",
        &[
            "stable diffusion",
            "stable-diffusion",
            "stablediffusion",
            "automatic1111",
            "sdxl",
            "dreamstudio",
        ],
    ),
    ("Stability AI", &["stability ai", "stability-ai"]),
    ("Adobe Firefly", &["firefly", "adobe_firefly"]),
    ("Google Gemini", &["gemini", "nano banana"]),
    (
        "Google Imagen",
        &[
            "google imagen",
            "imagen 2",
            "imagen 3",
            "imagen 4",
            "imagen-2",
            "imagen-3",
            "imagen-4",
        ],
    ),
    (
        "Google AI",
        &["made with google ai", "google ai", "google generative ai"],
    ),
    ("Grok", &["grok", "xai", "x.ai"]),
    ("Ideogram", &["ideogram", "ideogram.ai", "ideogram ai"]),
    ("Leonardo", &["leonardo.ai", "leonardo ai", "leonardo"]),
    ("Recraft", &["recraft", "recraft.ai"]),
    ("Meta AI", &["meta ai", "imagined with ai"]),
    ("Luma AI", &["luma ai"]),
    ("Doubao", &["doubao"]),
];

/// Programs that also do other things, or sign for others: they stand for a generator only
/// where something else says that a machine made the picture.
const AMBIGUOUS_SIGNERS: [(&str, &[&str]); 3] = [
    ("Google AI", &["google c2pa core generator library"]),
    ("Canva", &["canva"]),
    ("Samsung Galaxy AI", &["samsung galaxy"]),
];

/// Programs by which people change pictures.
const EDITORS: [&str; 31] = [
    "photoshop",
    "lightroom",
    "camera raw",
    "gimp",
    "affinity",
    "pixelmator",
    "snapseed",
    "google photos",
    "capture one",
    "darktable",
    "rawtherapee",
    "luminar",
    "paint.net",
    "paintshop",
    "paint shop",
    "krita",
    "canva",
    "picsart",
    "facetune",
    "vsco",
    "photopea",
    "polarr",
    "acdsee",
    "picasa",
    "photoscape",
    "dxo",
    "on1",
    "pixlr",
    "fotor",
    "meitu",
    "corel",
];

/// The longest name that is passed on, in characters.
const NAME_CHARS_MAX: usize = 80;
/// How much of a program's name for itself is looked at.
const NAME_BYTES_MAX: usize = 512;
/// The generator that a program's name for itself stands for.
pub fn generator_from_software(text: &str) -> Option<&'static str> {
    first(&lowered(text, NAME_BYTES_MAX), &GENERATORS)
}

/// The generator that a program's name stands for where a machine is known to be at work.
pub fn generator_from_claim(text: &str) -> Option<&'static str> {
    let lower = lowered(text, NAME_BYTES_MAX);
    first(&lower, &GENERATORS).or_else(|| first(&lower, &AMBIGUOUS_SIGNERS))
}

/// Whether it is `ComfyUI`'s graph as it lies in EXIF: `prompt:{"3": {…`.
pub fn is_comfyui_graph(text: &str) -> bool {
    ["prompt", "workflow"].iter().any(|key| {
        let begins = text
            .get(..key.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(key));
        begins
            && text[key.len()..]
                .strip_prefix(':')
                .is_some_and(|graph| graph.trim_start().starts_with('{'))
    })
}

/// Whether it is what a user interface of Stable Diffusion made a picture with.
pub fn is_sd_parameters(text: &str) -> bool {
    (text.contains("Steps: ") && text.contains("Sampler: "))
        || text.contains("\"sui_image_params\"")
        || (text.starts_with('{') && text.contains("\"version\": \"Fooocus"))
}

/// The program that a user interface's settings, as they stand in a PNG's `parameters`, are of.
pub fn program_from_parameters(text: &str) -> &'static str {
    // what the prompt says is the user's; the program says its version behind it
    let version = text.rsplit_once("ersion").map_or("", |(_, after)| after);
    if version
        .trim_start_matches(['"', ':', ' '])
        .starts_with("Fooocus")
    {
        "Fooocus"
    } else if text.contains("\"sui_image_params\"") {
        "SwarmUI"
    } else {
        "Stable Diffusion"
    }
}

/// Whether a program's name for itself is an editor's.
pub fn is_editor(text: &str) -> bool {
    let lower = lowered(text, NAME_BYTES_MAX);
    EDITORS.iter().any(|name| has_word(&lower, name))
}

/// `Make Model`, the make not said twice.
pub fn camera(make: &str, model: &str) -> String {
    let brand = |name: &str| {
        name.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    if brand(make) == brand(model) {
        sanitize_name(model)
    } else {
        sanitize_name(&format!("{make} {model}"))
    }
}

/// A name as it is passed on: one line, not too long.
pub fn sanitize_name(text: &str) -> String {
    let words: Vec<&str> = head(text, NAME_BYTES_MAX)
        .split(|letter: char| {
            letter.is_whitespace() || letter.is_control() || letter == char::REPLACEMENT_CHARACTER
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(NAME_CHARS_MAX).collect()
}

/// What a claim generator's user agent string calls the product: `Adobe_Firefly/1.0 c2pa-rs/0.28`
/// is `Adobe Firefly`, `M11-P/2.0.2 (Serial: 1)` is `M11-P`.
pub fn product(agent: &str) -> String {
    let agent = head(agent, NAME_BYTES_MAX);
    let agent = agent.split(" (").next().unwrap_or_default();
    let mut words = Vec::new();
    for word in agent.split_whitespace() {
        let (name, version) = word.split_once('/').unwrap_or((word, ""));
        if name.to_ascii_lowercase().contains("c2pa-rs") {
            break;
        }
        words.push(name);
        if !version.is_empty() {
            break;
        }
    }
    sanitize_name(&words.join(" ").replace('_', " "))
}

fn first(lower: &str, table: &[(&'static str, &[&str])]) -> Option<&'static str> {
    table
        .iter()
        .find(|(_, spellings)| spellings.iter().any(|word| has_word(lower, word)))
        .map(|(name, _)| *name)
}

fn lowered(text: &str, bytes_max: usize) -> String {
    head(text, bytes_max).to_ascii_lowercase()
}

/// So many bytes of it at most.
fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// `true` if `word` stands in `text` with no letter right before or after it.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests;
