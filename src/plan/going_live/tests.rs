use super::*;

/// A commit, written when its id says.
fn commit(sha: &str, parents: &[&str], message: &str) -> Commit {
    Commit {
        sha: sha.to_owned(),
        parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
        message: message.to_owned(),
        written: format!("at {sha}"),
    }
}

/// All of these commits, oldest first.
fn commits(listed: &[Commit]) -> Commits {
    Commits { total: listed.len() as u64, listed: listed.to_vec() }
}

/// The changes, one word each with its title.
fn told(changes: &LiveChanges) -> Vec<String> {
    let name = |change: &LiveChange| {
        let name = change.pull.map_or_else(|| change.sha.clone(), |pull| format!("#{pull}"));
        format!("{name} {}", change.title)
    };
    changes.all.iter().map(name).collect()
}

#[test]
fn squashed_merged_and_rebased_pull_requests_are_known_by_their_commits() {
    let merge = "Merge pull request #42 from octo/cart\n\nAdd the cart";
    let all = commits(&[
        commit("a", &["0"], "Fix the greeting (#41)\n\n* wip"),
        commit("x", &["a"], "wip"),
        commit("y", &["x"], "more wip"),
        commit("m", &["a", "y"], merge),
        commit("r", &["m"], "Rebased without a number"),
        commit("v", &["r"], "Revert \"Fix the greeting (#41)\" (#45)"),
    ]);
    assert_eq!(
        told(&list_changes(&all)),
        [
            "#45 Revert \"Fix the greeting (#41)\"",
            "r Rebased without a number",
            "#42 Add the cart",
            "#41 Fix the greeting"
        ]
    );
}

#[test]
fn a_title_that_only_looks_like_a_pull_request_is_a_commit() {
    let titles = ["Fix (#0)", "Fix (#x)", "Fix #12", "(#12", "Fix (#+1)", "Merge pull request #7 from x", ""];
    for title in titles {
        let found = list_changes(&commits(&[commit("a", &["0"], title)]));
        assert_eq!(found.all[0].pull, None, "{title}");
    }
    assert_eq!(told(&list_changes(&commits(&[commit("a", &["0"], "(#12)")]))), ["#12 "]);
}

#[test]
fn a_merge_hides_only_the_commits_that_it_brought() {
    let all = commits(&[
        commit("s", &["0"], "On main (#39)"),
        commit("f", &["0"], "feature"),
        commit("b", &["f", "s"], "Merge branch 'main' into feature"),
        commit("g", &["b"], "feature, again"),
        commit("m", &["s", "g"], "Merge pull request #40 from octo/feature\n\nFeature"),
        commit("d", &["0"], "Into develop (#37)"),
        commit("n", &["m", "d"], "Merge pull request #50 from octo/develop\n\nRelease"),
    ]);
    assert_eq!(told(&list_changes(&all)), ["#50 Release", "#37 Into develop", "#40 Feature", "#39 On main"]);
}

#[test]
fn a_change_on_both_sides_is_no_difference() {
    let picked = |sha: &str| Commit { written: "then".to_owned(), ..commit(sha, &["0"], "Rebased") };
    let brings = commits(&[commit("a", &["0"], "Fix (#41)"), picked("b"), commit("c", &["b"], "New (#43)")]);
    let lacks = commits(&[commit("d", &["0"], "Fix (#41)"), picked("e"), commit("f", &["e"], "wip")]);
    let found = VersionDifference::of(&brings, &lacks);
    assert_eq!(
        (told(&found.brings), told(&found.takes_back)),
        (vec!["#43 New".to_owned()], vec!["f wip".to_owned()])
    );
    assert_eq!(found.history(), History::Diverged);
    assert_eq!(found.clone().with_squashed(&[7]), found, "another pull request");
    let squashed = found.with_squashed(&[43]);
    assert_eq!(squashed.history(), History::Ahead, "users keep the commits of a squashed pull request");
}

#[test]
fn more_commits_than_github_lists_are_never_taken_for_none() {
    let some = Commits { total: 400, listed: vec![commit("a", &["0"], "Fix (#41)")] };
    let found = VersionDifference::of(&some, &Commits::default());
    assert!(!found.brings.is_complete && found.history() == History::Ahead);
    let hidden = Commits { total: 3, listed: Vec::new() };
    assert_eq!(VersionDifference::of(&Commits::default(), &hidden).history(), History::Behind);
    assert_eq!(VersionDifference::default().history(), History::Identical);
}
