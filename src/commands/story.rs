//! From the events of a run to what GitHub shall show of it.

use super::feedback::News;
use crate::action::github::GithubSettings;
use crate::event::{Event, Report};
use crate::feedback::Showing;
use crate::plan::color::Color;
use crate::plan::overview::Overview;
use crate::report::comment::{Run, Working, ended, working};
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
    /// The command that a post step finishes.
    finishes: &'static str,
}

/// What shall be shown, and whether it is the last thing.
pub(super) type Wanted = (Showing, bool);

impl Story {
    /// A run of which nothing is told.
    pub(super) fn new(run: Run, wish: GithubSettings, key: String, plan_only: bool) -> Story {
        let now = Working::default();
        Story { run, wish, key, plan_only, now, before: None, begun: false, finishes: "deploy" }
    }

    /// Names the command that a post step finishes.
    pub(super) fn finishing(mut self, command: &'static str) -> Story {
        self.finishes = command;
        self
    }

    /// Takes news in. What shall be shown now, where that changed.
    pub(super) fn hear(&mut self, news: News) -> Option<Wanted> {
        let event = match news {
            News::Left(showing) => return Some((*showing, true)),
            News::Event(event) => *event,
        };
        if let Event::Ended(report) = &event {
            return Some((self.end(report), true));
        }
        let writes = matches!(event, Event::Step(_));
        let begins = writes && !self.begun;
        self.begun |= writes;
        let fails = matches!(event, Event::Failing { .. }) && self.begun;
        self.note(event);
        (begins || fails).then(|| (self.under_way(), false))
    }

    /// Notes what an event tells.
    fn note(&mut self, event: Event) {
        if let Event::Started { command, .. } = &event {
            self.now.command = command;
        }
        match event {
            Event::Seen(seen) => {
                self.before.get_or_insert_with(|| (*seen).clone());
                self.now.overview = Some(*seen);
            }
            Event::Plan(plan) => self.now.plan = Some(*plan),
            Event::Failing { failing, cause, .. } => self.now.failing = Some((failing, cause)),
            _ => {}
        }
    }

    /// The color that a deploy is about.
    fn deploying(&self) -> Option<Color> {
        let color = self.now.plan.as_ref().map(|plan| plan.color);
        color.filter(|_| self.now.command == "deploy" && self.wish.deployments)
    }

    /// What is shown while the run is under way.
    fn under_way(&self) -> Showing {
        let deployment = self.deploying().map(|color| posting::begun(color, &self.run, &self.key));
        Showing {
            comment: self.wish.comment.then(|| working(&self.now, &self.run)),
            labels: None,
            deployment,
            status: self.wish.deployments.then(|| posting::pending(&self.run, self.now.command)),
        }
    }

    /// What is shown at the end.
    fn end(&self, told: &Report) -> Showing {
        let command = if told.command == "post" { self.finishes } else { told.command };
        let report = &Report { command, ..told.clone() };
        let writes = !self.plan_only && report.command != "status";
        let is_deploy = report.command == "deploy";
        let deployment = (self.wish.deployments && is_deploy && writes)
            .then(|| posting::over(report, &self.run, &self.key, self.begun))
            .flatten();
        Showing {
            comment: self.wish.comment.then(|| ended(report, &self.run)),
            labels: (self.wish.labels && !self.plan_only)
                .then(|| labels::labels(report, self.before.as_ref(), &self.wish.style))
                .flatten(),
            deployment,
            status: (self.wish.deployments && writes).then(|| posting::verdict(report, &self.run)),
        }
    }
}
