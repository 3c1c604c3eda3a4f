//! The dashboard's page and files, as a browser gets them.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::json;

use super::guard::send_raw;
use crate::support::{TestResponse, TestServer};

/// Total size of the compressed page and files above which a test fails. The aim is 60 KiB.
const GZIP_BYTES_MAX: usize = 100 * 1024;
const GZIP: (&str, &str) = ("accept-encoding", "gzip");

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/control/dashboard/ui")
}

/// Returns the files of the dashboard: the paths below its folder that a browser may load.
fn files() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&folder(), &mut found);
    found.retain(|path| {
        let extension = path.extension().unwrap_or_default();
        ["css", "html", "js", "svg"]
            .iter()
            .any(|it| extension == *it)
    });
    let name = |path: PathBuf| {
        let path = path.strip_prefix(folder()).expect("a path below");
        path.to_str().expect("UTF-8").to_owned()
    };
    found.into_iter().map(name).collect()
}

/// Returns the path of a file of the dashboard's folder.
fn path_of(file: &str) -> String {
    if file == "index.html" {
        "/_mock/".to_owned()
    } else {
        format!("/_mock/ui/{file}")
    }
}

/// Asserts that `served` has the lines of a file of the folder, without those that are comments.
fn assert_is_file_without_comments(file: &str, served: &[u8]) {
    let source = fs::read_to_string(folder().join(file)).expect("a file");
    let mut served = served.split_inclusive(|byte| *byte == b'\n').peekable();
    for line in source.split_inclusive('\n') {
        if served.next_if_eq(&line.as_bytes()).is_none() {
            let text = line.trim_start();
            let is_comment = ["//", "/*", "*"]
                .iter()
                .any(|start| text.starts_with(start));
            assert!(is_comment, "{file}: {line} is not served");
        }
    }
    assert_eq!(served.next(), None, "{file}");
}

async fn get(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    server.send(Method::GET, path, headers, "").await
}

#[tokio::test]
async fn get_every_file_of_the_folder_answers_its_bytes_type_and_policies() {
    let server = TestServer::start().await;
    let files = files();
    assert!(files.iter().any(|it| it == "index.html"), "{files:?}");
    for file in files {
        let response = get(&server, &path_of(&file), &[]).await;
        assert_eq!(
            response.status, 200,
            "{file} is not in FILES of dashboard/mod.rs"
        );
        assert_is_file_without_comments(&file, &response.bytes);
        let media_type = match file.rsplit('.').next().expect("an extension") {
            "css" => "text/css; charset=utf-8",
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        let policies = response.headers.get_all("content-security-policy").iter();
        assert_eq!(
            policies.collect::<Vec<_>>(),
            [CSP, "frame-ancestors 'none'"]
        );
        for (header, value) in [
            ("content-type", media_type),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-cache"),
            ("vary", "accept-encoding"),
            ("content-encoding", ""),
        ] {
            assert_eq!(response.header(header), value, "{file}: {header}");
        }
    }
}

#[tokio::test]
async fn get_all_files_with_gzip_accepted_answers_at_most_100_kib() {
    let server = TestServer::start().await;
    let mut bytes = 0;
    for file in files() {
        let response = get(&server, &path_of(&file), &[GZIP]).await;
        assert_eq!(response.header("content-encoding"), "gzip", "{file}");
        let mut plain = Vec::new();
        let mut unpacked = flate2::read::GzDecoder::new(response.bytes.as_slice());
        std::io::Read::read_to_end(&mut unpacked, &mut plain).expect("gzip");
        assert_is_file_without_comments(&file, &plain);
        bytes += response.bytes.len();
    }
    println!("the dashboard has {bytes} bytes with gzip");
    assert!(bytes <= GZIP_BYTES_MAX, "{bytes}");
}

#[tokio::test]
async fn get_known_version_answers_not_modified() {
    let server = TestServer::start().await;
    for path in ["/_mock/", "/_mock/ui/vendor/preact.js"] {
        let first = get(&server, path, &[GZIP]).await;
        let tag = first.header("etag");
        for headers in [
            &[("if-none-match", tag), GZIP][..],
            &[("if-none-match", tag)],
        ] {
            let again = get(&server, path, headers).await;
            assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
            for header in ["etag", "cache-control", "vary", "content-security-policy"] {
                assert_eq!(
                    again.header(header),
                    first.header(header),
                    "{path}: {header}"
                );
            }
        }
        let other = get(&server, path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, 200, "{path}");
    }
}

#[tokio::test]
async fn head_answers_the_headers_of_get() {
    let server = TestServer::start().await;
    for path in ["/_mock/", "/_mock/ui/vendor/preact.js"] {
        let get = get(&server, path, &[]).await;
        let head = server.send(Method::HEAD, path, &[], "").await;
        assert_eq!((head.status, head.bytes.len()), (200, 0), "{path}");
        for header in [
            "content-type",
            "content-length",
            "etag",
            "content-security-policy",
        ] {
            assert_eq!(head.header(header), get.header(header), "{path}: {header}");
        }
        assert_eq!(head.header("content-length"), get.bytes.len().to_string());
    }
}

#[tokio::test]
async fn get_unknown_file_answers_unknown_route() {
    let server = TestServer::start().await;
    for path in [
        "/_mock/ui/none.js",
        "/_mock/ui/",
        "/_mock/ui",
        "/_mock/ui/..%2fmod.rs",
    ] {
        let response = get(&server, path, &[]).await;
        let code = response.json()["error"]["code"].take();
        assert_eq!(
            (response.status, code),
            (404, json!("unknown_route")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn dashboard_needs_no_token_and_its_host_must_be_known() {
    let server =
        TestServer::with_config(|config| config.control.control_token = Some("s3cret".to_owned()))
            .await;
    for path in ["/_mock/", "/_mock/ui/icon.svg"] {
        assert_eq!(get(&server, path, &[]).await.status, 200, "{path}");
        let post = server.send(Method::POST, path, &[], "").await;
        assert_eq!(post.status, 401, "{path}");
        let rebound = send_raw(&server, "GET", path, "Host: evil.com\r\n").await;
        assert_eq!(rebound.status, 421, "{path}");
    }
    let redirect = get(&server, "/_mock", &[("accept", "text/html")]).await;
    assert_eq!(redirect.status, 307);
    assert_eq!(get(&server, "/_mock/accounts", &[]).await.status, 401);
}

#[tokio::test]
async fn get_root_leads_browsers_to_the_dashboard_and_answers_clients_as_ever() {
    let server = TestServer::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/", "/_mock"] {
        for accept in [browser, "TEXT/HTML", "*/*, text/html;q=0.1"] {
            for method in [Method::GET, Method::HEAD] {
                let response = server.send(method, path, &[("accept", accept)], "").await;
                let actual = (response.status, response.header("location"));
                assert_eq!(actual, (307, "/_mock/"), "{path} {accept}");
                assert_eq!(response.header("vary"), "accept");
            }
        }
        for accept in ["*/*", "text/*", "application/json", "text/htmlx"] {
            let response = get(&server, path, &[("accept", accept)]).await;
            assert_eq!(response.status, 404, "{path} {accept}");
        }
        let posted = server
            .send(Method::POST, path, &[("accept", browser)], "")
            .await;
        assert_eq!(posted.status, 404, "{path}");
    }
    let other = get(&server, "/nothing", &[("accept", browser)]).await;
    assert_eq!(other.status, 404);
}

#[test]
fn failure_codes_of_the_page_are_those_of_the_vendor() {
    let page = fs::read_to_string(folder().join("order-actions.js")).expect("a file");
    let is_code = |text: &&str| {
        let is_code_char = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        text.contains('_') && text.chars().all(is_code_char)
    };
    let mut offered: Vec<_> = page.split('\'').filter(is_code).collect();
    offered.sort_unstable();
    let mut codes = stuntdouble::api::bizmori::PROFILE.failure_codes.to_vec();
    codes.sort_unstable();
    assert_eq!(offered, codes);
}
