//! Credentials of presigned URLs, and the size limit of objects.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// Settings of the blob store.
#[derive(Debug, Clone, Args)]
pub struct StorageSettings {
    /// Access key id of presigned URLs; an S3 client may sign with it too
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_KEY_ID",
        default_value = "STUNTDOUBLEACCESSKEY",
        value_name = "ID",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub s3_key_id: String,
    /// Secret access key of presigned URLs
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_SECRET",
        hide_env_values = true,
        default_value = "stuntdouble/secret/access/key/for/tests",
        value_name = "SECRET",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub s3_secret: String,
    /// File that contains the secret access key; a line break at its end is removed
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_SECRET_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub s3_secret_file: Option<PathBuf>,
    /// Region of presigned URLs
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_REGION",
        default_value = "us-east-1",
        value_name = "REGION",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub s3_region: String,
    /// Maximum size of an uploaded object, in bytes
    #[arg(
        long,
        env = "STUNTDOUBLE_OBJECT_BYTES_MAX",
        default_value_t = 5_368_709_120,
        value_name = "BYTES"
    )]
    pub object_bytes_max: u64,
}
