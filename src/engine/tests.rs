use super::*;
use crate::model::picture::{RasterFormat, Strength};

async fn inspect_fixture(name: &str, wants: InspectOptions) -> Result<Inspection, EngineError> {
    fixture::engine(2)
        .inspect(fixture::content(name), name.to_owned(), wants)
        .await
}

#[tokio::test]
async fn what_is_wanted_is_drawn_and_nothing_else() {
    let measured = InspectOptions {
        measures: true,
        ..InspectOptions::default()
    };
    let plain = inspect_fixture("photo.jpg", measured)
        .await
        .expect("a whole picture");
    let of_it = plain.measures.expect("measures");
    assert_eq!((of_it.width_px, of_it.height_px), (1024, 768));
    let Inspection {
        thumbnail,
        preview,
        heatmap,
        overlay,
        ..
    } = &plain;
    assert!(
        [thumbnail, preview, heatmap, overlay]
            .iter()
            .all(|drawn| drawn.is_none())
    );
    let style = HeatmapStyle {
        ground: Background::Transparent,
        scale: Scale::Normalized,
    };
    let wants = InspectOptions {
        measures: true,
        thumbnail: true,
        preview: true,
        heatmap: Some(style),
        overlay: Some(Scale::Raw),
        report_px: Some(200),
        probability: None,
    };
    let drawn = inspect_fixture("photo.jpg", wants)
        .await
        .expect("a whole picture");
    let sizes = [
        &drawn.thumbnail,
        &drawn.preview,
        &drawn.heatmap,
        &drawn.overlay,
        &drawn.report_image,
    ]
    .map(|bytes| {
        let image = image::load_from_memory(bytes.as_deref().expect("drawn")).expect("a picture");
        (image.width(), image.height())
    });
    assert_eq!(
        sizes,
        [(100, 75), (512, 384), (1024, 768), (1024, 768), (200, 150)]
    );
    assert_eq!(plain.measures, drawn.measures);
    assert_eq!(plain.digest, drawn.digest);
    let judged = inspect_fixture("photo.jpg", InspectOptions::default())
        .await
        .expect("a whole picture");
    assert_eq!((judged.measures, judged.digest), (None, plain.digest));
}

#[tokio::test]
async fn a_defect_is_told_from_an_error_of_ours() {
    let wants = InspectOptions::default();
    assert!(matches!(
        inspect_fixture("truncated.jpg", wants).await,
        Err(EngineError::Defect(FileDefect::Corrupt(_)))
    ));
    assert!(matches!(
        inspect_fixture("not-a-picture.jpg", wants).await,
        Err(EngineError::Defect(FileDefect::NotAnImage(_)))
    ));
    assert!(matches!(
        inspect_fixture("bomb.png", wants).await,
        Err(EngineError::Defect(FileDefect::TooLarge(_)))
    ));
    assert!(matches!(
        // a folder, which opens and is not read
        inspect_fixture(".", wants).await,
        Err(EngineError::Io(_))
    ));
    let renamed = fixture::engine(1)
        .inspect(
            fixture::content("photo.jpg"),
            "photo.webp".to_owned(),
            wants,
        )
        .await;
    assert_eq!(
        renamed.expect_err("another format").to_string(),
        "named .webp, but the bytes are a JPEG"
    );
}

#[tokio::test]
async fn the_head_alone_identifies_a_file() {
    let engine = fixture::engine(1);
    let identify =
        |file: &str, name: &str| engine.identify(fixture::content(file), name.to_owned());
    let found = identify("truncated.jpg", "x.jpeg").await;
    assert_eq!(
        found.expect("a JPEG's head"),
        FileKind::Picture(RasterFormat::Jpeg)
    );
    assert!(identify("plain.png", "x.gif").await.is_err());
}

#[tokio::test]
async fn a_dropped_future_gives_its_turn_back() {
    let engine = fixture::engine(1);
    for _ in 0..5 {
        let work = engine.inspect(
            fixture::content("photo.jpg"),
            "p.jpg".to_owned(),
            InspectOptions::default(),
        );
        drop(work);
        let work = engine.inspect(
            fixture::content("photo.jpg"),
            "p.jpg".to_owned(),
            InspectOptions::default(),
        );
        tokio::select! {
            biased;
            _ = work => {}
            () = tokio::task::yield_now() => {}
        }
    }
    let last = engine.inspect(
        fixture::content("plain.gif"),
        "p.gif".to_owned(),
        InspectOptions::default(),
    );
    assert!(last.await.is_ok());
    assert_eq!(engine.permits.available_permits(), 1);
}

#[tokio::test]
async fn a_panic_is_a_corrupt_picture() {
    let engine = fixture::engine(1);
    let found: Result<(), EngineError> = engine.run(|| panic!("as decoders do")).await;
    assert!(matches!(
        found,
        Err(EngineError::Defect(FileDefect::Corrupt(_)))
    ));
    assert_eq!(engine.permits.available_permits(), 1);
}

#[tokio::test]
async fn protecting_writes_the_output_where_it_is_told() {
    let to = tempfile::NamedTempFile::new().expect("a temporary file");
    let engine = fixture::engine(1);
    let protection = |name: &str| Protection {
        content: fixture::content(name),
        name: name.to_owned(),
        to: to.path().to_owned(),
        strength: Strength::default(),
        draw: crate::platform::rng::SeededRng::from_digest([3; 32]),
        thumbnail: false,
    };
    let protected = engine
        .protect(protection("photo.jpg"))
        .await
        .expect("an output");
    assert_eq!(
        (protected.format, protected.thumbnail),
        (RasterFormat::Jpeg, None)
    );
    let again = engine
        .inspect(
            fixture::whole(to.path()),
            "photo.jpg".to_owned(),
            InspectOptions::default(),
        )
        .await
        .expect("a whole picture");
    assert_eq!(
        again.provenance,
        Provenance::Camera("NIKON D750".to_owned())
    );
    assert!(engine.protect(protection("truncated.jpg")).await.is_err());
}

#[tokio::test]
async fn samples_and_reports_are_made_in_their_turn() {
    let engine = fixture::engine(1);
    let sample = engine.sample("a.jpg".to_owned(), [1; 32]).await;
    assert_eq!(
        sample.expect("a sample"),
        sample::sample("a.jpg", [1; 32]).expect("the same sample")
    );
    let refused = engine.sample("a.txt".to_owned(), [1; 32]).await;
    assert!(matches!(
        refused,
        Err(EngineError::Defect(FileDefect::NotAnImage(_)))
    ));
    let at = crate::model::time::Timestamp::from_ms(0);
    let report = Report {
        locale: crate::model::report::Locale::KoKr,
        finding: report::Finding::Ai { probability: 0.5 },
        order_id: "1".to_owned(),
        order_name: "이름".to_owned(),
        file_name: "a.jpg".to_owned(),
        created_at: at,
        completed_at: at,
        made_at: at,
        original_name: None,
    };
    let sources = ReportSources {
        picture: Some(fixture::content("photo.jpg")),
        heatmap: Some(fixture::content("plain.png")),
    };
    let mut memory = engine.budget().lease(1024).await.expect("a lease");
    let images = report::draw_images(&sources, "photo.jpg", 1600, &mut memory);
    let images = images.expect("images");
    let pdf = engine.report(report.clone(), sources).await;
    let pdf = pdf.expect("a report");
    assert!(pdf == report::make(&report, images).expect("the same report"));
}

#[tokio::test]
async fn report_in_a_small_budget_has_smaller_images() {
    let report = Report {
        locale: crate::model::report::Locale::EnUs,
        finding: report::Finding::Ai { probability: 0.5 },
        order_id: "1".to_owned(),
        order_name: "name".to_owned(),
        file_name: "large.jpg".to_owned(),
        original_name: None,
        created_at: crate::model::time::Timestamp::from_ms(0),
        completed_at: crate::model::time::Timestamp::from_ms(0),
        made_at: crate::model::time::Timestamp::from_ms(0),
    };
    let sources = ReportSources {
        picture: Some(fixture::jpeg(1800, 1800)),
        heatmap: None,
    };
    for (budget_mib, width) in [(64, "/Width 1600\n"), (16, "/Width 512\n")] {
        let engine = Engine::new(1, Budget::new(budget_mib << 20));
        let made = engine.report(report.clone(), sources.clone()).await;
        let pdf = made.expect("a report");
        let width = width.as_bytes();
        assert!(
            pdf.windows(width.len()).any(|it| it == width),
            "{budget_mib}"
        );
        assert_eq!(engine.budget().leased_bytes(), 0);
    }
}
