//! Globs: `*` matches any number of characters, `?` matches one, and any other character matches
//! itself. `/` and `.` have no special meaning.

/// `true` if `text` matches `pattern`. Case matters.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    matches(pattern, text, |expected, actual| expected == actual)
}

/// `true` if `text` matches `pattern`. Case does not matter. Used for file names.
#[must_use]
pub fn glob_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(pattern, text, |expected, actual| {
        expected == actual || expected.to_lowercase().eq(actual.to_lowercase())
    })
}

/// Matches by backtracking to the last star. Takes at most length of pattern × length of text steps.
fn matches(pattern: &str, text: &str, is_same: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // The pattern after the last star, and the text from which it was tried.
    let mut starred = None;
    loop {
        let rest = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = rest;
                starred = Some((pattern.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(expected), Some(actual)) if is_same(expected, actual) => {}
            _ => {
                let Some((after, mut from)) = starred else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                (pattern, text) = (after.clone(), from.clone());
                starred = Some((after, from));
            }
        }
    }
}

/// `true` if there is a text that matches both globs.
#[must_use]
pub fn globs_intersect(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    // `row[j]`: `one[i..]` and `other[j..]` intersect. `below` is the row of `i + 1`.
    let mut row: Vec<bool> = Vec::new();
    for i in (0..=one.len()).rev() {
        let below = std::mem::replace(&mut row, vec![false; other.len() + 1]);
        for j in (0..=other.len()).rev() {
            let down = below.get(j).copied().unwrap_or(false);
            let right = row.get(j + 1).copied().unwrap_or(false);
            let both = below.get(j + 1).copied().unwrap_or(false);
            row[j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                // The star matches nothing, or the first character of the other glob.
                (Some('*'), _) | (_, Some('*')) => down || right,
                (Some('?'), Some(_)) | (Some(_), Some('?')) => both,
                (Some(a), Some(b)) => a == b && both,
                (None, Some(_)) | (Some(_), None) => false,
            };
        }
    }
    row[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glob_matches_stars_and_question_marks_case_sensitively() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "a/b"),
            ("a", "a"),
            ("?", "é"),
            ("a*c", "abcbc"),
            ("*.jpg", "a.jpg.jpg"),
            ("bizmori.*", "bizmori.getOrder"),
            ("*.create*", "bizmori.createAntiAi"),
            ("a**?", "ab"),
            ("*a*b*", "xxaxxbxx"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("?", ""),
            ("?", "ab"),
            ("a*c", "abcb"),
            ("*.jpg", "a.JPG"),
            ("a*?", "a"),
            ("*a*b*", "bbaa"),
        ] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn glob_ignoring_case_folds_letters_of_any_script_and_nothing_else() {
        for (pattern, text) in [("*_AI.jpg", "x_ai.JPG"), ("Ä*Σ?", "äbσc"), ("a", "a")] {
            assert!(glob_ignoring_case(pattern, text), "{pattern} {text}");
            assert!(glob_ignoring_case(text, text), "{text}");
        }
        for (pattern, text) in [("a-b", "a_b"), ("ä", "a"), ("A", "AA")] {
            assert!(!glob_ignoring_case(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn globs_intersect_if_a_text_matches_both() {
        for (one, other) in [
            ("", ""),
            ("*", ""),
            ("/api/*", "/api/v2/orders/*"),
            ("/api/*/download", "/api/v2/orders/*/download"),
            ("*a", "b*"),
            ("?b", "a?"),
            ("*/1", "/orders/*"),
        ] {
            assert!(
                globs_intersect(one, other) && globs_intersect(other, one),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("", "?"),
            ("a", "b"),
            ("/api/*", "/_s3/*"),
            ("*.jpg", "/query"),
            ("/detect", "/detect/"),
            ("a*", "?"),
        ] {
            let intersect = globs_intersect(one, other) || globs_intersect(other, one);
            assert_eq!(intersect, one == "a*", "{one} {other}");
        }
    }
}
