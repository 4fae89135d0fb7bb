//! `doctor`: mistakes in the setup that would stop a command, or make one slow or risky. Facts in, findings out.

mod alarms;
mod permissions;
mod reads;
mod rules;
mod scaling;
mod services;
mod sign_in;

use std::time::Duration;

use super::aws_error::{AwsError, AwsErrorKind};
use super::color::{Color, ServiceColor};
use super::scalers::Managed;
use super::snapshot::{Place, Snapshot};
use super::step::Refusal;
use super::wanted::{Hosts, ListenerChoice};

pub(crate) use permissions::{CONTEXT, missing_grants, needed_grants, principal_arn};
pub(crate) use sign_in::{job_environment, no_id_token, refused_role};

/// One mistake, and its effect on the commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The effect.
    pub(crate) severity: Severity,
    /// The mistake.
    pub(crate) mistake: Mistake,
}

/// The effect of a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// At least one command refuses to start, or fails.
    Stops,
    /// Every command starts; one is slower, riskier or less informative.
    Warns,
}

impl Severity {
    /// The word in the output `findings`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Severity::Stops => "stops",
            Severity::Warns => "warns",
        }
    }
}

/// A mistake in the setup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A command refuses this in the same words.
    Refused {
        /// The stable id.
        id: &'static str,
        /// The refusal.
        refusal: Refusal,
    },
    /// No listener rule leads to this color alone.
    TestListener {
        /// The color.
        color: ServiceColor,
        /// ARN of the color's target group.
        group: String,
        /// ARN of the load balancer for the listener.
        balancer: String,
        /// A free port of the load balancer.
        port: u16,
    },
    /// An HTTPS listener leads to this color alone, and no host is known for a request.
    TestHost {
        /// The color.
        color: ServiceColor,
        /// The listener, such as `HTTPS:8443`.
        listener: String,
    },
    /// A production rule of the named listener lacks a color's target group.
    LoneRule {
        /// The rule's name.
        rule: String,
        /// The color that the rule lacks.
        lacks: Color,
        /// ARN of that color's target group.
        group: String,
    },
    /// A rule of a production listener sends users to one color, outside the split.
    UserRule {
        /// The color.
        color: Color,
        /// The rule's name.
        rule: String,
    },
    /// A production rule with stickiness.
    Stickiness {
        /// The rule's name.
        rule: String,
        /// The duration of the cookie.
        lasts: Duration,
    },
    /// A service without a deployment circuit breaker.
    CircuitBreaker {
        /// The service.
        service: String,
    },
    /// Old tasks of a service drain for long.
    DeregistrationDelay {
        /// The service.
        service: String,
        /// The deregistration delay.
        delay: Duration,
        /// The time-out.
        timeout: Duration,
    },
    /// The config has `scaling`, and a service has no scalable target.
    ScalableTarget {
        /// The service.
        service: String,
        /// The bounds in the config.
        bounds: (u32, u32),
        /// The place of the service.
        place: Place,
    },
    /// The job needs an id token, and may not ask GitHub for one.
    IdToken {
        /// ARN of the role.
        role: String,
    },
    /// AWS does not let the job assume the role.
    Role {
        /// The stable id.
        id: &'static str,
        /// AWS's answer, with the token's subject.
        error: AwsError,
    },
    /// The role has some permissions of a purpose, and lacks this one.
    Grant {
        /// The IAM action.
        action: &'static str,
        /// ARN of the resource.
        resource: String,
        /// ARN of the role.
        role: String,
    },
    /// A part that AWS did not let this run read.
    Unread(AwsError),
    /// The health-check grace period is not shorter than the time-out.
    GracePeriod {
        /// The service.
        service: String,
        /// The grace period.
        grace: Duration,
        /// The time-out.
        timeout: Duration,
    },
}

impl Mistake {
    /// The stable id in the output `findings`.
    pub(crate) fn id(&self) -> &'static str {
        match self {
            Mistake::Refused { id, .. } | Mistake::Role { id, .. } => id,
            Mistake::IdToken { .. } => "github-permission",
            Mistake::TestListener { .. } => "test-listener",
            Mistake::TestHost { .. } => "test-host",
            Mistake::LoneRule { .. } | Mistake::UserRule { .. } => "lone-rule",
            Mistake::Stickiness { .. } => "stickiness",
            Mistake::CircuitBreaker { .. } => "circuit-breaker",
            Mistake::DeregistrationDelay { .. } => "deregistration-delay",
            Mistake::ScalableTarget { .. } => "scalable-target",
            Mistake::Grant { .. } => "permission",
            Mistake::Unread(error) if error.kind == AwsErrorKind::Denied => "permission",
            Mistake::Unread(_) => "unread",
            Mistake::GracePeriod { .. } => "grace-period",
        }
    }
}

/// The facts that are not in AWS: from the inputs and the config file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetupFacts<'a> {
    /// The production listener, if the user named a listener.
    pub(crate) listener: Option<&'a ListenerChoice>,
    /// Host names of the config file.
    pub(crate) hosts: &'a Hosts,
    /// True if the config file has probes.
    pub(crate) probes: bool,
    /// Scaling of the services, if the config file sets it.
    pub(crate) scaling: Option<&'a Managed>,
    /// Rollback alarms of the config file.
    pub(crate) alarms: &'a [String],
    /// Longest wait of a command.
    pub(crate) timeout: Duration,
}

/// Every mistake that a look at AWS shows: those that stop a command first.
pub(crate) fn find_mistakes(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Vec<Finding> {
    let mut found = reads::check_reads(snapshot);
    found.extend(services::check_services(snapshot, facts));
    found.extend(rules::check_rules(snapshot, facts));
    found.extend(scaling::check_scaling(snapshot, facts));
    found.extend(alarms::check_alarms(snapshot, facts));
    sort_findings(&mut found);
    found
}

/// Puts the mistakes that stop a command first.
pub(crate) fn sort_findings(found: &mut [Finding]) {
    found.sort_by_key(|finding| finding.severity);
}

/// The finding of a look that failed as a whole; none if AWS gave no answer, so that nothing is known.
pub(crate) fn failed_look(refusal: &Refusal) -> Option<Finding> {
    if let Refusal::NoCluster(_) = refusal {
        return Some(stops(Mistake::Refused { id: "cluster-missing", refusal: refusal.clone() }));
    }
    let Refusal::Unread(error) = refusal else { return None };
    (error.kind == AwsErrorKind::Denied).then(|| stops(Mistake::Unread(error.clone())))
}

/// A mistake that stops a command.
fn stops(mistake: Mistake) -> Finding {
    Finding { severity: Severity::Stops, mistake }
}

/// A mistake that stops no command.
fn warns(mistake: Mistake) -> Finding {
    Finding { severity: Severity::Warns, mistake }
}

#[cfg(test)]
mod tests;
