//! Globs: patterns in which `*` stands for any characters or none, `?` for one, and any other for
//! itself, case included. Nothing else has a meaning, `/` and `.` are characters like any.

/// Returns `true` if the text matches the pattern, case included.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    matches(pattern, text, |wanted, found| wanted == found)
}

/// Returns `true` if the text matches the pattern, whatever the case of their letters. File names are
/// matched like this.
#[must_use]
pub fn glob_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(pattern, text, |wanted, found| {
        wanted == found || wanted.to_lowercase().eq(found.to_lowercase())
    })
}

/// Takes time of the length of the pattern times that of the text.
fn matches(pattern: &str, text: &str, is_same: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // What follows the last star, and the text from where it was tried.
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
            (Some(wanted), Some(found)) if is_same(wanted, found) => {}
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

/// Whether there is a text that both globs are like.
#[must_use]
pub fn globs_intersect(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    // `row[j]`: the rest of `one` and that of `other` from `j` on meet.
    let mut row: Vec<bool> = Vec::new();
    for i in (0..=one.len()).rev() {
        let below = std::mem::replace(&mut row, vec![false; other.len() + 1]);
        for j in (0..=other.len()).rev() {
            let down = below.get(j).copied().unwrap_or(false);
            let right = row.get(j + 1).copied().unwrap_or(false);
            let both = below.get(j + 1).copied().unwrap_or(false);
            row[j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                // The star stands for nothing, or for what begins the other.
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
    fn a_glob_says_what_a_text_is_like() {
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
    fn two_globs_meet_where_a_text_is_like_both() {
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
            let meets = globs_intersect(one, other) || globs_intersect(other, one);
            assert_eq!(meets, one == "a*", "{one} {other}");
        }
    }
}
