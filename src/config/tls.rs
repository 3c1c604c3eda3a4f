//! TLS, for clients whose base URL cannot be changed.

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::tls;

/// Settings of TLS.
#[derive(Debug, Clone, Args)]
pub struct Tls {
    /// Serve by TLS too, with a certificate for the vendors' own hosts that the authority at
    /// `/_mock/ca.pem` has signed
    #[arg(long, env = "STUNTDOUBLE_TLS", value_parser = FalseyValueParser::new())]
    pub tls: bool,
    /// Port to listen on by TLS; 0 takes a free one
    #[arg(
        long,
        env = "STUNTDOUBLE_TLS_PORT",
        default_value_t = 8443,
        value_name = "PORT"
    )]
    pub tls_port: u16,
    /// Another host or address to have in the certificate; may be given several times, or several
    /// with commas between them
    #[arg(
        long = "tls-name",
        env = "STUNTDOUBLE_TLS_NAME",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = tls::name
    )]
    pub tls_names: Vec<String>,
}
