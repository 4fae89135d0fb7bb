//! Splits and shares as users write them, and every problem word by word.

use proptest::prelude::*;

use super::*;

#[test]
fn a_split_is_a_preset_or_two_weights() {
    let table = [
        ("blue", (100, 0)),
        ("blue-80", (80, 20)),
        ("split", (50, 50)),
        ("green-80", (20, 80)),
        ("green", (0, 100)),
        ("95/5", (95, 5)),
        ("0/100", (0, 100)),
        ("100/0", (100, 0)),
    ];
    for (value, (blue, green)) in table {
        assert_eq!(parse_split(value), Ok(Split { blue, green }), "{value}");
    }
}

#[test]
fn a_wrong_split_is_told_in_words() {
    let forms = "write `blue`, `blue-80`, `split`, `green-80`, `green` or `BLUE/GREEN` such as `95/5`";
    let users = "is not for users: only blue and green take production traffic";
    let table = [
        ("gren", format!("`gren` is not a split: {forms}; did you mean `green`?")),
        ("Blue80", format!("`Blue80` is not a split: {forms}; did you mean `blue-80`?")),
        ("production", format!("`production` is not a split: {forms}")),
        ("80", format!("`80` is not a split: {forms}")),
        ("develop", format!("`develop` {users}, {forms}")),
        ("80/10/10", format!("`80/10/10` {users}, {forms}")),
        ("80/30", "the weights in `80/30` sum to 110, not to 100".to_owned()),
        ("4/1", "the weights in `4/1` sum to 5, not to 100; the same ratio is `80/20`".to_owned()),
        ("0/0", "the weights in `0/0` sum to 0, not to 100".to_owned()),
        ("120/-20", "`120` is more than 100 in `120/-20`".to_owned()),
        ("80/-20", "`-20` is negative: 0 to 100 is expected in `80/-20`".to_owned()),
        ("99.5/0.5", "`99.5` is not a whole number in `99.5/0.5`".to_owned()),
        ("80%/20%", "write `80%` without `%` in `80%/20%`".to_owned()),
        ("/20", "a weight is missing in `/20`".to_owned()),
        ("blue/green", "`blue` is not a number in `blue/green`".to_owned()),
        ("80 / 20", "`80 ` is not a number in `80 / 20`".to_owned()),
        ("+80/20", "`+80` is not a number in `+80/20`".to_owned()),
        ("99999999999/1", "`99999999999` is more than 100 in `99999999999/1`".to_owned()),
    ];
    for (value, told) in table {
        assert_eq!(parse_split(value), Err(told), "{value}");
    }
}

#[test]
fn a_wrong_step_is_told_in_words() {
    let form = "write shares in percent, such as `20, 50, 80`";
    let table = [
        ("0", "`0` is not a step: 1 to 100 is expected".to_owned()),
        ("101", format!("`101` is more than 100: {form}")),
        ("-5", format!("`-5` is negative: 0 to 100 is expected: {form}")),
        ("2.5", format!("`2.5` is not a whole number: {form}")),
        ("20%", format!("write `20%` without `%`: {form}")),
        ("green-80", format!("`green-80` is not a number: {form}")),
    ];
    for (value, told) in table {
        assert_eq!(parse_step(value), Err(told), "{value}");
    }
    assert_eq!((parse_step("1"), parse_step("100")), (Ok(1), Ok(100)));
}

#[test]
fn steps_ascend_and_end_at_the_split() {
    let eighty = Some(Split { blue: 20, green: 80 });
    let table: [(&[u32], Option<Split>, &[&str]); 6] = [
        (&[], eighty, &[]),
        (&[20, 50, 80], eighty, &[]),
        (&[20, 90], eighty, &["`90` is beyond the end: no color has more than 80 % there"]),
        (&[20, 90], None, &[]),
        (&[50, 20], eighty, &["`20` comes after `50`: the shares ascend"]),
        (&[20, 20, 10], eighty, &["`20` is there twice", "`10` comes after `20`: the shares ascend"]),
    ];
    for (steps, to, told) in table {
        assert_eq!(step_problems(steps, to), told, "{steps:?}");
    }
}

proptest! {
    #[test]
    fn a_split_sums_to_100_and_reads_back(text in "[0-9]{1,3}/[0-9]{1,3}|.{0,12}") {
        if let Ok(found) = parse_split(&text) {
            prop_assert_eq!(found.blue + found.green, 100);
            prop_assert_eq!(parse_split(&found.to_string()), Ok(found));
        }
    }

    #[test]
    fn every_whole_percentage_is_a_split(blue in 0_u32..=100) {
        let wanted = Split { blue, green: 100 - blue };
        prop_assert_eq!(parse_split(&format!("{blue}/{}", 100 - blue)), Ok(wanted));
    }
}
