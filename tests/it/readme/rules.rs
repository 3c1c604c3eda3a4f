//! The JSON of the README's table "What tests want" is accepted by the control plane.

use reqwest::Method;
use serde_json::Value;

use super::document::Document;
use crate::support::TestServer;

#[tokio::test]
async fn json_of_what_tests_want_is_accepted() {
    let server = TestServer::start().await;
    let readme = Document::read("README.md");
    let mut count = 0;
    for row in readme.rows("What tests want", "| ") {
        if !row.contains("`/_mock/") {
            continue;
        }
        let mut code = row.split('`').skip(1).step_by(2);
        let (route, json) = (code.next(), code.next());
        let (route, json) = (route.expect("a route"), json.expect("JSON"));
        let body: Value =
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{row}: {error}"));
        server.control(Method::POST, route, &body).await;
        count += 1;
    }
    assert!(count >= 10, "{count} rows");
}
