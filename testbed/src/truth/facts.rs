//! Facts about AWS behind the decisions, each with a check of recorded answers.

use serde_json::Value;

use super::walk::{Record, nodes, texts};

/// The recorded answers' verdict on a fact.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The fact is true.
    Holds,
    /// The fact is false; with the answer.
    Differs(String),
    /// The answers don't show the fact; with the requirement.
    Unseen(&'static str),
}

/// One fact.
pub(super) struct Fact {
    /// The fact in one sentence, as in `docs/aws-semantics.md`.
    pub(super) sentence: &'static str,
    /// The check.
    pub(super) check: fn(&Record<'_>) -> Verdict,
}

/// The facts visible in reads.
pub(super) const READ: [Fact; 13] = [
    Fact { sentence: "A service lists one PRIMARY deployment, with an id `ecs-svc/NUMBER`", check: primary },
    Fact { sentence: "The ARN of a service revision ends with that NUMBER", check: revision_number },
    Fact { sentence: "Events of a service come newest first", check: events },
    Fact { sentence: "`startedBy` of a service's task is its deployment's id", check: started_by },
    Fact { sentence: "Containers of a running task show their image's digest", check: digests },
    Fact { sentence: "A task's addresses are those of its targets", check: addresses },
    Fact { sentence: "DescribeRules lists the default rule, with `IsDefault`", check: default_rule },
    Fact { sentence: "A forward to several target groups shows each weight, 0 too", check: weights },
    Fact { sentence: "Targets of a group that only has weight 0 are checked", check: idle_targets },
    Fact { sentence: "Tags of a task definition come back only when asked for", check: tags },
    Fact { sentence: "An unknown service is a failure with reason MISSING", check: missing },
    Fact { sentence: "An unknown cluster is a ClusterNotFoundException", check: unknown_cluster },
    Fact { sentence: "An unknown listener is a ListenerNotFound", check: unknown_listener },
];

/// Holds if the value is true; otherwise differs, with this text.
fn holds(good: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if good { Verdict::Holds } else { Verdict::Differs(otherwise()) }
}

/// All values at a path of all results of a call.
fn all<'r>(record: &'r Record<'_>, call: &str, path: &str) -> Vec<&'r Value> {
    record.results(call).into_iter().flat_map(|result| nodes(result, path)).collect()
}

/// All texts at a path of all results of a call.
fn all_texts(record: &Record<'_>, call: &str, path: &str) -> Vec<String> {
    record.results(call).into_iter().flat_map(|result| texts(result, path)).collect()
}

/// See [`READ`].
fn primary(record: &Record<'_>) -> Verdict {
    for service in all(record, "DescribeServices", "services") {
        let deployments = nodes(service, "deployments");
        let primary: Vec<_> = deployments.iter().filter(|one| one["status"] == "PRIMARY").collect();
        let id = primary.first().and_then(|one| one["id"].as_str()).unwrap_or_default();
        if primary.len() != 1 || !id.starts_with("ecs-svc/") {
            return Verdict::Differs(format!("{} are PRIMARY, the first has the id {id:?}", primary.len()));
        }
    }
    Verdict::Holds
}

/// The part of an ARN or id after its last slash.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// See [`READ`].
fn revision_number(record: &Record<'_>) -> Verdict {
    let revisions =
        all_texts(record, "ListServiceDeployments", "serviceDeployments.targetServiceRevisionArn");
    if revisions.is_empty() {
        return Verdict::Unseen("a service deployed in the last 90 days");
    }
    let ids = all_texts(record, "DescribeServices", "services.deployments.id");
    let without = ids.iter().find(|id| !revisions.iter().any(|arn| last_part(arn) == last_part(id)));
    match without {
        None => Verdict::Holds,
        Some(id) => Verdict::Differs(format!("{id} ends none of {} revisions", revisions.len())),
    }
}

/// True if a list of numbers never rises.
fn falls(times: &[f64]) -> bool {
    times.windows(2).all(|pair| pair[0] >= pair[1])
}

/// The times of a field in each of several lists; none if no list has two entries.
fn times(lists: &[&Value], list: &str, field: &str) -> Option<Vec<Vec<f64>>> {
    let read = |result: &&Value| nodes(result, list).iter().filter_map(|one| one[field].as_f64()).collect();
    let times: Vec<Vec<f64>> = lists.iter().map(read).collect();
    times.iter().any(|list| list.len() > 1).then_some(times)
}

/// See [`READ`].
fn events(record: &Record<'_>) -> Verdict {
    match times(&all(record, "DescribeServices", "services"), "events", "createdAt") {
        None => Verdict::Unseen("a service with two events"),
        Some(times) => holds(times.iter().all(|list| falls(list)), || "another order".to_owned()),
    }
}

/// See [`READ`].
fn started_by(record: &Record<'_>) -> Verdict {
    let started = all_texts(record, "DescribeTasks: running", "tasks.startedBy");
    if started.is_empty() {
        return Verdict::Unseen("a running task");
    }
    let ids = all_texts(record, "DescribeServices", "services.deployments.id");
    match started.iter().find(|by| !ids.contains(by)) {
        None => Verdict::Holds,
        Some(by) => Verdict::Differs(format!("a task was started by {by:?}")),
    }
}

/// See [`READ`].
fn digests(record: &Record<'_>) -> Verdict {
    let containers = all(record, "DescribeTasks: running", "tasks.containers");
    if containers.is_empty() {
        return Verdict::Unseen("a running task");
    }
    let without = containers.iter().filter(|one| !one["imageDigest"].is_string()).count();
    holds(without == 0, || format!("{without} of {} containers show none", containers.len()))
}

/// See [`READ`].
fn addresses(record: &Record<'_>) -> Verdict {
    let types = all_texts(record, "DescribeTargetGroups", "TargetGroups.TargetType");
    let targets = all_texts(record, "DescribeTargetHealth", "TargetHealthDescriptions.Target.Id");
    if targets.is_empty() || types.iter().any(|kind| kind != "ip") {
        return Verdict::Unseen("target groups of type ip with targets");
    }
    let networks = "tasks.containers.networkInterfaces";
    let mut known = all_texts(record, "DescribeTasks: running", &format!("{networks}.privateIpv4Address"));
    known.extend(all_texts(record, "DescribeTasks: running", &format!("{networks}.ipv6Address")));
    match targets.iter().filter(|target| !known.contains(target)).count() {
        0 => Verdict::Holds,
        strange => Verdict::Differs(format!("{strange} of {} targets are no task's", targets.len())),
    }
}

/// See [`READ`].
fn default_rule(record: &Record<'_>) -> Verdict {
    let rules = record.results("DescribeRules");
    if rules.is_empty() {
        return Verdict::Unseen("a listener");
    }
    let good =
        |result: &&Value| texts(result, "Rules.IsDefault").iter().filter(|is| *is == "true").count() == 1;
    holds(rules.iter().all(good), || "a listener does not list exactly one".to_owned())
}

/// The tuples of target groups of all forward actions to several groups.
fn splits<'r>(record: &'r Record<'_>) -> Vec<Vec<&'r Value>> {
    let actions = all(record, "DescribeRules", "Rules.Actions");
    let groups = actions.into_iter().map(|action| nodes(action, "ForwardConfig.TargetGroups"));
    groups.filter(|groups| groups.len() > 1).collect()
}

/// See [`READ`].
fn weights(record: &Record<'_>) -> Verdict {
    let splits = splits(record);
    if splits.is_empty() {
        return Verdict::Unseen("a rule that splits between two target groups");
    }
    let without = splits.iter().flatten().filter(|group| group["Weight"].is_null()).count();
    holds(without == 0, || format!("{without} target groups show none"))
}

/// See [`READ`].
fn idle_targets(record: &Record<'_>) -> Verdict {
    let splits = splits(record);
    let idle = splits.iter().flatten().any(|group| group["Weight"] == "0");
    let states = all_texts(record, "DescribeTargetHealth", "TargetHealthDescriptions.TargetHealth.State");
    if !idle || states.is_empty() {
        return Verdict::Unseen("a color at weight 0 with tasks");
    }
    let unused = states.iter().filter(|state| *state == "unused").count();
    holds(unused == 0, || format!("{unused} of {} targets are unused", states.len()))
}

/// See [`READ`].
fn tags(record: &Record<'_>) -> Verdict {
    if all(record, "DescribeTaskDefinition", "tags").is_empty() {
        return Verdict::Unseen("a task definition with tags");
    }
    let shown = all(record, "DescribeTaskDefinition: without tags", "tags").len();
    holds(shown == 0, || format!("{shown} came unasked"))
}

/// See [`READ`].
fn missing(record: &Record<'_>) -> Verdict {
    let reasons = all_texts(record, "DescribeServices: unknown service", "failures.reason");
    holds(reasons == ["MISSING"], || format!("{reasons:?}"))
}

/// Checks that a call was refused with this code.
fn refused(record: &Record<'_>, call: &str, expected: &str) -> Verdict {
    match record.code(call) {
        None => Verdict::Unseen("the call"),
        Some(code) => holds(code == expected, || code.to_owned()),
    }
}

/// See [`READ`].
fn unknown_cluster(record: &Record<'_>) -> Verdict {
    refused(record, "DescribeServices: unknown cluster", "ClusterNotFoundException")
}

/// See [`READ`].
fn unknown_listener(record: &Record<'_>) -> Verdict {
    refused(record, "DescribeListeners: unknown listener", "ListenerNotFound")
}
