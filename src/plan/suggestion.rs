//! The allowed word nearest to a misspelt word, for messages.

/// The allowed word nearest to `found`, if near enough to be the intended word.
pub(crate) fn nearest_word<'a>(found: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let suggestion = |word: &'a str| Some((edit_distance(found, word, 2.max(word.len() / 3))?, word));
    allowed.into_iter().filter_map(suggestion).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Number of letters that differ between two words, ignoring case. None above `most`. Words whose lengths differ by
/// more are not compared: time and memory grow with the product of both lengths.
pub(crate) fn edit_distance(one: &str, other: &str, most: usize) -> Option<usize> {
    if one.chars().count().abs_diff(other.chars().count()) > most || one.len() > LONGEST {
        return None;
    }
    let distance = strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase());
    Some(distance).filter(|distance| *distance <= most)
}

/// The longest text that can be a misspelt name, in bytes.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::nearest_word;

    #[test]
    fn words_of_other_lengths_are_not_compared() {
        assert_eq!(super::edit_distance("Image", "imgae", 2), Some(1));
        assert_eq!(super::edit_distance("image", "imagery", 1), None);
        let long = "x".repeat(1024 * 1024);
        assert_eq!(nearest_word(&long, ["image", long.as_str()]), None);
    }

    #[test]
    fn a_misspelt_word_finds_the_one_that_was_meant() {
        let presets = ["blue", "blue-80", "split", "green-80", "green"];
        assert_eq!(nearest_word("gren", presets), Some("green"));
        assert_eq!(nearest_word("Blue80", presets), Some("blue-80"));
        assert_eq!(nearest_word("production", presets), None);
        assert_eq!(nearest_word("taskdefintoin", ["image", "task-definition"]), Some("task-definition"));
    }
}
