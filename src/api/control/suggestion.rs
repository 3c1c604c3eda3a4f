//! Suggestions for unknown names: "did you mean".

/// Minimal Jaro-Winkler similarity, from 0 to 1, of a suggested name.
const SIMILARITY_MIN: f64 = 0.8;

/// Returns `; did you mean X?` with the most similar known name. Empty if no name is similar
/// enough, or if `name` is a pattern.
pub fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    if name.contains(['*', '?']) {
        return String::new();
    }
    let lower = name.to_lowercase();
    let similarity = |other: &str| strsim::jaro_winkler(&lower, &other.to_lowercase());
    let ranked = known.into_iter().map(|other| (similarity(other), other));
    let nearest = ranked
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest.map_or_else(String::new, |(_, other)| format!("; did you mean {other}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_you_mean_suggests_the_most_similar_name_or_none() {
        let known = ["bizmori.getOrder", "bizmori.createAiDetection"];
        for (name, expected) in [
            (
                "bizmori.createAIDetecton",
                "; did you mean bizmori.createAiDetection?",
            ),
            ("BIZMORI.GETORDER", "; did you mean bizmori.getOrder?"),
            ("x", ""),
            ("bizmori.getOrde*", ""),
        ] {
            assert_eq!(did_you_mean(name, known), expected, "{name}");
        }
    }
}
