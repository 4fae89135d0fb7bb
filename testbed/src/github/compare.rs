//! The comparison of two commits, as `git log BASE..HEAD` would list them, oldest first.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller};
use super::model::{Commit, Repository};
use super::page::bounds;
use super::repos::listed_commit;
use super::route::Args;
use super::shapes;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Most commits of an answer without a page.
const MOST: usize = 250;

/// `GET …/compare/{base}...{head}`. 404 for an unknown commit, and for two commits without a common ancestor.
pub(super) fn compare(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let (base, head) = args.first().split_once("...").ok_or_else(Refusal::not_found)?;
    let find = |reference: &str| of.resolve(reference).ok_or_else(Refusal::not_found);
    let (from, to) = (find(base)?, find(head)?);
    let (of_base, of_head) = (ancestors(of, &from.sha), ancestors(of, &to.sha));
    let common = newest(of, &of_base.intersection(&of_head).copied().collect());
    let merge_base = common
        .last()
        .ok_or_else(|| Refusal::new(404, format!("No common ancestor between {base} and {head}.")))?;
    let ahead = newest(of, &of_head.difference(&of_base).copied().collect());
    let behind = of_base.difference(&of_head).count();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        (_, _) => "diverged",
    };
    let (url, page) = (shapes::base(ask, of), shapes::page(ask, of));
    let json_of = |commit: &&Commit| listed_commit(of, ask, commit);
    Ok(Answer::ok(json!({
        "url": format!("{url}/compare/{base}...{head}"),
        "html_url": format!("{page}/compare/{base}...{head}"),
        "permalink_url": format!("{page}/compare/{base}...{head}"),
        "diff_url": format!("{page}/compare/{base}...{head}.diff"),
        "patch_url": format!("{page}/compare/{base}...{head}.patch"),
        "base_commit": json_of(&from),
        "merge_base_commit": json_of(merge_base),
        "status": status,
        "ahead_by": ahead.len(),
        "behind_by": behind,
        "total_commits": ahead.len(),
        "commits": on_page(ask, &ahead).iter().map(json_of).collect::<Vec<Value>>(),
        "files": [],
    })))
}

/// The commits of the wanted page; without a page the newest.
fn on_page<'a, 'b>(ask: &Ask, all: &'b [&'a Commit]) -> &'b [&'a Commit] {
    if ask.param("page").is_none() && ask.param("per_page").is_none() {
        return &all[all.len().saturating_sub(MOST)..];
    }
    let (_, size, skip) = bounds(ask);
    let rest = all.get(skip..).unwrap_or_default();
    &rest[..size.min(rest.len())]
}

/// A commit with its ancestors.
fn ancestors<'a>(of: &'a Repository, sha: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![sha];
    while let Some(sha) = next.pop() {
        let commit = of.commits.iter().find(|commit| commit.sha == sha);
        if let Some(commit) = commit.filter(|commit| found.insert(commit.sha.as_str())) {
            next.extend(commit.parents.iter().map(String::as_str));
        }
    }
    found
}

/// These commits in the order in which the repository got them, the newest last.
fn newest<'a>(of: &'a Repository, shas: &BTreeSet<&str>) -> Vec<&'a Commit> {
    of.commits.iter().filter(|commit| shas.contains(commit.sha.as_str())).collect()
}
