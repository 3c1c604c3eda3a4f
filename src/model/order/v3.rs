//! Features of watermark orders that BIZ MORI's v3 made.

use super::{ApiVersion, Order};

impl Order {
    /// `true` for a watermark order made by v3. v2 shows only the fields that all orders have.
    #[must_use]
    pub fn is_v3_watermark(&self) -> bool {
        self.api == ApiVersion::V3 && self.work.is_watermark()
    }
}
