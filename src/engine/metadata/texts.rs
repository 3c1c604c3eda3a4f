//! PNG text chunks `tEXt`, `zTXt` and `iTXt`, in which generators write their parameters.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{ProvenanceSignals, TEXT_BYTES_MAX, limit_text, names, xmp};
use crate::engine::structure::RiffOrPngChunk;

/// Adds the signals of a text chunk.
pub fn read(signals: &mut ProvenanceSignals, chunk: RiffOrPngChunk<'_>) {
    let Some((key, text)) = decode_text_chunk(chunk) else {
        return;
    };
    if key == "XML:com.adobe.xmp" {
        return xmp::read(signals, &text);
    }
    let text = String::from_utf8_lossy(&text);
    match key.to_ascii_lowercase().as_str() {
        // Written by Stable Diffusion web UIs. The prompts are the user's words.
        "parameters" if !text.trim().is_empty() => {
            signals.add_generator(names::program_from_parameters(&text));
        }
        "prompt" | "workflow" if text.trim_start().starts_with('{') => {
            signals.add_generator("ComfyUI");
        }
        "prompt" if !text.trim().is_empty() => signals.add_generated(None),
        "sd-metadata" | "dream" | "invokeai_metadata" | "invokeai_graph" => {
            signals.add_generator("InvokeAI");
        }
        "fooocus_scheme" => signals.add_generator("Fooocus"),
        "software" | "source" | "generator" | "model" => signals.add_software(&text),
        "description" => signals.add_description(&text),
        _ => {}
    }
}

/// Returns the keyword and the text of a chunk, decompressed if necessary.
fn decode_text_chunk(chunk: RiffOrPngChunk<'_>) -> Option<(String, Cow<'_, [u8]>)> {
    let (key, after_key) = split_nul(chunk.body)?;
    let text = match &chunk.kind {
        b"zTXt" => inflate_limited(after_key.get(1..)?),
        b"iTXt" => {
            let is_compressed = *after_key.first()? == 1;
            let (_language, after_language) = split_nul(after_key.get(2..)?)?;
            let (_translated_key, text) = split_nul(after_language)?;
            if is_compressed {
                inflate_limited(text)
            } else {
                Cow::Borrowed(limit_text(text))
            }
        }
        _ => Cow::Borrowed(limit_text(after_key)),
    };
    Some((String::from_utf8_lossy(key).into_owned(), text))
}

/// Splits at the first NUL byte, which is dropped.
fn split_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Decompresses up to [`TEXT_BYTES_MAX`] bytes, or as many as are valid.
fn inflate_limited(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(TEXT_BYTES_MAX as u64);
    match decoder.read_to_end(&mut text) {
        // A truncated text is used as far as it goes.
        Ok(_) | Err(_) => Cow::Owned(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture::deflated;
    use crate::model::picture::Provenance;

    fn provenance(kind: [u8; 4], body: &[u8]) -> Provenance {
        let mut signals = ProvenanceSignals::default();
        read(&mut signals, RiffOrPngChunk { kind, body });
        signals.resolve()
    }

    #[test]
    fn generator_is_found_in_all_three_chunk_types() {
        let sd = Provenance::Generator("Stable Diffusion".to_owned());
        let packed = deflated(b"a cat\nSteps: 20, Sampler: Euler a");
        assert_eq!(provenance(*b"tEXt", b"parameters\0a cat, Steps: 20"), sd);
        let comfy = Provenance::Generator("ComfyUI".to_owned());
        assert_eq!(
            provenance(*b"tEXt", b"prompt\0{\"3\": {\"class_type\": \"KSampler\"}}"),
            comfy
        );
        assert_eq!(
            provenance(*b"zTXt", &[b"parameters\0\0", packed.as_slice()].concat()),
            sd
        );
        assert_eq!(
            provenance(
                *b"iTXt",
                &[b"parameters\0\x01\0en\0\0", packed.as_slice()].concat()
            ),
            sd
        );
        assert_eq!(provenance(*b"iTXt", b"Parameters\0\0\0\0\0a cat"), sd);
    }

    #[test]
    fn keyword_determines_the_meaning_of_a_text() {
        let named = |name: &str| Provenance::Generator(name.to_owned());
        assert_eq!(provenance(*b"tEXt", b"Software\0NovelAI"), named("NovelAI"));
        assert_eq!(
            provenance(*b"tEXt", b"invokeai_metadata\0{}"),
            named("InvokeAI")
        );
        assert_eq!(
            provenance(*b"tEXt", b"Description\0Midjourney"),
            named("Midjourney")
        );
        assert_eq!(
            provenance(*b"tEXt", b"Software\0GIMP 2.10"),
            Provenance::Editor("GIMP 2.10".to_owned())
        );
        for body in [
            &b"Comment\0a flux of grok"[..],
            b"Author\0Midjourney",
            b"parameters\0 ",
            b"no zero",
            b"",
        ] {
            assert_eq!(provenance(*b"tEXt", body), Provenance::Unknown);
        }
    }

    #[test]
    fn inflate_limited_stops_at_the_limit() {
        let bomb = deflated(&vec![b' '; 40 * TEXT_BYTES_MAX]);
        assert_eq!(inflate_limited(&bomb).len(), TEXT_BYTES_MAX);
    }
}
