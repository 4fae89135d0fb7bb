//! The labels: a pull request's colors, the split of users, live commits, and a failed deploy.

use crate::event::Report;
use crate::failure::Outcome;
use crate::feedback::{Label, LabelStyle, Labels};
use crate::plan::color::{PRESETS, ServiceColor, Split};
use crate::plan::going_live::LiveChanges;
use crate::plan::overview::{ColorView, Overview};
use crate::plan::snapshot::Rollout;
use crate::plan::step::Left;
use crate::report::words::MOST_NAMED;

/// Most characters of a label's name (GitHub's limit).
const LONGEST: usize = 50;

/// Prefix of the split's label.
const TRAFFIC: &str = "traffic: ";
/// Prefix of a color's label.
const DEPLOYED: &str = "deployed: ";
/// Label of a pull request whose deploy failed.
const FAILED: &str = "deploy failed";
/// Label of a pull request whose commits users have.
const LIVE: &str = "live";

/// The labels at the end of a run that began with `before`. None if nothing was seen that a label could show.
pub(crate) fn end_labels(report: &Report, before: Option<&Overview>, style: &LabelStyle) -> Option<Labels> {
    // A cancelled run that changed something does not read AWS again: its last look is old.
    let old = report.outcome == Outcome::Cancelled && matches!(report.left, Left::Changed | Left::Unknown);
    let seen = report.overview.as_ref().filter(|_| !old);
    let mut commits: Vec<(String, Vec<Label>)> = Vec::new();
    for view in seen.into_iter().flat_map(|overview| &overview.colors) {
        let Some(commit) = &view.commit else { continue };
        let mut told = vec![deployed_label(view.color, style)];
        if has_users(view) && is_settled(view) && !report.stale {
            told.push(live_label(style));
        }
        if let (ServiceColor::Blue | ServiceColor::Green, Some(split)) = (view.color, report.split) {
            told.push(traffic_label(split, style));
        }
        add_labels(&mut commits, commit, told);
    }
    for view in before.into_iter().flat_map(|overview| &overview.colors) {
        if let (Some(commit), Some(_)) = (&view.commit, seen) {
            add_labels(&mut commits, commit, Vec::new());
        }
    }
    let failed = match (report.command, report.outcome) {
        ("deploy", Outcome::Failed) => Some(true),
        ("deploy", Outcome::Succeeded | Outcome::Unchanged) => Some(false),
        _ => None,
    };
    let families = [TRAFFIC, DEPLOYED].map(|family| format!("{}{family}", style.prefix)).to_vec();
    let failure = failed
        .map(|_| prefixed_label(FAILED, style, &style.failed, "The last deploy of this pull request failed"));
    let live_pulls = if seen.is_some() { live_pulls(report) } else { Vec::new() };
    let live = Some(live_label(style));
    let lost = if seen.is_some() { lost_commits(report, before) } else { Vec::new() };
    (seen.is_some() || failed.is_some()).then_some(Labels {
        commits,
        families,
        failed,
        failure,
        live,
        lost,
        live_pulls,
    })
}

/// Commits that had users before the run, on a color that now has no users or runs another commit. None if the version
/// that users have now contains everything.
fn lost_commits(report: &Report, before: Option<&Overview>) -> Vec<String> {
    let difference = report.going_live.as_ref().map(|going_live| &going_live.difference);
    let keeps_all = matches!(difference, Some(Ok(difference)) if difference.takes_back.is_empty());
    let Some(split) = report.split.filter(|_| !keeps_all && !report.stale) else { return Vec::new() };
    let now = live_commits(report);
    let has_lost = |view: &&ColorView| {
        let is_idle = view.color.production().is_some_and(|color| !split.is_live(color));
        is_idle || now.as_ref().is_some_and(|now| view.commit.as_deref().is_some_and(|it| !now.contains(&it)))
    };
    let views = before.into_iter().flat_map(|overview| &overview.colors);
    views.filter(|view| has_users(view)).filter(has_lost).filter_map(|view| view.commit.clone()).collect()
}

/// Pull requests that one of both versions has alone, and if users have that version now. None before users move: a
/// version that is only ready changes nothing for users. A deploy to a color with users, and a promote by copy, change
/// the version of a color, so the commits of the colors decide.
fn live_pulls(report: &Report) -> Vec<(u64, bool)> {
    let (Some(going_live), Some(now)) = (&report.going_live, live_commits(report)) else { return Vec::new() };
    let Ok(difference) = &going_live.difference else { return Vec::new() };
    let versions = &going_live.versions;
    let pulls = |changes: &LiveChanges, commit: &Option<String>| {
        let has_users = commit.as_deref().is_some_and(|commit| now.contains(&commit));
        let pulls = changes.pulls().into_iter().take(MOST_NAMED);
        pulls.map(move |pull| (pull, has_users)).collect::<Vec<_>>()
    };
    if !versions.moves_users {
        return Vec::new();
    }
    let brings = pulls(&difference.brings, &versions.next_commit);
    [brings, pulls(&difference.takes_back, &versions.live_commit)].concat()
}

/// The commits that users have. None if a color with users has an unknown commit, or is between two versions.
fn live_commits(report: &Report) -> Option<Vec<&str>> {
    report.split.filter(|_| !report.stale)?;
    let live = report.overview.as_ref()?.colors.iter().filter(|view| has_users(view));
    live.map(|view| view.commit.as_deref().filter(|_| is_settled(view))).collect()
}

/// True if a color has users.
fn has_users(view: &ColorView) -> bool {
    view.percent.is_some_and(|percent| percent > 0)
}

/// True unless a deployment of the color is under way or has failed: its tasks may run an older version.
fn is_settled(view: &ColorView) -> bool {
    !matches!(view.rollout, Some(Rollout::InProgress | Rollout::Failed | Rollout::Unknown))
}

/// Most characters of an app's name in a prefix: a longer name would cut the label before its family and color.
const LONGEST_APP: usize = 20;

/// The prefix of an app's labels: the app's name, and the short hash of its place.
pub(crate) fn label_prefix(app: &str, place: Option<&str>) -> String {
    let app: String = app.chars().take(LONGEST_APP).collect();
    place.map_or_else(|| format!("{app} "), |place| format!("{app}-{place} "))
}

/// True if this action wrote a label: a family, in any case, as GitHub compares labels, and then a color or a split.
/// Labels of other tools can begin the same, such as `deployed: staging`.
pub(crate) fn is_ours(name: &str, families: &[String]) -> bool {
    let rest = |family: &String| {
        let (start, rest) = name.split_at_checked(family.len())?;
        start.eq_ignore_ascii_case(family).then(|| rest.to_ascii_lowercase())
    };
    families.iter().filter_map(rest).any(|rest| is_label_value(&rest))
}

/// True if a text is a color or a split.
fn is_label_value(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text == ServiceColor::Develop.word()
        || PRESETS.iter().any(|(name, _)| *name == text)
        || text.split_once('/').is_some_and(|(blue, green)| number(blue) && number(green))
}

/// Adds the labels of a commit's pull request, each label once.
fn add_labels(commits: &mut Vec<(String, Vec<Label>)>, commit: &str, labels: Vec<Label>) {
    if !commits.iter().any(|(known, _)| known == commit) {
        commits.push((commit.to_owned(), Vec::new()));
    }
    for (_, known) in commits.iter_mut().filter(|(known, _)| known == commit) {
        for label in &labels {
            if !known.contains(label) {
                known.push(label.clone());
            }
        }
    }
}

/// The label of a split: a preset, or two numbers.
fn traffic_label(split: Split, style: &LabelStyle) -> Label {
    let color = match (split.blue > 0, split.green > 0) {
        (true, false) => &style.blue,
        (false, true) => &style.green,
        (true, true) | (false, false) => &style.split,
    };
    prefixed_label(&format!("{TRAFFIC}{split}"), style, color, "How users are split between blue and green")
}

/// The label of a color.
fn deployed_label(color: ServiceColor, style: &LabelStyle) -> Label {
    let paint = match color {
        ServiceColor::Blue => &style.blue,
        ServiceColor::Green => &style.green,
        ServiceColor::Develop => &style.develop,
    };
    prefixed_label(&format!("{DEPLOYED}{color}"), style, paint, "Where this pull request runs")
}

/// The label of a pull request whose commits users have.
fn live_label(style: &LabelStyle) -> Label {
    prefixed_label(LIVE, style, &style.green, "Users have the commits of this pull request")
}

/// A label with its prefix, within GitHub's limit.
fn prefixed_label(name: &str, style: &LabelStyle, color: &str, description: &str) -> Label {
    let name: String = format!("{}{name}", style.prefix).chars().take(LONGEST).collect();
    Label { name, color: color.to_owned(), description: description.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Color;
    use crate::plan::going_live::{GoingLive, LiveChange, VersionDifference, Versions};
    use crate::report::fixtures::{overview, report};
    use crate::report::mark::place_sum;

    /// The labels in short: commit, then names.
    fn told(labels: &Labels) -> Vec<String> {
        let names = |all: &[Label]| all.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(", ");
        labels.commits.iter().map(|(commit, all)| format!("{commit}: {}", names(all))).collect()
    }

    /// The overview with a commit for each color.
    fn seen(commits: [&str; 3]) -> Overview {
        let mut seen = overview();
        for (view, commit) in seen.colors.iter_mut().zip(commits) {
            view.commit = Some(commit.to_owned());
        }
        seen
    }

    #[test]
    fn each_commit_has_its_colors_and_one_split() {
        let mut after = report();
        after.see(seen(["a", "b", "a"]));
        let found = end_labels(&after, Some(&seen(["a", "c", "a"])), &LabelStyle::default()).unwrap();
        assert_eq!(
            told(&found),
            [
                "a: deployed: blue, live, traffic: blue, deployed: develop",
                "b: deployed: green, traffic: blue",
                "c: "
            ]
        );
        assert_eq!(found.families, ["traffic: ", "deployed: "]);
        assert_eq!((found.failed, found.failure.unwrap().name.as_str()), (Some(false), "deploy failed"));
    }

    #[test]
    fn two_apps_and_two_clusters_share_no_label() {
        let places =
            [("shop", "web"), ("shop", "api"), ("stage", "web"), ("shop", "the-api-of-the-web-shop-1")];
        let all = places.into_iter().chain([("shop", "the-api-of-the-web-shop-2")]).map(|(cluster, app)| {
            let sum = place_sum(Some("123456789012"), "eu-west-1", (cluster, app));
            let style = LabelStyle { prefix: label_prefix(app, sum.as_deref()), ..LabelStyle::default() };
            let mut after = report();
            after.see(seen(["a", "b", "c"]));
            let found = end_labels(&after, None, &style).unwrap();
            let shown = found.commits.iter().flat_map(|(_, all)| all).chain(&found.failure);
            let names: Vec<String> = shown.map(|label| label.name.clone()).collect();
            (names, found.families)
        });
        let all: Vec<_> = all.collect();
        for (at, (names, families)) in all.iter().enumerate() {
            assert!(names.len() > 4 && names.iter().filter(|name| is_ours(name, families)).count() > 3);
            for (others, _) in all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| one) {
                assert!(!others.iter().any(|other| names.contains(other) || is_ours(other, families)));
            }
        }
    }

    #[test]
    fn each_split_has_its_label_and_its_color() {
        let style = LabelStyle { prefix: "web ".to_owned(), ..LabelStyle::default() };
        let splits = [(100, 0), (80, 20), (50, 50), (20, 80), (0, 100), (95, 5)];
        let names = splits.map(|(blue, green)| {
            let label = traffic_label(Split { blue, green }, &style);
            format!("{} {}", label.name, label.color)
        });
        assert_eq!(
            names,
            [
                "web traffic: blue 1d76db",
                "web traffic: blue-80 fbca04",
                "web traffic: split fbca04",
                "web traffic: green-80 fbca04",
                "web traffic: green 0e8a16",
                "web traffic: 95/5 fbca04",
            ]
        );
    }

    #[test]
    fn a_failed_deploy_is_labelled_and_a_refused_one_leaves_the_label() {
        let style = LabelStyle::default();
        let failed = Report { outcome: Outcome::Failed, overview: None, ..report() };
        assert_eq!(end_labels(&failed, None, &style).unwrap().failed, Some(true));
        let refused = Report { outcome: Outcome::Refused, overview: None, ..report() };
        assert_eq!(end_labels(&refused, None, &style), None);
        let cut_off = Report { outcome: Outcome::Cancelled, left: Left::Changed, ..report() };
        assert_eq!(end_labels(&Report { command: "redirect-traffic", ..cut_off }, None, &style), None);
    }

    /// Labels after a deploy of commit `b`, with pull request 42, over commit `a`, with 41, on blue, which has users.
    fn after_live_deploy(commit: &str, change: fn(&mut Report)) -> Labels {
        let pulls =
            |number| LiveChanges { all: vec![LiveChange::sample(Some(number), "c", "")], is_complete: true };
        let versions = Versions {
            live: Color::Blue,
            next: Color::Blue,
            moves_users: true,
            live_commit: Some("a".to_owned()),
            next_commit: Some("b".to_owned()),
        };
        let difference = Ok(VersionDifference { brings: pulls(42), takes_back: pulls(41) });
        let mut after = report();
        after.going_live = Some(Box::new(GoingLive { versions, difference }));
        after.see(seen([commit, "c", "d"]));
        change(&mut after);
        end_labels(&after, Some(&seen(["a", "c", "d"])), &LabelStyle::default()).unwrap()
    }

    #[test]
    fn a_deploy_to_a_live_color_moves_the_label_live_only_if_the_version_runs() {
        let done = after_live_deploy("b", |_| ());
        assert_eq!((done.live_pulls, done.lost), (vec![(42, true), (41, false)], vec!["a".to_owned()]));
        let restored = after_live_deploy("a", |report| report.outcome = Outcome::Failed);
        assert_eq!((restored.live_pulls, restored.lost), (vec![(42, false), (41, true)], Vec::new()));
        let broken = after_live_deploy("b", |report| {
            report.overview.as_mut().unwrap().colors[0].rollout = Some(Rollout::Failed);
        });
        assert_eq!((broken.live_pulls, broken.lost), (Vec::new(), Vec::new()));
        assert!(!broken.commits.iter().flat_map(|(_, all)| all).any(|label| label.name == "live"));
        let old = after_live_deploy("b", |report| report.stale = true);
        assert_eq!((old.live_pulls, old.lost), (Vec::new(), Vec::new()));
        assert!(!old.commits.iter().flat_map(|(_, all)| all).any(|label| label.name == "live"));
    }
}
