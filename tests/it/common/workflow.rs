//! Runs a workflow file as GitHub would: jobs in the order of `needs`, matrices, workflows that are called, and each step
//! of this action by the built binary with the inputs that the file gives. Steps of others are stood in for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use testbed::Testbed;
use testbed::github::{Level, Permissions};

use super::event::{Event, REPOSITORY};
use super::expression::{evaluated, filled, is_true, shown};
use super::own::{self, Ran};
use super::script::{self, Names};

/// Where the action itself stands in a workflow that is copied.
const OWN: &str = "OWNER/ecs-blue-green";

/// Where a run is at.
pub(crate) struct Runner<'a> {
    /// The simulated AWS and GitHub.
    pub(crate) bed: &'a Testbed,
    /// What started it.
    pub(crate) event: &'a Event,
    /// The repository's `.github/blue-green.yml`, which a checkout brings.
    pub(crate) config: String,
    /// Whether waits that are there for people and for DNS take no time.
    pub(crate) hurried: bool,
    /// The steps of this action so far.
    pub(crate) ran: Vec<Ran>,
    /// The comments that scripts posted by `gh`.
    pub(crate) posted: Vec<String>,
    /// `RUNNER_TEMP` of all jobs.
    temp: TempDir,
}

/// A workflow file that runs.
struct File<'a> {
    /// Its path.
    name: &'a str,
    /// Its content.
    workflow: &'a Value,
    /// Its inputs.
    inputs: Value,
    /// What its jobs may ask for at most, where it is called.
    most: Option<&'a BTreeSet<String>>,
}

/// A job that runs, in one workflow file.
pub(crate) struct Job<'a> {
    /// The file.
    pub(crate) file: &'a str,
    /// The job's key.
    pub(crate) id: &'a str,
    /// What its expressions see.
    pub(crate) contexts: Value,
    /// Its permissions, such as `id-token: write`.
    pub(crate) permissions: BTreeSet<String>,
    /// Its `timeout-minutes`.
    pub(crate) minutes: u64,
    /// What a checkout brought.
    pub(crate) config: Option<String>,
    /// The variables of all its steps: `env` of the workflow, and credentials that a step exported.
    pub(crate) env: Names,
}

/// A mapping's entries.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A file of the repository, or the text of a document's block.
pub(crate) fn parsed(file: &str, text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A file of the repository.
pub(crate) fn read(file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The inputs of a workflow as it is started or called: those that are given, else their defaults.
fn inputs(file: &str, declared: &Value, given: &Value) -> Value {
    for (name, value) in entries(given) {
        let input = declared.get(name).unwrap_or_else(|| panic!("{file} has no input `{name}`"));
        let options = input["options"].as_array();
        assert!(options.is_none_or(|options| options.contains(value)), "{file}: {name} is not to be {value}");
    }
    let value = |(name, input): (&String, &Value)| {
        let given = given.get(name).cloned();
        assert!(given.is_some() || input["required"] != true, "{file} needs `{name}`");
        (name.clone(), given.unwrap_or_else(|| input["default"].clone()))
    };
    Value::Object(entries(declared).map(value).collect())
}

impl<'a> Runner<'a> {
    /// A runner for this event, whose checkouts bring this `.github/blue-green.yml`. `hurried`: waits for people and for DNS
    /// take no time.
    pub(crate) fn new(bed: &'a Testbed, event: &'a Event, config: String, hurried: bool) -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        Self { bed, event, config, hurried, ran: Vec::new(), posted: Vec::new(), temp }
    }

    /// Runs the workflow of a file from its event.
    pub(crate) fn run(&mut self, file: &str, workflow: &Value) {
        let inputs = inputs(file, &workflow["on"]["workflow_dispatch"]["inputs"], &self.event.inputs);
        self.jobs(&File { name: file, workflow, inputs, most: None });
    }

    /// Runs a workflow that is called, with these inputs and at most these permissions; gives its outputs.
    pub(crate) fn call(&mut self, file: &str, given: &Value, most: Option<&BTreeSet<String>>) -> Value {
        let workflow = parsed(file, &read(file));
        let declared = &workflow["on"]["workflow_call"];
        let inputs = inputs(file, &declared["inputs"], given);
        let jobs = self.jobs(&File { name: file, workflow: &workflow, inputs, most });
        let value = |(name, output): (&String, &Value)| {
            let text = output["value"].as_str().expect("a value");
            (name.clone(), json!(filled(text, &json!({ "jobs": jobs }))))
        };
        Value::Object(entries(&declared["outputs"]).map(value).collect())
    }

    /// Runs jobs, each after those that it needs; gives what they put out. One that was skipped puts nothing out.
    fn jobs(&mut self, file: &File<'_>) -> Value {
        let mut done: Map<String, Value> = Map::new();
        let mut open: Vec<(&String, &Value)> = entries(&file.workflow["jobs"]).collect();
        while !open.is_empty() {
            let ready = |(_, job): &(&String, &Value)| needs(job).iter().all(|id| done.contains_key(*id));
            let at = open.iter().position(ready).expect("a job whose needs are met");
            let (id, job) = open.remove(at);
            let needed = needs(job).into_iter().map(|id| (id.to_owned(), done[id].clone())).collect();
            let contexts = json!({
                "github": self.event.github(""), "inputs": file.inputs, "needs": Value::Object(needed), "vars": {},
            });
            let skipped = contexts["needs"].as_object().expect("needs").values().any(Value::is_null);
            let wanted = job["if"].as_str().is_none_or(|when| is_true(&evaluated(when, &contexts)));
            let outputs = if skipped || !wanted {
                Value::Null
            } else {
                json!({ "result": "success", "outputs": self.job(file, (id, job), contexts) })
            };
            done.insert(id.clone(), outputs);
        }
        Value::Object(done)
    }

    /// Runs a job, once for each combination of its matrix; gives its outputs.
    fn job(&mut self, file: &File<'_>, (id, job): (&str, &Value), contexts: Value) -> Value {
        let permissions = permissions(job);
        assert!(
            file.most.is_none_or(|most| permissions.is_subset(most)),
            "{}: {id} asks for more than its caller",
            file.name
        );
        if let Some(uses) = job["uses"].as_str() {
            let called = uses.strip_prefix(&format!("{OWN}/")).and_then(|uses| uses.split('@').next());
            let with = given(&job["with"], &contexts);
            return self.call(called.expect("a workflow of this repository"), &with, Some(&permissions));
        }
        let mut outputs = Value::Null;
        for matrix in combinations(&job["strategy"]["matrix"]) {
            let mut contexts = contexts.clone();
            (contexts["matrix"], contexts["secrets"]) = (matrix, json!({}));
            contexts["github"] = self.event.github(&self.token(id, &permissions));
            contexts["steps"] = json!({});
            contexts["runner"] = json!({ "temp": self.temp.path() });
            contexts["env"] = given(&file.workflow["env"], &contexts);
            let env = entries(&contexts["env"]).map(|(name, value)| (name.clone(), shown(value))).collect();
            let environment = job["environment"].as_str();
            let subject = self.event.subject(environment);
            self.bed.world(|world| {
                world.oidc.run_of(REPOSITORY, &subject);
            });
            let permissions = permissions.clone();
            let minutes = job["timeout-minutes"].as_u64().expect("minutes");
            let mut running = Job { file: file.name, id, contexts, permissions, minutes, config: None, env };
            for (at, step) in job["steps"].as_array().expect("steps").iter().enumerate() {
                self.step(&mut running, at, step);
            }
            outputs = given(&job["outputs"], &running.contexts);
        }
        outputs
    }

    /// A token that may do what the job's permissions say, and nothing else.
    fn token(&self, id: &str, permissions: &BTreeSet<String>) -> String {
        let secret = format!("ghs_Zq9{id}");
        let level = |area: &str| match () {
            () if permissions.contains(&format!("{area}: write")) => Level::Write,
            () if permissions.contains(&format!("{area}: read")) => Level::Read,
            () => Level::None,
        };
        let permissions = Permissions {
            contents: level("contents"),
            issues: level("issues"),
            pull_requests: level("pull-requests"),
            deployments: level("deployments"),
            statuses: level("statuses"),
        };
        self.bed.world(|world| {
            world.github.token(id, &secret, permissions);
        });
        secret
    }

    /// Runs a step; what it puts out is seen by those behind it.
    fn step(&mut self, job: &mut Job<'_>, at: usize, step: &Value) {
        let always =
            step["if"].as_str().is_none_or(|when| ["${{ !cancelled() }}", "always()"].contains(&when));
        assert!(always, "{}: this `if` of a step is not known here", job.file);
        let mut env = job.env.clone();
        let own = given(&step["env"], &job.contexts);
        env.extend(entries(&own).map(|(name, value)| (name.clone(), shown(value))));
        let with = given(&step["with"], &job.contexts);
        let uses = step["uses"].as_str().and_then(|uses| uses.split('@').next());
        let outputs = match uses {
            Some("actions/checkout") => {
                assert!(job.permissions.contains("contents: read"), "{}: {} checks out", job.file, job.id);
                job.config = Some(self.config.clone());
                Names::new()
            }
            Some("aws-actions/configure-aws-credentials") => {
                job.env.extend(self.assumed(job, &with));
                Names::new()
            }
            Some("aws-actions/amazon-ecr-login") => {
                assert!(env.contains_key("AWS_SESSION_TOKEN"), "{}: {} logs in", job.file, job.id);
                BTreeMap::from([("registry".to_owned(), self.bed.world(|world| world.registry()))])
            }
            Some("hashicorp/setup-terraform") => Names::new(),
            Some(OWN) => own::run(self, job, at, &with),
            Some(other) => panic!("{}: {other} is not known here", job.file),
            None => self.script(job, step["run"].as_str().expect("a script"), &env),
        };
        if let Some(id) = step["id"].as_str() {
            job.contexts["steps"][id] = json!({ "outputs": outputs });
        }
    }

    /// Runs a script. One that calls `gh` has the job's token, and posts a comment.
    fn script(&mut self, job: &Job<'_>, script: &str, env: &Names) -> Names {
        if !script.contains("gh api ") {
            return script::run(self.bed, script, env);
        }
        assert!(job.permissions.contains("pull-requests: write"), "{}: {} comments", job.file, job.id);
        assert_eq!(env["GH_TOKEN"], shown(&job.contexts["github"]["token"]), "{}", job.file);
        self.posted.push(script::comment(script, env, self.temp.path()));
        Names::new()
    }

    /// The variables that the step before exports: a session by the job's id token, as the role's trust allows.
    fn assumed(&self, job: &Job<'_>, with: &Value) -> Names {
        assert!(job.permissions.contains("id-token: write"), "{}: {} assumes a role", job.file, job.id);
        let text = |name: &str| with[name].as_str().expect("a text").to_owned();
        let token =
            self.bed.world(|world| world.oidc.token("sts.amazonaws.com", std::time::SystemTime::now()));
        let input = json!({
            "RoleArn": text("role-to-assume"), "RoleSessionName": text("role-session-name"), "WebIdentityToken": token,
        });
        let answer =
            self.bed.call(testbed::Service::Sts, "AssumeRoleWithWebIdentity", input).expect("a session");
        let key = |name: &str| answer["Credentials"][name].as_str().expect("a key").to_owned();
        let names = [
            ("AWS_ACCESS_KEY_ID", key("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", key("SecretAccessKey")),
            ("AWS_SESSION_TOKEN", key("SessionToken")),
            ("AWS_REGION", text("aws-region")),
            ("AWS_DEFAULT_REGION", text("aws-region")),
        ];
        names.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// What a job needs.
fn needs(job: &Value) -> Vec<&str> {
    let list =
        job["needs"].as_array().into_iter().flatten().chain(job.get("needs").filter(|one| one.is_string()));
    list.map(|id| id.as_str().expect("a job")).collect()
}

/// What a job asks for, such as `id-token: write`.
fn permissions(job: &Value) -> BTreeSet<String> {
    entries(&job["permissions"]).map(|(name, level)| format!("{name}: {}", shown(level))).collect()
}

/// A mapping with its expressions evaluated: one that is alone keeps its kind.
fn given(mapping: &Value, contexts: &Value) -> Value {
    let value = |value: &Value| match value.as_str().map(str::trim) {
        Some(text) if text.starts_with("${{") && text.ends_with("}}") && text.matches("${{").count() == 1 => {
            evaluated(text.trim_start_matches("${{").trim_end_matches("}}"), contexts)
        }
        Some(_) => json!(filled(value.as_str().unwrap_or_default(), contexts)),
        None => value.clone(),
    };
    Value::Object(entries(mapping).map(|(name, found)| (name.clone(), value(found))).collect())
}

/// The combinations of a matrix's values; without one, a single empty one.
fn combinations(matrix: &Value) -> Vec<Value> {
    let mut all = vec![json!({})];
    for (name, values) in entries(matrix) {
        let with = |one: &Value, value: &Value| {
            let mut one = one.clone();
            one[name] = value.clone();
            one
        };
        let values = values.as_array().expect("values");
        all = all.iter().flat_map(|one| values.iter().map(move |value| with(one, value))).collect();
    }
    all
}
