use super::cbor::Node;
use super::*;
use crate::engine::fixture;
use crate::engine::metadata::TEXT_BYTES_MAX;
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
    let told: Vec<Vec<u8>> = list_of
        .iter()
        .map(|action| {
            let entries = action.iter().map(|(key, value)| (*key, text(value)));
            map(&entries.collect::<Vec<_>>())
        })
        .collect();
    assertion("c2pa.actions.v2", &map(&[("actions", list(&told))]))
}

fn ingredient(relationship: &str, label: &str) -> Vec<u8> {
    let reference = map(&[("url", text(&format!("self#jumbf=/c2pa/{label}")))]);
    let told = [
        ("relationship", text(relationship)),
        ("activeManifest", reference),
    ];
    assertion("c2pa.ingredient.v3__1", &map(&told))
}

fn manifest(label: &str, program: &str, assertions: &[Vec<u8>]) -> Vec<u8> {
    let info = map(&[("name", text(program))]);
    let claim = assertion("c2pa.claim.v2", &map(&[("claim_generator_info", info)]));
    let store = labelled("c2pa.assertions", &assertions.concat());
    labelled(label, &[store, claim].concat())
}

fn provenance(manifests: &[Vec<u8>]) -> Provenance {
    let store = labelled("c2pa", &manifests.concat());
    let mut clues = Clues::default();
    read(&mut clues, &store);
    clues.settled()
}

fn generator(name: &str) -> Provenance {
    Provenance::Generator(name.to_owned())
}

fn ai_editor(name: &str) -> Provenance {
    Provenance::AiEditor(name.to_owned())
}

#[test]
fn a_generator_is_named_by_its_agent_or_its_claim() {
    let made = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    for (program, agent, name) in [
        ("OpenAI-API", Some("gpt-image"), "GPT Image"),
        ("Example_Studio", None, "Example Studio"),
        ("Google C2PA Core Generator Library", None, "Google AI"),
        ("Canva", None, "Canva"),
        ("Example", Some("Maker 3"), "Maker 3"),
    ] {
        let mut action = made.to_vec();
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
fn what_is_opened_and_placed_is_told_of() {
    let made = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let midjourney = manifest("mj", "Midjourney", &[actions(&[&made])]);
    let opened = actions(&[&[("action", "c2pa.opened")], &[("action", "c2pa.edited")]]);
    let of = |relationship: &str| {
        let assertions = [opened.clone(), ingredient(relationship, "mj")];
        let photoshop = manifest("ps", "Adobe Photoshop 26", &assertions);
        provenance(&[midjourney.clone(), photoshop])
    };
    assert_eq!(of("parentOf"), generator("Midjourney"));
    assert_eq!(of("componentOf"), ai_editor("Midjourney"));
    let editor = Provenance::Editor("Adobe Photoshop 26".to_owned());
    assert_eq!(of("inputTo"), editor);
    // a manifest that is not the last and that nothing names is another picture's
    let last = manifest("ps", "Adobe Photoshop 26", std::slice::from_ref(&opened));
    assert_eq!(provenance(&[midjourney.clone(), last]), editor);
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
        let told = actions(&[&opened, &action]);
        let found = manifest("a", "Adobe Photoshop 26", &[told]);
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
fn ingredients_that_name_one_another_end() {
    let round = |label: &str, next: &str| {
        let both = [
            ingredient("parentOf", next),
            ingredient("componentOf", next),
        ];
        manifest(label, "Example", &both)
    };
    let told = provenance(&[round("a", "b"), round("b", "c"), round("c", "a")]);
    assert_eq!(told, Provenance::Unknown);
    let many: Vec<Vec<u8>> = (0..100)
        .map(|at| round(&format!("m{at}"), &format!("m{}", at - 1)))
        .collect();
    assert_eq!(provenance(&many), Provenance::Unknown);
}

#[test]
fn each_manifest_is_told_of_once_however_often_it_is_named() {
    let itself = |relationship| [ingredient(relationship, "a"), ingredient(relationship, "a")];
    let round = [itself("parentOf"), itself("componentOf")].concat();
    let store = labelled("c2pa", &manifest("a", "Example", &round));
    let store = Labelled::first(&store).expect("a store");
    let mut history = History::of(store);
    history.tell(&mut Clues::default(), 0, Role::Picture, DEPTH_MAX);
    // as the picture, and as a part of it
    assert_eq!(history.left, MANIFESTS_MAX - 2);
}

#[test]
fn a_store_that_is_too_large_is_not_read_and_one_with_thumbnails_is() {
    let made = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let of = |thumbnail_bytes: usize| {
        let thumbnail = boxed(*b"bidb", &vec![7; thumbnail_bytes]);
        let thumbnail = labelled("c2pa.thumbnail.claim", &thumbnail);
        provenance(&[manifest("a", "Grok", &[thumbnail, actions(&[&made])])])
    };
    assert_eq!(of(6 * 1024 * 1024), generator("Grok"));
    assert_eq!(of(STORE_BYTES_MAX), Provenance::Unknown);
}

#[test]
fn a_camera_in_json_is_read_unless_the_text_is_too_long() {
    let of = |filler_bytes: usize| {
        let filler = "0,".repeat(filler_bytes / 2);
        let json = format!(r#"{{"tiff:Make": "NIKON", "tiff:Model": "Z 9", "more": [{filler}0]}}"#);
        let exif = labelled("stds.exif", &boxed(*b"json", json.as_bytes()));
        provenance(&[manifest("a", "Example", &[exif])])
    };
    assert_eq!(of(1000), Provenance::Camera("NIKON Z 9".to_owned()));
    assert_eq!(of(TEXT_BYTES_MAX), Provenance::Unknown);
}

#[test]
fn of_very_many_actions_the_first_are_told_of() {
    let none = Node::Map(vec![("action", Node::Text("c2pa.edited"))]);
    let actions = Node::List(vec![none; 4000]);
    let assertion = Node::Map(vec![("actions", actions)]);
    let mut found = Manifest::default();
    for _ in 0..3 {
        found.act(&assertion);
    }
    assert_eq!(found.actions.len(), manifest::ACTIONS_MAX);
}

#[test]
fn a_store_in_many_segments_is_joined() {
    let made = [("action", "c2pa.created"), ("digitalSourceType", TRAINED)];
    let thumbnail = labelled("c2pa.thumbnail.claim", &boxed(*b"bidb", &vec![7; 150_000]));
    let found = manifest("a", "Grok", &[thumbnail, actions(&[&made])]);
    let whole = labelled("c2pa", &found);
    let (head, content) = whole.split_at(BOX_HEAD_BYTES);
    let mut store = Vec::new();
    for (at, part) in content.chunks(60_000).enumerate() {
        let number = u32::try_from(at + 1).expect("few parts").to_be_bytes();
        collect(
            &mut store,
            &[b"JP\x02\x11", &number[..], head, part].concat(),
        );
    }
    assert_eq!(store, whole);
    let mut clues = Clues::default();
    read(&mut clues, &store);
    assert_eq!(clues.settled(), generator("Grok"));
}

#[test]
fn a_store_torn_off_or_broken_anywhere_is_read_or_not() {
    let jpeg = fixture::bytes("generators/dalle3-photoshop.jpg");
    let mut store = Vec::new();
    for segment in crate::engine::framing::jpeg_head(&jpeg).filter(|of| of.marker == 0xeb) {
        collect(&mut store, segment.body);
    }
    let whole = |store: &[u8]| {
        let mut clues = Clues::default();
        read(&mut clues, store);
        clues.settled()
    };
    assert_eq!(whole(&store), generator("DALL·E"));
    for cut in 0..store.len() {
        // the outermost box is not whole
        assert_eq!(whole(&store[..cut]), Provenance::Unknown, "cut to {cut}");
    }
    for at in (0..store.len()).step_by(3) {
        let kept = store[at];
        for other in [0x00, 0x01, 0xff, 0x9f, 0x7b] {
            store[at] = other;
            whole(&store);
        }
        store[at] = kept;
    }
    read(&mut Clues::default(), &[0; 64]);
    collect(&mut store, b"");
    collect(&mut store, b"JP\x00");
}
