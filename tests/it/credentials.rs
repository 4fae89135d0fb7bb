//! `role-to-assume`: a role by the job's id token, renewed while the run lasts; and exported credentials, unchanged.

use std::time::Duration;

use crate::common::look::{frozen, others_untouched};
use crate::common::{Action, Done, stack};
use serde_json::json;
use testbed::github::{GitHubEffect, GitHubFault};
use testbed::sample::Sample;
use testbed::{Call, Testbed};

/// The role of the tests.
const ROLE: &str = "arn:aws:iam::123456789012:role/ci/deploy";
/// The subject of the testbed's job.
const SUBJECT: &str = "repo:octo-org/octo-repo:ref:refs/heads/main";

/// The sample stack, and a role that trusts the job.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| world.sts.role(ROLE, "sts.amazonaws.com", &[SUBJECT], 3600));
    frozen(&bed);
    (bed, sample)
}

/// A run that has the role and no exported credentials.
fn by_role(bed: &Testbed, command: &str) -> Action {
    let action = Action::new(bed, command).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let action = bed.oidc_env().into_iter().fold(action, |action, (name, value)| action.env(&name, &value));
    action.input("role-to-assume", ROLE)
}

/// The calls that assumed the role.
fn sessions(bed: &Testbed) -> Vec<Call> {
    bed.calls().into_iter().filter(|call| call.operation == "AssumeRoleWithWebIdentity").collect()
}

/// What STS gave for a call that worked.
fn given(call: &Call, field: &str) -> String {
    let answer = call.result.as_ref().expect("credentials");
    answer["Credentials"][field].as_str().expect("a text").to_owned()
}

/// The log without the lines that mask.
fn told(done: &Done) -> String {
    let lines: Vec<&str> = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    format!("{}\n{}\n{:?}\n{:?}", lines.join("\n"), done.summary, done.outputs, done.state)
}

/// Asserts that no id token, key or session token is told, and that each is masked before anything of the run is printed.
#[track_caller]
fn tells_no_secret(bed: &Testbed, done: &Done) {
    let told = told(done);
    for call in sessions(bed) {
        let token = call.input["WebIdentityToken"].as_str().expect("a token").to_owned();
        let keys = ["SecretAccessKey", "SessionToken", "AccessKeyId"];
        let keys = keys.into_iter().filter(|_| call.result.is_ok()).map(|field| given(&call, field));
        for secret in keys.chain([token]) {
            assert!(!told.contains(&secret), "{secret} is told:\n{told}");
            done.says(&format!("::add-mask::{secret}\n"));
        }
    }
}

/// Whether the job's own token for the endpoint is told.
fn told_bearer(done: &Done) -> bool {
    told(done).contains("runner-oidc-request-token")
}

/// The one titled error, in lines.
#[track_caller]
fn error(done: &Done) -> String {
    let line = done.log.lines().find(|line| line.starts_with("::error ")).expect("an error");
    let (_, message) = line.split_once("::").and_then(|(_, rest)| rest.split_once("::")).expect("a message");
    message.replace("%0A", "\n").replace("%25", "%")
}

/// Asserts that the run was refused for this reason before anything was written, and that no account stands in the summary.
#[track_caller]
fn refused(bed: &Testbed, done: &Done, reason: &str) -> String {
    done.expect(1, "refused", reason, "untouched");
    assert_eq!(bed.writes().len(), 0);
    assert!(!done.summary.contains("123456789012"), "{}", done.summary);
    tells_no_secret(bed, done);
    error(done)
}

#[test]
fn a_deploy_needs_nothing_but_the_role() {
    let (bed, sample) = stage();
    let done = by_role(&bed, "deploy").input("image", &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    others_untouched(&bed);
    tells_no_secret(&bed, &done);
    let all = sessions(&bed);
    assert_eq!((all.len(), bed.oidc_calls().len()), (1, 1), "one token and one session for the whole run");
    assert_eq!(all[0].input["RoleArn"], ROLE);
    assert_eq!(all[0].input["RoleSessionName"], "ecs-blue-green-42-1");
    assert!(all[0].agent.contains("aws-sdk-rust"), "{}", all[0].agent);
    let asked = &bed.oidc_calls()[0];
    assert!(asked.query.ends_with("&audience=sts.amazonaws.com"), "{}", asked.query);
    assert!(asked.agent.contains("(run 42)"), "{}", asked.agent);
}

#[test]
fn secrets_are_masked_before_anything_is_told_of_aws() {
    let (bed, _) = stage();
    let done = by_role(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    let last = done.log.rfind("::add-mask::").expect("masks");
    let seen = done.log.find("web-blue").expect("what was seen");
    assert!(last < seen, "{}", done.log);
    tells_no_secret(&bed, &done);
}

#[test]
fn a_run_outlives_its_sessions() {
    let (bed, sample) = stage();
    bed.world(|world| {
        world.sts.lifetime = Some(Duration::from_secs(6));
        world.pace.launch = Duration::from_secs(10);
    });
    let done = by_role(&bed, "deploy").input("image", &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    tells_no_secret(&bed, &done);
    let all = sessions(&bed);
    assert!((3..=9).contains(&all.len()), "{} sessions of 6 s in more than 10 s", all.len());
    assert_eq!(bed.oidc_calls().len(), all.len(), "each session has a token of its own");
    assert!(bed.calls().iter().all(|call| call.result.is_ok()), "no call was made with expired keys");
}

#[test]
fn invariant_33_github_s_outage_in_the_middle_of_a_run_changes_nothing() {
    let (bed, sample) = stage();
    bed.world(|world| {
        world.sts.lifetime = Some(Duration::from_secs(20));
        world.pace.launch = Duration::from_secs(11);
    });
    let down = GitHubFault::on("GET", "*/idtoken", GitHubEffect::Answer(503, json!({}))).nth(2..=u32::MAX);
    bed.github_fault(down);
    let done = by_role(&bed, "deploy").input("image", &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(sessions(&bed).len(), 1);
    assert!(bed.oidc_calls().len() > 1, "a renewal was tried");
}

#[test]
fn the_role_comes_before_exported_keys_and_exported_keys_work_alone() {
    let (bed, _) = stage();
    let both =
        by_role(&bed, "status").env("AWS_ACCESS_KEY_ID", "AKIAEXPORTED").env("AWS_SECRET_ACCESS_KEY", "x");
    both.run().expect(0, "succeeded", "", "untouched");
    assert_eq!(sessions(&bed).len(), 1);
    bed.clear_calls();
    let exported = bed.oidc_env().into_iter();
    let exported =
        exported.fold(Action::new(&bed, "status"), |action, (name, value)| action.env(&name, &value));
    exported.run().expect(0, "succeeded", "", "untouched");
    assert_eq!(
        (sessions(&bed).len(), bed.oidc_calls().len()),
        (0, 1),
        "the id token of the run before alone"
    );
}

#[test]
fn a_job_without_id_tokens_is_refused_before_anything_is_asked() {
    let (bed, sample) = stage();
    for missing in ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] {
        let deploy = by_role(&bed, "deploy").input("image", &sample.image("v2"));
        let done = deploy.without(missing).run();
        let told = refused(&bed, &done, "credentials-missing");
        assert_eq!(
            told,
            "This job may not have an id token (ACTIONS_ID_TOKEN_REQUEST_URL is not set), so the role `ci/deploy` can't be assumed.\n\
             Add the permission to the job; a workflow that is called needs it in the calling job, too:\n  \
             permissions:\n    \
             id-token: write # to assume the AWS role without stored keys\n    \
             contents: read\n\
             A pull request from a fork gets no id token."
        );
        assert_eq!((bed.calls().len(), bed.oidc_calls().len()), (0, 0));
    }
}

#[test]
fn a_role_that_can_not_be_right_is_bad_input() {
    let (bed, _) = stage();
    for (role, wrong) in [
        ("deploy", "is no ARN"),
        ("arn:aws-cn:iam::123456789012:role/deploy", "is of `aws`"),
        ("arn:aws:iam::123456789012:user/deploy", "names `user`, not a role"),
    ] {
        let done = by_role(&bed, "status").input("role-to-assume", role).run();
        done.expect(1, "refused", "bad-input", "untouched").says(wrong);
    }
    let done = by_role(&bed, "status").input("allowed-account-ids", "210987654321").run();
    done.expect(1, "refused", "bad-input", "untouched").says("`allowed-account-ids` allows `210987654321`");
    assert_eq!((bed.calls().len(), bed.oidc_calls().len()), (0, 0));
}

#[test]
fn a_role_that_does_not_trust_the_job_says_which_subject_to_trust() {
    let (bed, sample) = stage();
    bed.world(|world| {
        world.oidc.run_of("octo-org/octo-repo", "environment:production");
    });
    let done = by_role(&bed, "deploy").input("image", &sample.image("v2")).run();
    let told = refused(&bed, &done, "access-denied");
    let (what, hint) = told.split_once('\n').expect("a hint");
    assert_eq!(
        what,
        "AWS does not let this job assume `arn:aws:iam::123456789012:role/ci/deploy` (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity."
    );
    let statement: serde_json::Value =
        serde_json::from_str(&hint[hint.find('{').expect("a statement")..]).expect("JSON");
    let condition = &statement["Condition"]["StringEquals"];
    assert_eq!(
        condition["token.actions.githubusercontent.com:sub"],
        json!([
            "repo:octo-org/octo-repo:environment:production",
            "repo:octo-org@65/octo-repo@74:environment:production"
        ])
    );
    assert_eq!(condition["token.actions.githubusercontent.com:aud"], "sts.amazonaws.com");
    // What the message says to paste is what is missing.
    for subject in condition["token.actions.githubusercontent.com:sub"].as_array().expect("subjects") {
        let subject = subject.as_str().expect("a text");
        bed.world(|world| {
            world.sts.role(ROLE, "sts.amazonaws.com", &[subject], 3600);
            let job = world.oidc.run_of("octo-org/octo-repo", "environment:production");
            if subject.contains('@') {
                job.with_ids();
            }
        });
        by_role(&bed, "status").run().expect(0, "succeeded", "", "untouched");
    }
}

#[test]
fn an_account_without_the_provider_or_its_audience_says_what_to_create() {
    let (bed, _) = stage();
    bed.world(|world| world.sts.audiences.clear());
    let told = refused(&bed, &by_role(&bed, "status").run(), "access-denied");
    assert!(told.contains("Incorrect token audience"), "{told}");
    assert!(
        told.contains("aws iam add-client-id-to-open-id-connect-provider --client-id sts.amazonaws.com"),
        "{told}"
    );
    bed.clear_calls();
    bed.world(|world| {
        drop(world.oidc.claims.insert("iss".to_owned(), json!("https://ghe.example/_services/token")))
    });
    let told = refused(&bed, &by_role(&bed, "status").run(), "access-denied");
    assert!(
        told.contains("aws iam create-open-id-connect-provider --url https://ghe.example/_services/token --client-id-list sts.amazonaws.com"),
        "{told}"
    );
}

#[test]
fn a_token_that_is_old_when_it_comes_and_an_issuer_that_is_down_are_told() {
    let (bed, _) = stage();
    bed.world(|world| world.oidc.lifetime = Duration::ZERO);
    let told = refused(&bed, &by_role(&bed, "status").run(), "credentials-expired");
    assert!(told.starts_with("AWS takes GitHub's id token for expired (ExpiredTokenException)"), "{told}");
    bed.clear_calls();
    bed.world(|world| {
        world.oidc.lifetime = Duration::from_secs(300);
        world.sts.unreachable = true;
    });
    let told = refused(&bed, &by_role(&bed, "status").run(), "unreachable");
    assert!(told.contains("IDPCommunicationError"), "{told}");
}

#[test]
fn trouble_with_github_s_endpoint_is_told_without_what_it_answered() {
    let planted = json!({ "message": "Zq1-planted-in-answer", "value": "Zq1 planted" });
    let table = [
        (GitHubEffect::Answer(401, planted.clone()), "credentials-missing", "it answered with HTTP 401", 1),
        (GitHubEffect::Answer(503, planted.clone()), "unreachable", "it answered with HTTP 503", 3),
        (GitHubEffect::Answer(200, planted), "unreachable", "its answer holds no token", 3),
        (GitHubEffect::Html(200), "unreachable", "its answer holds no token", 3),
        (GitHubEffect::Delay(Duration::from_secs(30)), "unreachable", "it did not answer in time", 1),
    ];
    for (effect, reason, why, asked) in table {
        let (bed, _) = stage();
        bed.github_fault(GitHubFault::on("GET", "*/idtoken", effect));
        let done = by_role(&bed, "status").run();
        let told = refused(&bed, &done, reason);
        assert!(told.starts_with(&format!("GitHub gave this job no id token: {why}.\n")), "{told}");
        assert!(!done.log.contains("Zq1") && !told_bearer(&done), "{}", done.log);
        assert_eq!((bed.oidc_calls().len(), bed.calls().len()), (asked, 0), "{why}");
    }
    let (bed, _) = stage();
    bed.set_oidc_down(true);
    refused(&bed, &by_role(&bed, "status").run(), "unreachable");
}

#[test]
fn a_short_outage_of_github_is_sat_out() {
    let (bed, _) = stage();
    bed.github_fault(GitHubFault::on("GET", "*/idtoken", GitHubEffect::DropBefore).times(2));
    by_role(&bed, "status").run().expect(0, "succeeded", "", "untouched");
    assert_eq!((bed.oidc_calls().len(), sessions(&bed).len()), (3, 1));
}

#[test]
fn the_post_step_assumes_the_role_again() {
    let (bed, sample) = stage();
    bed.world(|world| world.pace.launch = Duration::from_secs(30));
    let running = by_role(&bed, "deploy").input("image", &sample.image("v2")).spawn();
    assert!(bed.wait_until(Duration::from_secs(20), |world| {
        crate::common::look::wanted(world, "web-green").starts_with("web-green:2")
    }));
    running.signal(rustix::process::Signal::KILL);
    let done = running.wait();
    assert!(done.state.values().any(|state| !state.is_empty()), "{:?}", done.state);
    assert_eq!(sessions(&bed).len(), 1);
    bed.clear_calls();
    let post = by_role(&bed, "deploy").input("image", &sample.image("v2")).post(&done.state).run();
    tells_no_secret(&bed, &post);
    assert_eq!(sessions(&bed).len(), 1);
    assert!(crate::common::look::wants(&bed, "web-green").starts_with("web-green:1"), "{}", post.log);
}
