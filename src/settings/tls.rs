//! TLS, for clients whose base URL cannot be changed.

use clap::Args;
use clap::builder::FalseyValueParser;
use rustls::pki_types::ServerName;

/// Settings of TLS.
#[derive(Debug, Clone, Args)]
pub struct TlsSettings {
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
        value_parser = parse_san
    )]
    pub tls_names: Vec<String>,
}

/// A name that a certificate can have: a host, `*.` and a host, an address; or none at all. The dot
/// that ends a full name is no part of it.
///
/// # Errors
/// If it is something else.
pub(super) fn parse_san(message: &str) -> Result<String, String> {
    let text = message.strip_suffix('.').unwrap_or(message);
    let host = text.strip_prefix("*.").unwrap_or(text);
    let is_name = ServerName::try_from(host).is_ok_and(|it| match it {
        ServerName::DnsName(_) => !host.ends_with('.'),
        _ => host == text,
    });
    if is_name || message.is_empty() {
        return Ok(text.to_owned());
    }
    Err("give a host's name or an address, such as api.example.test, *.example.test or 10.0.0.7; no port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_certificate_can_have_is_no_name() {
        for good in ["", "mock", "a.b.test", "*.b.test", "10.0.0.7", "::1"] {
            assert_eq!(parse_san(good).as_deref(), Ok(good));
        }
        assert_eq!(parse_san("a.b.test.").as_deref(), Ok("a.b.test"));
        for bad in [
            ".",
            "a.b..",
            "a:8443",
            "https://a",
            "[::1]",
            "*.10.0.0.7",
            "a.*.b",
            "a b",
            "*",
        ] {
            assert!(parse_san(bad).is_err(), "{bad}");
        }
    }
}
