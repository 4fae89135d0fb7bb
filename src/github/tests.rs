//! The adapter by itself.

use super::client::segment;

#[test]
fn a_label_is_one_part_of_a_path() {
    assert_eq!(segment("traffic: blue-80"), "traffic%3A%20blue-80");
    assert_eq!(segment("a/b?c"), "a%2Fb%3Fc");
}
