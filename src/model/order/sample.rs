//! Order for unit tests.

use super::{ApiVersion, Order, OrderState, Vendor};
use crate::model::ids::AccountId;
use crate::model::picture::Strength;
use crate::model::report::Reports;
use crate::model::time::Timestamp;
use crate::model::work::Work;

impl Order {
    /// Returns a pending v2 order of account 1, without files.
    #[must_use]
    pub fn sample() -> Self {
        let at = Timestamp::from_ms(0);
        Self {
            id: "1".to_owned(),
            account: AccountId(1),
            number: 1,
            vendor: Vendor::Bizmori,
            api: ApiVersion::V2,
            test: false,
            origin: String::new(),
            name: String::new(),
            created_at: at,
            updated_at: at,
            retention_days: 7,
            work: Work::AntiAi {
                strength: Strength::Low,
            },
            files: Vec::new(),
            confirm_key: None,
            outcome_override: None,
            processing: None,
            charged: 0,
            request_digest: None,
            reports: Reports::default(),
            state: OrderState::Pending,
            history: Vec::new(),
        }
    }
}
