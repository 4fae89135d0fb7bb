//! The identity in AWS: the way to a role, the account, and the proxies on the way.

use std::collections::BTreeMap;

use super::failed_report;
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::identity::{Fact, find_contradictions};
use crate::action::role::session_name;
use crate::action::settings::Settings;
use crate::aws::{Aws, Caller, GET_CALLER_IDENTITY, SignIn};
use crate::clock;
use crate::commands::session::{Told, poll_interval};
use crate::event::{Event, Report};
use crate::failure::Failure;
use crate::id_token::{self, IdTokens};
use crate::plan::aws_error::AwsResult;
use crate::plan::step::Wait;
use crate::report::words;
use crate::reporter::{Reporter, mask_value};

/// The services that a run calls: as IAM names them, as the usual endpoint's name begins, and as the variable for
/// another endpoint ends.
const SERVICES: [(&str, &str, &str); 7] = [
    ("application-autoscaling", "application-autoscaling", "APPLICATION_AUTO_SCALING"),
    ("cloudwatch", "monitoring", "CLOUDWATCH"),
    ("ecr", "api.ecr", "ECR"),
    ("ecs", "ecs", "ECS"),
    ("elasticloadbalancing", "elasticloadbalancing", "ELASTIC_LOAD_BALANCING_V2"),
    ("iam", "iam", "IAM"),
    ("sts", "sts", "STS"),
];

/// The proxies on the way to AWS, by the service that they lead to.
pub(super) fn proxies(env: &Environment, region: &str) -> BTreeMap<String, String> {
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let of = |(service, host, variable): &(&str, &str, &str)| {
        let usual = format!("https://{host}.{region}.{end}");
        let given = env.var(&format!("AWS_ENDPOINT_URL_{variable}")).or_else(|| env.var("AWS_ENDPOINT_URL"));
        Some(((*service).to_owned(), env.proxy(given.unwrap_or(&usual))?))
    };
    SERVICES.iter().filter_map(of).collect()
}

/// The job's identity in AWS. A temporary error of AWS is retried until the time-out; without any answer, as with a
/// wrong region or proxy, the SDK's own retries are enough.
pub(super) async fn caller_identity(
    aws: &Aws,
    settings: &Settings,
    reporter: &Reporter<'_>,
) -> AwsResult<Caller> {
    let (began, mut told) = (clock::now(), Told::default());
    loop {
        let trouble = match aws.caller().await {
            Ok(caller) => return Ok(caller),
            Err(trouble) => trouble,
        };
        let (now, answered) = (clock::now(), trouble.code.is_some() && trouble.kind.is_transient());
        let elapsed = now.since(began);
        if !answered || trouble.action != GET_CALLER_IDENTITY || elapsed >= settings.timeout {
            return Err(trouble);
        }
        if let Some(heartbeat) = told.again(&trouble, now) {
            reporter.emit(&Event::Waiting { wait: Wait::AwsError(trouble), elapsed, heartbeat });
        }
        clock::sleep(poll_interval(settings)).await;
    }
}

/// The job's way to the given role; none without a role.
pub(super) fn sign_in(
    env: &Environment,
    settings: &Settings,
    (context, http): (&Context, &reqwest::Client),
) -> Result<Option<SignIn>, Box<Report>> {
    let Some(role) = &settings.role else { return Ok(None) };
    let asks = (env.var(id_token::URL_VARIABLE), env.var(id_token::TOKEN_VARIABLE));
    let (Some(url), Some(bearer)) = asks else { return Err(failed_report(words::no_id_token(&role.arn))) };
    Ok(Some(SignIn {
        role: role.arn.clone(),
        audience: role.audience(),
        session: session_name(context),
        tokens: IdTokens::new(http.clone(), url, bearer),
        mask: mask_value,
    }))
}

/// The failure if the credentials' account is not allowed, or contradicts an ARN.
pub(super) fn wrong_account(settings: &Settings, caller: &Caller) -> Option<Failure> {
    let allowed = &settings.allowed_account_ids;
    if !allowed.is_empty() && !allowed.contains(&caller.account) {
        return Some(words::wrong_account(&caller.account, allowed));
    }
    let facts = Fact::of_credentials(&caller.account, &caller.partition);
    let foreign = find_contradictions(facts, &settings.arns);
    (!foreign.is_empty()).then(|| words::foreign_arns(&foreign))
}
