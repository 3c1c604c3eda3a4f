//! Names of programs in metadata.
//!
//! Guarantees: names match whole words, so that `Affluxion` is not Flux. Only the first
//! [`NAME_BYTES_MAX`] bytes of a text are searched.

/// Generators with their spellings. The first match counts.
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

/// Programs that have other uses or sign for other programs. Generators only if the metadata say that
/// the picture is AI-generated.
const AMBIGUOUS_SIGNERS: [(&str, &[&str]); 3] = [
    ("Google AI", &["google c2pa core generator library"]),
    ("Canva", &["canva"]),
    ("Samsung Galaxy AI", &["samsung galaxy"]),
];

/// Programs with which people edit pictures.
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

/// Maximum length of a name in a result, in characters.
const NAME_CHARS_MAX: usize = 80;
/// Number of bytes of a text that are searched for a name.
const NAME_BYTES_MAX: usize = 512;

/// Returns the generator with the given software name. `None` if the software is no known generator.
pub fn generator_from_software(text: &str) -> Option<&'static str> {
    first_match(&lowercase_head(text, NAME_BYTES_MAX), &GENERATORS)
}

/// Returns the generator with the given program name, for a picture that is AI-generated.
pub fn generator_from_claim(text: &str) -> Option<&'static str> {
    let lower = lowercase_head(text, NAME_BYTES_MAX);
    first_match(&lower, &GENERATORS).or_else(|| first_match(&lower, &AMBIGUOUS_SIGNERS))
}

/// `true` if the text is a `ComfyUI` graph as written to EXIF: `prompt:{"3": {…`.
pub fn is_comfyui_graph(text: &str) -> bool {
    ["prompt", "workflow"].iter().any(|key| {
        let has_key = text
            .get(..key.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(key));
        has_key
            && text[key.len()..]
                .strip_prefix(':')
                .is_some_and(|graph| graph.trim_start().starts_with('{'))
    })
}

/// `true` if the text has the generation parameters of a Stable Diffusion user interface.
pub fn is_sd_parameters(text: &str) -> bool {
    (text.contains("Steps: ") && text.contains("Sampler: "))
        || text.contains("\"sui_image_params\"")
        || (text.starts_with('{') && text.contains("\"version\": \"Fooocus"))
}

/// Returns the program that wrote a PNG's `parameters` text.
pub fn program_from_parameters(text: &str) -> &'static str {
    // The prompt comes first and is the user's. The program's version comes last.
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

/// `true` if a software name names an editor.
pub fn is_editor(text: &str) -> bool {
    let lower = lowercase_head(text, NAME_BYTES_MAX);
    EDITORS.iter().any(|name| has_word(&lower, name))
}

/// Returns `make model`, or `model` alone if it starts with the same brand.
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

/// Returns a name in one line, without control characters, cut to [`NAME_CHARS_MAX`] characters.
pub fn sanitize_name(text: &str) -> String {
    let words: Vec<&str> = head(text, NAME_BYTES_MAX)
        .split(|letter: char| {
            letter.is_whitespace() || letter.is_control() || letter == char::REPLACEMENT_CHARACTER
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(NAME_CHARS_MAX).collect()
}

/// Returns the product of a claim generator's user agent string: `Adobe Firefly` of
/// `Adobe_Firefly/1.0 c2pa-rs/0.28`, `M11-P` of `M11-P/2.0.2 (Serial: 1)`.
pub fn product(agent: &str) -> String {
    let without_comment = head(agent, NAME_BYTES_MAX)
        .split(" (")
        .next()
        .unwrap_or_default();
    let mut words = Vec::new();
    for word in without_comment.split_whitespace() {
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

fn first_match(lower: &str, table: &[(&'static str, &[&str])]) -> Option<&'static str> {
    table
        .iter()
        .find(|(_, spellings)| spellings.iter().any(|word| has_word(lower, word)))
        .map(|(name, _)| *name)
}

fn lowercase_head(text: &str, bytes_max: usize) -> String {
    head(text, bytes_max).to_ascii_lowercase()
}

/// Returns at most the first `bytes_max` bytes of `text`.
fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// `true` if `word` is in `text` without a letter or digit right before it or a letter right after
/// it.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests;
