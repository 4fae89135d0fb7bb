use super::*;
use crate::failure::Failure;
use crate::plan::color::Color;
use crate::plan::going_live::{NotCompared, Versions};
use crate::plan::step::Refusal;
use crate::report::fixtures::about;

/// The versions of a change of traffic from blue to green, or of a deploy to green.
fn versions(moves_users: bool) -> Versions {
    let commit = |digit: &str| Some(digit.repeat(40));
    Versions {
        live: Color::Blue,
        next: Color::Green,
        moves_users,
        live_commit: commit("a"),
        next_commit: commit("b"),
    }
}

/// Pull requests of these numbers.
fn pulls(numbers: impl IntoIterator<Item = u64>) -> LiveChanges {
    let change = |number| LiveChange::sample(Some(number), "c0ffee1234", &format!("Change {number}"));
    LiveChanges { all: numbers.into_iter().map(change).collect(), is_complete: true }
}

/// What goes live.
fn going(moves_users: bool, brings: LiveChanges, takes_back: LiveChanges) -> GoingLive {
    GoingLive { versions: versions(moves_users), difference: Ok(VersionDifference { brings, takes_back }) }
}

/// A commit without a pull request.
fn commit() -> LiveChanges {
    LiveChanges { all: vec![LiveChange::sample(None, "c0ffee1234", "Say hello")], is_complete: true }
}

#[test]
fn each_history_is_one_sentence() {
    let none = LiveChanges::default;
    let many = || LiveChanges { is_complete: false, ..pulls(1..=23) };
    let table = [
        (going(true, none(), none()), "No new commit for users: they have all of `bbbbbbb`."),
        (going(true, pulls([41]), none()), "1 pull request goes live with green."),
        (going(true, commit(), none()), "1 commit goes live with green."),
        (going(false, pulls([41, 42]), none()), "2 pull requests would go live with green."),
        (
            going(true, none(), pulls([41, 43])),
            "Takes back #41 and #43, live now: green runs an older version.",
        ),
        (
            going(true, pulls([44]), pulls([41])),
            "1 pull request goes live with green. Takes back #41, live now and missing in the version of green.",
        ),
        (going(false, none(), commit()), "The version for green lacks `c0ffee1`, live now on blue."),
        (going(true, many(), none()), "At least 23 pull requests go live with green."),
    ];
    for (going_live, sentence) in table {
        assert_eq!(words::going_live_sentence(&going_live), sentence);
    }
    let hidden = LiveChanges { all: Vec::new(), is_complete: false };
    let sentence = words::going_live_sentence(&going(true, hidden.clone(), hidden));
    assert_eq!(
        sentence,
        "Some commits go live with green. Takes back more, live now and missing in the version of green."
    );
}

#[test]
fn every_missing_answer_is_one_plain_sentence() {
    let all = [
        NotCompared::NoCommit(Color::Blue),
        NotCompared::NoToken,
        NotCompared::Unknown,
        NotCompared::Denied,
        NotCompared::Limited,
        NotCompared::Unanswered,
    ];
    let told = all.map(|reason| {
        let going_live = GoingLive { versions: versions(true), difference: Err(reason) };
        assert_eq!(going_live_lines(&going_live).len(), 1);
        words::going_live_sentence(&going_live)
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    It is unknown which pull requests go live: the task definition of blue has no tag with its commit. A deploy by this action adds the tag.
    It is unknown which pull requests go live: the input `token` is empty, so GitHub was not asked.
    It is unknown which pull requests go live: GitHub does not know both commits in this repository, or they share no history.
    It is unknown which pull requests go live: the token may not read commits, which needs the permission `contents: read`.
    It is unknown which pull requests go live: GitHub takes no more requests for now.
    It is unknown which pull requests go live: GitHub did not answer in time.
    ");
}

#[test]
fn a_refusal_names_the_commits_and_both_ways_out() {
    let refusal = Refusal::TakesBack(Box::new(going(true, pulls([44]), pulls([41, 43]))));
    let Failure { reason, what, hint } = words::render_refusal(&refusal, &about());
    insta::assert_snapshot!(format!("[{reason}] {what}\n{hint}"), @r"
    [takes-back] Takes back #41 and #43, live now and missing in the version of green. `refuse-takes-back: true` refuses such a version.
    Deploy a version that has all of `aaaaaaa`, for example after a merge of the default branch. To take these commits back on purpose, use `command: rollback`, or write:
      refuse-takes-back: false
    ");
    assert_eq!(
        words::takes_back_unchecked(NotCompared::Denied),
        "`refuse-takes-back` could not be checked, and the run goes on. It is unknown which pull requests go live: the token may not read commits, which needs the permission `contents: read`."
    );
}

#[test]
fn a_list_names_at_most_twenty_and_its_titles_are_inert() {
    let mut brings = pulls(100..=125);
    brings.all.push(LiveChange::sample(Some(99), "c0ffee1234", "x"));
    brings.all[0].title =
        "@octocat <b>see</b> https://evil.example #1 ::set-output name=x::y\n::error::z".to_owned();
    let going_live = going(true, brings, commit());
    let section = going_live_section(Some(&going_live));
    insta::assert_snapshot!(section, @r"
    > [!WARNING]
    > 27 pull requests go live with green. Takes back <code>c0ffee1</code>, live now and missing in the version of green.

    <details><summary>Goes live</summary>

    - &#35;&#8203;100 &#64;&#8203;octocat &#60;b&#62;see&#60;/b&#62; https:&#8203;//evil.example &#35;&#8203;1 ::set-output name=x::y ::error::z
    - &#35;&#8203;101 Change 101
    - &#35;&#8203;102 Change 102
    - &#35;&#8203;103 Change 103
    - &#35;&#8203;104 Change 104
    - &#35;&#8203;105 Change 105
    - &#35;&#8203;106 Change 106
    - &#35;&#8203;107 Change 107
    - &#35;&#8203;108 Change 108
    - &#35;&#8203;109 Change 109
    - &#35;&#8203;110 Change 110
    - &#35;&#8203;111 Change 111
    - &#35;&#8203;112 Change 112
    - &#35;&#8203;113 Change 113
    - &#35;&#8203;114 Change 114
    - &#35;&#8203;115 Change 115
    - &#35;&#8203;116 Change 116
    - &#35;&#8203;117 Change 117
    - &#35;&#8203;118 Change 118
    - &#35;&#8203;119 Change 119
    - and 7 more

    </details>

    <details><summary>Taken back</summary>

    - <code>c0ffee1</code> Say hello

    </details>
    ");
    let lines = going_live_lines(&going_live);
    assert!(lines.iter().all(|line| !line.text.contains('\n')), "{lines:?}");
    assert!(lines.iter().any(|line| line.text == "  and 7 more"), "{lines:?}");
    assert_eq!(going_live_section(None), "");
}

#[test]
fn a_description_names_as_many_as_fit() {
    let going_live = going(true, pulls(1001..=1030), pulls([7]));
    let told = with_going_live("Promoting green", Some(&going_live), 140);
    insta::assert_snapshot!(told, @r##"Promoting green (brings #1001, #1002, #1003, #1004, #1005, #1006, #1007, #1008, #1009, #1010, #1011, #1012 and 18 more; takes back #7)"##);
    assert!(told.chars().count() <= 140);
    assert_eq!(with_going_live("Promoting green", Some(&going_live), 30), "Promoting green");
    assert_eq!(with_going_live("Promoting green", None, 140), "Promoting green");
}

#[test]
fn machines_read_the_same() {
    let json = going_live_json(&going(true, pulls([41]), commit()));
    insta::assert_snapshot!(json, @r#"{"history":"diverged","live":{"color":"blue","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"next":{"color":"green","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},"brings":[{"pull_request":41,"commit":"c0ffee1234","title":"Change 41"}],"takes_back":[{"pull_request":null,"commit":"c0ffee1234","title":"Say hello"}],"complete":true,"sentence":"1 pull request goes live with green. Takes back `c0ffee1`, live now and missing in the version of green."}"#);
    let unknown = GoingLive { versions: versions(false), difference: Err(NotCompared::Limited) };
    insta::assert_snapshot!(going_live_json(&unknown), @r#"{"history":"unknown","live":{"color":"blue","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"next":{"color":"green","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},"brings":null,"takes_back":null,"complete":false,"sentence":"It is unknown which pull requests go live: GitHub takes no more requests for now."}"#);
}
