//! The operations on clocks, described.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::described::{ACCOUNT, STORE, account, refuses};
use super::drain::{ClockFrozen, DrainRequest, DrainTimedOut, DrainedIdle};
use super::{AdvanceClock, AdvanceView, ClockView, STEP_MS_MAX, SetClock};
use crate::http::openapi::OperationDoc;
use crate::model::job::JobKind;
use crate::services::worker::Awaited;

/// A time to advance by.
pub fn step(_: &mut SchemaGenerator) -> Schema {
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
        .does("A clock", "That of the account, or the default clock.")
        .asks_query(vec![account()])
        .where_input("account", "The key; left out, the default clock.")
        .answers::<ClockView>(200, "The clock.");
    refuses(described, &[&[(400, "bad_query")], &ACCOUNT])
}

pub fn set(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Set a clock",
            "Gives the account a clock of its own, or sets the default clock, which all accounts \
             follow that have none. In mode `jump` it runs, and leaps to what is due next whenever \
             no work is under way: orders, reports and webhooks do not wait; what expires on the \
             way expires at its own time, and nothing leaps there for its sake. It does not leap \
             while a client owes an upload whose URL was handed out less than 5 s ago by real \
             time.",
        )
        .asks_json::<SetClock>(true)
        .answers::<ClockView>(200, "The clock as it is now.");
    refuses(described, &[&[(400, "bad_now")], &ACCOUNT, &STORE])
}

pub fn advance(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Advance a clock",
            "Moves it forward `by` a duration or `to` an instant, and runs all that falls due on the \
             way, each piece at its own due time and in order, and what that work causes in turn. \
             When it answers, the work is done. Work that was in flight by this clock is waited for, \
             and listed first. `waiting` has what clients still owe: an upload, a confirm, more reads \
             of an order that a rule holds, or its release.",
        )
        .asks_json::<AdvanceClock>(true)
        .answers::<AdvanceView>(200, "What was run, in order.");
    let codes = [(400, "bad_duration"), (400, "bad_instant")];
    refuses(described, &[&codes, &ACCOUNT, &STORE])
}

pub fn drain(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Wait until all work has ended",
            "Waits until every order, report and webhook has come to its end that is in progress, or \
             due within `timeoutMs` by its clock; of one account, or of all. Orders that a rule holds \
             are in progress. What is due later is `next`, and is not waited for.",
        )
        .asks_json::<DrainRequest>(false)
        .answers::<DrainedIdle>(200, "All work has ended.")
        .answers::<DrainTimedOut>(408, "Some work has not ended in time.");
    let described = refuses(described, &[&ACCOUNT]);
    let text = "Refused: clock_frozen. Work is due later by a frozen clock.";
    described.answers::<ClockFrozen>(409, text)
}
