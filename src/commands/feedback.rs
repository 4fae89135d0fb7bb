//! What is shown on GitHub, and when: beside the work in AWS, and awaited at the end for a short time only.
//!
//! Nothing here can change what happens in AWS (invariant 33): events come in, and nothing goes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::poster::Poster;
use super::state::Found;
use super::story::{Moment, Story, Wanted};
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::files;
use crate::action::github::RunEvent;
use crate::action::settings::Settings;
use crate::clock;
use crate::event::{Event, Report};
use crate::feedback::{GithubKind, GithubTrouble, Part, Posted, Showing};
use crate::github::GitHub;
use crate::plan::wanted::Text;
use crate::report::comment::{Button, Run};
use crate::report::mark::place_sum;
use crate::report::posting;
use crate::reporter::Reporter;
use crate::signals::Signals;

/// How long the end of a run waits for GitHub.
const BUDGET: Duration = Duration::from_secs(20);

/// The runner kills a cancelled step 10 s after the signal; the run is out within 7 s, on a busy machine too.
const LAST_MOMENT: Duration = Duration::from_millis(6_000);

/// How long the end of the run may take to be heard of, which needs no network.
const HEARING: Duration = Duration::from_millis(100);

/// Name of the state value.
pub(crate) const NAME: &str = "github";

/// What the main step leaves for the post step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kept {
    /// The run began to show something, and did not end by itself.
    Begun(String),
    /// The end of the run could not be shown.
    Unposted(Box<Showing>),
    /// Everything was shown, or never will be.
    Done,
}

impl Kept {
    /// What the main step left.
    pub(crate) fn found(env: &Environment) -> Found<Kept> {
        Found::of(env.state(NAME))
    }

    /// Whether the main step came as far as to tell of its end.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            Kept::Begun(_) => false,
            Kept::Unposted(_) | Kept::Done => true,
        }
    }
}

/// What happened, for the worker.
pub(super) enum News {
    /// An event of the run.
    Event(Box<Event>),
    /// What a run before could not show.
    Left(Box<Showing>),
}

/// What the worker came to so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// What GitHub shows, and what not.
    pub(super) posted: Posted,
    /// What it was to show at the end, once that is known.
    pub(super) wanted: Option<Box<Showing>>,
    /// Whether nothing is left to be done.
    pub(super) over: bool,
}

/// The posting of one run, under way beside it.
pub(crate) struct Feedback<'a> {
    /// Where state is kept.
    env: &'a Environment,
    /// Tells the user.
    reporter: &'a Reporter<'a>,
    /// Whether the run is for a pull request from a fork.
    fork: bool,
    /// The worker; none where nothing is posted.
    worker: Option<Worker>,
    /// Why nothing is posted, where that is to be said.
    unable: Option<&'static str>,
}

/// The task that talks to GitHub.
struct Worker {
    /// The task that listens.
    listener: JoinHandle<()>,
    /// The task that posts.
    task: JoinHandle<()>,
    /// What it came to.
    progress: watch::Receiver<Progress>,
    /// Ends when a cancelled run has to be out.
    cutoff: JoinHandle<()>,
    /// Tells it something that is no event.
    tell: mpsc::UnboundedSender<News>,
}

impl<'a> Feedback<'a> {
    /// Begins to show the run, where a token was given. Must be called on a tokio runtime.
    pub(crate) fn start(
        env: &'a Environment,
        settings: &Settings,
        (reporter, context, event): (&'a Reporter<'a>, &Context, &RunEvent),
        signals: Signals,
        http: Option<&reqwest::Client>,
    ) -> Feedback<'a> {
        let mut feedback = Feedback { env, reporter, fork: event.fork, worker: None, unable: None };
        let (wish, Some(http)) = (&settings.github, http) else { return feedback };
        if !wish.wants_anything() {
            return feedback;
        }
        let Some(token) = &wish.token else {
            feedback.unable = Some(posting::NO_TOKEN);
            return feedback;
        };
        let Some(github) = client(env, context, token, http) else {
            feedback.unable = Some(posting::NO_CLIENT);
            return feedback;
        };
        let run = run(settings, context, event);
        let poster = Poster::new(github, wish, &run, event);
        let story = Story::new(run, settings, key(env, context));
        let (tell, news) = mpsc::unbounded_channel();
        let (progress, seen) = watch::channel(Progress::default());
        let (show, shows) = mpsc::unbounded_channel();
        let listener = tokio::spawn(listen(news, story, show, progress.clone()));
        let task = tokio::spawn(work(shows, poster, progress));
        let cutoff = tokio::spawn(async move { signals.wait_and(LAST_MOMENT).await });
        let events = tell.clone();
        reporter.also_tell(move |event| {
            // A worker that is gone has nothing to show any more.
            let _ = events.send(News::Event(Box::new(event.clone())));
        });
        feedback.worker = Some(Worker { listener, task, progress: seen, cutoff, tell });
        feedback
    }

    /// Says why nothing is posted, and keeps for the post step that a command has begun which says so on GitHub.
    pub(crate) fn begin(&self, writes: Option<&str>) {
        if let Some(why) = self.unable {
            self.reporter.remark(why);
        }
        if let (Some(command), Some(_)) = (writes, &self.worker) {
            self.keep(&Kept::Begun(command.to_owned()));
        }
    }

    /// Shows what the main step could not: its end, or that it has none.
    pub(crate) async fn catch_up(self, kept: Kept) {
        if let Some(worker) = &self.worker {
            let news = match kept {
                Kept::Unposted(showing) => News::Left(showing),
                Kept::Begun(command) => News::Event(Box::new(Event::Ended(Box::new(cut_off(&command))))),
                Kept::Done => return,
            };
            let _ = worker.tell.send(news);
        }
        self.finish().await;
    }

    /// Waits until the end is shown, for a short time, and tells what is not.
    pub(crate) async fn finish(self) {
        let Some(mut worker) = self.worker else { return };
        // What is to be shown is known at once, even where no time is left to show it.
        tokio::select! {
            _ = &mut worker.listener => {}
            () = clock::sleep(HEARING) => {}
        }
        let over = worker.progress.wait_for(|progress| progress.over);
        let in_time = tokio::select! {
            over = over => over.is_ok(),
            () = clock::sleep(BUDGET) => false,
            _ = &mut worker.cutoff => false,
        };
        worker.listener.abort();
        worker.task.abort();
        worker.cutoff.abort();
        let Progress { mut posted, wanted, .. } = worker.progress.borrow().clone();
        if !in_time && posted.troubles.is_empty() {
            let late = GithubTrouble { kind: GithubKind::NoTime, status: None, effect_unknown: true };
            posted.troubles.push((Part::Comment, late));
        }
        let later = posted.troubles.iter().any(|(_, trouble)| trouble.kind.passes());
        let kept = match wanted {
            Some(wanted) if !in_time || later => Kept::Unposted(wanted),
            Some(_) | None => Kept::Done,
        };
        let feedback = Feedback { worker: None, ..self };
        feedback.keep(&kept);
        feedback.reporter.posted(&posted, feedback.fork);
    }

    /// Saves what the post step has to know.
    fn keep(&self, kept: &Kept) {
        let text = serde_json::to_string(kept).map_err(std::io::Error::from);
        if let Err(error) = text.and_then(|text| files::save_state(self.env, NAME, &text)) {
            self.reporter.file_trouble("the step's state", &error);
        }
    }
}

/// GitHub's client. None if the address or the repository can't be right.
pub(super) fn client(
    env: &Environment,
    context: &Context,
    token: &Text,
    http: &reqwest::Client,
) -> Option<GitHub> {
    let (api, repository) = (env.var("GITHUB_API_URL")?, context.repository.as_deref()?);
    GitHub::new(http.clone(), api, token.reveal(), repository)
}

/// How long a run waits for the newest commit of its pull request.
const HEAD: Duration = Duration::from_secs(3);

/// A comment's event has the pull request's number alone, and the run's own commit is the default branch's: its newest
/// commit is looked up. If GitHub does not say it, the run is about no commit.
pub(super) async fn find_head(
    env: &Environment,
    settings: &Settings,
    context: &mut Context,
    event: &RunEvent,
) {
    let (Some(number), "issue_comment") =
        (event.pull_request, context.event_name.as_deref().unwrap_or_default())
    else {
        return;
    };
    let token = settings.github.token.as_ref().filter(|_| settings.github.wants_anything());
    let http = crate::http::client(context.run_id.as_deref().unwrap_or("local")).ok();
    let github = token.zip(http).and_then(|(token, http)| client(env, context, token, &http));
    let found = match &github {
        Some(github) => clock::within(HEAD, github.pull(number)).await,
        None => None,
    };
    let head = found.and_then(Result::ok).and_then(|pull| pull.head);
    context.sha = None;
    let (sha, branch) = head.map(|head| (head.sha, head.branch)).unzip();
    context.is_about(sha, branch);
}

/// Follows the events, whatever GitHub is at; the last thing is the end of the run.
async fn listen(
    mut news: mpsc::UnboundedReceiver<News>,
    mut story: Story,
    show: mpsc::UnboundedSender<Wanted>,
    tell: watch::Sender<Progress>,
) {
    while let Some(news) = news.recv().await {
        let Some((showing, moment)) = story.hear(news) else { continue };
        if moment != Moment::Meanwhile {
            tell.send_modify(|progress| progress.wanted = Some(Box::new(showing.clone())));
        }
        // A worker that is gone shows nothing any more.
        let _ = show.send((showing, moment));
        if moment != Moment::Meanwhile {
            break;
        }
    }
}

/// Shows the newest of what is wanted; the last thing is the end of the run.
async fn work(mut shows: mpsc::UnboundedReceiver<Wanted>, mut poster: Poster, tell: watch::Sender<Progress>) {
    poster.find_pull_request().await;
    while let Some(mut wanted) = shows.recv().await {
        while let Ok(newer) = shows.try_recv() {
            wanted = newer;
        }
        let (showing, moment) = wanted;
        let last = moment != Moment::Meanwhile;
        poster.late = moment == Moment::Late;
        let budget = if last { BUDGET } else { Duration::ZERO };
        let posted = poster.show(&showing, budget).await;
        tell.send_modify(|progress| {
            progress.posted = posted;
            progress.over = last;
        });
        if last {
            break;
        }
    }
}

/// The report of a run that ended without one, and before it changed anything that the post step knows of.
fn cut_off(command: &str) -> Report {
    let mut report = Report::new(known(command));
    report.cancel();
    report
}

/// A command by the name that was kept.
fn known(command: &str) -> &'static str {
    let all = ["deploy", "redirect-traffic", "promote", "rollback"];
    all.into_iter().find(|name| *name == command).unwrap_or("deploy")
}

/// What the comment says of the run.
fn run(settings: &Settings, context: &Context, event: &RunEvent) -> Run {
    let name = |given: &str| given.rsplit('/').next().unwrap_or(given).to_owned();
    let named = settings.github.workflow.clone().map(|file| Button { file, inputs: None });
    let dispatched = event.dispatched.clone().map(|(file, inputs)| Button { file, inputs: Some(inputs) });
    let (cluster, app) = (name(&settings.place.cluster), settings.github.app.clone());
    let account = settings.role.as_ref().map(|role| role.account.as_str());
    Run {
        place: place_sum(account, &settings.region, (&cluster, &app)),
        region: settings.region.clone(),
        cluster,
        app,
        repository: context.repository.clone(),
        actor: context.actor.clone(),
        branch: context.branch().map(str::to_owned),
        commit: context.commit().map(str::to_owned),
        id: context.run_id.clone(),
        url: context.run_url(),
        button: named.or(dispatched),
        started: Some(clock::now()),
    }
}

/// What no other step of any run has: run, attempt, job and step.
fn key(env: &Environment, context: &Context) -> String {
    let part = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let parts = [
        part(context.run_id.as_deref()),
        part(context.attempt.as_deref()),
        part(env.var("GITHUB_JOB")),
        part(env.var("GITHUB_ACTION")),
    ];
    parts.join("/")
}
