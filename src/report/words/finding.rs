//! Findings about a failed deployment, and the next step.

use crate::plan::cause::Finding;
use crate::plan::step::{ProbeFailure, ProbeFailureKind};
use crate::report::names::{count_noun, in_backticks};
use crate::report::secrets::{mask_line, mask_secrets};

/// A finding as a sentence, and the next step; the next step is empty if nothing more can be said.
pub(crate) fn render_finding(finding: &Finding) -> (String, &'static str) {
    match finding {
        Finding::Probe(failure) => render_probe_failure(failure),
        Finding::Image { container, image, reason } => (
            format!(
                "Container {} can't pull its image {}{}",
                in_backticks(container),
                in_backticks(image),
                reason_suffix(reason)
            ),
            "Check that this tag exists in the registry, that the task's execution role may pull it, and that the subnets reach the registry.",
        ),
        Finding::OutOfMemory { container, tasks } => (
            format!(
                "Container {} was killed for its memory in {}.",
                in_backticks(container),
                count_noun(*tasks, "task")
            ),
            "Raise `memory` of the container or the task, or find what takes it in the new version.",
        ),
        Finding::Exit { container, code, reason, tasks } => (
            format!(
                "Container {} exited with code {code} in {}{}",
                in_backticks(container),
                count_noun(*tasks, "task"),
                reason_suffix(reason.as_deref().unwrap_or_default())
            ),
            exit_code_hint(*code),
        ),
        Finding::Target { group, code, description, targets } => {
            (render_unhealthy((group, code, description), *targets), target_code_hint(code))
        }
        Finding::Stopped { code, reason, tasks } => render_stopped_tasks(code, reason, *tasks),
        Finding::Placement { message } => (
            format!("ECS can't place the new tasks{}", reason_suffix(message)),
            "Make room: more container instances or a free port and enough CPU and memory on them, or smaller tasks.",
        ),
        Finding::Aws { reason } => (format!("ECS says{}", reason_suffix(reason)), ""),
    }
}

/// The load balancer's view of targets: group, code, description. Only the description holds the status codes: `Health
/// checks failed with these codes: [500]`.
fn render_unhealthy((group, code, description): (&str, &str, &str), targets: u32) -> String {
    let of = count_noun(targets, "target");
    match description.split_once("codes: [").and_then(|(_, codes)| codes.split_once(']')) {
        Some((codes, _)) if code == "Target.ResponseCodeMismatch" => {
            format!(
                "The load balancer's health check of {} got {} from {of}.",
                in_backticks(group),
                mask_line(codes)
            )
        }
        Some(_) | None => format!(
            "The load balancer finds {of} of {} not healthy, {}{}",
            in_backticks(group),
            in_backticks(&mask_secrets(code)),
            reason_suffix(description)
        ),
    }
}

/// Foreign text after a colon, or the end of the sentence.
fn reason_suffix(reason: &str) -> String {
    let reason = mask_line(reason);
    let reason = reason.trim_end_matches('.');
    if reason.is_empty() { ".".to_owned() } else { format!(": {reason}.") }
}

/// Steps to trust a private authority. The variable replaces the public authorities, which AWS's own certificates need.
const UNTRUSTED: &str = "Give the step a CA bundle that holds its authority next to the public ones, as a path inside the workspace:
  env:
    SSL_CERT_FILE: /github/workspace/ca-bundle.pem";

/// Names in backticks, or `no name`. The names are foreign text from the certificate.
fn list_names(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| in_backticks(&mask_secrets(name))).collect();
    if names.is_empty() { "no name".to_owned() } else { names.join(", ") }
}

/// A probe's answer. Never its body.
fn render_probe_failure(failure: &ProbeFailure) -> (String, &'static str) {
    let url = in_backticks(&failure.url);
    match &failure.kind {
        ProbeFailureKind::Status { found, wanted } => (
            format!("The probe {url} was answered with status {found} instead of {wanted}."),
            "The version runs but answers wrongly: read its log, or correct the probe.",
        ),
        ProbeFailureKind::Body { wanted } => (
            format!("The answer to the probe {url} does not contain {}.", in_backticks(wanted)),
            "The version runs but answers wrongly: read its log, or correct the probe.",
        ),
        ProbeFailureKind::NoRule => (
            format!("The probe {url} was not sent: no listener rule leads it to the color alone any more."),
            "A listener or a rule was changed while this run went on: see who did. Add a test listener for the color, or remove `probes`.",
        ),
        ProbeFailureKind::Certificate { names, host } => (
            format!(
                "The certificate that the probe {url} was shown is for {}, not for {}.",
                list_names(names),
                in_backticks(host)
            ),
            "Add a certificate for this host to the listener, which chooses by the name that is asked for; or name a host of its certificate: `hosts` in the config file, or the rule's host condition.",
        ),
        ProbeFailureKind::Elsewhere { proxy, host } => (
            format!(
                "The probe {url} was not sent: it would go through the proxy {}, which looks {} up itself, and no lookup here shows that this name leads to the load balancer.",
                in_backticks(proxy),
                in_backticks(host)
            ),
            "Add the host to NO_PROXY, or let its DNS record lead to the load balancer.",
        ),
        ProbeFailureKind::Unreachable { why } if why.contains("UnknownIssuer") => (
            format!(
                "The probe {url} was not sent: the runner does not trust the listener's certificate{}",
                reason_suffix(why)
            ),
            UNTRUSTED,
        ),
        ProbeFailureKind::Unreachable { why } => (
            format!("The probe {url} got no answer from where the job runs{}", reason_suffix(why)),
            "Its targets are healthy for the load balancer, so look at the way there first: the load balancer's security group has to let the runner in on the test port, an internal one needs a runner in the VPC. Or remove `probes`.",
        ),
    }
}

/// Meaning of an exit code (POSIX: 128 and more are signals).
fn exit_code_hint(code: i32) -> &'static str {
    match code {
        125..=127 => {
            "The command could not be started: check `command` and `entryPoint`, and that the image is built for the task's CPU architecture."
        }
        134 => "It aborted itself (SIGABRT): read its log.",
        139 => "It crashed (SIGSEGV): read its log.",
        255 => "Read its log; `exec format error` there means an image for another CPU architecture.",
        _ => "Read its log: the first error at its start is the cause more often than not.",
    }
}

/// Meaning of a target's reason code (API_TargetHealth).
fn target_code_hint(code: &str) -> &'static str {
    match code {
        "Target.ResponseCodeMismatch" => {
            "Compare what the health check's path answers with the codes that the target group accepts, and read the container's log."
        }
        "Target.Timeout" => {
            "Check that the container listens on the mapped port and answers within the health check's time-out, and that its security group lets the load balancer in."
        }
        "Target.FailedHealthChecks" => {
            "Check that the container listens on the mapped port at all interfaces (0.0.0.0), and that its security group lets the load balancer in."
        }
        "Target.NotInUse" => {
            "The load balancer does not check it: the target group has to be in a listener rule, and the load balancer has to be on in the target's zone."
        }
        "Elb.InternalError" => "AWS has an error of its own: see the AWS Health Dashboard, then run again.",
        _ => "See the health check of the target group and the container's log.",
    }
}

/// Tasks that stopped, by their stop code.
fn render_stopped_tasks(code: &str, reason: &str, tasks: u32) -> (String, &'static str) {
    let next = match code {
        "TaskFailedToStart" => {
            "Correct what the reason names: often secrets, log group, network or the execution role."
        }
        "EssentialContainerExited" => "Read the container's log.",
        "UserInitiated" => "Somebody stopped them: ask who, then run again.",
        "SpotInterruption" | "TerminationNotice" | "InfrastructureHealth" => {
            "AWS took the machine away, not the version's fault: run again."
        }
        "container" => "Read the container's log.",
        _ => "See the stopped tasks in the ECS console; they are listed for about an hour.",
    };
    let named = if code.is_empty() || code == "container" {
        String::new()
    } else {
        format!(" ({})", mask_line(code))
    };
    (format!("{} stopped{named}{}", count_noun(tasks, "task"), reason_suffix(reason)), next)
}
