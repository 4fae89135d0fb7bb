//! From the events of a run to its posts on GitHub.

use std::time::Duration;

use super::feedback::WorkerMessage;
use crate::action::github::GithubSettings;
use crate::action::settings::Settings;
use crate::clock;
use crate::event::{Event, Report};
use crate::feedback::{GithubDeployment, LabelStyle, PullRequestView, Status};
use crate::plan::color::Split;
use crate::plan::overview::Overview;
use crate::plan::step::{Step, Wait};
use crate::plan::time::Time;
use crate::report::comment::{CommentRun, Working, end_comment, progress_comment};
use crate::report::mark::place_sum;
use crate::report::strip::{HeldStep, StepRest};
use crate::report::{github_texts, labels};

/// The run as its events describe it so far.
pub(super) struct RunView {
    /// The run.
    run: CommentRun,
    /// The user's settings for GitHub.
    wish: GithubSettings,
    /// The run's key among GitHub's deployments.
    key: String,
    /// True if the run writes nothing.
    plan_only: bool,
    /// The run's current work.
    now: Working,
    /// The overview at the start.
    before: Option<Overview>,
    /// True once the run has started to write.
    begun: bool,
    /// True once the comment showed that users reached the wanted split.
    watching: bool,
    /// The last shown step, and the time of the post.
    held: Option<(HeldStep, Time)>,
    /// Time of the last post.
    posted: Option<Time>,
    /// The command that a post step finishes.
    finishes: &'static str,
}

/// Time between updates of the comment between two steps. Each takes two GitHub calls: at most 240 of the 1,000 calls
/// that a repository's jobs have an hour ("Rate limits for GITHUB_TOKEN").
const RENEWAL: Duration = Duration::from_secs(30);

/// Shortest remaining wait for which the comment shows the reached split.
const WATCH: Duration = Duration::from_secs(30);

/// True if a run only waits for its result to last.
fn is_watching(event: &Event) -> bool {
    match event {
        Event::Waiting { wait: Wait::Settle { left, .. } | Wait::Drain { left, .. }, .. } => *left >= WATCH,
        _ => false,
    }
}

/// Time of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostTiming {
    /// While the run is in progress.
    Meanwhile,
    /// At the end of the run.
    End,
    /// The end of the run, after the main step.
    Late,
}

/// The wanted posts, and their time.
pub(super) type WantedPosts = (PullRequestView, PostTiming);

impl RunView {
    /// A run without events yet.
    pub(super) fn new(run: CommentRun, settings: &Settings, key: String) -> RunView {
        let now = Working::default();
        RunView {
            run,
            wish: settings.github.clone(),
            key,
            plan_only: settings.plan_only,
            now,
            before: None,
            begun: false,
            watching: false,
            held: None,
            posted: None,
            finishes: settings.command.name(),
        }
    }

    /// Takes a message in. Returns the wanted posts, if they changed.
    pub(super) fn on_event(&mut self, news: WorkerMessage) -> Option<WantedPosts> {
        let event = match news {
            WorkerMessage::Left(showing) => return Some((*showing, PostTiming::Late)),
            WorkerMessage::Event(event) => *event,
        };
        self.now.strip.note(&event, clock::now());
        if let Event::Ended(report) = &event {
            return Some((self.end(report), PostTiming::End));
        }
        let writes = matches!(event, Event::Step(_) | Event::Adopted { .. });
        let task_failed = matches!(event, Event::TaskFailed { .. });
        let begins = writes && !self.begun;
        self.begun |= writes || task_failed;
        let fails = task_failed || (matches!(event, Event::RunFailure { .. }) && self.begun);
        let goes_on = self.goes_on(&event);
        let renews = self.renews(&event);
        let watches = self.begun && !self.watching && self.now.moved.is_some() && is_watching(&event);
        self.watching |= watches;
        self.now.lasts = self.run.started.map(|at| clock::now().since(at)).unwrap_or_default();
        let holds = self.holds(&event);
        self.note(event);
        let posts = begins || fails || goes_on || watches || holds || renews;
        self.posted = if posts { Some(clock::now()) } else { self.posted };
        posts.then(|| (self.under_way(), PostTiming::Meanwhile))
    }

    /// Notes a step after which the reached split is no longer the end of the run: another phase begins, or a restore.
    /// True if the comment has to take back that the run only watches.
    fn goes_on(&mut self, event: &Event) -> bool {
        let rolls = matches!(event, Event::Step(Step::Update(update)) if update.rolls());
        if !rolls && !matches!(event, Event::Step(Step::Weights(_))) {
            return false;
        }
        self.watching = false;
        let moved = self.now.moved.take().is_some();
        if moved {
            self.held = None;
            self.now.strip.release();
        }
        rolls && moved
    }

    /// True if a wait, or a look at the counts, is so late that the comment has to show the run again.
    fn renews(&self, event: &Event) -> bool {
        matches!(event, Event::Waiting { .. } | Event::Compared(_))
            && self.begun
            && self.posted.is_some_and(is_old)
    }

    /// Notes the step that holds users. True if the comment has to show the step.
    fn holds(&mut self, event: &Event) -> bool {
        let Event::Waiting { wait, .. } = event else { return false };
        if let Wait::Bake { split, .. } = wait {
            self.users_at(*split);
        }
        let Some(held) = self.now.strip.held() else { return false };
        let same = |(shown, at): &(HeldStep, Time)| {
            shown.split == held.split && is_same_rest(shown.rest, held.rest) && !is_old(*at)
        };
        if self.held.as_ref().is_some_and(same) {
            return false;
        }
        self.held = Some((held.clone(), clock::now()));
        true
    }

    /// Notes the facts of an event.
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
            Event::TrafficPlan(traffic_plan) => self.now.traffic = Some(traffic_plan),
            Event::Compared(look) => {
                if let Some(overview) = &mut self.now.overview {
                    overview.compared = Some(look.read);
                }
            }
            Event::GoingLive(going_live) => self.now.going_live = Some(going_live),
            Event::Moved(split) => self.moved(split),
            Event::TaskFailed { color, cause, .. } => self.now.failure = Some((color, cause)),
            Event::RunFailure { failing, cause, .. } => self.now.failing = Some((failing, cause)),
            _ => {}
        }
    }

    /// Users left the split of the first look.
    fn moved(&mut self, split: Split) {
        self.now.moved = Some(split);
        self.users_at(split);
    }

    /// All production rules hold this split.
    fn users_at(&mut self, split: Split) {
        let Some(overview) = &mut self.now.overview else { return };
        overview.split = Some(Ok(split));
        overview.rules.iter_mut().for_each(|(_, held)| *held = split);
        for view in &mut overview.colors {
            view.percent = view.color.production().map_or(view.percent, |color| Some(split.share(color)));
        }
    }

    /// GitHub's deployment in progress.
    fn deploying(&self) -> Option<GithubDeployment> {
        let now = &self.now;
        let planned = now.plan.as_ref().map(|plan| plan.color);
        let color = planned.or(now.traffic.as_ref().map(|traffic_plan| traffic_plan.receiver.into()))?;
        let to = (color, planned.is_some());
        let (overview, going_live) = (now.overview.as_ref(), now.going_live.as_deref());
        let begun = || github_texts::started_deployment(now.command, to, overview, &self.run, going_live);
        is_deploy_command(now.command).then(|| GithubDeployment { key: self.key.clone(), ..begun() })
    }

    /// The command, or for a post step the command to finish.
    fn of(&self, command: &'static str) -> &'static str {
        if command == "post" { self.finishes } else { command }
    }

    /// The posts while the run is in progress.
    fn under_way(&self) -> PullRequestView {
        let command = self.now.command;
        // A post step acts before its own look has shown the pull requests to post to.
        let placed = self.now.overview.is_some() || !is_traffic_command(self.of(command));
        let deployment = self.deploying();
        // A commit that a promote brings to production keeps its status until the end is known.
        let commit = deployment.as_ref().and_then(|one| one.commit.as_ref());
        let own = commit.is_none() || commit == self.run.commit.as_ref();
        PullRequestView {
            comment: (self.wish.comment && placed).then(|| progress_comment(&self.now, &self.run)),
            about: affected_commits(self.of(command), self.now.overview.as_ref()),
            labels: None,
            deployment: deployment.filter(|_| self.wish.deployments),
            status: (self.wish.deployments && is_deploy_command(command) && own)
                .then(|| github_texts::pending_status(&self.run, command)),
        }
    }

    /// The labels' style. The prefix keeps this app, region and account apart, unless the config file sets a prefix.
    fn style(&self) -> LabelStyle {
        let own = || labels::label_prefix(&self.run.app, self.run.place.as_deref());
        LabelStyle { prefix: self.wish.prefix.clone().unwrap_or_else(own), ..self.wish.style.clone() }
    }

    /// The posts at the end.
    fn end(&self, told: &Report) -> PullRequestView {
        let command = self.of(told.command);
        let report = &Report { command, ..told.clone() };
        // A post step does not know the start of the run that it finishes, and the comment of `status` changes only with what
        // it shows.
        let started = self.run.started.filter(|_| !matches!(self.now.command, "post" | "status"));
        let run = CommentRun { started, ..self.run.clone() };
        let tells = self.wish.deployments && !self.plan_only && is_deploy_command(command);
        let over = |_| github_texts::ended_deployment(report, &self.run, self.begun);
        let deployment = Some(()).filter(|()| tells).and_then(over);
        let commit = deployment.as_ref().and_then(|one| one.commit.clone());
        let status = || Status { commit, ..github_texts::end_status(report, &self.run) };
        PullRequestView {
            comment: self.wish.comment.then(|| end_comment(report, &run)),
            about: affected_commits(command, report.overview.as_ref().or(self.before.as_ref())),
            labels: (self.wish.labels && !self.plan_only)
                .then(|| labels::end_labels(report, self.before.as_ref(), &self.style()))
                .flatten(),
            deployment: deployment.map(|one| GithubDeployment { key: self.key.clone(), ..one }),
            // Without the place, the status would have a name that no later run replaces.
            status: (tells && run.place.is_some()).then(status),
        }
    }
}

/// True if a post is so old that the comment has to be renewed. Heartbeats come every 30 s and count as on time.
fn is_old(posted: Time) -> bool {
    clock::now().since(posted) + Duration::from_secs(1) > RENEWAL
}

/// True if two steps wait for the same.
fn is_same_rest(one: StepRest, other: StepRest) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

/// True if a command brings a version to its place: GitHub's deployment and commit status show such a command.
fn is_deploy_command(command: &str) -> bool {
    matches!(command, "deploy" | "promote")
}

/// True if a command moves users.
fn is_traffic_command(command: &str) -> bool {
    matches!(command, "redirect-traffic" | "rollback" | "promote")
}

/// The commits on the colors whose users a command moves.
fn affected_commits(command: &str, seen: Option<&Overview>) -> Vec<String> {
    let views = seen.into_iter().flat_map(Overview::production);
    let of_users = views.filter(|(_, _)| is_traffic_command(command));
    let mut commits: Vec<String> = of_users.filter_map(|(_, view)| view.commit.clone()).collect();
    commits.dedup();
    commits
}

#[cfg(test)]
#[path = "run_view_tests.rs"]
mod tests;
