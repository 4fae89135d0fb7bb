//! The stage of the demo: a small AWS with the sample stack, the action, and a look at what came of it.

use super::action::{Done, Step};
use super::checks::Checks;
use super::screen::Screen;
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
const READING: Duration = Duration::from_secs(2);

/// What an act needs.
pub(super) struct Stage {
    /// The small AWS.
    pub(super) bed: Arc<Testbed>,
    /// Names and ports in it.
    pub(super) sample: Sample,
    /// The action's binary.
    product: PathBuf,
    /// Where to print.
    pub(super) screen: Arc<Screen>,
    /// What was checked so far.
    pub(super) checks: Checks,
}

impl Stage {
    /// Starts the testbed with the sample stack, at a pace that can be watched.
    ///
    /// # Errors
    /// When ports or threads can't be had.
    pub(super) async fn set_up(product: PathBuf, screen: &Arc<Screen>) -> io::Result<Self> {
        let (bed, sample) = tokio::task::spawn_blocking(set_up).await.map_err(io::Error::other)??;
        Ok(Self { bed: Arc::new(bed), sample, product, screen: screen.clone(), checks: Checks::default() })
    }

    /// Runs the action with these inputs, and shows how the step, its log and its summary look.
    ///
    /// # Errors
    /// When the action can't be started or isn't done in time.
    pub(super) async fn step(&self, inputs: &[(&'static str, &str)]) -> io::Result<Done> {
        let common = [("cluster", "shop"), ("blue-service", "web-blue"), ("green-service", "web-green")];
        let inputs: Vec<_> = (inputs.iter().chain(&common).chain(&[("poll-interval", "1s")]))
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        tokio::time::sleep(READING).await;
        self.begin("the step in the workflow");
        inputs.iter().for_each(|(name, value)| self.screen.say(&format!("│ {name}: {value}")));
        self.end();
        self.begin("its job log");
        let color = self.screen.color;
        let step = Step { product: &self.product, env: self.bed.client_env(), inputs, color };
        let screen = self.screen.clone();
        let done = step.run(move |line| screen.say(&format!("│ {line}"))).await?;
        self.screen.say(&format!("└─ exit code {}", done.code));
        self.begin("its job summary, as Markdown");
        done.summary.trim_end().lines().for_each(|line| self.screen.say(&format!("│ {line}")));
        self.end();
        Ok(done)
    }

    /// Opens a frame.
    fn begin(&self, title: &str) {
        self.screen.say(&format!("\n┌─ {}", self.screen.bold(title)));
    }

    /// Closes the frame.
    fn end(&self) {
        self.screen.say("└─");
    }

    /// What green answers through its own listener once ECS has brought it to rest: `v2`.
    ///
    /// # Errors
    /// When the listener gives no answer.
    pub(super) async fn green(&self) -> io::Result<String> {
        let port = self.sample.green_port;
        let end = Instant::now() + PATIENCE;
        while !self.bed.world(|world| world.ecs.is_steady("shop", "web-green")) {
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
    let broken = Behavior { crash: Some(crash), ..Behavior::good("v3") };
    bed.world(|world| {
        world.ecr.push_behavior("shop/web", "v3", broken);
        world.checker.expect_no_weight_change(true);
        world.pace = Pace {
            launch: Duration::from_millis(2500),
            stop: Duration::from_millis(500),
            second: Duration::from_millis(500),
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
