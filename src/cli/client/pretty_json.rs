//! Pretty printer for JSON that keeps order, numbers and strings as they are written.

/// Formats valid JSON on several lines, indented by two blanks per level. A parser would change the
/// order of fields and the spelling of numbers.
pub fn pretty_print(json: &str) -> String {
    let mut out = JsonLines::default();
    let mut letters = json.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\n' | '\r' | '\t' => {}
            '{' | '[' => out.open(letter),
            '}' | ']' => out.close(letter),
            ',' => {
                out.text.push(',');
                out.start_line();
            }
            ':' => out.text.push_str(": "),
            '"' => {
                out.start_value();
                out.text.push('"');
                let mut is_escaped = false;
                for letter in letters.by_ref() {
                    out.text.push(letter);
                    if letter == '"' && !is_escaped {
                        break;
                    }
                    is_escaped = letter == '\\' && !is_escaped;
                }
            }
            letter => {
                out.start_value();
                out.text.push(letter);
            }
        }
    }
    out.text
}

#[derive(Default)]
struct JsonLines {
    text: String,
    depth: usize,
    /// `true` if the last character was an opening bracket.
    is_first: bool,
}

impl JsonLines {
    fn start_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// Starts a line if the value to come is the first in its brackets.
    fn start_value(&mut self) {
        if std::mem::take(&mut self.is_first) {
            self.start_line();
        }
    }

    fn open(&mut self, bracket: char) {
        self.start_value();
        self.text.push(bracket);
        self.depth += 1;
        self.is_first = true;
    }

    fn close(&mut self, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        if !std::mem::take(&mut self.is_first) {
            self.start_line();
        }
        self.text.push(bracket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn pretty_print_keeps_order_and_spelling() {
        let json = r#" {"b":[1.50,1e3,{}],"a" : "\"{,:}\\","c":{"d":null},"e":[ ]} "#;
        let expected = r#"{
  "b": [
    1.50,
    1e3,
    {}
  ],
  "a": "\"{,:}\\",
  "c": {
    "d": null
  },
  "e": []
}"#;
        assert_eq!(pretty_print(json), expected);
        assert_eq!(pretty_print(expected), expected);
        assert_eq!(pretty_print("true"), "true");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn pretty_print_equals_serde_json(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            prop_assert_eq!(pretty_print(&value.to_string()), pretty);
        }
    }
}
