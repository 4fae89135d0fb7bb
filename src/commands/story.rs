//! From the events of a run to what GitHub shall show of it.

use std::time::Duration;

use super::feedback::News;
use crate::action::github::GithubSettings;
use crate::action::settings::Settings;
use crate::clock;
use crate::event::{Event, Report};
use crate::feedback::{Deployment, LabelStyle, Showing, Status};
use crate::plan::color::{Color, Split};
use crate::plan::overview::Overview;
use crate::plan::step::Wait;
use crate::plan::time::Time;
use crate::report::comment::{Held, Run, Working, ended, working};
use crate::report::mark::place_sum;
use crate::report::{labels, posting};

/// What a run has told so far.
pub(super) struct Story {
    /// The run.
    run: Run,
    /// What the user wants to see.
    wish: GithubSettings,
    /// The run's key among the deployments of GitHub's.
    key: String,
    /// Whether the run writes nothing.
    plan_only: bool,
    /// What it is at.
    now: Working,
    /// What stood when it began.
    before: Option<Overview>,
    /// Whether it has begun to write.
    begun: bool,
    /// Whether it was shown that users are where they were wanted.
    watching: bool,
    /// The step that the comment showed last, and when.
    held: Option<(Held, Time)>,
    /// The command that a post step finishes.
    finishes: &'static str,
}

/// How often a comment renews the rest of a bake: two calls of GitHub each, of which a job has 1,000 an hour.
const RENEWAL: Duration = Duration::from_secs(120);

/// A run that has so much left to wait for says meanwhile where users are.
const WATCH: Duration = Duration::from_secs(30);

/// Whether a run only waits now until what it did has lasted.
fn watching(event: &Event) -> bool {
    match event {
        Event::Waiting { wait: Wait::Settle { left, .. } | Wait::Drain { left, .. }, .. } => *left >= WATCH,
        _ => false,
    }
}

/// When something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// While the run is under way.
    Meanwhile,
    /// At its end.
    End,
    /// Its end, after the main step.
    Late,
}

/// What shall be shown, and when.
pub(super) type Wanted = (Showing, Moment);

impl Story {
    /// A run of which nothing is told.
    pub(super) fn new(run: Run, settings: &Settings, key: String) -> Story {
        let now = Working::default();
        Story {
            run,
            wish: settings.github.clone(),
            key,
            plan_only: settings.plan_only,
            now,
            before: None,
            begun: false,
            watching: false,
            held: None,
            finishes: settings.command.name(),
        }
    }

    /// Takes news in. What shall be shown now, where that changed.
    pub(super) fn hear(&mut self, news: News) -> Option<Wanted> {
        let event = match news {
            News::Left(showing) => return Some((*showing, Moment::Late)),
            News::Event(event) => *event,
        };
        if let Event::Ended(report) = &event {
            return Some((self.end(report), Moment::End));
        }
        let writes = matches!(event, Event::Step(_));
        let begins = writes && !self.begun;
        self.begun |= writes;
        let fails = matches!(event, Event::Failing { .. } | Event::TaskFailed { .. }) && self.begun;
        let watches = self.begun && !self.watching && self.now.moved.is_some() && watching(&event);
        self.watching |= watches;
        self.now.lasts = self.run.started.map(|at| clock::now().since(at)).unwrap_or_default();
        let holds = self.holds(&event);
        self.note(event);
        (begins || fails || watches || holds).then(|| (self.under_way(), Moment::Meanwhile))
    }

    /// Notes the step that users are held at. True if the comment is to show it.
    fn holds(&mut self, event: &Event) -> bool {
        let Event::Waiting { wait, .. } = event else { return false };
        let (now, known) = (clock::now(), self.now.held.take());
        self.now.held = match wait {
            Wait::Bake { split, left, .. } => {
                self.users_at(*split);
                Some(Held {
                    step: self.step_at(*split),
                    split: *split,
                    next: Some((*left, now.after(*left))),
                })
            }
            Wait::Capacity(_) => known.map(|held| Held { next: None, ..held }),
            _ => known,
        };
        let Some(held) = &self.now.held else { return false };
        let same = |(shown, at): &(Held, Time)| {
            shown.split == held.split
                && shown.next.is_some() == held.next.is_some()
                && now.since(*at) < RENEWAL
        };
        if self.held.as_ref().is_some_and(same) {
            return false;
        }
        self.held = Some((held.clone(), now));
        true
    }

    /// Which of the planned steps holds this split.
    fn step_at(&self, split: Split) -> Option<(usize, usize)> {
        let brief = self.now.traffic.as_ref()?;
        let (blue, green) = split.percent();
        let share = if brief.receiver == Color::Blue { blue } else { green };
        let at = brief.bakes.iter().position(|(held, _)| *held == share)?;
        Some((at + 1, brief.bakes.len()))
    }

    /// Notes what an event tells.
    fn note(&mut self, event: Event) {
        if let Event::Started { command, .. } = &event {
            self.now.command = command;
        }
        match event {
            Event::SignedIn { account } => {
                let names = (self.run.cluster.as_str(), self.run.app.as_str());
                self.run.place = place_sum(Some(&account), &self.run.region, names);
            }
            Event::Seen(seen) => {
                self.before.get_or_insert_with(|| (*seen).clone());
                self.now.overview = Some(*seen);
            }
            Event::Plan(plan) => self.now.plan = Some(*plan),
            Event::Moving(brief) => self.now.traffic = Some(brief),
            Event::Moved(split) => self.moved(split),
            Event::TaskFailed { color, cause, .. } => self.now.failure = Some((color, cause)),
            Event::Failing { failing, cause, .. } => self.now.failing = Some((failing, cause)),
            _ => {}
        }
    }

    /// Users are elsewhere than what was seen first says.
    fn moved(&mut self, split: Split) {
        (self.now.moved, self.now.held) = (Some(split), None);
        self.users_at(split);
    }

    /// All production rules were seen at this split.
    fn users_at(&mut self, split: Split) {
        let Some(overview) = &mut self.now.overview else { return };
        let (blue, green) = split.percent();
        overview.split = Some(Ok(split));
        overview.rules.iter_mut().for_each(|(_, held)| *held = split);
        for view in &mut overview.colors {
            match view.color {
                Color::Blue => view.percent = Some(blue),
                Color::Green => view.percent = Some(green),
                Color::Develop => {}
            }
        }
    }

    /// The deployment of GitHub's that is under way.
    fn deploying(&self) -> Option<Deployment> {
        let now = &self.now;
        let planned = now.plan.as_ref().map(|plan| plan.color);
        let color = planned.or(now.traffic.as_ref().map(|brief| brief.receiver))?;
        let to = (color, planned.is_some());
        let begun = || posting::begun(now.command, to, now.overview.as_ref(), &self.run);
        deploys(now.command).then(|| Deployment { key: self.key.clone(), ..begun() })
    }

    /// The command itself, where a post step finishes it.
    fn of(&self, command: &'static str) -> &'static str {
        if command == "post" { self.finishes } else { command }
    }

    /// What is shown while the run is under way.
    fn under_way(&self) -> Showing {
        let command = self.now.command;
        // A post step writes before it has seen whose pull requests it is about.
        let placed = self.now.overview.is_some() || !moves(self.of(command));
        let deployment = self.deploying();
        // A commit that a promote brings to production keeps its status until the end is known.
        let commit = deployment.as_ref().and_then(|one| one.commit.as_ref());
        let own = commit.is_none() || commit == self.run.commit.as_ref();
        Showing {
            comment: (self.wish.comment && placed).then(|| working(&self.now, &self.run)),
            about: about(self.of(command), self.now.overview.as_ref()),
            labels: None,
            deployment: deployment.filter(|_| self.wish.deployments),
            status: (self.wish.deployments && deploys(command) && own)
                .then(|| posting::pending(&self.run, command)),
        }
    }

    /// How labels look. The prefix keeps this app, region and account apart, unless the config file has one.
    fn style(&self) -> LabelStyle {
        let own = || labels::prefix(&self.run.app, self.run.place.as_deref());
        LabelStyle { prefix: self.wish.prefix.clone().unwrap_or_else(own), ..self.wish.style.clone() }
    }

    /// What is shown at the end.
    fn end(&self, told: &Report) -> Showing {
        let command = self.of(told.command);
        let report = &Report { command, ..told.clone() };
        // A post step does not know when the run that it finishes began.
        let started = self.run.started.filter(|_| told.command != "post");
        let run = Run { started, ..self.run.clone() };
        let tells = self.wish.deployments && !self.plan_only && deploys(command);
        let over = |_| posting::over(report, &self.run, self.begun);
        let deployment = Some(()).filter(|()| tells).and_then(over);
        let commit = deployment.as_ref().and_then(|one| one.commit.clone());
        let status = || Status { commit, ..posting::verdict(report, &self.run) };
        Showing {
            comment: self.wish.comment.then(|| ended(report, &run)),
            about: about(command, report.overview.as_ref().or(self.before.as_ref())),
            labels: (self.wish.labels && !self.plan_only)
                .then(|| labels::labels(report, self.before.as_ref(), &self.style()))
                .flatten(),
            deployment: deployment.map(|one| Deployment { key: self.key.clone(), ..one }),
            status: tells.then(status),
        }
    }
}

/// Whether a command brings a version to where it is to run: what a deployment of GitHub's and a commit status tell.
fn deploys(command: &str) -> bool {
    matches!(command, "deploy" | "promote")
}

/// Whether a command moves users.
fn moves(command: &str) -> bool {
    matches!(command, "redirect-traffic" | "rollback" | "promote")
}

/// The commits that run on the colors whose users a command moves.
fn about(command: &str, seen: Option<&Overview>) -> Vec<String> {
    let views = seen.into_iter().flat_map(|overview| &overview.colors);
    let of_users = views.filter(|view| moves(command) && view.color != Color::Develop);
    let mut commits: Vec<String> = of_users.filter_map(|view| view.commit.clone()).collect();
    commits.dedup();
    commits
}
