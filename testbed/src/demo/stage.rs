//! The stage of the demo: a small AWS with the sample stack, its users, the action, and a look at what came of it.

use super::action::{Done, Step};
use super::checks::Checks;
use super::screen::Screen;
use super::tally::{Answer, Expected};
use super::users::Users;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testbed::sample::{self, Sample};
use testbed::{Behavior, Crash, Options, Pace, Testbed};

/// How long a look at a listener, or a color on its way to rest, may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the words before a step stand, to be read.
const READING: Duration = Duration::from_secs(1);
/// How long new weights take to reach the load balancer's nodes.
const PROPAGATION: Duration = Duration::from_millis(1000);
/// What the testbed's own clock may add to that.
const SLACK: Duration = Duration::from_millis(150);
/// The group in which a run says what it found: shown whole once, and closed from then on.
const LOOK: &str = "Look at AWS";

/// What an act needs.
pub(super) struct Stage {
    /// The small AWS.
    pub(super) bed: Arc<Testbed>,
    /// Names and ports in it.
    pub(super) sample: Sample,
    /// Those who ask without end.
    pub(super) users: Users,
    /// The action's binary.
    product: PathBuf,
    /// Where to print.
    pub(super) screen: Arc<Screen>,
    /// What was checked so far.
    pub(super) checks: Checks,
    /// Exit codes of runs whose summary was shown.
    shown: BTreeSet<i32>,
    /// Whether a log was shown in which AWS was looked at.
    looked: bool,
}

/// A run of the action, and how it has to end.
pub(super) struct Run<'a> {
    /// What the checks call it.
    pub(super) name: &'a str,
    /// Its inputs, beside those that say where the services are.
    pub(super) inputs: &'a [(&'static str, &'a str)],
    /// Its exit code.
    pub(super) code: i32,
    /// Some of its outputs.
    pub(super) outputs: &'a [(&'a str, &'a str)],
}

impl Stage {
    /// Starts the testbed with the sample stack, at a pace that can be watched, and sends the users in.
    ///
    /// # Errors
    /// When ports or threads can't be had.
    pub(super) async fn set_up(product: PathBuf, screen: &Arc<Screen>) -> io::Result<Self> {
        let (bed, sample) = tokio::task::spawn_blocking(set_up).await.map_err(io::Error::other)??;
        let bed = Arc::new(bed);
        let users = Users::start(&bed, &sample, Expected::only(Answer::new("blue", "v1")));
        Ok(Self {
            bed,
            sample,
            users,
            product,
            screen: screen.clone(),
            checks: Checks::default(),
            shown: BTreeSet::new(),
            looked: false,
        })
    }

    /// Runs the action, shows how it looks, and checks how it ends.
    ///
    /// # Errors
    /// When the action can't be started or isn't done in time.
    pub(super) async fn run(&mut self, run: &Run<'_>) -> io::Result<()> {
        let command = run.inputs.first().map_or("", |(_, command)| command);
        let deploys = command == "deploy" || command == "status";
        self.bed.world(|world| world.checker.expect_no_weight_change(deploys));
        let done = self.step(run.inputs).await?;
        self.looked |= command != "status";
        self.bed.world(|world| world.checker.expect_no_weight_change(true));
        let name = run.name;
        self.checks.equal(&format!("{name}: exit code"), &done.code.to_string(), &run.code.to_string());
        let is_there = !done.summary.trim().is_empty();
        self.checks.holds(&format!("{name}: it wrote a job summary"), is_there, "the summary is empty");
        for (output, expected) in run.outputs {
            self.checks.equal(&format!("{name}: output `{output}`"), done.output(output), expected);
        }
        // One of a good run and one of a bad run are enough to see how they look.
        if command != "status" && self.shown.insert(done.code) {
            self.begin("its job summary, as Markdown");
            done.summary.trim_end().lines().for_each(|line| self.screen.say(&format!("│ {line}")));
            self.end();
        }
        Ok(())
    }

    /// Runs the action with these inputs, and shows how the step and its log look.
    async fn step(&self, inputs: &[(&'static str, &str)]) -> io::Result<Done> {
        let common = [("cluster", "shop"), ("blue-service", "web-blue"), ("green-service", "web-green")];
        let inputs: Vec<_> = (inputs.iter().chain(&common).chain(&[("poll-interval", "500ms")]))
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        tokio::time::sleep(READING).await;
        self.begin("the step in the workflow");
        inputs.iter().for_each(|(name, value)| self.screen.say(&format!("│ {name}: {value}")));
        self.end();
        self.begin("its job log");
        let color = self.screen.color;
        let folded = if self.looked { LOOK } else { "" };
        let step = Step { product: &self.product, env: self.bed.client_env(), inputs, color, folded };
        let screen = self.screen.clone();
        let done = step.run(move |line| screen.say(&format!("│ {line}"))).await?;
        self.screen.say(&format!("└─ exit code {}", done.code));
        Ok(done)
    }

    /// Waits until the load balancer follows the weights that were written last.
    pub(super) async fn propagated(&self) {
        tokio::time::sleep(PROPAGATION + SLACK).await;
    }

    /// Opens a frame.
    fn begin(&self, title: &str) {
        self.screen.say(&format!("\n┌─ {}", self.screen.bold(title)));
    }

    /// Closes the frame.
    fn end(&self) {
        self.screen.say("└─");
    }

    /// Checks what a color answers through its own listener once ECS has brought it to rest: `v2`.
    ///
    /// # Errors
    /// When the listener gives no answer.
    pub(super) async fn runs(&mut self, name: &str, color: &str, expected: &str) -> io::Result<()> {
        let found = self.answers(color).await?;
        self.checks.equal(&format!("{name}: what {color} runs"), &found, expected);
        Ok(())
    }

    /// What the tasks of a color answer.
    async fn answers(&self, color: &str) -> io::Result<String> {
        let (port, service) = match color {
            "blue" => (self.sample.blue_port, "web-blue"),
            _ => (self.sample.green_port, "web-green"),
        };
        let end = Instant::now() + PATIENCE;
        while !self.bed.world(|world| world.ecs.is_steady("shop", service)) {
            if Instant::now() >= end {
                return Ok("not steady".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // One answer of each of its two tasks, and one to spare.
        let mut versions: Vec<String> = Vec::new();
        for _ in 0..3 {
            versions.push(tokio::task::spawn_blocking(move || ask(port)).await.map_err(io::Error::other)??);
        }
        versions.dedup();
        Ok(versions.join(" and "))
    }

    /// How many tasks ECS keeps of a service.
    pub(super) fn desired(&self, service: &str) -> u32 {
        self.bed.world(|world| world.ecs.service("shop", service).map_or(0, |found| found.desired))
    }

    /// The weights of the production listener as its users meet them: `blue 100, green 0`.
    pub(super) fn weights(&self) -> String {
        let rules = self.bed.world(|world| world.elb.routed_rules());
        let rule = rules.iter().find(|rule| rule.listener == self.sample.production_listener);
        let weight = |group: &str| match rule.and_then(|rule| rule.weight(group)) {
            Some((weight, _)) => weight.to_string(),
            None => "none".to_owned(),
        };
        format!("blue {}, green {}", weight(&self.sample.blue_group), weight(&self.sample.green_group))
    }
}

/// Starts fast, then goes on at a pace at which one can see what happens.
fn set_up() -> io::Result<(Testbed, Sample)> {
    let bed = Testbed::start(Options::default())?;
    let sample = sample::create(&bed)?;
    let crash = Crash { after: Duration::from_millis(300), exit_code: 1, reason: None };
    let crashes = Behavior { crash: Some(crash), ..Behavior::good("v3") };
    let fails = Behavior { fail_users: true, ..Behavior::good("v4") };
    bed.world(|world| {
        for behavior in [crashes, fails, Behavior::good("v5")] {
            let tag = behavior.version.clone();
            world.ecr.push_behavior("shop/web", &tag, behavior);
        }
        world.checker.expect_no_weight_change(true);
        world.pace = Pace {
            launch: Duration::from_millis(1000),
            stop: Duration::from_millis(300),
            second: Duration::from_millis(250),
            propagation: PROPAGATION,
            ..Pace::default()
        };
    });
    bed.clear_calls();
    Ok((bed, sample))
}

/// One request: the version that answers with 200.
fn ask(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        status => Ok(format!("status {}", status.unwrap_or("none"))),
    }
}
