use super::*;
use crate::model::picture::{RasterFormat, Strength};

async fn inspect_fixture(name: &str, options: InspectOptions) -> Result<Inspection, EngineError> {
    fixture::engine(2)
        .inspect(fixture::content(name), name.to_owned(), options)
        .await
}

#[tokio::test]
async fn inspect_computes_what_the_options_ask_for() {
    let options = InspectOptions {
        measures: true,
        ..InspectOptions::default()
    };
    let plain = inspect_fixture("photo.jpg", options)
        .await
        .expect("a complete picture");
    let measures = plain.measures.expect("measures");
    assert_eq!((measures.width_px, measures.height_px), (1024, 768));
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
            .all(|image| image.is_none())
    );
    let style = HeatmapStyle {
        background: Background::Transparent,
        scale: Scale::Normalized,
    };
    let options = InspectOptions {
        measures: true,
        thumbnail: true,
        preview: true,
        heatmap: Some(style),
        overlay: Some(Scale::Raw),
        report_px: Some(200),
        probability: None,
    };
    let drawn = inspect_fixture("photo.jpg", options)
        .await
        .expect("a complete picture");
    let sizes = [
        &drawn.thumbnail,
        &drawn.preview,
        &drawn.heatmap,
        &drawn.overlay,
        &drawn.report_image,
    ]
    .map(|bytes| {
        let image =
            image::load_from_memory(bytes.as_deref().expect("an image")).expect("a picture");
        (image.width(), image.height())
    });
    assert_eq!(
        sizes,
        [(100, 75), (512, 384), (1024, 768), (1024, 768), (200, 150)]
    );
    assert_eq!(plain.measures, drawn.measures);
    assert_eq!(plain.digest, drawn.digest);
    let minimal = inspect_fixture("photo.jpg", InspectOptions::default())
        .await
        .expect("a complete picture");
    assert_eq!((minimal.measures, minimal.digest), (None, plain.digest));
}

#[tokio::test]
async fn inspect_tells_defects_from_internal_errors() {
    let options = InspectOptions::default();
    assert!(matches!(
        inspect_fixture("truncated.jpg", options).await,
        Err(EngineError::Defect(FileDefect::Corrupt(_)))
    ));
    assert!(matches!(
        inspect_fixture("not-a-picture.jpg", options).await,
        Err(EngineError::Defect(FileDefect::NotAnImage(_)))
    ));
    assert!(matches!(
        inspect_fixture("bomb.png", options).await,
        Err(EngineError::Defect(FileDefect::TooLarge(_)))
    ));
    assert!(matches!(
        // A folder can be opened but not read.
        inspect_fixture(".", options).await,
        Err(EngineError::Io(_))
    ));
    let renamed = fixture::engine(1)
        .inspect(
            fixture::content("photo.jpg"),
            "photo.webp".to_owned(),
            options,
        )
        .await;
    assert_eq!(
        renamed.expect_err("another format").to_string(),
        "named .webp, but the bytes are a JPEG"
    );
}

#[tokio::test]
async fn identify_reads_the_head_only() {
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
async fn dropped_future_returns_its_permit() {
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
async fn panic_is_a_corrupt_file() {
    let engine = fixture::engine(1);
    let found: Result<(), EngineError> = engine.run(|| panic!("like a decoder")).await;
    assert!(matches!(
        found,
        Err(EngineError::Defect(FileDefect::Corrupt(_)))
    ));
    assert_eq!(engine.permits.available_permits(), 1);
}

#[tokio::test]
async fn protect_writes_a_complete_output() {
    let to = tempfile::NamedTempFile::new().expect("a temporary file");
    let engine = fixture::engine(1);
    let protection = |name: &str| Protection {
        content: fixture::content(name),
        name: name.to_owned(),
        to: to.path().to_owned(),
        strength: Strength::default(),
        rng: crate::platform::rng::SeededRng::from_digest([3; 32]),
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
    let inspection = engine
        .inspect(
            fixture::open(to.path()),
            "photo.jpg".to_owned(),
            InspectOptions::default(),
        )
        .await
        .expect("a complete picture");
    assert_eq!(
        inspection.provenance,
        Provenance::Camera("NIKON D750".to_owned())
    );
    assert!(engine.protect(protection("truncated.jpg")).await.is_err());
}

#[tokio::test]
async fn sample_and_report_equal_their_pure_functions() {
    let engine = fixture::engine(1);
    let sample = engine.sample("a.jpg".to_owned(), [1; 32]).await;
    assert_eq!(
        sample.expect("a sample"),
        sample::sample("a.jpg", [1; 32]).expect("the same sample")
    );
    let error = engine.sample("a.txt".to_owned(), [1; 32]).await;
    assert!(matches!(
        error,
        Err(EngineError::Defect(FileDefect::NotAnImage(_)))
    ));
    let at = crate::model::time::Timestamp::from_ms(0);
    let report = ReportFacts {
        locale: crate::model::report::Locale::KoKr,
        finding: report::Finding::Ai { probability: 0.5 },
        order_id: "1".to_owned(),
        order_name: "이름".to_owned(),
        file_name: "a.jpg".to_owned(),
        created_at: at,
        completed_at: at,
        reported_at: at,
        original_name: None,
    };
    let sources = ReportSources {
        picture: Some(fixture::content("photo.jpg")),
        heatmap: Some(fixture::content("plain.png")),
    };
    let mut memory = engine.budget().lease(1024).await.expect("a lease");
    let images = report::draw_images(&sources, "photo.jpg", 1600, &mut memory).expect("images");
    let pdf = engine.report(report.clone(), sources).await;
    assert!(pdf.expect("a report") == report::build(&report, images).expect("the same report"));
}

#[tokio::test]
async fn report_in_a_small_budget_has_smaller_images() {
    let report = ReportFacts {
        locale: crate::model::report::Locale::EnUs,
        finding: report::Finding::Ai { probability: 0.5 },
        order_id: "1".to_owned(),
        order_name: "name".to_owned(),
        file_name: "large.jpg".to_owned(),
        original_name: None,
        created_at: crate::model::time::Timestamp::from_ms(0),
        completed_at: crate::model::time::Timestamp::from_ms(0),
        reported_at: crate::model::time::Timestamp::from_ms(0),
    };
    let sources = ReportSources {
        picture: Some(fixture::jpeg(1800, 1800)),
        heatmap: None,
    };
    for (budget_mib, width) in [(64, "/Width 1600\n"), (16, "/Width 512\n")] {
        let engine = Engine::new(1, Budget::new(budget_mib << 20));
        let report = engine.report(report.clone(), sources.clone()).await;
        let pdf = report.expect("a report");
        let width = width.as_bytes();
        assert!(
            pdf.windows(width.len()).any(|it| it == width),
            "{budget_mib}"
        );
        assert_eq!(engine.budget().leased_bytes(), 0);
    }
}
