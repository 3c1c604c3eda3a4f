//! The operations on clocks, described.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::openapi::{ACCOUNT_ERRORS, STORE_ERRORS, account, error_responses};
use super::drain::{ClockFrozen, DrainRequest, DrainTimedOut, DrainedIdle};
use super::{AdvanceClock, AdvanceView, ClockView, STEP_MS_MAX, SetClock};
use crate::http::openapi::OperationDoc;
use crate::model::job::JobKind;
use crate::services::worker::Awaited;

/// A time to advance by.
pub fn duration_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"oneOf": [
        {
            "type": "integer",
            "minimum": 0,
            "maximum": STEP_MS_MAX,
            "description": "Milliseconds.",
        },
        {
            "type": "string",
            "description": "A duration without months and years, as ISO 8601 or in short.",
            "examples": ["10s", "1h 30m", "PT2H", "P7D"],
        },
    ]})
}

/// The name of a kind of work.
pub fn kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": JobKind::ALL.map(JobKind::name)})
}

/// The name of what work waits for.
pub fn awaited(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Awaited::ALL.map(Awaited::name)})
}

pub fn get(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary("A clock", "That of the account, or the default clock.")
        .query_params(vec![account()])
        .describe_param("account", "The key; left out, the default clock.")
        .response::<ClockView>(200, "The clock.");
    error_responses(described, &[&[(400, "bad_query")], &ACCOUNT_ERRORS])
}

pub fn set(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Set a clock",
            "Gives the account a clock of its own, or sets the default clock, which all accounts \
             follow that have none. In mode `jump` it runs, and leaps to what is due next whenever \
             no work is under way: orders, reports and webhooks do not wait; what expires on the \
             way expires at its own time, and nothing leaps there for its sake. It does not leap \
             while a client owes an upload whose URL was handed out less than 5 s ago by real \
             time.",
        )
        .json_body::<SetClock>(true)
        .response::<ClockView>(200, "The clock as it is now.");
    error_responses(
        described,
        &[&[(400, "bad_now")], &ACCOUNT_ERRORS, &STORE_ERRORS],
    )
}

pub fn advance(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Advance a clock",
            "Moves it forward `by` a duration or `to` an instant, and runs all that falls due on the \
             way, each piece at its own due time and in order, and what that work causes in turn. \
             When it answers, the work is done. Work that was in flight by this clock is waited for, \
             and listed first. `waiting` has what clients still owe: an upload, a confirm, more reads \
             of an order that a rule holds, or its release.",
        )
        .json_body::<AdvanceClock>(true)
        .response::<AdvanceView>(200, "What was run, in order.");
    let codes = [(400, "bad_duration"), (400, "bad_instant")];
    error_responses(described, &[&codes, &ACCOUNT_ERRORS, &STORE_ERRORS])
}

pub fn drain(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Wait until all work has ended",
            "Waits until every order, report and webhook has come to its end that is in progress, or \
             due within `timeoutMs` by its clock; of one account, or of all. Orders that a rule holds \
             are in progress. What is due later is `next`, and is not waited for.",
        )
        .json_body::<DrainRequest>(false)
        .response::<DrainedIdle>(200, "All work has ended.")
        .response::<DrainTimedOut>(408, "Some work has not ended in time.");
    let described = error_responses(described, &[&ACCOUNT_ERRORS]);
    let text = "Refused: clock_frozen. Work is due later by a frozen clock.";
    described.response::<ClockFrozen>(409, text)
}
