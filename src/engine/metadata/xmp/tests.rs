use super::*;
use crate::model::picture::Provenance;

fn provenance(packet: &str) -> Provenance {
    for cut in (0..packet.len()).filter(|cut| packet.is_char_boundary(*cut)) {
        read(&mut ProvenanceSignals::default(), &packet.as_bytes()[..cut]);
    }
    let mut signals = ProvenanceSignals::default();
    read(&mut signals, packet.as_bytes());
    signals.resolve()
}

fn generator(name: &str) -> Provenance {
    Provenance::Generator(name.to_owned())
}

#[test]
fn source_type_generated_is_a_generator_in_any_notation() {
    let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    for packet in [
        format!("<d><a:DigitalSourceType>{uri}</a:DigitalSourceType><xmp:CreatorTool>Maker &amp; Son</xmp:CreatorTool></d>"),
        format!("<d xmp:CreatorTool = 'Maker &amp; Son'><a:DigitalSourceType rdf:resource='{uri}'/></d>"),
        r#"<r:Description xmp:CreatorTool='Maker &#38; Son' e:DigitalSourceType="trainedAlgorithmicMedia"/>"#.to_owned(),
        r#"<d xmp:CreatorTool="Maker &amp; Son" e:DigitalSourceFileType="trainedAlgorithmicMedia"/>"#.to_owned(),
    ] {
        assert_eq!(provenance(&packet), generator("Maker & Son"), "{packet}");
    }
    for (packet, name) in [
        (
            r#"<d e:DigitalSourceType="trainedAlgorithmicMedia"/>"#,
            "AI generator",
        ),
        (
            r#"<d e:DigitalSourceType="trainedAlgorithmicMedia" x:CreatorTool="Adobe Photoshop 25.1"/>"#,
            "AI generator",
        ),
    ] {
        assert_eq!(provenance(packet), generator(name), "{packet}");
    }
}

#[test]
fn source_type_composite_is_an_ai_editor() {
    let composite = "compositeWithTrainedAlgorithmicMedia";
    for (properties, name) in [
        (
            "x:CreatorTool='Adobe Photoshop 25.1'",
            "Adobe Photoshop 25.1",
        ),
        ("", "AI editor"),
    ] {
        let packet = format!("<d {properties} e:DigitalSourceType='{composite}'/>");
        assert_eq!(provenance(&packet), Provenance::AiEditor(name.to_owned()));
    }
}

#[test]
fn editors_and_cameras_are_distinguished() {
    let editor = |name: &str| Provenance::Editor(name.to_owned());
    let camera = |name: &str| Provenance::Camera(name.to_owned());
    for (packet, expected) in [
        (
            "<d x:CreatorTool='Adobe Photoshop 25.1'/>",
            editor("Adobe Photoshop 25.1"),
        ),
        ("<d e:DigitalSourceType='humanEdits'/>", editor("editor")),
        ("<d e:DigitalSourceType='negativeFilm'/>", camera("camera")),
        (
            "<d t:Make='EPSON' t:Model='V850' e:DigitalSourceType='print'/>",
            camera("EPSON V850"),
        ),
    ] {
        assert_eq!(provenance(packet), expected, "{packet}");
    }
}

#[test]
fn free_text_is_no_origin() {
    for packet in [
        "<d><dc:description>DigitalSourceType trainedAlgorithmicMedia</dc:description></d>",
        "<d p:Credit='Sora Tanaka' dc:creator='Midjourney'/>",
        "<d e:DigitalSourceType='algorithmicMedia'/>",
        "CreatorTool CreatorTool= CreatorTool=\"",
        "<<<&&;&#x110000;]]><a b=><![CDATA[",
    ] {
        assert_eq!(provenance(packet), Provenance::Unknown, "{packet}");
    }
}

#[test]
fn packet_with_many_attributes_is_read_in_linear_time() {
    let many = "a='b' ".repeat(40_000);
    for many in ["", many.as_str()] {
        let packet = format!("<d {many} CreatorTool='' CreatorTool='Midjourney'/>");
        let mut signals = ProvenanceSignals::default();
        read(&mut signals, packet.as_bytes());
        assert_eq!(signals.resolve(), generator("Midjourney"));
    }
}
