//! JSON laid out for people.

/// The JSON, which is valid, in several lines, two blanks a level. Its order, its numbers and its
/// strings are left as they were written.
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
                out.line();
            }
            ':' => out.text.push_str(": "),
            '"' => {
                out.begin();
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
                out.begin();
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
    /// The last was an opening bracket.
    is_opened: bool,
}

impl JsonLines {
    fn line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// A value begins, or goes on.
    fn begin(&mut self) {
        if std::mem::take(&mut self.is_opened) {
            self.line();
        }
    }

    fn open(&mut self, bracket: char) {
        self.begin();
        self.text.push(bracket);
        self.depth += 1;
        self.is_opened = true;
    }

    fn close(&mut self, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        if !std::mem::take(&mut self.is_opened) {
            self.line();
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
    fn order_and_spelling_stay() {
        let json = r#" {"b":[1.50,1e3,{}],"a" : "\"{,:}\\","c":{"d":null},"e":[ ]} "#;
        let shown = r#"{
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
        assert_eq!(pretty_print(json), shown);
        assert_eq!(pretty_print(shown), shown);
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
        fn it_is_laid_out_as_ever(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            prop_assert_eq!(pretty_print(&value.to_string()), pretty);
        }
    }
}
