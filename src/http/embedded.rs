//! Files of web pages that are part of the program: packed once, and revalidated by browsers.

use std::io::Read;
use std::sync::OnceLock;

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use sha2::{Digest, Sha256};

/// Ending of the names of files that are compressed in the program already.
const GZIP_ENDING: &str = ".gz";
/// Media types by the ending of a file's name.
const MEDIA_TYPES: [(&str, &str); 4] = [
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"),
];
const DEFAULT_MEDIA_TYPE: &str = "application/octet-stream";
/// Bytes of the digest in an entity tag.
const ETAG_BYTES: usize = 8;

/// Files in the program, by name.
#[derive(Debug)]
pub struct EmbeddedFiles(Vec<EmbeddedFile>);

#[derive(Debug)]
struct EmbeddedFile {
    name: &'static str,
    media_type: &'static str,
    /// Weak, because it is the same for the compressed and the plain bytes.
    etag: HeaderValue,
    gzip: Bytes,
    /// Bytes for clients without gzip. Unpacked at the first use.
    plain: OnceLock<Bytes>,
}

impl EmbeddedFiles {
    /// Creates the files by their names and bytes. A name that ends in `.gz` says that the bytes are
    /// compressed; the file is served without that ending.
    #[must_use]
    pub fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        Self(
            files
                .iter()
                .map(|(name, bytes)| EmbeddedFile::new(name, bytes))
                .collect(),
        )
    }

    /// Returns the response to a request with `headers` for the file `name`: 200, or 304 if the client
    /// has the file. `None` if there is no such file.
    #[must_use]
    pub fn respond(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.0.iter().find(|file| file.name == name)?;
        Some(file.respond(headers))
    }
}

impl EmbeddedFile {
    fn new(name: &'static str, bytes: &'static [u8]) -> Self {
        let (name, gzip, plain) = if let Some(name) = name.strip_suffix(GZIP_ENDING) {
            (name, Bytes::from_static(bytes), OnceLock::new())
        } else {
            let plain = without_comments(bytes);
            (name, gzip(&plain), Bytes::from(plain).into())
        };
        let ending = name.rsplit('.').next().unwrap_or_default();
        let media_type = MEDIA_TYPES.iter().find(|(known, _)| *known == ending);
        let digest = Sha256::digest(bytes);
        let etag = format!("W/\"{}\"", hex::encode(&digest[..ETAG_BYTES]));
        Self {
            name,
            media_type: media_type.map_or(DEFAULT_MEDIA_TYPE, |(_, media_type)| media_type),
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\"")),
            gzip,
            plain,
        }
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
        const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
        let common: [(HeaderName, HeaderValue); 4] = [
            (ETAG, self.etag.clone()),
            (CACHE_CONTROL, NO_CACHE),
            (VARY, HeaderValue::from_static("accept-encoding")),
            (X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        ];
        if self.is_known_to_client(headers) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let content_type = [(CONTENT_TYPE, self.media_type)];
        if accepts_gzip(headers) {
            let encoding = [(CONTENT_ENCODING, "gzip")];
            (common, content_type, encoding, self.gzip.clone()).into_response()
        } else {
            let plain = self.plain.get_or_init(|| gunzip(&self.gzip)).clone();
            (common, content_type, plain).into_response()
        }
    }

    /// `true` if `If-None-Match` has the file's entity tag. The comparison is weak (RFC 9110 §13.1.2).
    fn is_known_to_client(&self, headers: &HeaderMap) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let own = self.etag.to_str().map(opaque).unwrap_or_default();
        items(headers, &IF_NONE_MATCH).any(|tag| tag.trim() == "*" || opaque(tag) == own)
    }
}

/// `true` if the client names gzip in `Accept-Encoding`. Without that header a file is sent
/// uncompressed, as clients other than browsers expect.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    items(headers, &ACCEPT_ENCODING).any(|item| {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let is_refused = parameters.trim().trim_end_matches(['0', '.']) == "q=";
        coding.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// Returns the items of a header that is a list with commas. Entity tags of embedded files contain
/// no comma.
fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
}

/// Returns a script or style sheet without the lines that are comments, which are a fifth of its
/// compressed size. Comments beside code, and those that begin with `/*!` (licenses), stay.
fn without_comments(source: &[u8]) -> Vec<u8> {
    let mut is_inside = false;
    let is_code = |line: &&[u8]| {
        let text = line.trim_ascii();
        let opens = text.starts_with(b"/*") && !text.starts_with(b"/*!");
        let end = text.windows(2).position(|pair| pair == b"*/");
        let is_end_of_line = end.is_some_and(|end| end + 2 == text.len());
        let is_comment = match end {
            Some(_) if opens || is_inside => is_end_of_line,
            _ => opens || is_inside || text.starts_with(b"//"),
        };
        is_inside = (opens || is_inside) && end.is_none();
        !is_comment
    };
    let lines = source.split_inclusive(|byte| *byte == b'\n');
    lines.filter(is_code).flatten().copied().collect()
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut bytes = Vec::new();
    // Reading from memory cannot fail.
    let _ = GzEncoder::new(plain, Compression::best()).read_to_end(&mut bytes);
    bytes.into()
}

fn gunzip(compressed: &[u8]) -> Bytes {
    let mut bytes = Vec::new();
    // The built-in files are valid gzip, which tests check.
    let _ = GzDecoder::new(compressed).read_to_end(&mut bytes);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_comments_keeps_code_and_licenses() {
        let source =
            b"// one\n/*! license */\n/** @type {A} */\nlet a = '//'; // kept\n/**\n * many\n */\n\
              /** @type {B} */ (a).b();\n  // indented\n\n/* css */\nb { c: d } /* e */";
        let expected = "/*! license */\nlet a = '//'; // kept\n/** @type {B} */ (a).b();\n\n\
                        b { c: d } /* e */";
        let code = String::from_utf8(without_comments(source)).expect("UTF-8");
        assert_eq!(code, expected);
    }

    #[test]
    fn accepts_gzip_requires_gzip_with_nonzero_quality() {
        let is_accepted = |accept: &str| {
            let accept = accept.parse().expect("a value");
            accepts_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, accept)]))
        };
        for accept in ["gzip", "br, GZIP;q=0.5", "deflate,gzip", "gzip;q=1.0"] {
            assert!(is_accepted(accept), "{accept}");
        }
        for accept in ["", "br", "gzip;q=0", "gzip; q=0.0, identity", "x-gzip"] {
            assert!(!is_accepted(accept), "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn respond_with_known_entity_tag_answers_not_modified() {
        let files = EmbeddedFiles::new(&[("a.js", b"1;")]);
        let status = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (IF_NONE_MATCH, tag.parse()));
            let mut headers = HeaderMap::new();
            for (name, tag) in tags {
                headers.append(name, tag.expect("a value"));
            }
            files.respond("a.js", &headers).expect("a file").status()
        };
        let response = files.respond("a.js", &HeaderMap::new()).expect("a file");
        let weak = response.headers()[ETAG].to_str().expect("ASCII");
        let strong = weak.trim_start_matches("W/");
        let list = format!("\"b\" , {weak}");
        for tags in [&[weak][..], &[strong], &[&list], &["\"b\"", weak], &["*"]] {
            assert_eq!(status(tags), StatusCode::NOT_MODIFIED, "{tags:?}");
        }
        for tags in [&[][..], &["\"b\""], &["W/"], &[""]] {
            assert_eq!(status(tags), StatusCode::OK, "{tags:?}");
        }
    }

    #[test]
    fn respond_serves_a_compressed_file_by_its_plain_name() {
        let packed: &'static [u8] = gzip(b"a {}").to_vec().leak();
        let files = EmbeddedFiles::new(&[("a.css.gz", packed)]);
        assert!(files.respond("a.css.gz", &HeaderMap::new()).is_none());
        assert!(files.respond("a.css", &HeaderMap::new()).is_some());
        assert_eq!(gunzip(packed), "a {}");
    }
}
