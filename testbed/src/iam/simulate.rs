//! SimulatePrincipalPolicy, by the enforced policies. Without policies, everything is allowed.

use super::needs::Need;
use super::statement::{Statement, texts};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// Answers one call of IAM, 2010-05-08.
///
/// # Errors
/// AWS's for SimulatePrincipalPolicy; `InvalidAction` for an operation that the testbed does not have.
pub fn call(world: &World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "SimulatePrincipalPolicy" => simulate(world, input),
        _ => {
            let text = format!("Could not find operation {operation} for version 2010-05-08");
            Err(ApiError::new("InvalidAction", text))
        }
    }
}

/// Each action on each resource; the default resource is `*`.
fn simulate(world: &World, input: &Value) -> Result<Value, ApiError> {
    let source = input["PolicySourceArn"].as_str().unwrap_or_default();
    let known = [":role/", ":user/", ":group/"].iter().any(|kind| source.contains(kind));
    if !known || !source.starts_with(&format!("arn:aws:iam::{}:", world.account)) {
        let text = format!("Invalid Entity Arn: {source} does not clearly define entity type and name.");
        return Err(ApiError::new("InvalidInput", text));
    }
    let actions = texts(&input["ActionNames"]);
    let resources = Some(texts(&input["ResourceArns"])).filter(|all| !all.is_empty());
    let resources = resources.unwrap_or_else(|| vec!["*".to_owned()]);
    let context = context(&input["ContextEntries"]);
    let pairs = actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
    let results: Vec<Value> = pairs
        .map(|(action, resource)| {
            let allowed = world.iam.allows(action, resource, &context);
            json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": if allowed { "allowed" } else { "implicitDeny" },
            })
        })
        .collect();
    Ok(json!({ "EvaluationResults": results, "IsTruncated": false }))
}

/// Condition keys with their values.
fn context(entries: &Value) -> Vec<(String, String)> {
    let one = |entry: &Value| {
        let key = entry["ContextKeyName"].as_str()?.to_owned();
        Some((key, texts(&entry["ContextKeyValues"]).into_iter().next()?))
    };
    entries.as_array().into_iter().flatten().filter_map(one).collect()
}

impl super::Iam {
    /// True if the policies allow an action on a resource, in a request with these condition keys.
    fn allows(&self, action: &str, resource: &str, context: &[(String, String)]) -> bool {
        let Some(statements) = &self.statements else { return true };
        let need = Need { action: action.to_owned(), resource: resource.to_owned(), context: None };
        let holds = |(_, key, values): &(String, String, Vec<String>)| {
            context.iter().any(|(sent, found)| sent == key && values.contains(found))
        };
        statements.iter().any(|statement| {
            let bare = Statement { conditions: Vec::new(), ..statement.clone() };
            bare.allows(&need) && statement.conditions.iter().all(holds)
        })
    }
}
