use super::*;

#[test]
fn generator_names_match_whole_words() {
    for (text, name) in [
        ("Midjourney 6.1", Some("Midjourney")),
        ("OpenAI-API", Some("OpenAI")),
        ("OpenAI DALL·E 3", Some("DALL·E")),
        ("ChatGPT", Some("ChatGPT")),
        ("gpt-image-1", Some("GPT Image")),
        ("Adobe_Firefly/1.0 c2pa-rs/0.28", Some("Adobe Firefly")),
        ("FLUX.1 [dev]", Some("Flux")),
        ("Grok", Some("Grok")),
        ("NovelAI", Some("NovelAI")),
        ("Leonardo.Ai", Some("Leonardo")),
        ("imagen-3.0-generate-002", Some("Google Imagen")),
        ("Google C2PA Core Generator Library", None),
        ("Imagen AI 22", None),
        ("Aurora HDR 2019", None),
        ("Affluxion 3", None),
        ("Adobe Photoshop 25.1", None),
        ("Ver.1.00", None),
    ] {
        assert_eq!(generator_from_software(text), name, "{text}");
    }
    let google = "Google C2PA Core Generator Library";
    assert_eq!(generator_from_claim(google), Some("Google AI"));
    assert_eq!(generator_from_claim("Canva"), Some("Canva"));
    assert_eq!(generator_from_claim("Adobe Photoshop"), None);
}

#[test]
fn program_from_parameters_is_that_of_the_version() {
    for (text, name) in [
        (
            "a Fooocus cat\nSteps: 20, Version: v1.9.3",
            "Stable Diffusion",
        ),
        ("a cat\nSteps: 30, Version: Fooocus v2.5.5", "Fooocus"),
        (r#"{"prompt": "a", "version": "Fooocus v2.5.5"}"#, "Fooocus"),
        (
            r#"{"sui_image_params": {"swarm_version": "0.9"}}"#,
            "SwarmUI",
        ),
    ] {
        assert_eq!(program_from_parameters(text), name, "{text}");
    }
}

#[test]
fn parameters_and_graphs_differ_from_captions() {
    for text in ["prompt:{\"3\": {}}", "Workflow: {\"nodes\": []}"] {
        assert!(is_comfyui_graph(text) && !is_sd_parameters(text), "{text}");
    }
    assert!(is_sd_parameters("cat\nSteps: 20, Sampler: Euler a"));
    for text in ["prompt: a cat", "Canon", "Steps: 39", "pr\u{f6}mpt:{"] {
        assert!(!is_comfyui_graph(text) && !is_sd_parameters(text), "{text}");
    }
}

#[test]
fn product_of_a_user_agent_has_no_version() {
    for (agent, name) in [
        ("Adobe_Firefly/1.0 c2pa-rs/0.28", "Adobe Firefly"),
        ("OpenAI-API c2pa-rs/0.28.4", "OpenAI-API"),
        ("M11-P/2.0.2 (Serial: 5889294) lc_c2pa/v1.6.1", "M11-P"),
        ("Adobe Photoshop 25.1 (build 1 mac)", "Adobe Photoshop 25.1"),
        ("make_test 1.0", "make test 1.0"),
        ("c2pa-rs/0.31", ""),
    ] {
        assert_eq!(product(agent), name, "{agent}");
    }
}

#[test]
fn camera_does_not_repeat_the_make() {
    for (make, model, name) in [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Google", "Pixel 8", "Google Pixel 8"),
        ("SONY", "ILCE-7M4", "SONY ILCE-7M4"),
    ] {
        assert_eq!(camera(make, model), name);
    }
}

#[test]
fn name_after_much_text_is_not_found() {
    let padded = |bytes: usize, text: &str| format!("{}{text}", "é ".repeat(bytes.div_ceil(3)));
    let near = |text| padded(NAME_BYTES_MAX / 2, text);
    let far = |text| padded(NAME_BYTES_MAX, text);
    assert_eq!(generator_from_software(&near("Grok")), Some("Grok"));
    assert_eq!(generator_from_software(&far("Grok")), None);
    assert_eq!(generator_from_claim(&far("Canva")), None);
    assert!(is_editor(&near("GIMP")) && !is_editor(&far("GIMP")));
    assert_eq!(
        sanitize_name(&padded(NAME_BYTES_MAX, "").replace('é', "")),
        ""
    );
}

#[test]
fn is_editor_rejects_camera_firmware() {
    for text in ["Adobe Photoshop 25.1", "GIMP 2.10.36", "Snapseed 2.0"] {
        assert!(is_editor(text), "{text}");
    }
    for text in ["17.4.1", "Ver.1.00", "HDR+ 1.0.6", "Canvas 2"] {
        assert!(!is_editor(text), "{text}");
    }
    assert_eq!(sanitize_name(" Adobe\n Photoshop\0 "), "Adobe Photoshop");
}
