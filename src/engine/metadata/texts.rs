//! PNG's texts: `tEXt`, `zTXt` and `iTXt`, where generators leave their settings.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{ProvenanceSignals, TEXT_BYTES_MAX, bounded, names, xmp};
use crate::engine::structure::RiffOrPngChunk;

/// Takes what one text chunk says.
pub fn read(clues: &mut ProvenanceSignals, chunk: RiffOrPngChunk<'_>) {
    let Some((key, text)) = decode_text_chunk(chunk) else {
        return;
    };
    if key == "XML:com.adobe.xmp" {
        return xmp::read(clues, &text);
    }
    let text = String::from_utf8_lossy(&text);
    match key.to_ascii_lowercase().as_str() {
        // the web UIs of Stable Diffusion write these; the prompts in them are the user's
        "parameters" if !text.trim().is_empty() => {
            clues.add_generator(names::program_from_parameters(&text));
        }
        "prompt" | "workflow" if text.trim_start().starts_with('{') => {
            clues.add_generator("ComfyUI");
        }
        "prompt" if !text.trim().is_empty() => clues.add_generated(None),
        "sd-metadata" | "dream" | "invokeai_metadata" | "invokeai_graph" => {
            clues.add_generator("InvokeAI");
        }
        "fooocus_scheme" => clues.add_generator("Fooocus"),
        "software" | "source" | "generator" | "model" => clues.add_software(&text),
        "description" => clues.add_description(&text),
        _ => {}
    }
}

/// A chunk's keyword and its text, inflated if need be.
fn decode_text_chunk(chunk: RiffOrPngChunk<'_>) -> Option<(String, Cow<'_, [u8]>)> {
    let (key, rest) = split_nul(chunk.body)?;
    let text = match &chunk.kind {
        b"zTXt" => inflate_limited(rest.get(1..)?),
        b"iTXt" => {
            let is_compressed = *rest.first()? == 1;
            let (_language, rest) = split_nul(rest.get(2..)?)?;
            let (_translated, text) = split_nul(rest)?;
            if is_compressed {
                inflate_limited(text)
            } else {
                Cow::Borrowed(bounded(text))
            }
        }
        _ => Cow::Borrowed(bounded(rest)),
    };
    Some((String::from_utf8_lossy(key).into_owned(), text))
}

/// What stands before the first zero byte, and what after.
fn split_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// As much as inflates well, up to the limit.
fn inflate_limited(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(TEXT_BYTES_MAX as u64);
    match decoder.read_to_end(&mut text) {
        // a text torn off is as good as its beginning
        Ok(_) | Err(_) => Cow::Owned(text),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::model::picture::Provenance;

    fn provenance(kind: [u8; 4], body: &[u8]) -> Provenance {
        let mut clues = ProvenanceSignals::default();
        read(&mut clues, RiffOrPngChunk { kind, body });
        clues.resolve()
    }

    fn deflated(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("deflated");
        encoder.finish().expect("deflated")
    }

    #[test]
    fn generators_are_read_from_all_three_kinds() {
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
    fn keywords_say_what_a_text_is() {
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
    fn a_text_bomb_is_inflated_to_the_limit_only() {
        let bomb = deflated(&vec![b' '; 40 * TEXT_BYTES_MAX]);
        assert_eq!(inflate_limited(&bomb).len(), TEXT_BYTES_MAX);
    }
}
