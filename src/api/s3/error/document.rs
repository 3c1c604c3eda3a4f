//! XML document of an error.

use axum::http::StatusCode;

use crate::api::s3::xml::element;

/// Status and XML of an error, and its `X-Mock-Reason`.
#[derive(Debug)]
pub(in super::super) struct ErrorDocument {
    pub status: StatusCode,
    code: &'static str,
    message: String,
    /// Elements that S3 adds to errors of this code.
    elements: Vec<(&'static str, String)>,
    pub reason: String,
}

impl ErrorDocument {
    pub fn new(status: StatusCode, code: &'static str, message: &str, reason: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            elements: Vec::new(),
            reason: reason.to_owned(),
        }
    }

    /// Status 400.
    pub fn bad_request(code: &'static str, message: &str, reason: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message, reason)
    }

    /// Adds an element.
    pub fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.elements.push((name, value.to_string()));
        self
    }

    /// Returns the XML. `key` is the key of the object, `None` if the request names no object.
    pub fn to_xml(&self, key: Option<&str>, request_id: &str) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        element(&mut xml, "Code", self.code);
        element(&mut xml, "Message", &self.message);
        if let Some(key) = key {
            element(&mut xml, "Key", key);
        }
        for (name, value) in &self.elements {
            element(&mut xml, name, value);
        }
        element(&mut xml, "RequestId", request_id);
        element(&mut xml, "HostId", "stuntdouble");
        xml.push_str("</Error>");
        xml
    }
}
