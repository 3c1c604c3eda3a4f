//! Errors of headers that are stored with an object.

use super::document::ErrorDocument;

/// Headers that cannot be stored with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum MetadataError {
    /// 400 `InvalidArgument`: a query parameter in place of a header has a name or value that headers
    /// cannot have.
    Invalid { name: String, value: String },
    /// 400 `MetadataTooLarge`: names and values of `x-amz-meta-*`.
    UserTooLarge { bytes: usize, bytes_max: usize },
    /// 400 `RequestHeaderSectionTooLarge`: names and values of the other headers.
    SystemTooLarge { bytes: usize, bytes_max: usize },
}

impl MetadataError {
    pub fn document(&self) -> ErrorDocument {
        match self {
            Self::Invalid { name, value } => ErrorDocument::bad_request(
                "InvalidArgument",
                "Header or query parameter value is not valid",
                &format!("{name}: {value:?} cannot be sent as a header"),
            )
            .with("ArgumentName", name)
            .with("ArgumentValue", value),
            Self::UserTooLarge { bytes, bytes_max } => ErrorDocument::bad_request(
                "MetadataTooLarge",
                "Your metadata headers exceed the maximum allowed metadata size",
                &format!("x-amz-meta-*: too large: {bytes} bytes, maximum {bytes_max}"),
            )
            .with("Size", bytes)
            .with("MaxSizeAllowed", bytes_max),
            Self::SystemTooLarge { bytes, bytes_max } => ErrorDocument::bad_request(
                "RequestHeaderSectionTooLarge",
                "Your request header section exceeds the maximum allowed request header section \
                 size.",
                &format!("headers to store: too large: {bytes} bytes, maximum {bytes_max}"),
            )
            .with("MaxSizeAllowed", bytes_max),
        }
    }
}
