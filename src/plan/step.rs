//! The values a decision is made of: what to do next, what to refuse, and how a run ends.

mod write;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::color::{Color, Split};
use super::look::Look;
use super::problem::Problem;
use super::repeats::Unkept;
use super::scalers;
use super::snapshot::Place;
use super::traffic::Load;
use super::trouble::Trouble;
use super::verdict::{Ended, Mine, Recovery, Waiting};
use super::wiring::Tangle;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Do this, and look again.
    Step(Step),
    /// Look again after the poll interval.
    Wait(Wait),
    /// Look again now, with these parts too.
    Look(Look),
    /// From now on this deployment is the run's own.
    Follow(Follow),
    /// The deployment failed: say so at once, gather the cause, then go on.
    Turn(Failing, Recovery),
    /// Not to be started.
    Refuse(Refusal),
    /// The end.
    Done(End),
}

/// A deployment that is the run's own without a write: nothing to change, or a change that was under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Follow {
    /// What to wait for.
    pub(crate) mine: Mine,
    /// Whether it was under way already.
    pub(crate) adopted: bool,
    /// What the color ran before it, where that is known.
    pub(crate) found: Option<Found>,
}

/// A color as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// ARN of its task definition.
    pub(crate) task_definition: String,
    /// Its desired count.
    pub(crate) desired: u32,
}

/// One step of a run: a write, or a question that only the outside can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Look for a revision that holds the wanted content already. Reads only.
    Find {
        /// The family to look in.
        family: String,
    },
    /// Register the wanted content as a new revision.
    Register {
        /// Its family.
        family: String,
    },
    /// Update the service.
    Update(Update),
    /// Ask the probes through the test listener. Reads only.
    Probe,
    /// Change the weights of one production rule, and read it back.
    Weights(Box<Weights>),
    /// Change a scalable target, or make it.
    Scaling(Scaling),
    /// Put a scaling policy of ours.
    Policy(Box<Put>),
    /// Put an alarm of ours.
    Alarm(Box<Put>),
}

/// One ModifyListener or ModifyRule call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weights {
    /// The rule's ARN.
    pub(crate) rule: String,
    /// Its listener's ARN.
    pub(crate) listener: String,
    /// Whether it is the listener's default action, which changes by ModifyListener.
    pub(crate) default: bool,
    /// Its name for people: `HTTPS:443 rule 10`.
    pub(crate) name: String,
    /// What it holds now.
    pub(crate) before: Split,
    /// What it shall hold.
    pub(crate) after: Split,
    /// The color that the rule does not hold yet and that is brought in.
    pub(crate) adopts: Option<Color>,
    /// All actions of the rule with the new weights, as AWS's API writes them: what is sent.
    pub(crate) actions: serde_json::Value,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

/// One RegisterScalableTarget call. What is none stays; a scalable target that does not exist yet is made with both
/// bounds. AWS moves the desired count into the bounds at every such call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scaling {
    /// The service's color.
    pub(crate) color: Color,
    /// The service's name.
    pub(crate) service: String,
    /// MinCapacity.
    pub(crate) min: Option<u32>,
    /// MaxCapacity.
    pub(crate) max: Option<u32>,
    /// Whether dynamic scale-in is suspended.
    pub(crate) in_suspended: Option<bool>,
    /// Whether there is no scalable target yet.
    pub(crate) new: bool,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

/// One PutScalingPolicy or PutMetricAlarm call: it writes the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    /// The service's color.
    pub(crate) color: Color,
    /// The service's name.
    pub(crate) service: String,
    /// The name of the policy or alarm.
    pub(crate) name: String,
    /// Whether there was none.
    pub(crate) new: bool,
    /// `StepScalingPolicyConfiguration`, or what PutMetricAlarm takes beside the name, as AWS's API writes it.
    pub(crate) content: serde_json::Value,
    /// What differs from what AWS holds.
    pub(crate) changes: Vec<scalers::Change>,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

/// One UpdateService call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    /// The service's color.
    pub(crate) color: Color,
    /// The service's name.
    pub(crate) service: String,
    /// The new task definition's ARN, where it changes (or in a plan, what stands for it).
    pub(crate) task_definition: Option<String>,
    /// The new desired count, where it changes.
    pub(crate) desired: Option<u32>,
    /// Whether to start a deployment although nothing changes.
    pub(crate) force: bool,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

impl Update {
    /// Whether it starts a deployment: a change of the count alone does not.
    pub(crate) fn rolls(&self) -> bool {
        self.force || self.task_definition.is_some()
    }
}

/// What an update of a service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The new version.
    Deploy,
    /// Users: weights, and the capacity for them.
    Traffic,
    /// The way back to what was found.
    Restore,
}

/// Why the run waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// AWS did not answer; what is unknown holds.
    Trouble(Trouble),
    /// A write had no answer; AWS is read until it shows, or it is certain that it does not.
    Unanswered(Trouble),
    /// The deployment.
    Deployment(Waiting),
    /// AWS's own rollback.
    Rollback {
        /// Tasks that run again.
        running: u32,
        /// Tasks that should.
        desired: u32,
    },
    /// Our own way back.
    Restore {
        /// Tasks that run again.
        running: u32,
        /// Tasks that should.
        desired: u32,
    },
    /// Another try of the probes.
    Probe,
    /// Healthy targets of a color that is going to get users.
    Capacity(Capacity),
    /// A desired count that AWS took and does not show yet.
    Count {
        /// The color.
        color: Color,
        /// The count.
        asked: u32,
    },
    /// The same write was sent a moment ago and AWS does not show it, or not any more.
    Repeat(Box<Step>),
    /// New weights do not show yet in what AWS answers.
    Weights {
        /// The rule's name for people.
        rule: String,
    },
    /// A bake: users are held at a split while alarms and health are watched.
    Bake {
        /// The split.
        split: Split,
        /// Until it is over, in whole seconds.
        left: Duration,
        /// Alarms that have no data.
        no_data: Vec<String>,
    },
    /// Users whom stickiness keeps at a color that has no weight any more.
    Drain {
        /// The color.
        color: Color,
        /// Until it is over, in whole seconds.
        left: Duration,
    },
    /// All users are at one color; scale-in is allowed again once it has carried them for a while.
    Settle {
        /// The color.
        color: Color,
        /// Until it is over, in whole seconds.
        left: Duration,
    },
}

/// What a color has and needs for its coming share of the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// The color.
    pub(crate) color: Color,
    /// Its coming share in percent.
    pub(crate) share: u32,
    /// Healthy targets that it has.
    pub(crate) healthy: u32,
    /// Healthy targets that it needs.
    pub(crate) needed: u32,
    /// Its desired count.
    pub(crate) desired: u32,
    /// MaxCapacity of its scalable target, where it has one.
    pub(crate) most: Option<u32>,
}

/// A deployment or a change of traffic that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    /// The deployment itself.
    Deployment(Ended),
    /// A probe got a wrong answer.
    Probe(ProbeFailure),
    /// A signal ended the run.
    Cancelled,
    /// A change of traffic.
    Traffic(Stuck),
    /// A write that did not last, however often it was repeated.
    Repeated(Box<Unkept>),
}

/// How a change of traffic fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// Rollback alarms fired during a bake: each with its name and AWS's reason.
    Alarm(Vec<(String, String)>),
    /// The color that got users lost healthy targets during a bake.
    Sick(Capacity),
    /// A color did not become healthy enough for its coming share in time.
    NotEnough(Capacity),
    /// AWS could not be asked for so long that going on would be blind.
    Blind(Trouble),
    /// Somebody else changed a production rule meanwhile.
    Overtaken {
        /// The rule's name for people.
        rule: String,
        /// What it should hold.
        expected: Split,
        /// What it holds.
        found: Split,
    },
    /// A rule does not show what was written, although AWS took it.
    NotShown {
        /// The rule's name for people.
        rule: String,
        /// What was written.
        written: Split,
    },
    /// AWS refused a write.
    Trouble(Trouble),
    /// What the run sees now would have been refused at its beginning.
    Refused(Box<Refusal>),
}

/// What a probe got instead of the right answer. No body in it: bodies may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeFailure {
    /// The whole URL that was asked.
    pub(crate) url: String,
    /// What came back.
    pub(crate) kind: ProbeFailureKind,
}

/// The ways a probe fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeFailureKind {
    /// No rule sends it to the color alone any more; it was not sent.
    NoRule,
    /// Another status code.
    Status {
        /// What was found.
        found: u16,
        /// What passes.
        wanted: u16,
    },
    /// The body lacks a text.
    Body {
        /// The text.
        wanted: String,
    },
    /// The listener's certificate is for other names; nothing was asked.
    Certificate {
        /// The names that it is for.
        names: Vec<String>,
        /// The host that was asked for.
        host: String,
    },
    /// Not sent: the proxy on the way looks the host up itself, and the host does not lead to the load balancer.
    Elsewhere {
        /// The proxy by host and port.
        proxy: String,
        /// The host.
        host: String,
    },
    /// No answer at all: the network between runner and load balancer, more often than the version.
    Unreachable {
        /// The error chain.
        why: String,
    },
}

/// What a run that did not succeed left in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Left {
    /// No service was changed. (A registered revision that nothing uses may be there.)
    Untouched,
    /// What was changed is put back as it was found, read back from AWS.
    Restored,
    /// Deliberately left changed, as the message says.
    Changed,
    /// Not known: the message says what to check and how.
    Unknown,
}

impl Left {
    /// The word in the output `left`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Left::Untouched => "untouched",
            Left::Restored => "restored",
            Left::Changed => "changed",
            Left::Unknown => "unknown",
        }
    }
}

/// Why something was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// Nothing had been changed.
    NothingChanged,
    /// This run put it back.
    PutBack,
    /// AWS put it back.
    AwsPutBack,
    /// AWS went back to another task definition than the one that was found: the last one that it saw complete.
    AwsElsewhere,
    /// `on-cancel: leave`.
    Asked,
    /// Somebody else changed the service meanwhile; theirs stands.
    Theirs,
    /// The service already wanted this version when the run began, and what it ran before is not known.
    NothingToGoBackTo,
    /// The same task definition was rolled out again (an image tag that moved): there is no other one to go back to.
    SameDefinition,
    /// The new version is healthy; only old tasks still drain.
    OnlyDrains,
    /// Users were moved to the color while it was deployed to: what serves them is not taken away from under them.
    UsersCame,
    /// Users were moved to the color while nothing was wrong with its deployment: AWS goes on with it.
    UsersCameMeanwhile {
        /// ARN of the task definition that it brings.
        version: String,
    },
    /// The color was put back to its version; users came while it was, so it keeps the larger count.
    CountKept {
        /// Its desired count.
        count: u32,
    },
    /// What keeps the run from knowing that users were not moved to the color meanwhile.
    UsersNotKnown(Box<Refusal>),
    /// The service was not changed; policies and alarms for its scaling were.
    ScalingStays,
    /// AWS refused the way back, or did not answer.
    Trouble(Trouble),
    /// The way back was asked for and has not been read back in time.
    NotConfirmed,
    /// The color that users would go back to has too few healthy targets for it.
    NotEnough(Capacity),
    /// A promote of several phases: what the earlier ones changed stays, and users stay where they are.
    Midway,
    /// All users had been moved as wanted; only the watch over it did not come to its end.
    Arrived,
    /// Users are where they were wanted, and no target there is healthy.
    NotServed,
    /// The way back did not last, however often it was written.
    Repeated(Box<Unkept>),
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The goal stands.
    Good {
        /// Whether this run changed something, or adopted a change that was under way.
        changed: bool,
        /// Healthy targets of the color's own tasks; for traffic: of the color that gained users.
        healthy: u32,
    },
    /// It does not.
    Bad {
        /// Why.
        failing: Failing,
        /// What is left.
        left: Left,
        /// Why it is left so.
        because: Because,
    },
}

/// Why a run is not to be started. Told before the first write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The cluster is not in this account and region.
    NoCluster(Place),
    /// Services that the cluster does not have.
    Missing {
        /// Each by color and name.
        services: Vec<(Color, String)>,
        /// Where they were looked for.
        place: Place,
    },
    /// A service that is being deleted, or was.
    NotActive {
        /// Its name.
        service: String,
        /// `DRAINING` or `INACTIVE`.
        status: &'static str,
    },
    /// A service that is set up in a way that this action does not handle.
    Setup {
        /// Its name.
        service: String,
        /// Which part.
        part: SetupPart,
        /// What was found.
        found: String,
    },
    /// The load balancer's rules can't be read as blue and green.
    Tangle(Tangle),
    /// `color: develop` without a develop service.
    NoDevelop,
    /// The color serves users.
    LiveColor {
        /// The color.
        color: Color,
        /// The split.
        split: Split,
        /// The rules outside the split that send users there, by name.
        rules: Vec<String>,
    },
    /// A promote would shrink or change a color that rules outside the split send users to.
    UserRules {
        /// The color.
        color: Color,
        /// The rules by name.
        rules: Vec<String>,
        /// The split.
        split: Split,
    },
    /// Both colors serve users.
    NoIdleColor(Split),
    /// Another deployment is in progress.
    InFlight {
        /// The service.
        service: String,
        /// The deployment's id.
        id: String,
        /// What it brings.
        task_definition: String,
    },
    /// Minimum and maximum percent leave no room.
    NoRoom {
        /// The service.
        service: String,
        /// Desired count.
        desired: u32,
        /// Minimum healthy percent.
        minimum: u32,
        /// Maximum percent.
        maximum: u32,
    },
    /// Probes were asked for, and no rule sends one of them to this color alone.
    NoTestAddress {
        /// The color.
        color: Color,
        /// The path of the probe.
        path: String,
        /// The color's host in the config file.
        host: Option<String>,
    },
    /// Probes were asked for, and only a host is missing to send them: no certificate has the load balancer's own name.
    NoHost {
        /// The color.
        color: Color,
        /// The listener that leads to it alone, such as `HTTPS:8443`.
        listener: String,
    },
    /// The color's target group is used by no rule, so nobody checks its health.
    NotChecked(Color),
    /// AWS refuses to answer for good.
    Unread(Trouble),
    /// A color has too few healthy targets for its coming share, and that can't be helped.
    NotEnough {
        /// The numbers.
        capacity: Capacity,
        /// The full load.
        load: Load,
        /// Why it can't be helped.
        why: Short,
    },
    /// A production rule holds one color alone, and nobody said `adopt: true`.
    NotAdopted {
        /// The rule's name for people.
        rule: String,
        /// The color that it does not hold.
        lacks: Color,
    },
    /// The color does not run what was approved.
    OtherTaskDefinition {
        /// The color.
        color: Color,
        /// What it runs.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// Rollback alarms that do not exist.
    NoAlarm(Vec<String>),
    /// Rollback alarms that fire before the first step: name and AWS's reason.
    AlarmFiring(Vec<(String, String)>),
    /// Rollback alarms that fire at a split that an earlier run left: name and AWS's reason.
    AlarmAt {
        /// The alarms.
        firing: Vec<(String, String)>,
        /// The color that gains users, and has some.
        color: Color,
        /// The split now.
        split: Split,
    },
    /// The deployment of the color that gains users failed: the next task that starts there is one of it.
    FailedThere {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
        /// What the deployment brought.
        task_definition: String,
    },
    /// A step that goes beyond the target.
    StepBeyond {
        /// The step, percent.
        step: u32,
        /// The color that gains users.
        color: Color,
        /// Its share in the end, percent.
        target: u32,
    },
    /// `idle-count` is more than production has.
    IdleAbove {
        /// The color that would be without users.
        color: Color,
        /// What was asked for.
        idle: u32,
        /// The most that production can have.
        production: u32,
    },
    /// Variables that each color should keep, and neither has: each with the nearest that one has.
    NoVariable(Vec<(String, Option<String>)>),
    /// A copy from a color without a task: which image a tag stands for is not told, and production's is by digest.
    NoDigest {
        /// The color that was tested.
        color: Color,
        /// Its images.
        images: Vec<String>,
    },
    /// A copy whose images no registry can have.
    Images {
        /// The color that was tested.
        color: Color,
        /// What is wrong with each image.
        problems: Vec<Problem>,
    },
    /// Something that is not ours, or of another kind, bears the name of a scaling policy or alarm of ours.
    NameTaken {
        /// The service.
        service: String,
        /// The name.
        name: String,
        /// What bears it.
        found: String,
        /// What should.
        wanted: &'static str,
    },
    /// A rollback from a split: where to was not said.
    WhichColor(Split),
}

/// Why too few healthy targets can't be helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// `scale-up: false`.
    NoScaleUp,
    /// MaxCapacity is lower than what is needed.
    MaxCapacity,
    /// The config's `scaling.max` is, and so is MaxCapacity.
    ConfigMax,
    /// The tasks are there and not healthy, and none is on its way.
    Unhealthy,
    /// None became healthy until the time-out; nothing had been written.
    TimedOut,
}

impl Refusal {
    /// What it means that nothing could be seen at this place. DescribeServices names a missing cluster by its code.
    pub(crate) fn of_look(trouble: Trouble, place: &Place) -> Refusal {
        if trouble.code.as_deref() == Some("ClusterNotFoundException") {
            return Refusal::NoCluster(place.clone());
        }
        Refusal::Unread(trouble)
    }
}

/// The parts of a service's setup that can be unsupported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetupPart {
    /// `deploymentController`.
    Controller,
    /// `deploymentConfiguration.strategy`.
    Strategy,
    /// `schedulingStrategy`.
    Scheduling,
    /// `loadBalancers`: not exactly one target group.
    TargetGroups,
    /// `loadBalancers`: a classic load balancer.
    ClassicBalancer,
}
