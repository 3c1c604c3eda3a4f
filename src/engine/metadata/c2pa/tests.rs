use super::*;
use crate::engine::fixture::{self, boxed};
use crate::model::picture::Provenance;

const TRAINED: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

fn text(value: &str) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("a short text");
    [&[0x78, length], value.as_bytes()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut all = vec![0xa0 + u8::try_from(entries.len()).expect("few entries")];
    for (key, value) in entries {
        all.extend(text(key));
        all.extend(value);
    }
    all
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let mut all = vec![0x80 + u8::try_from(items.len()).expect("few items")];
    all.extend(items.concat());
    all
}

fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    let body = [&[0; 16][..], &[3], label.as_bytes(), &[0]].concat();
    let description = boxed(*b"jumd", &body);
    boxed(*b"jumb", &[&description, content].concat())
}

fn assertion(label: &str, node: &[u8]) -> Vec<u8> {
    labelled(label, &boxed(*b"cbor", node))
}

fn actions(entries: &[&[(&str, &str)]]) -> Vec<u8> {
    let maps: Vec<Vec<u8>> = entries
        .iter()
        .map(|action| {
            let fields = action.iter().map(|(key, value)| (*key, text(value)));
            map(&fields.collect::<Vec<_>>())
        })
        .collect();
    assertion("c2pa.actions.v2", &map(&[("actions", list(&maps))]))
}

fn manifest(label: &str, program: &str, assertions: &[Vec<u8>]) -> Vec<u8> {
    let info = map(&[("name", text(program))]);
    let claim = assertion("c2pa.claim.v2", &map(&[("claim_generator_info", info)]));
    let store = labelled("c2pa.assertions", &assertions.concat());
    labelled(label, &[store, claim].concat())
}

fn provenance(manifests: &[Vec<u8>]) -> Provenance {
    let store = labelled("c2pa", &manifests.concat());
    let mut signals = ProvenanceSignals::default();
    read(&mut signals, &store);
    signals.resolve()
}

fn generator(name: &str) -> Provenance {
    Provenance::Generator(name.to_owned())
}

fn ai_editor(name: &str) -> Provenance {
    Provenance::AiEditor(name.to_owned())
}

#[test]
fn generator_is_named_by_its_agent_or_claim_generator() {
    let fields = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    for (program, agent, name) in [
        ("OpenAI-API", Some("gpt-image"), "GPT Image"),
        ("Example_Studio", None, "Example Studio"),
        ("Google C2PA Core Generator Library", None, "Google AI"),
        ("Canva", None, "Canva"),
        ("Example", Some("Maker 3"), "Maker 3"),
    ] {
        let mut action = fields.to_vec();
        action.extend(agent.map(|agent| ("softwareAgent", agent)));
        let manifest = manifest("a", program, &[actions(&[&action])]);
        assert_eq!(provenance(&[manifest]), generator(name), "{program}");
    }
    let untyped = [("action", "c2pa.created"), ("softwareAgent", "DALL·E")];
    let untyped_manifest = manifest("a", "Example", &[actions(&[&untyped])]);
    assert_eq!(provenance(&[untyped_manifest]), generator("DALL·E"));
    let claim_only = manifest("a", "Adobe_Firefly", &[]);
    assert_eq!(provenance(&[claim_only]), generator("Adobe Firefly"));
    let library_only = manifest("a", "Google C2PA Core Generator Library", &[]);
    assert_eq!(provenance(&[library_only]), Provenance::Unknown);
}

#[test]
fn only_the_last_manifest_is_read() {
    let fields = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let midjourney = manifest("mj", "Midjourney", &[actions(&[&fields])]);
    let opened = actions(&[&[("action", "c2pa.opened")], &[("action", "c2pa.edited")]]);
    let photoshop = manifest("ps", "Adobe Photoshop 26", &[opened]);
    let editor = Provenance::Editor("Adobe Photoshop 26".to_owned());
    assert_eq!(provenance(&[midjourney.clone(), photoshop.clone()]), editor);
    assert_eq!(
        provenance(&[photoshop, midjourney]),
        generator("Midjourney")
    );
}

#[test]
fn generator_in_an_opened_picture_is_an_ai_editor() {
    let opened = [("action", "c2pa.opened")];
    let composite = "compositeWithTrainedAlgorithmicMedia";
    for fields in [
        vec![("digitalSourceType", composite)],
        vec![("digitalSourceType", TRAINED)],
        vec![],
    ] {
        let mut edited = fields;
        edited.extend([
            ("action", "c2pa.edited"),
            ("softwareAgent", "Adobe Firefly"),
        ]);
        let assertion = actions(&[&opened, &edited]);
        let manifest = manifest("a", "Adobe Photoshop 26", &[assertion]);
        assert_eq!(provenance(&[manifest]), ai_editor("Adobe Firefly"));
    }
    let only_opened = manifest("a", "ChatGPT", &[actions(&[&opened])]);
    assert_eq!(provenance(&[only_opened]), ai_editor("ChatGPT"));
    let enhanced = [
        ("action", "c2pa.color_adjustments"),
        ("digitalSourceType", "algorithmicallyEnhanced"),
    ];
    let denoised = manifest("a", "Example Denoiser", &[actions(&[&opened, &enhanced])]);
    let editor = Provenance::Editor("Example Denoiser".to_owned());
    assert_eq!(provenance(&[denoised]), editor);
}

#[test]
fn store_above_the_limit_is_ignored_and_one_with_thumbnails_is_read() {
    let fields = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let provenance_with = |thumbnail_bytes: usize| {
        let image = boxed(*b"bidb", &vec![7; thumbnail_bytes]);
        let thumbnail = labelled("c2pa.thumbnail.claim", &image);
        provenance(&[manifest("a", "Grok", &[thumbnail, actions(&[&fields])])])
    };
    assert_eq!(provenance_with(6 * 1024 * 1024), generator("Grok"));
    assert_eq!(provenance_with(STORE_BYTES_MAX), Provenance::Unknown);
}

/// Returns an assertion whose key `actions` has the CBOR value `actions`.
fn actions_of(actions: &[u8]) -> Vec<u8> {
    assertion("c2pa.actions", &map(&[("actions", actions.to_vec())]))
}

#[test]
fn read_manifest_with_many_actions_returns_the_first_ones() {
    let edited = map(&[("action", text("c2pa.edited"))]);
    let many = [
        &[0x99, 2_000_u16.to_be_bytes()[0], 2_000_u16.to_be_bytes()[1]],
        &edited.repeat(2_000)[..],
    ]
    .concat();
    let bytes = manifest("a", "Example", &[actions_of(&many), actions_of(&many)]);
    let manifest = Manifest::read(Superbox::first(&bytes).expect("a superbox"));
    assert_eq!(manifest.actions.len(), manifest::ACTIONS_MAX);
}

#[test]
fn read_cbor_of_indefinite_length_with_agent_list_returns_agent_names() {
    // softwareAgents: [{name: DALL-E}]
    // actions: [_ {_ action, softwareAgentIndex: 0, when: 0("x")}]
    let agents = list(&[map(&[("name", text("DALL-E"))])]);
    let action = [
        &b"\xbf"[..],
        &text("action"),
        &text("c2pa.created"),
        &text("softwareAgentIndex"),
        b"\x00",
        &text("when"),
        b"\xc0",
        &text("x"),
        b"\xff",
    ]
    .concat();
    let actions = [&b"\x9f"[..], &action, b"\xff"].concat();
    let node = map(&[("softwareAgents", agents), ("actions", actions)]);
    let manifest = manifest("a", "Example", &[assertion("c2pa.actions.v2", &node)]);
    assert_eq!(provenance(&[manifest]), generator("DALL·E"));
}

#[test]
fn read_cbor_that_is_deep_long_or_truncated_returns_nothing() {
    let generated = map(&[
        ("action", text("c2pa.created")),
        ("digitalSourceType", text(TRAINED)),
    ]);
    let deep = |byte: u8| {
        map(&[
            ("softwareAgent", vec![byte; 60_000]),
            ("action", text("c2pa.created")),
        ])
    };
    let padding = [&[0x19 + 0x40, 0xff, 0xff][..], &vec![0; 0xffff]].concat();
    let long = map(&[("padding", padding), ("digitalSourceType", text(TRAINED))]);
    for actions in [
        vec![0x81; 60_000],
        [&[0x81][..], &deep(0x81)].concat(),
        [&[0x81][..], &deep(0xa1)].concat(),
        [&[0x81][..], &deep(0x9f)].concat(),
        [&[0x81][..], &long].concat(),
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01".to_vec(),
        [&[0x81][..], &generated[..generated.len() - 1]].concat(),
    ] {
        let manifest = manifest("a", "Example", &[actions_of(&actions)]);
        assert_eq!(provenance(&[manifest]), Provenance::Unknown);
    }
    let valid = manifest("a", "Example", &[actions_of(&list(&[generated]))]);
    assert_eq!(provenance(&[valid]), generator("Example"));
}

#[test]
fn append_app11_joins_the_segments_of_a_store() {
    let fields = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let thumbnail = labelled("c2pa.thumbnail.claim", &boxed(*b"bidb", &vec![7; 150_000]));
    let manifest = manifest("a", "Grok", &[thumbnail, actions(&[&fields])]);
    let whole = labelled("c2pa", &manifest);
    let (head, content) = whole.split_at(BOX_HEAD_BYTES);
    let mut store = Vec::new();
    for (at, part) in content.chunks(60_000).enumerate() {
        let number = u32::try_from(at + 1).expect("few parts").to_be_bytes();
        append_app11(
            &mut store,
            &[b"JP\x02\x11", &number[..], head, part].concat(),
        );
    }
    assert_eq!(store, whole);
    let mut signals = ProvenanceSignals::default();
    read(&mut signals, &store);
    assert_eq!(signals.resolve(), generator("Grok"));
}

#[test]
fn truncated_and_garbled_stores_never_panic() {
    let jpeg = fixture::bytes("manifest.jpg");
    let mut store = Vec::new();
    let segments = crate::engine::structure::jpeg_header_segments(&jpeg);
    for segment in segments.filter(|segment| segment.marker == 0xeb) {
        append_app11(&mut store, segment.body);
    }
    let origin = |store: &[u8]| {
        let mut signals = ProvenanceSignals::default();
        read(&mut signals, store);
        signals.resolve()
    };
    assert_eq!(origin(&store), generator("Adobe Firefly"));
    for cut in 0..store.len() {
        // The outermost box is truncated.
        assert_eq!(origin(&store[..cut]), Provenance::Unknown, "cut to {cut}");
    }
    for at in (0..store.len()).step_by(3) {
        let byte = store[at];
        for other in [0x00, 0x01, 0xff, 0x9f, 0x7b] {
            store[at] = other;
            origin(&store);
        }
        store[at] = byte;
    }
    read(&mut ProvenanceSignals::default(), &[0; 64]);
    append_app11(&mut store, b"");
    append_app11(&mut store, b"JP\x00");
}
