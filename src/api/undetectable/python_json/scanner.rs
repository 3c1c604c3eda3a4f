//! `CPython`'s scanner (`Modules/_json.c` of 3.12): the documents it accepts, and the errors it raises.

use std::collections::BTreeMap;

use super::encoding::{push, to_string};
use super::{PyValue, ReadError, SyntaxError};

/// Levels of nesting. `CPython` 3.12 raises `RecursionError` at about as many.
const LEVELS_MAX: usize = 1_500;
/// Digits of an integer. Python raises `ValueError` beyond them (`sys.get_int_max_str_digits`).
const INT_DIGITS_MAX: usize = 4_300;

type ScanResult<T> = Result<T, ReadError>;

/// Kind of a container that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

/// First part of a value.
enum ValueStart {
    Whole(PyValue),
    Opened(Container),
}

/// Reader of WTF-8 text.
pub(super) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    /// Containers around `at`, the outermost first.
    open: Vec<Container>,
    /// Name of the member that is read, of the innermost object.
    name: String,
    /// Members of the outermost object.
    members: BTreeMap<String, PyValue>,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
            name: String::new(),
            members: BTreeMap::new(),
        }
    }

    /// Reads the whole text as one document.
    pub(super) fn read_document(mut self) -> ScanResult<PyValue> {
        self.skip_whitespace();
        let value = self.read_value()?;
        self.skip_whitespace();
        if self.at < self.text.len() {
            return self.error("Extra data", self.at);
        }
        Ok(value)
    }

    fn error<T>(&self, message: &'static str, at: usize) -> ScanResult<T> {
        let error = SyntaxError::new(message, self.text, at);
        Err(ReadError::Syntax(Box::new(error)))
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Moves past `byte` if it is next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a value, nested ones included.
    fn read_value(&mut self) -> ScanResult<PyValue> {
        loop {
            let start = self.begin_value()?;
            let whole = match start {
                ValueStart::Whole(value) => Some(value),
                ValueStart::Opened(container) => self.enter(container)?,
            };
            if let Some(value) = whole
                && let Some(outermost) = self.leave(value)?
            {
                return Ok(outermost);
            }
        }
    }

    /// Reads a scalar, or the bracket that opens a container.
    fn begin_value(&mut self) -> ScanResult<ValueStart> {
        let rest = &self.text[self.at..];
        let words = [
            ("null", PyValue::Null),
            ("true", PyValue::Bool(true)),
            ("false", PyValue::Bool(false)),
            ("NaN", PyValue::Float(f64::NAN)),
            ("Infinity", PyValue::Float(f64::INFINITY)),
            ("-Infinity", PyValue::Float(f64::NEG_INFINITY)),
        ];
        let whole = match rest.first() {
            Some(b'[') => return Ok(ValueStart::Opened(Container::Array)),
            Some(b'{') => return Ok(ValueStart::Opened(Container::Object)),
            Some(b'"') => PyValue::Text(self.read_string()?),
            _ => match words
                .into_iter()
                .find(|(word, _)| rest.starts_with(word.as_bytes()))
            {
                Some((word, value)) => {
                    self.at += word.len();
                    value
                }
                None => self.read_number()?,
            },
        };
        Ok(ValueStart::Whole(whole))
    }

    /// Moves into a container, up to its first value. Returns the container if it is empty.
    fn enter(&mut self, container: Container) -> ScanResult<Option<PyValue>> {
        if self.open.len() == LEVELS_MAX {
            return Err(ReadError::NotReadable("the body is nested too deep"));
        }
        self.at += 1;
        self.skip_whitespace();
        let (end, empty) = match container {
            Container::Array => (b']', PyValue::Array { is_empty: true }),
            Container::Object => (b'}', PyValue::Object(BTreeMap::new())),
        };
        if self.skip(end) {
            return Ok(Some(empty));
        }
        self.open.push(container);
        if container == Container::Object {
            self.read_name()?;
        }
        Ok(None)
    }

    /// Moves from behind `value` to the next value. Returns the outermost value if it has ended.
    fn leave(&mut self, mut value: PyValue) -> ScanResult<Option<PyValue>> {
        while let Some(container) = self.open.last().copied() {
            if self.open.len() == 1 && container == Container::Object {
                let name = std::mem::take(&mut self.name);
                // Of members of one name the last counts.
                self.members.insert(name, value);
            }
            self.skip_whitespace();
            let end = match container {
                Container::Array => b']',
                Container::Object => b'}',
            };
            if !self.skip(end) {
                if !self.skip(b',') {
                    return self.error("Expecting ',' delimiter", self.at);
                }
                self.skip_whitespace();
                if container == Container::Object {
                    self.read_name()?;
                }
                return Ok(None);
            }
            self.open.pop();
            value = match container {
                Container::Array => PyValue::Array { is_empty: false },
                Container::Object if self.open.is_empty() => {
                    PyValue::Object(std::mem::take(&mut self.members))
                }
                Container::Object => PyValue::Object(BTreeMap::new()),
            };
        }
        Ok(Some(value))
    }

    /// Reads the name of a member, up to its value.
    fn read_name(&mut self) -> ScanResult<()> {
        if self.peek() != Some(b'"') {
            let message = "Expecting property name enclosed in double quotes";
            return self.error(message, self.at);
        }
        let name = self.read_string()?;
        if self.open.len() == 1 {
            self.name = name;
        }
        self.skip_whitespace();
        if !self.skip(b':') {
            return self.error("Expecting ':' delimiter", self.at);
        }
        self.skip_whitespace();
        Ok(())
    }

    /// Reads a string, whose opening quotation mark is next.
    fn read_string(&mut self) -> ScanResult<String> {
        let unterminated = ("Unterminated string starting at", self.at);
        let mut string = Vec::new();
        let mut high: Option<u32> = None;
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
            let Some(length) = rest.iter().position(is_special) else {
                return self.error(unterminated.0, unterminated.1);
            };
            if length > 0 {
                push_lone(&mut string, &mut high);
                string.extend_from_slice(&rest[..length]);
                self.at += length;
            }
            let special = rest[length];
            if special == b'"' {
                push_lone(&mut string, &mut high);
                self.at += 1;
                return Ok(to_string(&string));
            }
            if special != b'\\' {
                return self.error("Invalid control character at", self.at);
            }
            let Some(escape) = rest.get(length + 1) else {
                return self.error(unterminated.0, unterminated.1);
            };
            let code_point = self.read_escape(*escape)?;
            match (high.take(), code_point) {
                (Some(first), second @ 0xdc00..=0xdfff) => {
                    push(
                        &mut string,
                        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    );
                }
                (lone, code_point) => {
                    high = lone;
                    push_lone(&mut string, &mut high);
                    match code_point {
                        0xd800..=0xdbff => high = Some(code_point),
                        _ => push(&mut string, code_point),
                    }
                }
            }
        }
    }

    /// Reads an escape sequence, whose backslash is next. Returns its code unit.
    fn read_escape(&mut self, escape: u8) -> ScanResult<u32> {
        let simple = match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.read_unicode_escape(),
            _ => return self.error("Invalid \\escape", self.at),
        };
        self.at += 2;
        Ok(simple.into())
    }

    /// Reads `\u` and four digits. `CPython` requires one more character behind them.
    fn read_unicode_escape(&mut self) -> ScanResult<u32> {
        let u_at = self.at + 1;
        let begin = self.at + 2;
        let mut code_unit = 0;
        for at in begin..begin + 4 {
            let digit = self
                .text
                .get(at)
                .and_then(|byte| char::from(*byte).to_digit(16));
            let Some(digit) = digit else {
                return self.error("Invalid \\uXXXX escape", u_at);
            };
            code_unit = (code_unit << 4) | digit;
        }
        self.at = begin + 4;
        if self.at == self.text.len() {
            return self.error("Invalid \\uXXXX escape", u_at);
        }
        Ok(code_unit)
    }

    /// Reads the longest prefix of the text that is a number.
    fn read_number(&mut self) -> ScanResult<PyValue> {
        let rest = &self.text[self.at..];
        let digits_from = |at: usize| {
            rest[at.min(rest.len())..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let sign = usize::from(rest.first() == Some(&b'-'));
        let integer_digits = match rest.get(sign) {
            Some(b'0') => 1,
            _ => digits_from(sign),
        };
        if integer_digits == 0 {
            return self.error("Expecting value", self.at);
        }
        let integer_end = sign + integer_digits;
        let mut end = integer_end;
        if rest.get(end) == Some(&b'.') {
            let digits = digits_from(end + 1);
            end += if digits > 0 { 1 + digits } else { 0 };
        }
        if let Some(b'e' | b'E') = rest.get(end) {
            let signs = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let digits = digits_from(end + 1 + signs);
            end += if digits > 0 { 1 + signs + digits } else { 0 };
        }
        self.at += end;
        let number = String::from_utf8_lossy(&rest[..end]);
        if end > integer_end {
            return Ok(PyValue::Float(number.parse().unwrap_or_default()));
        }
        if integer_digits > INT_DIGITS_MAX {
            return Err(ReadError::NotReadable("an integer has too many digits"));
        }
        let number = if number == "-0" { "0" } else { &*number };
        Ok(PyValue::Int(number.to_owned()))
    }
}

/// Appends a high surrogate that is not followed by a low one.
fn push_lone(string: &mut Vec<u8>, high: &mut Option<u32>) {
    if let Some(high) = high.take() {
        push(string, high);
    }
}
