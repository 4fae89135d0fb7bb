//! The initial GitHub of `testbed serve`: one repository, its tokens, and a role that trusts its runs.

use super::{GitHub, Level, Permissions};
use crate::world::World;

/// The owner of the repository.
const OWNER: &str = "octo-org";
/// The name of the repository.
const NAME: &str = "shop";
/// The token with all permissions.
pub const TOKEN: &str = "ghs_sample";
/// The read-only token, like that of a fork's run.
pub const READ_ONLY_TOKEN: &str = "ghs_readonly";
/// The role that runs of the repository may assume.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// Creates the repository `octo-org/shop` with its branch `main`, pull request 7 from `topic`, pull request 8 from a
/// fork, and the branch `behind` that lacks commits of `main`; two tokens; and the role.
pub fn create(world: &mut World) {
    repository(&mut world.github);
    let full_name = format!("{OWNER}/{NAME}");
    world.oidc.run_of(&full_name, "ref:refs/heads/main");
    world.sts.role(ROLE, "sts.amazonaws.com", &[&format!("repo:{full_name}:*")], 3600);
}

/// The repository and its tokens.
fn repository(github: &mut GitHub) {
    let of = github.repository(OWNER, NAME);
    of.branch("main", "6dcb09b5b57875f334f61aebed695e2e4193db5e");
    of.pull(7, "d6fde92930d4715a2b49857d24b940956b26d2d3", "topic", "main");
    of.pull(8, "7638417db6d59f3c431d3e1f261cc637155684cd", "patch-1", "main").from_fork("mallory");
    of.branch("behind", "762941318ee16e59dabbacb1b4049eec22f0d303");
    of.behind.push(("behind".to_owned(), false));
    github.token("sample", TOKEN, Permissions::all(Level::Write));
    github.token("readonly", READ_ONLY_TOKEN, Permissions::of_fork());
}

/// The variables that name an action's repository and token.
pub fn env() -> [(&'static str, String); 2] {
    [("GITHUB_REPOSITORY", format!("{OWNER}/{NAME}")), ("GITHUB_TOKEN", TOKEN.to_owned())]
}
