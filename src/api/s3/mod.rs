//! Storage API, `/_s3`: presigned PUT, GET and HEAD of objects, as S3 answers them.
//!
//! Every request needs a signature, which is verified before anything about the object is revealed.
//! Objects are streamed to and from disk: the memory of a request does not grow with its object. An upload
//! that is incomplete, or whose digest or condition does not hold, leaves no object and replaces none. The
//! host can name the bucket as well ([`to_path_style`]). Every response carries `x-amz-request-id`, every
//! error `X-Mock-Reason`.

mod conditions;
mod error;
mod fields;
mod framing;
mod get;
mod integrity;
mod metadata;
mod object;
mod object_path;
mod owner;
mod put;
mod range;
mod strict;
mod virtual_host;
mod xml;

pub use object::{bad_host, panicked, routes, unknown_route};
pub use owner::resolve_account;
pub use virtual_host::to_path_style;

/// Path under which objects are served in path style.
const PREFIX: &str = "/_s3";
