//! What each call of the product needs of the caller's policies.

use testbed::Call;
use testbed::iam::{Need, Place, known};

/// Operations that no run here calls, with the reason, and that need nothing.
const ELSEWHERE: [(&str, &str); 1] =
    [("sts:AssumeRoleWithWebIdentity", "unsigned: the role's trust policy decides (docs/trust-policy.md)")];

/// The IAM action of a call.
pub fn action(call: &Call) -> String {
    format!("{}:{}", call.service.prefix(), call.operation)
}

/// The actions of those that no run here calls.
pub fn elsewhere() -> impl Iterator<Item = &'static str> {
    ELSEWHERE.iter().map(|(action, _)| *action)
}

/// The sample's region and account.
fn place() -> Place {
    Place { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() }
}

/// An ARN in the sample's region and account.
pub fn arn(service: &str, resource: &str) -> String {
    place().arn(service, resource)
}

/// What a call needs.
pub fn needs(call: &Call) -> Vec<Need> {
    let action = action(call);
    assert!(known().any(|known| known == action), "testbed/src/iam/needs.rs lacks {action}");
    testbed::iam::needs(&action, &call.input, &place())
}
