//! BIZ MORI's orders, from their making to their end.

mod anti_ai;
mod at_once;
mod confirm;
mod create;
mod detection;
mod test_keys;

const DETECTION: &str = "/api/v2/orders/ai-detection";
const CONFIRM_DETECTION: &str = "/api/v2/orders/ai-detection/confirm";
const ANTI_AI: &str = "/api/v2/orders/anti-ai";
const CONFIRM_ANTI_AI: &str = "/api/v2/orders/anti-ai/confirm";

fn signed(expires_s: u32) -> String {
    format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F20260312%2Fus-east-1%2Fs3%2F\
         aws4_request&X-Amz-Date=20260312T100000Z&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host&X-Amz-Signature=*"
    )
}
