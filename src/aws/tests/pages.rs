//! Lists whose pages never end: each is a trouble, and never a shorter list.

use std::time::Duration;

use serde_json::json;

use super::server::{Answer, Request, Server, xml};
use crate::aws::clients::Aws;
use crate::aws::tasks::Desired;
use crate::clock;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::color::Color;
use crate::plan::snapshot::Service;

/// A load balancer's ARN.
const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/1";

/// A page of any list that names this next page. The list of `whole` has one page only.
fn page(request: &Request, next: &str, whole: &str) -> Answer {
    let operation = request.operation();
    let next = if operation == whole { "" } else { next };
    let marker = format!("<NextMarker>{next}</NextMarker>");
    match operation.as_str() {
        "DescribeLoadBalancers" => xml(&operation, "<LoadBalancers><member/></LoadBalancers>"),
        "DescribeListeners" => {
            let listener = "<Listeners><member><ListenerArn>arn:l</ListenerArn></member></Listeners>";
            xml(&operation, &format!("{listener}{marker}"))
        }
        "DescribeRules" => xml(&operation, &format!("<Rules/>{marker}")),
        "DescribeAlarms" => Answer::Cbor(200, json!({ "MetricAlarms": [], "NextToken": next })),
        "DescribeScalableTargets" | "DescribeScalingPolicies" => Answer::Json(
            200,
            json!({ "ScalableTargets": [], "ScalingPolicies": [], "NextToken": next }).to_string(),
        ),
        _ => Answer::Json(200, json!({ "taskArns": [], "nextToken": next }).to_string()),
    }
}

/// Reads the list of this operation.
async fn read(aws: &Aws, operation: &str) -> AwsResult<()> {
    let service = Service { name: "web-blue".to_owned(), ..crate::plan::sample::service(Color::Blue) };
    match operation {
        "DescribeAlarms" => aws.alarms(&["5xx".to_owned()]).await.map(drop),
        "DescribeListeners" | "DescribeRules" => aws.balancer(BALANCER).await.map(drop),
        "DescribeScalableTargets" => aws.scaling("shop", &[service]).await.map(drop),
        "DescribeScalingPolicies" | "DescribeAlarms of scalers" => {
            aws.scalers("shop", "web-blue").await.map(drop)
        }
        _ => aws.tasks("shop", "web-blue", Desired::Running).await.map(drop),
    }
}

/// Every list, with the operation that has one page only meanwhile.
const LISTS: [(&str, &str); 7] = [
    ("DescribeAlarms", ""),
    ("DescribeListeners", "DescribeRules"),
    ("DescribeRules", "DescribeListeners"),
    ("DescribeScalableTargets", ""),
    ("DescribeScalingPolicies", "DescribeAlarms"),
    ("DescribeAlarms of scalers", "DescribeScalingPolicies"),
    ("ListTasks", ""),
];

/// The trouble that each list comes to, and how many pages it was asked for; `next` names the page after each.
async fn troubles(
    next: impl Fn(usize) -> String + Copy + Send + Sync + 'static,
) -> Vec<(String, AwsError, usize)> {
    let mut all = Vec::new();
    for (list, whole) in LISTS {
        let server = Server::start(move |request, number| page(request, &next(number), whole)).await;
        let aws = server.aws().await;
        let read = clock::with_timeout(Duration::from_secs(20), read(&aws, list)).await;
        let read = read.unwrap_or_else(|| panic!("{list} does not end"));
        let trouble = read.expect_err(list);
        let operation = list.split(' ').next().unwrap_or_default();
        let pages = server.operations().iter().filter(|asked| *asked == operation).count();
        all.push((list.to_owned(), trouble, pages));
    }
    all
}

#[tokio::test]
async fn invariant_09_a_list_whose_token_repeats_is_no_whole_list() {
    for (list, trouble, pages) in troubles(|_| "again".to_owned()).await {
        assert_eq!((trouble.kind, pages), (AwsErrorKind::Unreachable, 2), "{list}");
        assert_eq!(trouble.message, "AWS gave the same page of the list again");
    }
}

#[tokio::test]
async fn invariant_40_a_list_without_an_end_is_given_up() {
    for (list, trouble, pages) in troubles(|number| number.to_string()).await {
        assert_eq!((trouble.kind, pages), (AwsErrorKind::Unreachable, 100), "{list}");
        assert_eq!(trouble.message, "the list of AWS has no end after 100 pages");
    }
}
