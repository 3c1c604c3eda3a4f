//! Who may steer the server.

use clap::Args;

use crate::tls;

/// Settings of the control plane.
#[derive(Debug, Clone, Args)]
pub struct Control {
    /// What every call to `/_mock` has to show as `Authorization: Bearer TOKEN`; none if not set
    #[arg(
        long,
        env = "CONTROL_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub control_token: Option<String>,
    /// Another host by which `/_mock` and `/docs` may be called, such as mock.example.com or
    /// *.example.com; * allows all; may be given several times, or several with commas between them
    #[arg(
        long = "allow-host",
        env = "STUNTDOUBLE_ALLOW_HOST",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = allowed_host
    )]
    pub allow_hosts: Vec<String>,
}

/// Parses a host name, `*.` and a host name, or `*`. A final dot is dropped.
fn allowed_host(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    tls::name(text).map_err(|_| {
        "expected a host name without port, such as mock.example.com or *.example.com, or *"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::allowed_host;

    #[test]
    fn allowed_host_takes_names_and_patterns_alone() {
        for good in ["mock.example.com", "*.example.com", "*", "", "10.0.0.7"] {
            assert_eq!(allowed_host(good).as_deref(), Ok(good));
        }
        assert_eq!(
            allowed_host("mock.example.com.").as_deref(),
            Ok("mock.example.com")
        );
        for bad in [
            "http://mock.example.com",
            "mock.example.com:8080",
            "a b",
            "**",
            "*.",
            "a/b",
        ] {
            assert!(allowed_host(bad).is_err(), "{bad}");
        }
    }
}
