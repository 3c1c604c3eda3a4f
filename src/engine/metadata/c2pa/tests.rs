use super::*;
use crate::engine::fixture;
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

fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + body.len()).expect("a small box");
    [&length.to_be_bytes(), &kind[..], body].concat()
}

fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    let description = [&[0; 16][..], &[3], label.as_bytes(), &[0]].concat();
    let description = boxed(*b"jumd", &description);
    boxed(*b"jumb", &[&description, content].concat())
}

fn assertion(label: &str, node: &[u8]) -> Vec<u8> {
    labelled(label, &boxed(*b"cbor", node))
}

fn actions(list_of: &[&[(&str, &str)]]) -> Vec<u8> {
    let messages: Vec<Vec<u8>> = list_of
        .iter()
        .map(|action| {
            let entries = action.iter().map(|(key, value)| (*key, text(value)));
            map(&entries.collect::<Vec<_>>())
        })
        .collect();
    assertion("c2pa.actions.v2", &map(&[("actions", list(&messages))]))
}

fn manifest(label: &str, program: &str, assertions: &[Vec<u8>]) -> Vec<u8> {
    let info = map(&[("name", text(program))]);
    let claim = assertion("c2pa.claim.v2", &map(&[("claim_generator_info", info)]));
    let store = labelled("c2pa.assertions", &assertions.concat());
    labelled(label, &[store, claim].concat())
}

fn provenance(manifests: &[Vec<u8>]) -> Provenance {
    let store = labelled("c2pa", &manifests.concat());
    let mut clues = ProvenanceSignals::default();
    read(&mut clues, &store);
    clues.resolve()
}

fn generator(name: &str) -> Provenance {
    Provenance::Generator(name.to_owned())
}

fn ai_editor(name: &str) -> Provenance {
    Provenance::AiEditor(name.to_owned())
}

#[test]
fn a_generator_is_named_by_its_agent_or_its_claim() {
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
        let found = manifest("a", program, &[actions(&[&action])]);
        assert_eq!(provenance(&[found]), generator(name), "{program}");
    }
    let untyped = [("action", "c2pa.created"), ("softwareAgent", "DALL·E")];
    let found = manifest("a", "Example", &[actions(&[&untyped])]);
    assert_eq!(provenance(&[found]), generator("DALL·E"));
    let claim_alone = manifest("a", "Adobe_Firefly", &[]);
    assert_eq!(provenance(&[claim_alone]), generator("Adobe Firefly"));
    let library_alone = manifest("a", "Google C2PA Core Generator Library", &[]);
    assert_eq!(provenance(&[library_alone]), Provenance::Unknown);
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
fn a_machines_part_in_a_picture_that_was_there_is_an_edit() {
    let opened = [("action", "c2pa.opened")];
    let composite = "compositeWithTrainedAlgorithmicMedia";
    for action in [
        vec![("digitalSourceType", composite)],
        vec![("digitalSourceType", TRAINED)],
        vec![],
    ] {
        let mut action = action;
        action.extend([
            ("action", "c2pa.edited"),
            ("softwareAgent", "Adobe Firefly"),
        ]);
        let messages = actions(&[&opened, &action]);
        let found = manifest("a", "Adobe Photoshop 26", &[messages]);
        assert_eq!(provenance(&[found]), ai_editor("Adobe Firefly"));
    }
    let only_opened = manifest("a", "ChatGPT", &[actions(&[&opened])]);
    assert_eq!(provenance(&[only_opened]), ai_editor("ChatGPT"));
    let enhanced = [
        ("action", "c2pa.color_adjustments"),
        ("digitalSourceType", "algorithmicallyEnhanced"),
    ];
    let found = manifest("a", "Example Denoiser", &[actions(&[&opened, &enhanced])]);
    let editor = Provenance::Editor("Example Denoiser".to_owned());
    assert_eq!(provenance(&[found]), editor);
}

#[test]
fn a_store_that_is_too_large_is_not_read_and_one_with_thumbnails_is() {
    let fields = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let of = |thumbnail_bytes: usize| {
        let thumbnail = boxed(*b"bidb", &vec![7; thumbnail_bytes]);
        let thumbnail = labelled("c2pa.thumbnail.claim", &thumbnail);
        provenance(&[manifest("a", "Grok", &[thumbnail, actions(&[&fields])])])
    };
    assert_eq!(of(6 * 1024 * 1024), generator("Grok"));
    assert_eq!(of(STORE_BYTES_MAX), Provenance::Unknown);
}

/// An assertion of the CBOR `actions`, which is the value of its key.
fn actions_of(actions: &[u8]) -> Vec<u8> {
    assertion("c2pa.actions", &map(&[("actions", actions.to_vec())]))
}

#[test]
fn read_a_manifest_of_very_many_actions_returns_the_first() {
    let edited = map(&[("action", text("c2pa.edited"))]);
    let many = [
        &[0x99, 2_000_u16.to_be_bytes()[0], 2_000_u16.to_be_bytes()[1]],
        &edited.repeat(2_000)[..],
    ]
    .concat();
    let found = manifest("a", "Example", &[actions_of(&many), actions_of(&many)]);
    let found = Manifest::read(Superbox::first(&found).expect("a superbox"));
    assert_eq!(found.actions.len(), manifest::ACTIONS_MAX);
}

#[test]
fn read_cbor_of_either_length_with_agents_in_a_list_returns_their_names() {
    // softwareAgents: [{name: DALL-E}], actions: [_ {_ action, softwareAgentIndex: 0, when: 0("x")}]
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
    let found = manifest("a", "Example", &[assertion("c2pa.actions.v2", &node)]);
    assert_eq!(provenance(&[found]), generator("DALL·E"));
}

#[test]
fn read_cbor_that_is_deep_long_or_truncated_returns_nothing_of_it() {
    let made = map(&[
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
        [&[0x81][..], &made[..made.len() - 1]].concat(),
    ] {
        let found = manifest("a", "Example", &[actions_of(&actions)]);
        assert_eq!(provenance(&[found]), Provenance::Unknown);
    }
    let found = manifest("a", "Example", &[actions_of(&list(&[made]))]);
    assert_eq!(provenance(&[found]), generator("Example"));
}

#[test]
fn a_store_in_many_segments_is_joined() {
    let fields = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let thumbnail = labelled("c2pa.thumbnail.claim", &boxed(*b"bidb", &vec![7; 150_000]));
    let found = manifest("a", "Grok", &[thumbnail, actions(&[&fields])]);
    let whole = labelled("c2pa", &found);
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
    let mut clues = ProvenanceSignals::default();
    read(&mut clues, &store);
    assert_eq!(clues.resolve(), generator("Grok"));
}

#[test]
fn a_store_torn_off_or_broken_anywhere_is_read_or_not() {
    let jpeg = fixture::bytes("manifest.jpg");
    let mut store = Vec::new();
    for segment in
        crate::engine::structure::jpeg_header_segments(&jpeg).filter(|of| of.marker == 0xeb)
    {
        append_app11(&mut store, segment.body);
    }
    let whole = |store: &[u8]| {
        let mut clues = ProvenanceSignals::default();
        read(&mut clues, store);
        clues.resolve()
    };
    assert_eq!(whole(&store), generator("Adobe Firefly"));
    for cut in 0..store.len() {
        // the outermost box is not whole
        assert_eq!(whole(&store[..cut]), Provenance::Unknown, "cut to {cut}");
    }
    for at in (0..store.len()).step_by(3) {
        let length = store[at];
        for other in [0x00, 0x01, 0xff, 0x9f, 0x7b] {
            store[at] = other;
            whole(&store);
        }
        store[at] = length;
    }
    read(&mut ProvenanceSignals::default(), &[0; 64]);
    append_app11(&mut store, b"");
    append_app11(&mut store, b"JP\x00");
}
