//! The nearest of the allowed words, for messages about a misspelt one.

/// The allowed word nearest to `found`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(found: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = found.to_lowercase();
    allowed
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 2.max(word.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelt_word_finds_the_one_that_was_meant() {
        let presets = ["blue", "blue-80", "split", "green-80", "green"];
        assert_eq!(nearest("gren", presets), Some("green"));
        assert_eq!(nearest("Blue80", presets), Some("blue-80"));
        assert_eq!(nearest("production", presets), None);
        assert_eq!(nearest("taskdefintoin", ["image", "task-definition"]), Some("task-definition"));
    }
}
