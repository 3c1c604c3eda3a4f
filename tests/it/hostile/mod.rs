//! Invalid input. The server answers the vendor's error with a reason in one line, and keeps working.

mod bodies;
mod create_bodies;
mod fields;
mod limits;
mod names;
mod paths;
mod uploads;

const DETECTION: &str = "/api/v2/orders/ai-detection";
const CONFIRM_DETECTION: &str = "/api/v2/orders/ai-detection/confirm";
const ANTI_AI: &str = "/api/v2/orders/anti-ai";
const CONFIRM_ANTI_AI: &str = "/api/v2/orders/anti-ai/confirm";
const WEBHOOKS: &str = "/api/v2/orders/webhooks";

/// Routes that accept a JSON body by POST.
const POSTS: [&str; 12] = [
    DETECTION,
    CONFIRM_DETECTION,
    ANTI_AI,
    CONFIRM_ANTI_AI,
    WEBHOOKS,
    "/api/v2/orders/anti-ai/with-urls",
    "/api/v2/orders/wtr-embed",
    "/api/v2/orders/wtr-extract",
    "/api/v2/orders/webhook",
    "/api/v2/orders/webhooks/1/events/retry-failed",
    "/api/v3/orders/wtr-embed",
    "/api/v3/orders/wtr-extract",
];
