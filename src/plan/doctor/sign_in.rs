//! The job's way to its role: the id token, the identity provider, and the subject in the role's trust policy.

use super::{Finding, Mistake, stops};
use crate::plan::aws_error::{ASSUME_ROLE, AwsError, AwsErrorKind};

/// The mistake behind a refused role; none for other errors. AWS refuses a role that does not exist in the same words.
pub(crate) fn refused_role(error: &AwsError) -> Option<Finding> {
    if error.action != ASSUME_ROLE || error.kind != AwsErrorKind::Denied {
        return None;
    }
    let provider = error.code.as_deref() == Some("InvalidIdentityToken");
    let id = match (provider, job_environment(&error.message)) {
        (true, _) => "identity-provider",
        (false, Some(_)) => "trust-environment",
        (false, None) => "trust-subject",
    };
    Some(stops(Mistake::Role { id, error: error.clone() }))
}

/// The mistake of a job that needs an id token for this role, and may not ask GitHub for one.
pub(crate) fn no_id_token(role: &str) -> Finding {
    stops(Mistake::IdToken { role: role.to_owned() })
}

/// The job's environment, from the token's subject in the error's message. A subject of a job with an environment holds
/// that name in place of the branch (GitHub's docs, "OpenID Connect reference").
pub(crate) fn job_environment(message: &str) -> Option<&str> {
    let (_, subjects) = message.split_once(" sub=")?;
    let (_, rest) = subjects.split_once(":environment:")?;
    rest.split(" also=").next()
}
