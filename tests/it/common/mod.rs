//! One builder runs the built binary as the runner would: a cleared environment, `INPUT_*`, an event file and the
//! file commands, against the testbed over real sockets.

pub mod copied;
pub mod edge;
pub mod event;
pub mod expression;
pub mod here;
pub mod iam;
pub mod kills;
pub mod life;
pub mod look;
pub mod needs;
pub mod own;
pub mod promote;
pub mod refused;
pub mod script;
pub mod services;
pub mod tls;
pub mod traffic;
pub mod users;
pub mod workflow;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use testbed::clock::Driver;
use testbed::github::{Level, Permissions};
use testbed::sample::{self, Sample};
use testbed::{Call, Calls, Testbed};

use here::Task;

/// The run's commit.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Makes a repository with pull request 7, which has the run's commit, and a job's token that may write everything.
pub fn pull_request(world: &mut testbed::World, token: &str) {
    let of = world.github.repository("shop", "web");
    of.commit(COMMIT).on_default_branch = false;
    of.branch("feature/cart", COMMIT);
    of.pull(7, COMMIT, "feature/cart", "main");
    world.github.token("job", token, Permissions::all(Level::Write));
}

/// The testbed with the sample stack: blue live on v1, green idle on v1, develop on v1.
pub fn stack() -> (Testbed, Sample) {
    let bed = Testbed::start(testbed::Options::default()).expect("the testbed starts");
    let sample = sample::create(&bed).expect("the sample stack settles");
    bed.clear_calls();
    (bed, sample)
}

/// One run of the action.
pub struct Action {
    /// The environment, whole.
    env: BTreeMap<String, String>,
    /// Workspace and file commands.
    dir: TempDir,
    /// The name that the binary is started by.
    entry: PathBuf,
    /// The record of the testbed that it runs against.
    record: Option<Calls>,
    /// How large its files may become, in bytes.
    limit: Option<u32>,
    /// What it runs on, and where AWS is, if it runs in this process.
    here: Option<(Arc<Driver>, SocketAddr)>,
}

/// What a run left.
#[derive(Debug)]
pub struct Done {
    /// The exit code.
    pub code: i32,
    /// Standard output and standard error.
    pub log: String,
    /// The outputs; the last value of each name counts.
    pub outputs: BTreeMap<String, String>,
    /// The step's state.
    pub state: BTreeMap<String, String>,
    /// The job summary.
    pub summary: String,
    /// What is in the workspace: files, folders and links, as paths in it.
    pub workspace: Vec<String>,
}

impl Action {
    /// A run against this testbed with the sample stack's names. Its poll interval is short if the run waits in real time.
    pub fn new(bed: &Testbed, command: &str) -> Self {
        let mut action = Self::bare().recorded(bed);
        for (name, value) in bed.client_env() {
            action = action.env(&name, &value);
        }
        action
            .input("command", command)
            .input("cluster", "shop")
            .input("blue-service", "web-blue")
            .input("green-service", "web-green")
            .input("develop-service", "web-dev")
            .input("poll-interval", if bed.driver().is_some() { "1s" } else { "100ms" })
    }

    /// A run with nothing but what the runner itself gives.
    pub fn bare() -> Self {
        let dir = TempDir::new().expect("a folder");
        let entry = PathBuf::from(env!("CARGO_BIN_EXE_ecs-blue-green"));
        let mut action = Action { env: BTreeMap::new(), dir, entry, record: None, limit: None, here: None };
        for name in ["output", "state", "summary", "env"] {
            fs::write(action.path(name), "").expect("a file");
        }
        fs::write(action.path("event.json"), "{}").expect("a file");
        fs::create_dir(action.path("workspace")).expect("a folder");
        let paths = [
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STATE", "state"),
            ("GITHUB_STEP_SUMMARY", "summary"),
            ("GITHUB_ENV", "env"),
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_WORKSPACE", "workspace"),
        ];
        for (name, file) in paths {
            let path = action.path(file).display().to_string();
            action = action.env(name, &path);
        }
        let fixed = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "shop/web"),
            ("GITHUB_SHA", COMMIT),
            ("GITHUB_REF_NAME", "main"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_API_URL", "http://127.0.0.1:9"),
            ("NO_COLOR", "1"),
        ];
        for (name, value) in fixed {
            action = action.env(name, value);
        }
        action
    }

    /// Looks at what it calls of this testbed; runs in this process if that does.
    pub fn recorded(mut self, bed: &Testbed) -> Self {
        self.record = Some(bed.record());
        self.here = bed.driver().map(|driver| (driver, bed.address()));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a variable away.
    pub fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Sets an input, as the runner does: capitals, dashes stay.
    pub fn input(self, name: &str, value: &str) -> Self {
        let name = format!("INPUT_{}", name.to_uppercase().replace(' ', "_"));
        self.env(&name, value)
    }

    /// Writes a file into the workspace.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.path("workspace").join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    /// Tells what started the run.
    pub fn event(self, json: &str) -> Self {
        fs::write(self.path("event.json"), json).expect("a file");
        self
    }

    /// The post step after a run that left this state.
    pub fn post(mut self, state: &BTreeMap<String, String>) -> Self {
        let link = self.path("ecs-blue-green-post");
        std::os::unix::fs::symlink(&self.entry, &link).expect("a link");
        self.entry = link;
        for (name, value) in state {
            self.env.insert(format!("STATE_{name}"), value.clone());
        }
        self
    }

    /// Where it saves what its post step reads.
    pub fn state_file(&self) -> PathBuf {
        self.path("state")
    }

    /// Lets no file of the run grow beyond so many blocks of 512 bytes, as on a full disk.
    pub fn limited(mut self, blocks: u32) -> Self {
        self.limit = Some(blocks * 512);
        self
    }

    /// A path in the run's own folder.
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Credentials, tokens, and the values of environment variables that are long enough to stand nowhere else.
    fn secrets(&self) -> Vec<&str> {
        let named =
            ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "INPUT_TOKEN"];
        let given = named.iter().filter_map(|name| self.env.get(*name)).map(String::as_str);
        let lines = self.env.get("INPUT_ENVIRONMENT").into_iter().flat_map(|text| text.lines());
        let values = lines.filter_map(|line| line.split_once(": ")).map(|(_, value)| value.trim());
        given.chain(values).filter(|value| value.len() > 11).collect()
    }

    /// What the testbed was called so far.
    fn called(&self) -> Vec<Call> {
        self.record.as_ref().map(Calls::all).unwrap_or_default()
    }

    /// Starts it.
    pub fn spawn(self) -> Running {
        let before = self.called().last().map_or(0, |call| call.number);
        let run = match self.here.clone() {
            None => Run::Process(self.process()),
            Some((driver, aws)) => Run::Task(Task::start(&driver, aws, &self)),
        };
        Running { run, action: self, before }
    }

    /// Starts it as a process.
    fn process(&self) -> Child {
        let mut command = match self.limit {
            None => Command::new(&self.entry),
            Some(bytes) => {
                let mut command = Command::new("env");
                let limit = format!("--fsize={bytes}");
                command.args(["--ignore-signal=XFSZ", "prlimit", &limit]).arg(&self.entry);
                command
            }
        };
        command.env_clear().envs(&self.env).current_dir(self.path("workspace"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    }

    /// Runs it to its end.
    pub fn run(self) -> Done {
        self.spawn().wait()
    }
}

/// What carries a run.
enum Run {
    /// A process of the built binary.
    Process(Child),
    /// A task of this process.
    Task(Task),
}

/// A run that is under way.
pub struct Running {
    /// What carries it.
    run: Run,
    /// Its surroundings.
    action: Action,
    /// The number of the last call before it.
    before: u64,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        match &self.run {
            Run::Process(child) => child.id(),
            Run::Task(_) => panic!("it is no process: `is_victim` names it to the testbed"),
        }
    }

    /// Is killed by the faults of the testbed that kill.
    pub fn is_victim(&self, bed: &Testbed) {
        match &self.run {
            Run::Process(child) => bed.set_victim(child.id()),
            Run::Task(task) => bed.set_victim_task(task.abort_handle()),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        match &self.run {
            Run::Process(child) => {
                let pid = rustix::process::Pid::from_child(child);
                rustix::process::kill_process(pid, signal).expect("the signal is sent");
            }
            Run::Task(task) => task.signal(signal),
        }
    }

    /// Waits for its end. Whatever it called has to be allowed by the policies that users copy, and nothing of what was
    /// given in confidence may be told.
    pub fn wait(self) -> Done {
        let (code, log) = match self.run {
            Run::Task(task) => task.wait(),
            Run::Process(child) => {
                let Output { status, stdout, stderr } = child.wait_with_output().expect("the binary ends");
                let log = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
                (status.code().unwrap_or(-1), log)
            }
        };
        let calls = self.action.called();
        let own = |call: &&Call| call.number > self.before && call.agent.contains("app/ecs-blue-green-run-");
        iam::allowed(calls.iter().filter(own));
        let done = Done {
            code,
            log,
            outputs: read_values(&self.action.path("output")),
            state: read_values(&self.action.path("state")),
            summary: fs::read_to_string(self.action.path("summary")).unwrap_or_default(),
            workspace: listed(&self.action.path("workspace"), ""),
        };
        done.keeps(&self.action.secrets());
        done
    }
}

impl Done {
    /// Asserts that none of these values is told; the log may have the runner mask them (invariant 32).
    #[track_caller]
    fn keeps(&self, secrets: &[&str]) {
        let log: String = self.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        let told = format!("{log}{}{:?}{:?}", self.summary, self.outputs, self.state);
        for secret in secrets {
            assert!(!told.contains(secret), "{secret} is told:\n{told}");
        }
    }

    /// An output, or an empty text.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// Result, reason and left, and the exit code: what a machine reads.
    pub fn verdict(&self) -> (i32, &str, &str, &str) {
        (self.code, self.output("result"), self.output("reason"), self.output("left"))
    }

    /// Asserts what a machine reads, and shows the log when it is something else.
    #[track_caller]
    pub fn expect(&self, code: i32, result: &str, reason: &str, left: &str) -> &Self {
        assert_eq!(self.verdict(), (code, result, reason, left), "{}", self.log);
        self
    }

    /// Asserts that the log holds a text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.log.contains(text), "the log does not say `{text}`:\n{}", self.log);
        self
    }
}

/// Everything in a folder and in those below it, in the order of the alphabet.
fn listed(folder: &Path, above: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a kind").is_dir() {
            found.extend(listed(&entry.path(), &format!("{name}/")));
        }
        found.push(name);
    }
    found.sort();
    found
}

/// Parses a file of `name<<DELIMITER` blocks as the runner does, which fails a step whose file ends in half a block.
fn read_values(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    let mut values = BTreeMap::new();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("no block: {line}"));
        let mut value = Vec::new();
        loop {
            match lines.next() {
                Some(line) if line == delimiter => break,
                Some(line) => value.push(line),
                None => panic!("half a block of {name}:\n{text}"),
            }
        }
        values.insert(name.to_owned(), value.join("\n"));
    }
    values
}

/// The recorded writes as short lines: `ecs UpdateService web-green web-green:2 desired=2`.
pub fn writes(bed: &Testbed) -> Vec<String> {
    bed.writes().iter().map(short).collect()
}

/// One write in short.
fn short(call: &testbed::Call) -> String {
    let text =
        |key: &str| call.input.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let mut line = format!("{} {}", call.service.prefix(), call.operation);
    let definition = text("taskDefinition");
    for part in
        [text("service"), text("family"), definition.rsplit('/').next().unwrap_or_default().to_owned()]
    {
        if !part.is_empty() {
            line.push(' ');
            line.push_str(&part);
        }
    }
    if let Some(count) = call.input.get("desiredCount").and_then(serde_json::Value::as_u64) {
        line.push_str(&format!(" desired={count}"));
    }
    if call.input.get("forceNewDeployment").and_then(serde_json::Value::as_bool) == Some(true) {
        line.push_str(" force");
    }
    line
}
