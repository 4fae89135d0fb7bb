//! The nearest of the allowed words, for messages about a misspelt one.

/// The allowed word nearest to `found`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(found: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |word: &'a str| Some((distance(found, word, 2.max(word.len() / 3))?, word));
    allowed.into_iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// How many letters two words differ in, ignoring case; none when it is more than `most`. Words whose lengths differ by
/// more are not compared: the comparison takes time and memory of one length times the other.
pub(crate) fn distance(one: &str, other: &str, most: usize) -> Option<usize> {
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
    use super::nearest;

    #[test]
    fn words_of_other_lengths_are_not_compared() {
        assert_eq!(super::distance("Image", "imgae", 2), Some(1));
        assert_eq!(super::distance("image", "imagery", 1), None);
        let long = "x".repeat(1024 * 1024);
        assert_eq!(nearest(&long, ["image", long.as_str()]), None);
    }

    #[test]
    fn a_misspelt_word_finds_the_one_that_was_meant() {
        let presets = ["blue", "blue-80", "split", "green-80", "green"];
        assert_eq!(nearest("gren", presets), Some("green"));
        assert_eq!(nearest("Blue80", presets), Some("blue-80"));
        assert_eq!(nearest("production", presets), None);
        assert_eq!(nearest("taskdefintoin", ["image", "task-definition"]), Some("task-definition"));
    }
}
