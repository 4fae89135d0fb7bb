//! The comparison of two commits.

use super::bed::{each, get, start};
use serde_json::{Value, json};

/// A commit's id.
fn sha(number: u32) -> String {
    format!("{number:040x}")
}

/// The status, both counts, and the ids of the commits.
fn told(body: &Value) -> (Value, Value, Value, Vec<String>) {
    (
        body["status"].clone(),
        body["ahead_by"].clone(),
        body["behind_by"].clone(),
        each(&body["commits"], "sha"),
    )
}

#[test]
fn a_comparison_has_the_commits_that_only_the_head_has() {
    let bed = start();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        for (number, parents) in
            [(1, vec![]), (2, vec![1]), (3, vec![1]), (4, vec![2, 3]), (5, vec![2]), (9, vec![])]
        {
            let parents: Vec<String> = parents.into_iter().map(sha).collect();
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            of.commit_on(&parents, &sha(number), "Change");
        }
    });
    let compare = |base: u32, head: u32| get(&bed, &format!("/compare/{}...{}", sha(base), sha(head)));
    assert_eq!(told(&compare(2, 2).body), (json!("identical"), json!(0), json!(0), vec![]));
    assert_eq!(told(&compare(1, 4).body), (json!("ahead"), json!(3), json!(0), vec![sha(2), sha(3), sha(4)]));
    assert_eq!(told(&compare(4, 1).body), (json!("behind"), json!(0), json!(3), vec![]));
    assert_eq!(told(&compare(5, 4).body), (json!("diverged"), json!(2), json!(1), vec![sha(3), sha(4)]));
    assert_eq!(compare(5, 4).body["merge_base_commit"]["sha"], json!(sha(2)));
    assert_eq!(each(&compare(5, 4).body["commits"][1]["parents"], "sha"), [sha(2), sha(3)]);
    let apart = compare(1, 9);
    assert_eq!(apart.status, 404);
    assert_eq!(
        apart.body["message"],
        json!(format!("No common ancestor between {} and {}.", sha(1), sha(9)))
    );
    assert_eq!(compare(1, 77).status, 404);
}

#[test]
fn a_comparison_without_a_page_has_the_newest_250_commits() {
    let bed = start();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        of.commit_on(&[], &sha(1), "First");
        for number in 2..=301 {
            of.commit_on(&[&sha(number - 1)], &sha(number), "Change");
        }
    });
    let path = format!("/compare/{}...{}", sha(1), sha(301));
    let all = get(&bed, &path).body;
    let shas = each(&all["commits"], "sha");
    assert_eq!((&all["total_commits"], shas.len()), (&json!(300), 250));
    assert_eq!((shas[0].clone(), shas[249].clone()), (sha(52), sha(301)));
    let page = each(&get(&bed, &format!("{path}?per_page=100&page=3")).body["commits"], "sha");
    assert_eq!((page.len(), page[99].clone()), (100, sha(301)));
}
