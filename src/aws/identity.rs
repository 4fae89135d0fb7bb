//! Whose credentials these are.

use super::clients::Aws;
use super::errors::{odd, unread};
use crate::plan::trouble::{Read, TroubleKind};

/// The IAM action of GetCallerIdentity, which needs no permission.
pub(crate) const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

/// Whom AWS takes us for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account id, 12 digits.
    pub(crate) account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
}

impl Aws {
    /// The account and partition of the credentials.
    pub(crate) async fn caller(&self) -> Read<Caller> {
        let credentials = "the AWS credentials";
        let answer =
            self.sts.get_caller_identity().send().await.map_err(unread(GET_CALLER_IDENTITY, credentials))?;
        let partition = answer.arn().and_then(|arn| arn.split(':').nth(1));
        match (answer.account(), partition) {
            (Some(account), Some(partition)) => {
                Ok(Caller { account: account.to_owned(), partition: partition.to_owned() })
            }
            _ => Err(odd(
                TroubleKind::Refused,
                GET_CALLER_IDENTITY,
                credentials,
                "AWS named no account for the credentials",
            )),
        }
    }
}
