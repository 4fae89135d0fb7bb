//! The input `role-to-assume`: the IAM role that the job assumes with its id token.

use super::context::Context;
use crate::config::kinds::{list_values, quote_value};
use crate::plan::suggestion::nearest_word;

/// AWS's partitions, with the prefixes of their region names. The first partition has all other regions.
const PARTITIONS: [(&str, &str); 3] = [("aws", ""), ("aws-cn", "cn-"), ("aws-us-gov", "us-gov-")];

/// A role by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssumedRole {
    /// The whole ARN.
    pub(crate) arn: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account, 12 digits.
    pub(crate) account: String,
}

/// The partition of a region.
pub(super) fn partition_of(region: &str) -> &'static str {
    let other = PARTITIONS.iter().skip(1).find(|(_, start)| region.starts_with(start));
    other.map_or("aws", |(name, _)| name)
}

impl AssumedRole {
    /// Reads `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, or returns a problem.
    pub(crate) fn parse(value: &str) -> Result<AssumedRole, String> {
        let parts: Vec<&str> = value.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
            return Err(not_an_arn(value));
        };
        if !PARTITIONS.iter().any(|(name, _)| name == partition) {
            let names = PARTITIONS.map(|(name, _)| name);
            let suggestion = nearest_word(partition, names);
            let suggestion =
                suggestion.map_or(String::new(), |suggestion| format!("; did you mean `{suggestion}`?"));
            return Err(format!(
                "{}: the partition {} is not one of {}{suggestion}",
                quote_value(value),
                quote_value(partition),
                list_values(names)
            ));
        }
        if *service == "sts" && resource.starts_with("assumed-role/") {
            return Err(session_of_role(value, partition, account, resource));
        }
        if *service != "iam" {
            return Err(format!("{} names {}, not an IAM role", quote_value(value), quote_value(service)));
        }
        if !region.is_empty() {
            return Err(format!(
                "{}: IAM has no regions, so nothing stands between `iam:` and `:`",
                quote_value(value)
            ));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "{}: the account {} does not have 12 digits",
                quote_value(value),
                quote_value(account)
            ));
        }
        check_resource(value, resource)?;
        Ok(AssumedRole {
            arn: value.to_owned(),
            partition: (*partition).to_owned(),
            account: (*account).to_owned(),
        })
    }

    /// The audience in the id token that the partition's STS expects (README of configure-aws-credentials).
    pub(crate) fn audience(&self) -> &'static str {
        if self.partition == "aws-cn" { "sts.amazonaws.com.cn" } else { "sts.amazonaws.com" }
    }

    /// A problem if the role belongs to another partition than this region: credentials work only in the regions of
    /// their own partition.
    pub(crate) fn fits_region(&self, region: &str) -> Result<(), String> {
        let partition = partition_of(region);
        if partition == self.partition {
            return Ok(());
        }
        Err(format!(
            "the role is of the partition `{}`, but the region {} is of `{partition}`",
            self.partition,
            quote_value(region)
        ))
    }

    /// A problem if only some accounts are allowed and the role's is not; an empty list allows all.
    pub(crate) fn fits_accounts(&self, allowed: &[String]) -> Result<(), String> {
        if allowed.is_empty() || allowed.contains(&self.account) {
            return Ok(());
        }
        let allowed = list_values(allowed.iter().map(String::as_str));
        Err(format!("the role is in account `{}`; `allowed-account-ids` allows {allowed}", self.account))
    }
}

/// The problem of a text that is no ARN: most often, the text is the role's name.
fn not_an_arn(value: &str) -> String {
    let name = value.strip_prefix("role/").unwrap_or(value);
    if is_path_and_name(name) {
        return format!(
            "{} is no ARN: write `arn:aws:iam::ACCOUNT_ID:role/{name}`, with the account's 12 digits",
            quote_value(value)
        );
    }
    format!(
        "{} is not the ARN of a role: write it like `arn:aws:iam::123456789012:role/deploy`",
        quote_value(value)
    )
}

/// Message for the ARN of a session, as printed by `aws sts get-caller-identity`. Such an ARN lacks the role's path.
fn session_of_role(value: &str, partition: &str, account: &str, resource: &str) -> String {
    let name = resource.split('/').nth(1).unwrap_or_default();
    let role = format!("arn:{partition}:iam::{account}:role/{name}");
    format!("{} is a session of a role: give the role's ARN, {}", quote_value(value), quote_value(&role))
}

/// Checks the resource: `role/`, an optional path, and a name of the characters that IAM allows.
fn check_resource(value: &str, resource: &str) -> Result<(), String> {
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    if kind != "role" {
        let suggestion = if nearest_word(kind, ["role"]).is_some() { "; did you mean `role/`?" } else { "" };
        return Err(format!("{} names {}, not a role{suggestion}", quote_value(value), quote_value(kind)));
    }
    if is_path_and_name(name) {
        return Ok(());
    }
    Err(format!(
        "{} holds no name of a role after `role/`: up to 64 letters, digits and `+=,.@_-`, a path before it",
        quote_value(value)
    ))
}

/// IAM's rule: a name of 1–64 letters, digits and `+=,.@_-`, after a path of up to 512 characters.
fn is_path_and_name(text: &str) -> bool {
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    (1..=64).contains(&name.len())
        && name.bytes().all(plain)
        && path.len() <= 510
        && path.bytes().all(|b| b.is_ascii_graphic())
}

/// The name of the session, for AWS's logs: the run and its attempt. 2–64 of the characters that STS allows.
pub(crate) fn session_name(context: &Context) -> String {
    let run = context.run_id.as_deref().unwrap_or("local");
    let attempt = context.attempt.as_deref().unwrap_or("1");
    format!("ecs-blue-green-{run}-{attempt}").chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_with_its_path_and_partition() {
        let table = [
            ("arn:aws:iam::123456789012:role/deploy", "aws", "sts.amazonaws.com"),
            ("arn:aws:iam::123456789012:role/ci/shop/deploy+=,.@_-1", "aws", "sts.amazonaws.com"),
            ("arn:aws-cn:iam::123456789012:role/deploy", "aws-cn", "sts.amazonaws.com.cn"),
            ("arn:aws-us-gov:iam::123456789012:role/deploy", "aws-us-gov", "sts.amazonaws.com"),
        ];
        for (arn, partition, audience) in table {
            let role = AssumedRole::parse(arn).unwrap();
            assert_eq!((role.arn.as_str(), role.partition.as_str()), (arn, partition));
            assert_eq!((role.account.as_str(), role.audience()), ("123456789012", audience));
        }
    }

    #[test]
    fn what_is_no_role_is_told_with_the_nearest_right_thing() {
        let table = [
            (
                "deploy-web",
                "`deploy-web` is no ARN: write `arn:aws:iam::ACCOUNT_ID:role/deploy-web`, with the account's 12 digits",
            ),
            (
                "role/ci/deploy",
                "`role/ci/deploy` is no ARN: write `arn:aws:iam::ACCOUNT_ID:role/ci/deploy`, with the account's 12 digits",
            ),
            (
                "arn:aws:iam::123456789012",
                "`arn:aws:iam::123456789012` is not the ARN of a role: write it like `arn:aws:iam::123456789012:role/deploy`",
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/deploy/me",
                "`arn:aws:sts::123456789012:assumed-role/deploy/me` is a session of a role: give the role's ARN, `arn:aws:iam::123456789012:role/deploy`",
            ),
            (
                "arn:aws:iam::123456789012:user/me",
                "`arn:aws:iam::123456789012:user/me` names `user`, not a role",
            ),
            (
                "arn:aws:iam::123456789012:roles/me",
                "`arn:aws:iam::123456789012:roles/me` names `roles`, not a role; did you mean `role/`?",
            ),
            (
                "arn:aws:ecs:eu-west-1:123456789012:cluster/shop",
                "`arn:aws:ecs:eu-west-1:123456789012:cluster/shop` names `ecs`, not an IAM role",
            ),
            (
                "arn:aws:iam:eu-west-1:123456789012:role/deploy",
                "`arn:aws:iam:eu-west-1:123456789012:role/deploy`: IAM has no regions, so nothing stands between `iam:` and `:`",
            ),
            (
                "arn:aws:iam::ACCOUNT_ID:role/deploy",
                "`arn:aws:iam::ACCOUNT_ID:role/deploy`: the account `ACCOUNT_ID` does not have 12 digits",
            ),
            (
                "arn:aws:iam::12345678901:role/deploy",
                "`arn:aws:iam::12345678901:role/deploy`: the account `12345678901` does not have 12 digits",
            ),
            (
                "arn:awscn:iam::123456789012:role/deploy",
                "`arn:awscn:iam::123456789012:role/deploy`: the partition `awscn` is not one of `aws`, `aws-cn`, `aws-us-gov`; did you mean `aws-cn`?",
            ),
            (
                "arn:aws:iam::123456789012:role/",
                "`arn:aws:iam::123456789012:role/` holds no name of a role after `role/`: up to 64 letters, digits and `+=,.@_-`, a path before it",
            ),
            (
                "arn:aws:iam::123456789012:role/a b",
                "`arn:aws:iam::123456789012:role/a b` holds no name of a role after `role/`: up to 64 letters, digits and `+=,.@_-`, a path before it",
            ),
        ];
        for (value, told) in table {
            assert_eq!(AssumedRole::parse(value).unwrap_err(), told);
        }
        assert!(AssumedRole::parse(&format!("arn:aws:iam::123456789012:role/{}", "a".repeat(65))).is_err());
    }

    #[test]
    fn a_role_fits_the_regions_of_its_partition_and_the_allowed_accounts() {
        let role = |partition: &str| {
            AssumedRole::parse(&format!("arn:{partition}:iam::123456789012:role/a")).unwrap()
        };
        for (partition, region) in
            [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
        {
            assert_eq!(role(partition).fits_region(region), Ok(()));
        }
        assert_eq!(
            role("aws").fits_region("cn-north-1").unwrap_err(),
            "the role is of the partition `aws`, but the region `cn-north-1` is of `aws-cn`"
        );
        assert!(role("aws-cn").fits_region("eu-west-1").is_err());
        let id = |text: &str| vec![text.to_owned()];
        assert_eq!(role("aws").fits_accounts(&[]), Ok(()));
        assert_eq!(role("aws").fits_accounts(&id("123456789012")), Ok(()));
        assert_eq!(
            role("aws").fits_accounts(&id("210987654321")).unwrap_err(),
            "the role is in account `123456789012`; `allowed-account-ids` allows `210987654321`"
        );
    }

    #[test]
    fn a_session_is_named_after_the_run_and_its_attempt() {
        let name = |run: Option<&str>, attempt: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            session_name(&Context { run_id: own(run), attempt: own(attempt), ..Context::default() })
        };
        assert_eq!(name(Some("42"), Some("3")), "ecs-blue-green-42-3");
        assert_eq!(name(None, None), "ecs-blue-green-local-1");
        assert_eq!(name(Some(&"9".repeat(100)), Some("1")).len(), 64);
    }
}
