//! What a call's query asks for: parameters that are known, each once.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::error::ControlError;
use super::error_code::ControlErrorCode;

/// The parameters of a query, all of them known.
#[derive(Debug)]
pub struct ControlQuery(Vec<(String, String)>);

fn bad_query(message: String, hint: impl Into<String>) -> ControlError {
    ControlError::new(ControlErrorCode::BadQuery, message, hint)
}

impl ControlQuery {
    /// Parses a query that has no other parameters than `known` and the account, which every call
    /// takes (see [`super::named_account`]).
    ///
    /// # Errors
    /// If it has another parameter. The hint lists those that are known.
    pub fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, ControlError> {
        let text = text.unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        let is_known = |name: &str| name == "account" || known.contains(&name);
        match pairs.iter().find(|(name, _)| !is_known(name)) {
            None => Ok(Self(pairs)),
            Some((other, _)) => Err(bad_query(
                format!("no parameter {other}"),
                format!("there is: {}", [&["account"], known].concat().join(", ")),
            )),
        }
    }

    /// A parameter's value; of several, the last.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let mut pairs = self.0.iter().rev();
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    /// A parameter that is a whole number.
    ///
    /// # Errors
    /// If it is none.
    pub fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, ControlError> {
        let read = |value: String| {
            let wrong = || {
                bad_query(
                    format!("{name}: {value} is no such number"),
                    "a whole number",
                )
            };
            value.parse().map_err(|_| wrong())
        };
        self.text(name).map(read).transpose()
    }

    /// How many are to be listed at most: the parameter `limit`.
    ///
    /// # Errors
    /// If it is not in that range.
    pub fn limit(&self, usual: u32, range: RangeInclusive<u32>) -> Result<u32, ControlError> {
        let Some(value) = self.text("limit") else {
            return Ok(usual);
        };
        let number: Option<u32> = value.parse().ok();
        number.filter(|it| range.contains(it)).ok_or_else(|| {
            let hint = format!("{} to {}", range.start(), range.end());
            bad_query(format!("limit: {value} is no such number"), hint)
        })
    }
}
