//! What the policies of a role allow, as IAM simulates. The simulation includes boundaries and service control policies;
//! resource policies are not part of the answer (API_SimulatePrincipalPolicy).

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use super::clients::Aws;
use super::errors::read_error;
use crate::plan::aws_error::AwsResult;

/// The IAM action of SimulatePrincipalPolicy.
const SIMULATE: &str = "iam:SimulatePrincipalPolicy";

impl Aws {
    /// For each action on its resource, true if the policies of this role or user allow the call with these condition
    /// keys. One call for each: the answer for several resources at once is not documented well enough.
    pub(crate) async fn simulate(
        &self,
        principal: &str,
        checks: &[(&str, &str)],
        context: &[(&str, &str)],
    ) -> AwsResult<Vec<bool>> {
        let mut allowed = Vec::new();
        for (action, resource) in checks {
            let asked = self.iam.simulate_principal_policy().policy_source_arn(principal);
            let answer = asked
                .action_names(*action)
                .resource_arns(*resource)
                .set_context_entries(Some(context.iter().map(context_entry).collect()))
                .send()
                .await
                .map_err(read_error(SIMULATE, principal))?;
            let decision = answer.evaluation_results().first().map(|result| result.eval_decision());
            allowed.push(decision == Some(&PolicyEvaluationDecisionType::Allowed));
        }
        Ok(allowed)
    }
}

/// A condition key with its value.
fn context_entry((key, value): &(&str, &str)) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name(*key)
        .context_key_values(*value)
        .context_key_type(ContextKeyTypeEnum::String)
        .build()
}
