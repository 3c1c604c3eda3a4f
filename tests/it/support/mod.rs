//! A server to talk to, a receiver of webhooks, and the ways of saying what is expected.

mod picture;
mod receiver;
mod stunt;

pub use picture::{fixture, picture};
pub use receiver::{Message, Receiver, Reply};
pub use stunt::{Answer, Stunt, T0};
