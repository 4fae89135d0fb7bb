//! The place of each ARN that the user gave: all must name the place of the run (invariant 43).
//!
//! ECS and ELB describe only resources of the caller's own account, in the called region. So an ARN of another place
//! can only be a mistake, and a resource here might have the same name.

use super::role::{AssumedRole, partition_of};
use crate::config::kinds::{list_values, quote_value};
use crate::plan::problem::Problem;

/// A part of an ARN that locates the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArnPart {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    Partition,
    /// For example `eu-west-1`; IAM's ARNs have no region.
    Region,
    /// 12 digits.
    Account,
    /// The ECS cluster's name, from the ARN of a cluster or of a service; a service's old short ARN has none.
    Cluster,
}

impl ArnPart {
    /// The readable word.
    fn word(self) -> &'static str {
        match self {
            ArnPart::Partition => "partition",
            ArnPart::Region => "region",
            ArnPart::Account => "account",
            ArnPart::Cluster => "cluster",
        }
    }
}

/// An ARN in an input or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenArn {
    /// The input, or the file with the key.
    place: String,
    /// The whole ARN.
    arn: String,
    /// The parts of the ARN, in the order of [`ArnPart`].
    parts: Vec<(ArnPart, String)>,
}

impl GivenArn {
    /// Reads the parts of an ARN. None if the text is a plain name.
    pub(crate) fn read(place: impl Into<String>, text: &str) -> Option<GivenArn> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, _, region, account, resource] = fields.as_slice() else { return None };
        let cluster = match resource.split('/').collect::<Vec<_>>().as_slice() {
            ["cluster", cluster] | ["service", cluster, _] => cluster,
            _ => "",
        };
        let parts = [
            (ArnPart::Partition, *partition),
            (ArnPart::Region, *region),
            (ArnPart::Account, *account),
            (ArnPart::Cluster, cluster),
        ];
        let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
        let parts = parts.map(|(part, text)| (part, text.to_owned())).collect();
        Some(GivenArn { place: place.into(), arn: text.to_owned(), parts })
    }

    /// The parts as facts for the following ARNs.
    fn facts(&self) -> impl Iterator<Item = Fact> {
        self.parts.iter().map(|(part, text)| Fact {
            part: *part,
            allowed: vec![text.clone()],
            says: format!("{} is in {}", self.place, part.word()),
        })
    }
}

/// A part of the run's place, with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// The part.
    part: ArnPart,
    /// The allowed values: a single value, or the allowed accounts.
    allowed: Vec<String>,
    /// The beginning of a sentence that ends with the values.
    says: String,
}

impl Fact {
    /// The region of the run, and the region's partition.
    pub(super) fn of_region(region: &str) -> [Fact; 2] {
        let partition = partition_of(region).to_owned();
        let says = format!("the region {} is in partition", quote_value(region));
        [
            Fact {
                part: ArnPart::Region,
                allowed: vec![region.to_owned()],
                says: "the region of this run is".to_owned(),
            },
            Fact { part: ArnPart::Partition, allowed: vec![partition], says },
        ]
    }

    /// The account of the role that the run assumes.
    pub(super) fn of_role(role: &AssumedRole) -> Fact {
        let says = "`role-to-assume` is in account".to_owned();
        Fact { part: ArnPart::Account, allowed: vec![role.account.clone()], says }
    }

    /// The allowed accounts; none if all are allowed.
    pub(super) fn of_allowed(accounts: &[String]) -> Option<Fact> {
        let says = "`allowed-account-ids` allows".to_owned();
        (!accounts.is_empty()).then(|| Fact { part: ArnPart::Account, allowed: accounts.to_vec(), says })
    }

    /// The cluster by name.
    pub(super) fn of_cluster(place: &str, name: &str) -> Fact {
        Fact { part: ArnPart::Cluster, allowed: vec![name.to_owned()], says: format!("{place} is") }
    }

    /// Account and partition of the credentials, from STS.
    pub(crate) fn of_credentials(account: &str, partition: &str) -> [Fact; 2] {
        let fact = |part, value: &str, says: &str| Fact {
            part,
            allowed: vec![value.to_owned()],
            says: says.to_owned(),
        };
        [
            fact(ArnPart::Account, account, "the AWS credentials belong to account"),
            fact(ArnPart::Partition, partition, "the AWS credentials are of partition"),
        ]
    }
}

/// A problem for each ARN that contradicts the facts or an earlier ARN.
pub(crate) fn find_contradictions(facts: impl IntoIterator<Item = Fact>, arns: &[GivenArn]) -> Vec<Problem> {
    let mut facts: Vec<Fact> = facts.into_iter().collect();
    let mut problems = Vec::new();
    for given in arns {
        let wrong: Vec<String> =
            given.parts.iter().filter_map(|found| find_contradiction(&facts, found)).collect();
        if wrong.is_empty() {
            facts.extend(given.facts());
        } else {
            let what = format!("{} {}", quote_value(&given.arn), wrong.join("; it "));
            problems.push(Problem::new(given.place.clone(), what));
        }
    }
    problems
}

/// The contradiction between a part and a fact, in words. The first fact about a part decides.
fn find_contradiction(facts: &[Fact], (part, found): &(ArnPart, String)) -> Option<String> {
    let fact = facts.iter().find(|fact| fact.part == *part)?;
    let allowed = list_values(fact.allowed.iter().map(String::as_str));
    (!fact.allowed.contains(found))
        .then(|| format!("is in {} {}, but {} {allowed}", part.word(), quote_value(found), fact.says))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems of ARNs in a run in `eu-west-1`.
    fn problems(facts: Vec<Fact>, arns: &[(&str, &str)]) -> Vec<String> {
        let arns: Vec<GivenArn> =
            arns.iter().filter_map(|(place, arn)| GivenArn::read(*place, arn)).collect();
        let facts = Fact::of_region("eu-west-1").into_iter().chain(facts);
        find_contradictions(facts, &arns).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn invariant_43_arns_of_one_place_agree_and_names_say_nothing() {
        let cluster = vec![Fact::of_cluster("input cluster", "shop")];
        let arns = [
            ("input blue-service", "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-blue"),
            ("input green-service", "arn:aws:ecs:eu-west-1:123456789012:service/web-green"),
            ("input develop-service", "web-dev"),
            ("input task-definition", "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7"),
            ("task.json executionRoleArn", "arn:aws:iam::123456789012:role/run"),
            ("input rollback-alarms", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a b/c:d"),
        ];
        assert_eq!(problems(cluster, &arns), Vec::<String>::new());
    }

    #[test]
    fn invariant_43_each_part_that_differs_is_named_with_its_source() {
        let service = ("input blue-service", "arn:aws:ecs:eu-west-1:999999999999:service/elsewhere/web-blue");
        let allowed = || Fact::of_allowed(&["123456789012".to_owned(), "210987654321".to_owned()]).unwrap();
        assert_eq!(
            problems(vec![allowed(), Fact::of_cluster("input cluster", "shop")], &[service]),
            ["input blue-service: `arn:aws:ecs:eu-west-1:999999999999:service/elsewhere/web-blue` \
                 is in account `999999999999`, but `allowed-account-ids` allows `123456789012`, `210987654321`; \
                 it is in cluster `elsewhere`, but input cluster is `shop`"]
        );
        assert_eq!(
            problems(
                vec![],
                &[("input cluster", "arn:aws:ecs:eu-west-1:123456789012:cluster/shop"), service]
            ),
            ["input blue-service: `arn:aws:ecs:eu-west-1:999999999999:service/elsewhere/web-blue` \
                 is in account `999999999999`, but input cluster is in account `123456789012`; \
                 it is in cluster `elsewhere`, but input cluster is in cluster `shop`"]
        );
        assert_eq!(
            problems(vec![], &[("input cluster", "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/shop")]),
            ["input cluster: `arn:aws-cn:ecs:cn-north-1:123456789012:cluster/shop` \
                 is in partition `aws-cn`, but the region `eu-west-1` is in partition `aws`; \
                 it is in region `cn-north-1`, but the region of this run is `eu-west-1`"]
        );
    }

    #[test]
    fn invariant_43_the_credentials_decide_when_they_are_known() {
        let arn =
            ("input listener", "arn:aws:elasticloadbalancing:eu-west-1:999999999999:listener/app/a/b/c");
        let credentials = Fact::of_credentials("123456789012", "aws").to_vec();
        assert_eq!(
            problems(credentials, &[arn]),
            ["input listener: `arn:aws:elasticloadbalancing:eu-west-1:999999999999:listener/app/a/b/c` \
                 is in account `999999999999`, but the AWS credentials belong to account `123456789012`"]
        );
    }
}
