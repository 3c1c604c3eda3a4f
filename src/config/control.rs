//! Who may steer the server.

use clap::Args;

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
}
