//! The identity of the credentials.

use super::clients::Aws;
use super::errors::{read_error, unexpected_response};
use crate::plan::aws_error::{AwsErrorKind, AwsResult};

/// The IAM action of GetCallerIdentity, which needs no permission.
pub(crate) const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

/// The caller's identity in AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account id, 12 digits.
    pub(crate) account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// ARN of the session or user.
    pub(crate) arn: String,
}

impl Aws {
    /// The account and partition of the credentials.
    pub(crate) async fn caller(&self) -> AwsResult<Caller> {
        let credentials = "the AWS credentials";
        let answer = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(read_error(GET_CALLER_IDENTITY, credentials))?;
        let arn = answer.arn().unwrap_or_default();
        match (answer.account(), arn.split(':').nth(1)) {
            (Some(account), Some(partition)) => Ok(Caller {
                account: account.to_owned(),
                partition: partition.to_owned(),
                arn: arn.to_owned(),
            }),
            _ => Err(unexpected_response(
                AwsErrorKind::Refused,
                GET_CALLER_IDENTITY,
                credentials,
                "AWS named no account for the credentials",
            )),
        }
    }
}
