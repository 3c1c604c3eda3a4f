//! Vendors, and the versions of their APIs.

use serde::{Deserialize, Serialize};

/// A vendor whose API is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Vendor {
    Bizmori,
    Undetectable,
}

impl Vendor {
    pub const ALL: [Self; 2] = [Self::Bizmori, Self::Undetectable];

    /// Returns the vendor's name in SQL and in the control plane.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bizmori => "bizmori",
            Self::Undetectable => "undetectable",
        }
    }

    /// Returns the vendor of that name. `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }

    /// Returns the name of the bucket that holds the vendor's objects.
    #[must_use]
    pub const fn bucket(self) -> &'static str {
        match self {
            Self::Bizmori => "bizmori",
            Self::Undetectable => "ai-image-detector-prod",
        }
    }
}

/// The version of BIZ MORI's API by which an order was created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ApiVersion {
    #[default]
    V2,
    /// Each watermark that an order requests is a separate output.
    V3,
}
