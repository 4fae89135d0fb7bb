//! IAM policies: what is needed, what a statement allows, and the shipped files with the sample stack's names in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use testbed::Call;

use super::needs::needs;

/// The placeholders of the policies and what stands for them in the sample stack; longer names first.
const PLACES: [(&str, &str); 16] = [
    ("LOAD_BALANCER_ID", "*"),
    ("LOAD_BALANCER", "shop"),
    ("DEVELOP_SERVICE", "web-dev"),
    ("GREEN_SERVICE", "web-green"),
    ("BLUE_SERVICE", "web-blue"),
    ("DEVELOP_FAMILY", "web-dev"),
    ("GREEN_FAMILY", "web-green"),
    ("BLUE_FAMILY", "web-blue"),
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

/// All of them.
pub const ALL: [&str; 4] = [READ, DEPLOY, TRAFFIC, SCALERS];

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The IAM action.
    pub action: String,
    /// The resource's ARN; `*` where AWS has no resource-level permission.
    pub resource: String,
    /// The condition key that AWS sends along, with its value.
    pub context: Option<(&'static str, String)>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is called; empty in a hint.
    pub sid: String,
    /// Its actions.
    pub actions: Vec<String>,
    /// The patterns of its resources.
    pub resources: Vec<String>,
    /// Operators, condition keys and values.
    pub conditions: Vec<(String, String, String)>,
}

impl Statement {
    /// Reads one; all of them allow, and none has an element that is not looked at here.
    pub fn read(from: &Value) -> Self {
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        let odd = from.as_object().expect("an object").keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!((odd, &from["Effect"]), (None, &Value::from("Allow")));
        Self {
            sid: from["Sid"].as_str().unwrap_or_default().to_owned(),
            actions: texts(&from["Action"]),
            resources: texts(&from["Resource"]),
            conditions: conditions(&from["Condition"]),
        }
    }

    /// Whether it allows this.
    pub fn allows(&self, need: &Need) -> bool {
        self.actions.contains(&need.action)
            && self.resources.iter().any(|pattern| fits(pattern, &need.resource))
            && self.holds(need)
    }

    /// Whether its conditions hold.
    fn holds(&self, need: &Need) -> bool {
        let sent = |key: &str, value: &str| {
            need.context.as_ref().is_some_and(|(sent, found)| *sent == key && found == value)
        };
        self.conditions.iter().all(|(_, key, value)| sent(key, value))
    }

    /// Whether it allows all that another statement with one action allows.
    pub fn covers(&self, other: &Statement) -> bool {
        let patterns = |resource: &String| self.resources.iter().any(|pattern| fits(pattern, resource));
        other.actions.iter().all(|action| self.actions.contains(action))
            && other.resources.iter().all(patterns)
            && self.conditions.iter().all(|condition| other.conditions.contains(condition))
    }
}

/// The conditions of a statement; each key has one value.
fn conditions(from: &Value) -> Vec<(String, String, String)> {
    let operators = from.as_object().into_iter().flatten();
    let pairs = operators.flat_map(|(operator, pairs)| {
        assert!(["ArnEquals", "Bool", "StringEquals"].contains(&operator.as_str()), "{operator}");
        let pairs = pairs.as_object().expect("keys").iter();
        pairs.map(|(key, value)| {
            (operator.clone(), key.clone(), value.as_str().expect("one value").to_owned())
        })
    });
    pairs.collect()
}

/// A string, or a list of strings.
pub fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |all| all.iter().map(text).collect())
}

/// Whether a text fits a pattern with `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else { return false };
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(tail, &rest[at..]))
        }
    }
}

/// A file of the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The statements of a shipped file as it stands there, with placeholders.
pub fn shipped(name: &str) -> Vec<Statement> {
    let text = fs::read_to_string(path("infra/policies").join(name)).expect("the policy is there");
    let policy: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    let all: Vec<Statement> =
        policy["Statement"].as_array().expect("statements").iter().map(Statement::read).collect();
    let names: BTreeSet<&str> = all.iter().map(|statement| statement.sid.as_str()).collect();
    assert!(names.len() == all.len() && !names.contains(""), "{name}: every statement has a name of its own");
    all
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
    statement.conditions.iter_mut().for_each(|(_, _, value)| fill(value));
    statement
}

/// Asserts that the shipped policies together allow these calls of the built binary. Services, families and repositories
/// may have any name: some tests misspell theirs.
#[track_caller]
pub fn allowed<'a>(calls: impl Iterator<Item = &'a Call>) {
    static STATEMENTS: LazyLock<Vec<Statement>> =
        LazyLock::new(|| policy(&ALL).into_iter().map(of_any_name).collect());
    for need in calls.flat_map(needs) {
        let allowed = STATEMENTS.iter().any(|statement| statement.allows(&need));
        assert!(allowed, "infra/policies do not allow {need:?}");
    }
}

/// A statement for services, families and repositories of any name.
fn of_any_name(mut statement: Statement) -> Statement {
    for resource in &mut statement.resources {
        for kind in [":service/shop/", ":repository/", ":task-definition/"] {
            if let Some((head, _)) = resource.split_once(kind) {
                *resource = format!("{head}{kind}*");
            }
        }
    }
    statement
}
