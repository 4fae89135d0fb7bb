//! Bad input that only AWS can tell: credentials, accounts, certificates, images. Nothing is written, and the words name
//! the value and the way out.

use crate::common::tls;

use std::time::{Duration, Instant};

use crate::common::refused::{answer, refused};
use crate::common::tls::TlsFront;
use crate::common::{Action, stack};
use testbed::Testbed;

/// A deploy to the sample stack.
fn deploy(bed: &Testbed) -> Action {
    Action::new(bed, "deploy")
}

/// What a job without credentials has.
fn without_credentials(bed: &Testbed) -> Action {
    deploy(bed).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
}

#[test]
fn no_credentials_at_all_are_answered_within_two_seconds() {
    let (bed, _) = stack();
    for action in [without_credentials(&bed), without_credentials(&bed).without("AWS_EC2_METADATA_DISABLED")]
    {
        let began = Instant::now();
        let done = refused(&bed, action, "credentials-missing");
        assert!(began.elapsed() < Duration::from_secs(2), "answered after {:?}", began.elapsed());
        let told = answer(&done);
        assert!(told.starts_with("There are no AWS credentials in this job"), "{told}");
        let end = "\nAdd a step before this one that brings credentials:\n  permissions:\n    id-token: write\n    contents: read\n  steps:\n    \
                   - uses: aws-actions/configure-aws-credentials@v6\n      with:\n        \
                   role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE\n        aws-region: REGION";
        assert!(told.ends_with(end), "{told}");
        assert!(bed.calls().is_empty());
    }
}

#[test]
fn a_wrong_account_is_named_with_those_that_are_allowed() {
    let (bed, _) = stack();
    let action = deploy(&bed).input("allowed-account-ids", "999999999999, 888888888888");
    let done = refused(&bed, action, "wrong-account");
    assert_eq!(
        answer(&done),
        "the AWS credentials belong to account 123456789012; `allowed-account-ids` allows 999999999999, 888888888888\n\
         Assume a role of an allowed account in the step before, or correct `allowed-account-ids`."
    );
    let calls: Vec<String> = bed.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, ["GetCallerIdentity"]);
}

#[test]
fn invariant_43_a_foreign_arn_is_refused_before_any_write() {
    let (bed, _) = stack();
    let foreign = "arn:aws:ecs:eu-west-1:999999999999:service/shop/web-green";
    for command in ["deploy", "redirect-traffic", "promote", "rollback", "status", "doctor"] {
        let action = Action::new(&bed, command).input("green-service", foreign);
        let action = match command {
            "redirect-traffic" => action.input("traffic", "green"),
            "promote" => action.input("color", "green"),
            _ => action,
        };
        bed.clear_calls();
        let done = refused(&bed, action, "wrong-account");
        assert_eq!(
            answer(&done),
            format!(
                "input green-service: `{foreign}` is in account `999999999999`, but the AWS credentials belong to account `123456789012`.\n\
                 Correct the ARN, or assume a role of its account in the step before. Nothing was changed."
            )
        );
        let calls: Vec<String> = bed.calls().into_iter().map(|call| call.operation).collect();
        assert_eq!(calls, ["GetCallerIdentity"]);
    }
}

#[test]
fn invariant_43_contradictions_that_need_no_aws_are_told_before_its_first_call() {
    let (bed, _) = stack();
    let blue = "arn:aws:ecs:eu-west-1:999999999999:service/elsewhere/web-blue";
    let roles = r#"{"family": "web", "executionRoleArn": "arn:aws:iam::999999999999:role/run",
        "containerDefinitions": [{"name": "app", "image": "app:1"}]}"#;
    let action = deploy(&bed).input("blue-service", blue).input("allowed-account-ids", "123456789012");
    let action = action.input("task-definition", "task.json").file("task.json", roles);
    let done = refused(&bed, action, "bad-input");
    done.says(&format!(
        "input blue-service: `{blue}` is in account `999999999999`, but `allowed-account-ids` allows `123456789012`; \
         it is in cluster `elsewhere`, but input cluster is `shop`"
    ));
    done.says(
        "task.json executionRoleArn: `arn:aws:iam::999999999999:role/run` is in account `999999999999`, \
         but `allowed-account-ids` allows `123456789012`",
    );
    assert!(bed.calls().is_empty());
}

/// The certificates of the machine are left out.
fn no_certificates(action: Action) -> Action {
    action.env("SSL_CERT_FILE", "/nowhere/ca.pem").env("SSL_CERT_DIR", "/nowhere")
}

#[test]
fn no_ca_bundle_is_an_error_and_no_panic() {
    let (bed, _) = stack();
    let hint = "The CA certificates could not be read. The published image has them at /etc/ssl/certs/ca-certificates.crt; in an image of your own, install ca-certificates or set SSL_CERT_FILE.";
    let empty =
        deploy(&bed).file("empty.pem", "").env("SSL_CERT_FILE", "empty.pem").env("SSL_CERT_DIR", "/nowhere");
    for action in [no_certificates(deploy(&bed)), empty] {
        let action = action.env("AWS_ENDPOINT_URL", &bed.endpoint().replace("http:", "https:"));
        let done = refused(&bed, action, "unreachable");
        let told = answer(&done);
        assert!(told.starts_with("couldn't set up HTTPS: "), "{told}");
        assert!(told.ends_with(hint), "{told}");
        assert!(!done.log.contains("panicked"), "{}", done.log);
        assert!(bed.calls().is_empty());
    }
}

#[test]
fn an_endpoint_of_an_unknown_authority_is_told() {
    let (bed, _) = stack();
    let front = TlsFront::start(&bed);
    let trusting = |certificate: &str| {
        deploy(&bed)
            .input("allowed-account-ids", "999999999999")
            .env("AWS_ENDPOINT_URL", &front.endpoint())
            .file("ca-bundle.pem", certificate)
            .env("SSL_CERT_FILE", "ca-bundle.pem")
    };

    let began = Instant::now();
    let done = refused(&bed, trusting(&tls::certificate("Another authority").0.pem()), "unreachable");
    assert!(began.elapsed() < Duration::from_secs(5), "answered after {:?}", began.elapsed());
    assert_eq!(
        answer(&done),
        "AWS could not be reached for `sts:GetCallerIdentity` on `the AWS credentials`: io error: client error (Connect): \
         TLS handshake failed: invalid peer certificate: UnknownIssuer.\n\
         The runner does not trust the certificate that it was shown, as behind a proxy that opens TLS. Give the step its \
         CA bundle, as a path inside the workspace:\n  env:\n    SSL_CERT_FILE: /github/workspace/ca-bundle.pem"
    );
    assert!(!done.log.contains("panicked"), "{}", done.log);
    assert!(bed.calls().is_empty());

    refused(&bed, trusting(&front.certificate), "wrong-account");
    assert_eq!(bed.calls().len(), 1);
}

#[test]
fn an_endpoint_that_can_not_be_reached_is_named() {
    let (bed, _) = stack();
    let port = testbed::sample::free_port();
    let action = deploy(&bed).env("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}"));
    let done = refused(&bed, action, "unreachable");
    let told = answer(&done);
    assert!(
        told.starts_with("AWS could not be reached for `sts:GetCallerIdentity` on `the AWS credentials`: "),
        "{told}"
    );
    assert!(told.contains("Connection refused"), "{told}");
    let action = deploy(&bed)
        .env("AWS_ENDPOINT_URL", "https://aws.invalid")
        .env("HTTPS_PROXY", &format!("http://user:hidden-word@127.0.0.1:{port}"));
    let done = refused(&bed, action, "unreachable");
    let told = answer(&done);
    assert!(told.contains(&format!("; requests go through the proxy `127.0.0.1:{port}`.")), "{told}");
    assert!(!done.log.contains("hidden-word"), "{}", done.log);
    // Only Elastic Load Balancing is behind the proxy: a later call names it as well.
    let action = deploy(&bed)
        .input("timeout", "1s")
        .env("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://elb.invalid")
        .env("HTTP_PROXY", &format!("http://user:hidden-word@127.0.0.1:{port}"))
        .env("NO_PROXY", "127.0.0.1");
    let done = refused(&bed, action, "unreachable");
    let told = answer(&done);
    assert!(told.contains("elasticloadbalancing:"), "{told}");
    assert!(told.contains(&format!("; requests go through the proxy `127.0.0.1:{port}`.")), "{told}");
    assert!(!done.log.contains("hidden-word"), "{}", done.log);
}

#[test]
fn a_tag_digest_or_repository_that_ecr_lacks_is_named() {
    let (bed, sample) = stack();
    let zeros = "0".repeat(64);
    let cases = [
        (sample.image("v99"), "shop/web:v99".to_owned(), "shop/web"),
        (
            format!("{}@sha256:{zeros}", sample.repository),
            "shop/web@sha256:000000000000".to_owned(),
            "shop/web",
        ),
        (sample.image("v2").replace("shop/web", "shop/wbe"), "shop/wbe:v2".to_owned(), "shop/wbe"),
    ];
    for (image, shown, repository) in cases {
        let done = refused(&bed, deploy(&bed).input("image", &image), "image-missing");
        let told = format!(
            "The image `{shown}` of container `app` does not exist in ECR in eu-west-1.\n\
             Check that the build pushed it before this step, and to this account and region. The newest are:\n  \
             aws ecr describe-images --region eu-west-1 --repository-name {repository} --query 'sort_by(imageDetails,&imagePushedAt)[-5:].imageTags'"
        );
        assert_eq!(answer(&done), told);
    }
}

#[test]
fn invariant_32_planted_values_are_shown_nowhere() {
    let (bed, sample) = stack();
    let plants = "TOKEN: PLANTED-ENV\nLOG_LEVEL: PLANTED-LEVEL";
    let secret = "KEY: arn:aws:secretsmanager:eu-west-1:123456789012:secret:PLANTED-ARN";
    let action = deploy(&bed)
        .input("image", &sample.image("v99"))
        .input("environment", plants)
        .input("secrets", secret)
        .env("AWS_SESSION_TOKEN", "PLANTED-SESSION");
    let done = refused(&bed, action, "image-missing");
    let shown: Vec<&str> = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    for (place, text) in [
        ("log", shown.join("\n")),
        ("summary", done.summary.clone()),
        ("outputs", format!("{:?}", done.outputs)),
        ("state", format!("{:?}", done.state)),
    ] {
        for value in ["PLANTED", "wJalrXUtnFEMI"] {
            assert!(!text.contains(value), "{value} is in the {place}:\n{text}");
        }
    }
    assert!(done.log.starts_with("::add-mask::wJalrXUtnFEMI"), "{}", done.log);
    done.says("::add-mask::PLANTED-SESSION");
}
