//! The names programs go by in metadata.
//!
//! Promises: a name counts only where a word begins and ends with it, so that `Affluxion`
//! is no Flux; in prose, only names that are no words of their own count, and only where the
//! text says that they were used. A name is looked for in so much of a text, however long it is.

/// How generators spell themselves; the first that fits is the one named.
const TOOLS: [(&str, &[&str]); 25] = [
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
const SIGNERS: [(&str, &[&str]); 3] = [
    ("Google AI", &["google c2pa core generator library"]),
    ("Canva", &["canva"]),
    ("Samsung Galaxy AI", &["samsung galaxy"]),
];

/// Spellings of generators that are no words of their own.
const PROSE: [(&str, &[&str]); 19] = [
    ("Midjourney", &["midjourney"]),
    ("Bing Image Creator", &["bing image creator"]),
    ("ChatGPT", &["chatgpt"]),
    ("DALL·E", &["dall-e", "dall·e"]),
    ("OpenAI", &["openai"]),
    ("InvokeAI", &["invokeai"]),
    ("NovelAI", &["novelai"]),
    ("ComfyUI", &["comfyui"]),
    ("Flux", &["black forest labs", "flux.1", "flux.2"]),
    ("Stable Diffusion", &["stable diffusion", "automatic1111"]),
    ("Adobe Firefly", &["adobe firefly"]),
    ("Google Gemini", &["google gemini"]),
    ("Google Imagen", &["google imagen"]),
    ("Google AI", &["google ai"]),
    ("Grok", &["grok"]),
    ("Ideogram", &["ideogram", "ideogram.ai", "ideogram ai"]),
    ("Leonardo", &["leonardo.ai", "leonardo ai"]),
    ("Luma AI", &["luma ai"]),
    ("Meta AI", &["meta ai"]),
];

/// What stands before a generator's name in a text that says it was used.
const USES: [&str; 4] = ["generated", "created", "made", "imagined"];
const PREPOSITIONS: [&str; 4] = [" by ", " with ", " using ", " in "];
/// How far before the name it stands, in bytes.
const USE_BYTES_MAX: usize = 40;

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
/// How much of a text for people is looked at; a prompt may stand before what says its source.
const PROSE_BYTES_MAX: usize = 16 * 1024;

/// The generator that a program's name for itself stands for.
pub fn generator_of_tool(text: &str) -> Option<&'static str> {
    first(&lowered(text, NAME_BYTES_MAX), &TOOLS)
}

/// The generator that a program's name stands for where a machine is known to be at work.
pub fn generator_of_signer(text: &str) -> Option<&'static str> {
    let lower = lowered(text, NAME_BYTES_MAX);
    first(&lower, &TOOLS).or_else(|| first(&lower, &SIGNERS))
}

/// The generator that a text for people says it was used, or that leaves such texts.
///
/// A name alone, or one beside which the text says that something was made with it, counts; a
/// caption that speaks of one does not.
pub fn generator_of_prose(text: &str) -> Option<&'static str> {
    let lower = lowered(text, PROSE_BYTES_MAX);
    if has_word(&lower, "job id:") && lower.contains(" --") {
        return Some("Midjourney");
    }
    PROSE
        .iter()
        .find(|(_, spellings)| spellings.iter().any(|word| is_used(&lower, word)))
        .map(|(name, _)| *name)
}

/// Whether it is `ComfyUI`'s graph as it lies in EXIF: `prompt:{"3": {…`.
pub fn is_graph(text: &str) -> bool {
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
pub fn is_settings(text: &str) -> bool {
    (text.contains("Steps: ") && text.contains("Sampler: "))
        || text.contains("\"sui_image_params\"")
        || (text.starts_with('{') && text.contains("\"version\": \"Fooocus"))
}

/// The program that a user interface's settings, as they stand in a PNG's `parameters`, are of.
pub fn program_of_settings(text: &str) -> &'static str {
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
        one_line(model)
    } else {
        one_line(&format!("{make} {model}"))
    }
}

/// Whether it is what Grok signs its pictures with.
pub fn is_signature(text: &str) -> bool {
    const BASE64_BYTES_MIN: usize = 64;
    text.strip_prefix("Signature: ").is_some_and(|signature| {
        signature.len() >= BASE64_BYTES_MIN
            && signature
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    })
}

/// Whether it is a UUID.
pub fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// A name as it is passed on: one line, not too long.
pub fn one_line(text: &str) -> String {
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
    one_line(&words.join(" ").replace('_', " "))
}

fn first(lower: &str, table: &[(&'static str, &[&str])]) -> Option<&'static str> {
    table
        .iter()
        .find(|(_, spellings)| spellings.iter().any(|word| has_word(lower, word)))
        .map(|(name, _)| *name)
}

/// Whether a text for people is the name, or says that something was made with it.
fn is_used(lower: &str, word: &str) -> bool {
    lower.trim() == word
        || words(lower, word).any(|at| {
            let from = lower.floor_char_boundary(at.saturating_sub(USE_BYTES_MAX));
            let before = &lower[from..at];
            let is_denied = before.contains("not ") || before.contains("n't ");
            let is_said = USES.iter().any(|verb| has_word(before, verb))
                && PREPOSITIONS.iter().any(|word| before.contains(word));
            is_said && !is_denied
        })
}

fn lowered(text: &str, bytes_max: usize) -> String {
    head(text, bytes_max).to_ascii_lowercase()
}

/// So many bytes of it at most.
fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Whether `word` stands in `text` with no letter right before or after it.
fn has_word(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// Where it stands so.
fn words(text: &str, word: &str) -> impl Iterator<Item = usize> {
    text.match_indices(word).filter_map(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let is_whole =
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphabetic);
        is_whole.then_some(at)
    })
}

#[cfg(test)]
mod tests;
