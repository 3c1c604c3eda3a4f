//! The operations on clocks, described.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::described::{ACCOUNT, STORE, account, refuses};
use super::{Advance, Advanced, Drain, Drained, MAX_STEP_MS, Set, Shown};
use crate::model::job::Kind;
use crate::web::openapi::Described;

/// A time to advance by.
pub fn step(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"oneOf": [
        {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_STEP_MS,
            "description": "Milliseconds.",
        },
        {
            "type": "string",
            "description": "An ISO 8601 duration without months and years.",
            "examples": ["PT2H", "P7D"],
        },
    ]})
}

/// The name of a kind of work.
pub fn kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Kind::ALL.map(Kind::name)})
}

pub fn get(described: Described<'_>) -> Described<'_> {
    let described = described
        .does("A clock", "That of the account, or the default clock.")
        .asks_query(vec![account()])
        .where_input("account", "The key; left out, the default clock.")
        .answers::<Shown>(200, "The clock.");
    refuses(described, &[&[(400, "bad_query")], &ACCOUNT])
}

pub fn set(described: Described<'_>) -> Described<'_> {
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
        .asks_json::<Set>(true)
        .answers::<Shown>(200, "The clock as it is now.");
    refuses(described, &[&[(400, "bad_now")], &ACCOUNT, &STORE])
}

pub fn advance(described: Described<'_>) -> Described<'_> {
    let described = described
        .does(
            "Advance a clock",
            "Moves it forward, and runs all that falls due on the way, each piece at its own due \
             time and in order, and what that work causes in turn. When it answers, the work is \
             done. Work that was under way by this clock is waited for, and told first.",
        )
        .asks_json::<Advance>(true)
        .answers::<Advanced>(200, "What was run, in order.");
    refuses(described, &[&[(400, "bad_duration")], &ACCOUNT, &STORE])
}

pub fn drain(described: Described<'_>) -> Described<'_> {
    let described = described
        .does(
            "Wait until nothing is due",
            "Waits until nothing is due or under way by the clocks as they stand; of one account, \
             or of all.",
        )
        .asks_json::<Drain>(false)
        .answers::<Drained>(200, "Nothing is due or under way.")
        .answers::<Drained>(408, "Something still is.");
    refuses(described, &[&ACCOUNT])
}
