//! The patterns of branches, and the color of a branch.

use super::*;
use crate::config::Config;
use crate::plan::color::ServiceColor;
use proptest::prelude::*;

#[test]
fn patterns_fit_as_in_workflows() {
    let table = [
        ("main", "main", true),
        ("main2", "main", false),
        ("release/1.2", "release/*", true),
        ("release/1/2", "release/*", false),
        ("release/1/2", "release/**", true),
        ("a/b", "*", false),
        ("a/b", "**", true),
        ("fix-1-web", "fix-*-web", true),
        ("fix-web", "fix-*-web", false),
        ("", "*", true),
    ];
    for (branch, pattern, fit) in table {
        assert_eq!(matches_pattern(branch, pattern), fit, "{branch} {pattern}");
    }
}

/// A branch.
fn branch(name: &str) -> Ref {
    Ref { kind: RefKind::Branch, name: name.to_owned() }
}

/// A tag.
fn tag(name: &str) -> Ref {
    Ref { kind: RefKind::Tag, name: name.to_owned() }
}

/// A map as in the config file.
fn map(entries: &[(&str, WantedColor)]) -> Vec<(String, WantedColor)> {
    entries.iter().map(|(pattern, color)| ((*pattern).to_owned(), *color)).collect()
}

/// Blue.
const BLUE: WantedColor = WantedColor::Color(ServiceColor::Blue);
/// Green.
const GREEN: WantedColor = WantedColor::Color(ServiceColor::Green);
/// Develop.
const DEVELOP: WantedColor = WantedColor::Color(ServiceColor::Develop);

#[test]
fn the_most_specific_pattern_wins() {
    let patterns =
        map(&[("**", WantedColor::Idle), ("release/*", BLUE), ("release/1*", GREEN), ("release/10", BLUE)]);
    let best_of = |name: &str| most_specific_color(&branch(name), &patterns);
    assert_eq!(best_of("main"), Some(WantedColor::Idle));
    assert_eq!(best_of("release/2"), Some(BLUE));
    assert_eq!(best_of("release/12"), Some(GREEN));
    assert_eq!(best_of("release/10"), Some(BLUE));
    assert_eq!(most_specific_color(&branch("x"), &map(&[("x*", BLUE), ("*x", GREEN)])), Some(BLUE));
    assert_eq!(most_specific_color(&branch("main"), &patterns[1..]), None);
}

#[test]
fn git_flow_s_branches_and_tags_have_their_colors() {
    let patterns = map(&[
        ("develop", DEVELOP),
        ("feature/**", DEVELOP),
        ("staging", GREEN),
        ("release/*", GREEN),
        ("hotfix/*", GREEN),
        ("main", WantedColor::Idle),
        ("refs/tags/v*", WantedColor::Idle),
    ]);
    let table = [
        (branch("develop"), Some(DEVELOP)),
        (branch("feature/cart/42-sum"), Some(DEVELOP)),
        (branch("staging"), Some(GREEN)),
        (branch("release/1.2"), Some(GREEN)),
        (branch("hotfix/1.2.1"), Some(GREEN)),
        (branch("main"), Some(WantedColor::Idle)),
        (tag("v1.2"), Some(WantedColor::Idle)),
        // A tag is no branch of the same name, and the other way round.
        (tag("main"), None),
        (tag("staging"), None),
        (branch("v1.2"), None),
        (tag("release/1.2"), None),
        // Names are compared as git does: with their case.
        (branch("Main"), None),
        (branch("bugfix/1"), None),
        (branch("gh-readonly-queue/main/pr-1-0a1b2c"), None),
    ];
    for (run, color) in table {
        assert_eq!(most_specific_color(&run, &patterns), color, "{}", run.full());
    }
    let rooted = map(&[("refs/heads/main", BLUE), ("**", GREEN)]);
    assert_eq!(most_specific_color(&branch("main"), &rooted), Some(BLUE));
    assert_eq!(most_specific_color(&tag("main"), &rooted), None, "`**` is for branches");
}

#[test]
fn a_name_that_nothing_fits_is_told_with_the_nearest_pattern() {
    let told = |run: &Ref, entries: &[(&str, WantedColor)]| {
        let config = Config { branches: map(entries), ..Config::default() };
        no_matching_pattern(
            run,
            &File { path: "c.yml".to_owned(), config, exists: true, known: true, app: None },
        )
    };
    let flow = [("main", GREEN), ("develop", DEVELOP), ("release/*", GREEN)];
    let listed = ", only `main`, `develop`, `release/*`";
    let table = [
        (branch("fix"), listed.to_owned()),
        (branch("Main"), format!("{listed}; did you mean `main`?")),
        (branch("develpo"), format!("{listed}; did you mean `develop`?")),
        (branch("relase/1.2"), format!("{listed}; did you mean `release/*`?")),
        (
            branch("release/1/2"),
            format!("{listed}; `*` does not stand for `/`: write `release/**` for `release/*`"),
        ),
    ];
    for (run, wanted) in table {
        let what = format!("no pattern of `branches` in `c.yml` fits the branch `{}`", run.name);
        assert_eq!(told(&run, &flow), format!("{what}{wanted}"));
    }
    assert_eq!(
        told(&tag("v1"), &flow),
        "no pattern of `branches` in `c.yml` fits the tag `v1`: a pattern for tags begins with `refs/tags/`, such as `refs/tags/v*: idle`"
    );
    assert_eq!(
        told(&tag("1.0"), &[("main", GREEN), ("refs/tags/v*", GREEN)]),
        "no pattern of `branches` in `c.yml` fits the tag `1.0`, only `main`, `refs/tags/v*`"
    );
}

proptest! {
    #[test]
    fn a_branch_fits_itself_and_every_widening(branch in "[a-z/]{0,12}", at in 0_usize..12) {
        let at = at.min(branch.len());
        prop_assert!(matches_pattern(&branch, &branch));
        let widened = format!("{}**{}", &branch[..at], &branch[at..]);
        prop_assert!(matches_pattern(&branch, &widened));
    }
}
