//! Query parameters of a call.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::error::ControlError;
use super::error_code::ControlErrorCode;

/// Query parameters, all of which are valid for the operation.
#[derive(Debug)]
pub struct ControlQuery(Vec<(String, String)>);

fn bad_query(message: String, hint: impl Into<String>) -> ControlError {
    ControlError::new(ControlErrorCode::BadQuery, message, hint)
}

impl ControlQuery {
    /// Parses a query that may have the parameters `known` and `account`, which every call accepts
    /// (see [`super::named_account`]).
    ///
    /// # Errors
    /// Returns an error if the query has another parameter. The hint lists the valid ones.
    pub fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, ControlError> {
        let text = text.unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        let is_known = |name: &str| name == "account" || known.contains(&name);
        match pairs.iter().find(|(name, _)| !is_known(name)) {
            None => Ok(Self(pairs)),
            Some((other, _)) => Err(bad_query(
                format!("unknown parameter {other}"),
                format!(
                    "valid parameters: {}",
                    [&["account"], known].concat().join(", ")
                ),
            )),
        }
    }

    /// Returns the value of a parameter. The last one counts if it is repeated.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let mut pairs = self.0.iter().rev();
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    /// Returns the value of a parameter as a whole number. `None` if the parameter is missing.
    ///
    /// # Errors
    /// Returns an error if the value is no number of type `N`.
    pub fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, ControlError> {
        let parse = |value: String| {
            value.parse().map_err(|_| {
                bad_query(
                    format!("{name}: invalid number {value}"),
                    "send a whole number",
                )
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// Returns the value of a parameter that is `true` or `false`. `false` if the parameter is missing.
    ///
    /// # Errors
    /// Returns an error if the value is neither.
    pub fn flag(&self, name: &str) -> Result<bool, ControlError> {
        match self.text(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => Err(bad_query(
                format!("{name}: expected true or false, got {value}"),
                "send true or false",
            )),
        }
    }

    /// Returns the parameter `limit`, or `default` if it is missing.
    ///
    /// # Errors
    /// Returns an error if the value is not in `range`.
    pub fn limit(&self, default: u32, range: RangeInclusive<u32>) -> Result<u32, ControlError> {
        let Some(value) = self.text("limit") else {
            return Ok(default);
        };
        let number: Option<u32> = value.parse().ok();
        number.filter(|it| range.contains(it)).ok_or_else(|| {
            let hint = "send a whole number in this range";
            let message = format!(
                "limit: expected {} to {}, got {value}",
                range.start(),
                range.end()
            );
            bad_query(message, hint)
        })
    }
}
