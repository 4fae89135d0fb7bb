//! The stage of the demo: a small AWS with the sample stack, its users, the action, and checks of the result.

use super::Chapter;
use super::action::{Done, Step};
use super::checks::Checks;
use super::compare::WORSE;
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

/// Longest time of a run, unless a chapter needs more.
const RUN: Duration = Duration::from_secs(60);
/// Age of a minute's counts when CloudWatch shows them whole, in seconds.
const METRICS_AGE: u64 = 60;
/// Longest time for a request to a listener, or for a color to come to rest.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time to read the words before a step.
const READING: Duration = Duration::from_secs(1);
/// Time until new weights reach the load balancer's nodes.
const PROPAGATION: Duration = Duration::from_millis(1000);
/// Extra time for the testbed's own clock.
const SLACK: Duration = Duration::from_millis(150);
/// The log group of a run's findings: shown whole once, and closed from then on.
const LOOK: &str = "Look at AWS";

/// The tools of an act.
pub(super) struct Stage {
    /// The small AWS.
    pub(super) bed: Arc<Testbed>,
    /// Names and ports in it.
    pub(super) sample: Sample,
    /// Users that send requests without end.
    pub(super) users: Users,
    /// The action's binary.
    product: PathBuf,
    /// The output.
    pub(super) screen: Arc<Screen>,
    /// The checks so far.
    pub(super) checks: Checks,
    /// Exit codes of runs whose summary was shown.
    shown: BTreeSet<i32>,
    /// True once a log with the reads of AWS was shown.
    looked: bool,
    /// Longest time of a run.
    pub(super) patience: Duration,
}

/// A run of the action, and its expected end.
pub(super) struct Run<'a> {
    /// The run's name in the checks.
    pub(super) name: &'a str,
    /// The inputs, besides those that name the services.
    pub(super) inputs: &'a [(&'static str, &'a str)],
    /// The exit code.
    pub(super) code: i32,
    /// Some of the outputs.
    pub(super) outputs: &'a [(&'a str, &'a str)],
}

impl Stage {
    /// Starts the testbed with the sample stack, at a pace to watch, and starts the users.
    ///
    /// # Errors If ports or threads are unavailable.
    pub(super) async fn set_up(product: PathBuf, screen: &Arc<Screen>, chapter: Chapter) -> io::Result<Self> {
        let (bed, sample) =
            tokio::task::spawn_blocking(move || set_up(chapter)).await.map_err(io::Error::other)??;
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
            patience: RUN,
        })
    }

    /// Runs the action, shows its output, and checks its end.
    ///
    /// # Errors If the action can't be started or does not finish in time.
    pub(super) async fn run(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.run_compared(run).await.map(|_| ())
    }

    /// The same, and returns the output `compared`.
    ///
    /// # Errors If the action can't be started or does not finish in time.
    pub(super) async fn run_compared(&mut self, run: &Run<'_>) -> io::Result<String> {
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
        // One summary of a good run and one of a bad run are enough.
        if command != "status" && self.shown.insert(done.code) {
            self.begin("its job summary, as Markdown");
            done.summary.trim_end().lines().for_each(|line| self.screen.say(&format!("│ {line}")));
            self.end();
        }
        Ok(done.output("compared").to_owned())
    }

    /// Runs the action with these inputs, and shows the step and its log.
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
        let (product, env, patience) = (&self.product, self.bed.client_env(), self.patience);
        let step = Step { product, env, inputs, color, folded, patience };
        let screen = self.screen.clone();
        let done = step.run(move |line| screen.say(&format!("│ {line}"))).await?;
        self.screen.say(&format!("└─ exit code {}", done.code));
        Ok(done)
    }

    /// Waits until the load balancer applies the last written weights.
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

    /// Checks a color's answer through its own listener, after ECS has brought the color to rest: `v2`.
    ///
    /// # Errors If the listener gives no answer.
    pub(super) async fn runs(&mut self, name: &str, color: &str, expected: &str) -> io::Result<()> {
        let found = self.answers(color).await?;
        self.checks.equal(&format!("{name}: what {color} runs"), &found, expected);
        Ok(())
    }

    /// The answer of a color's tasks.
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
        // One answer of each of the two tasks, and one to spare.
        let mut versions: Vec<String> = Vec::new();
        for _ in 0..3 {
            versions.push(tokio::task::spawn_blocking(move || ask(port)).await.map_err(io::Error::other)??);
        }
        versions.dedup();
        Ok(versions.join(" and "))
    }

    /// A service's desired count in ECS.
    pub(super) fn desired(&self, service: &str) -> u32 {
        self.bed.world(|world| world.ecs.service("shop", service).map_or(0, |found| found.desired))
    }

    /// The weights of the production listener in the data plane: `blue 100, green 0`.
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

/// Starts fast, then continues at a pace that people can watch.
fn set_up(chapter: Chapter) -> io::Result<(Testbed, Sample)> {
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
        world.ecr.push("shop/web", WORSE.0);
        if chapter == Chapter::Compare {
            world.cloudwatch.use_real_seconds();
            world.cloudwatch.delay = METRICS_AGE;
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
