//! The shipped IAM policies with the sample stack's names in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use testbed::Call;
use testbed::iam::Statement;

use super::needs::needs;

/// The placeholders of the policies and what stands for them in the sample stack; longer names first.
const PLACES: [(&str, &str); 20] = [
    ("LOAD_BALANCER_ID", "*"),
    ("LOAD_BALANCER", "shop"),
    ("DEVELOP_SERVICE", "web-dev"),
    ("GREEN_SERVICE", "web-green"),
    ("BLUE_SERVICE", "web-blue"),
    ("DEVELOP_FAMILY", "web-dev"),
    ("GREEN_FAMILY", "web-green"),
    ("BLUE_FAMILY", "web-blue"),
    ("DEVELOP_LOG_GROUP", "/ecs/shop"),
    ("GREEN_LOG_GROUP", "/ecs/shop"),
    ("BLUE_LOG_GROUP", "/ecs/shop"),
    ("CHECKED_ROLE", "deploy"),
    ("EXECUTION_ROLE", "shop-execution"),
    ("TASK_ROLE", "shop-task"),
    ("REPOSITORY", "shop/web"),
    ("ACCOUNT_ID", "123456789012"),
    ("REGION", "eu-west-1"),
    ("cluster/CLUSTER", "cluster/shop"),
    ("/CLUSTER/", "/shop/"),
    ("CLUSTER", "shop"),
];

/// What every role takes.
pub const READ: &str = "read.json";
/// What `deploy` takes beside it.
pub const DEPLOY: &str = "deploy.json";
/// What moving users takes beside it.
pub const TRAFFIC: &str = "traffic.json";
/// What each of them takes besides where the config has `scaling`.
pub const SCALERS: &str = "scaling.json";

/// What `doctor` takes in addition to read.
pub const DOCTOR: &str = "doctor.json";

/// All of them.
pub const ALL: [&str; 5] = [READ, DEPLOY, TRAFFIC, SCALERS, DOCTOR];

/// A file of the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The statements of a shipped file as it stands there, with placeholders.
pub fn shipped(name: &str) -> Vec<Statement> {
    let text = fs::read_to_string(path("infra/policies").join(name)).expect("the policy is there");
    let policy: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    let all: Vec<Statement> = policy["Statement"].as_array().expect("statements").iter().map(read).collect();
    let names: BTreeSet<&str> = all.iter().map(|statement| statement.sid.as_str()).collect();
    assert!(names.len() == all.len() && !names.contains(""), "{name}: every statement has a name of its own");
    all
}

/// A statement that the testbed can evaluate.
pub fn read(from: &Value) -> Statement {
    Statement::read(from).expect("a statement")
}

/// The statements of shipped files with the sample stack's names in them.
pub fn policy(names: &[&str]) -> Vec<Statement> {
    names.iter().flat_map(|name| shipped(name)).map(filled).collect()
}

/// A statement with the sample stack's names in it.
pub fn filled(mut statement: Statement) -> Statement {
    let fill = |text: &mut String| {
        for (place, value) in PLACES {
            *text = text.replace(place, value);
        }
    };
    statement.resources.iter_mut().for_each(fill);
    statement.conditions.iter_mut().flat_map(|(_, _, values)| values).for_each(fill);
    statement
}

/// Asserts that the shipped policies together allow these calls of the built binary. Clusters, services, families and
/// repositories may have any name: some tests misspell theirs.
#[track_caller]
pub fn allowed<'a>(calls: impl Iterator<Item = &'a Call>) {
    static STATEMENTS: LazyLock<Vec<Statement>> =
        LazyLock::new(|| policy(&ALL).into_iter().map(of_any_name).collect());
    for need in calls.flat_map(needs) {
        let allowed = STATEMENTS.iter().any(|statement| statement.allows(&need));
        assert!(allowed, "infra/policies do not allow {need:?}");
    }
}

/// A statement for services of any cluster and name, with what belongs to them, for families and repositories of any name,
/// and for simulations of any role.
fn of_any_name(mut statement: Statement) -> Statement {
    let simulates = statement.actions == ["iam:SimulatePrincipalPolicy"];
    let kinds = [
        ":service/",
        ":service-deployment/",
        ":service-revision/",
        ":alarm:ecs-blue-green/",
        ":repository/",
        ":task-definition/",
        ":log-group:",
    ];
    let kinds: Vec<&str> = kinds.into_iter().chain(simulates.then_some(":role/")).collect();
    for resource in &mut statement.resources {
        for kind in &kinds {
            if let Some((head, _)) = resource.split_once(kind) {
                *resource = format!("{head}{kind}*");
            }
        }
    }
    statement
}
