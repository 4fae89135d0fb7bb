//! Posts to GitHub, in parallel with the work in AWS; the run waits for the posts only at the end, for a short time.
//!
//! Nothing here can change the run in AWS (invariant 33): events come in, and nothing goes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::github_publisher::GithubPublisher;
use super::run_view::{PostTiming, RunView, WantedPosts};
use super::state::Found;
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::files;
use crate::action::github::RunEvent;
use crate::action::settings::Settings;
use crate::clock;
use crate::event::{Event, Report};
use crate::feedback::{GithubError, GithubKind, Part, Posted, PullRequestView};
use crate::github::GitHub;
use crate::plan::wanted::Text;
use crate::report::comment::{Button, CommentRun};
use crate::report::github_texts;
use crate::report::mark::place_sum;
use crate::reporter::Reporter;
use crate::signals::Signals;

/// Longest time that the end of a run waits for GitHub.
const BUDGET: Duration = Duration::from_secs(20);

/// The runner kills a cancelled step 10 s after the signal; the run exits within 7 s, even on a busy machine.
const LAST_MOMENT: Duration = Duration::from_millis(6_000);

/// Longest time until the worker receives the end of the run, which needs no network.
const HEARING: Duration = Duration::from_millis(100);

/// Name of the state value.
pub(crate) const NAME: &str = "github";

/// Name of the state value with the hash of the run's place: a post step that can't sign in ends the commit status of the
/// main step under the same name.
const PLACE: &str = "place";

/// The main step's message to the post step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PostState {
    /// The run began to post, and did not end by itself.
    Begun(String),
    /// The end of the run could not be posted.
    Unposted(Box<PullRequestView>),
    /// Everything was posted, or will never be.
    Done,
}

impl PostState {
    /// The main step's message.
    pub(crate) fn found(env: &Environment) -> Found<PostState> {
        Found::of(env.state(NAME))
    }

    /// True if the main step announced its end.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            PostState::Begun(_) => false,
            PostState::Unposted(_) | PostState::Done => true,
        }
    }
}

/// A message to the worker.
pub(super) enum WorkerMessage {
    /// An event of the run.
    Event(Box<Event>),
    /// An unposted end of an earlier run.
    Left(Box<PullRequestView>),
}

/// The worker's progress.
#[derive(Clone, Debug, Default)]
pub(super) struct PostProgress {
    /// The parts that GitHub shows, and the failed parts.
    pub(super) posted: Posted,
    /// The wanted posts at the end, once known.
    pub(super) wanted: Option<Box<PullRequestView>>,
    /// True if nothing is left to do.
    pub(super) over: bool,
}

/// The posts of one run, in parallel with the run.
pub(crate) struct Feedback<'a> {
    /// The environment, which keeps the state.
    env: &'a Environment,
    /// Writes to the log.
    reporter: &'a Reporter<'a>,
    /// True if the run is for a pull request from a fork.
    fork: bool,
    /// The worker; none if nothing is posted.
    worker: Option<Worker>,
    /// Reason for posting nothing, if worth a log line.
    unable: Option<&'static str>,
}

/// The task that talks to GitHub.
struct Worker {
    /// The task that listens.
    listener: JoinHandle<()>,
    /// The task that posts.
    task: JoinHandle<()>,
    /// The progress.
    progress: watch::Receiver<PostProgress>,
    /// Ends when a cancelled run has to exit.
    cutoff: JoinHandle<()>,
    /// Sends a message that is no event.
    tell: mpsc::UnboundedSender<WorkerMessage>,
}

impl<'a> Feedback<'a> {
    /// Starts to post, if there is a token. Must be called on a tokio runtime.
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
            feedback.unable = Some(github_texts::NO_TOKEN);
            return feedback;
        };
        let Some(github) = github_client(env, context, token, http) else {
            feedback.unable = Some(github_texts::NO_CLIENT);
            return feedback;
        };
        let mut run = run_details(settings, context, event);
        run.place = run.place.or_else(|| env.state(PLACE).map(str::to_owned));
        let poster = GithubPublisher::new(github, wish, &run, event);
        let story = RunView::new(run, settings, run_key(env, context));
        let (tell, news) = mpsc::unbounded_channel();
        let (progress, seen) = watch::channel(PostProgress::default());
        let (show, shows) = mpsc::unbounded_channel();
        let listener = tokio::spawn(follow_events(news, story, show, progress.clone()));
        let task = tokio::spawn(publish_views(shows, poster, progress));
        let cutoff = tokio::spawn(async move { signals.wait_and(LAST_MOMENT).await });
        let events = tell.clone();
        reporter.also_tell(move |event| {
            // A finished worker has nothing left to post.
            let _ = events.send(WorkerMessage::Event(Box::new(event.clone())));
        });
        feedback.worker = Some(Worker { listener, task, progress: seen, cutoff, tell });
        feedback
    }

    /// Logs the reason for posting nothing. For a command that posts, saves for the post step that the run began.
    pub(crate) fn begin(&self, writes: Option<&str>) {
        if let Some(why) = self.unable {
            self.reporter.remark(why);
        }
        if let (Some(command), Some(_)) = (writes, &self.worker) {
            self.keep(&PostState::Begun(command.to_owned()));
        }
    }

    /// Posts the main step's missing end, or that it has none.
    pub(crate) async fn catch_up(self, kept: PostState) {
        if let Some(worker) = &self.worker {
            let news = match kept {
                PostState::Unposted(showing) => WorkerMessage::Left(showing),
                PostState::Begun(command) => {
                    WorkerMessage::Event(Box::new(Event::Ended(Box::new(cut_off(&command)))))
                }
                PostState::Done => return,
            };
            let _ = worker.tell.send(news);
        }
        self.finish().await;
    }

    /// Waits a short time until the end is posted, and reports the failed parts.
    pub(crate) async fn finish(self) {
        let Some(mut worker) = self.worker else { return };
        // The wanted posts are known at once, even if no time is left to post.
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
        let PostProgress { mut posted, wanted, .. } = worker.progress.borrow().clone();
        if !in_time && posted.troubles.is_empty() {
            let late = GithubError { kind: GithubKind::NoTime, status: None, effect_unknown: true };
            posted.troubles.push((Part::Comment, late));
        }
        let later = posted.troubles.iter().any(|(_, trouble)| trouble.kind.is_transient());
        let kept = match wanted {
            Some(wanted) if !in_time || later => PostState::Unposted(wanted),
            Some(_) | None => PostState::Done,
        };
        let feedback = Feedback { worker: None, ..self };
        feedback.keep(&kept);
        feedback.reporter.posted(&posted, feedback.fork);
    }

    /// Saves the message to the post step.
    fn keep(&self, kept: &PostState) {
        let text = serde_json::to_string(kept).map_err(std::io::Error::from);
        if let Err(error) = text.and_then(|text| files::save_state(self.env, NAME, &text)) {
            self.reporter.file_trouble("the step's state", &error);
        }
    }
}

/// Saves the hash of the run's place for the post step, once the account is known.
pub(crate) fn keep_place(env: &Environment, settings: &Settings, account: &str, reporter: &Reporter<'_>) {
    let place = settings_place(settings, Some(account));
    let Some(place) = place.filter(|_| settings.github.wants_anything() && env.state(PLACE).is_none()) else {
        return;
    };
    if let Err(error) = files::save_state(env, PLACE, &place) {
        reporter.file_trouble("the step's state", &error);
    }
}

/// The last part of a name or an ARN.
fn last_part(given: &str) -> String {
    given.rsplit('/').next().unwrap_or(given).to_owned()
}

/// The hash of a run's place. None while the account is unknown.
fn settings_place(settings: &Settings, account: Option<&str>) -> Option<String> {
    let cluster = last_part(&settings.place.cluster);
    place_sum(account, &settings.region, (&cluster, &settings.github.app))
}

/// GitHub's client. None if the address or the repository is invalid.
pub(super) fn github_client(
    env: &Environment,
    context: &Context,
    token: &Text,
    http: &reqwest::Client,
) -> Option<GitHub> {
    let (api, repository) = (env.var("GITHUB_API_URL")?, context.repository.as_deref()?);
    GitHub::new(http.clone(), api, token.reveal(), repository)
}

/// Longest time that a run waits for the newest commit of its pull request.
const HEAD: Duration = Duration::from_secs(3);

/// Looks up the newest commit of a comment's pull request: the comment's event has only the pull request's number, and
/// the run's own commit belongs to the default branch. Without an answer from GitHub, the run has no commit and no branch.
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
    let http = crate::http::build_client(context.run_id.as_deref().unwrap_or("local")).ok();
    let github = token.zip(http).and_then(|(token, http)| github_client(env, context, token, &http));
    let found = match &github {
        Some(github) => clock::with_timeout(HEAD, github.pull(number)).await,
        None => None,
    };
    let head = found.and_then(Result::ok).and_then(|pull| pull.head);
    // The event does not name the pull request's repository: a fork, until GitHub names this one.
    let repository = head.as_ref().and_then(|head| Some(&head.repo.as_ref()?.full_name));
    context.is_fork = repository.is_none() || repository != context.repository.as_ref();
    (context.sha, context.ref_name) = (None, None);
    let (sha, branch) = head.map(|head| (head.sha, head.branch)).unzip();
    context.is_about(sha, branch);
}

/// Follows the events, even while GitHub is slow; the last message is the end of the run.
async fn follow_events(
    mut news: mpsc::UnboundedReceiver<WorkerMessage>,
    mut story: RunView,
    show: mpsc::UnboundedSender<WantedPosts>,
    tell: watch::Sender<PostProgress>,
) {
    while let Some(news) = news.recv().await {
        let Some((showing, moment)) = story.on_event(news) else { continue };
        if moment != PostTiming::Meanwhile {
            tell.send_modify(|progress| progress.wanted = Some(Box::new(showing.clone())));
        }
        // A finished worker posts nothing more.
        let _ = show.send((showing, moment));
        if moment != PostTiming::Meanwhile {
            break;
        }
    }
}

/// Posts only the newest wanted state; the last message is the end of the run.
async fn publish_views(
    mut shows: mpsc::UnboundedReceiver<WantedPosts>,
    mut poster: GithubPublisher,
    tell: watch::Sender<PostProgress>,
) {
    poster.find_pull_request().await;
    while let Some(mut wanted) = shows.recv().await {
        while let Ok(newer) = shows.try_recv() {
            wanted = newer;
        }
        let (showing, moment) = wanted;
        let last = moment != PostTiming::Meanwhile;
        poster.late = moment == PostTiming::Late;
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

/// The report of a run that ended without a report, before any change that the post step knows of.
fn cut_off(command: &str) -> Report {
    let mut report = Report::new(known_command(command));
    report.cancel();
    report
}

/// A command by its saved name.
fn known_command(command: &str) -> &'static str {
    let all = ["deploy", "redirect-traffic", "promote", "rollback"];
    all.into_iter().find(|name| *name == command).unwrap_or("deploy")
}

/// The comment's facts about the run.
fn run_details(settings: &Settings, context: &Context, event: &RunEvent) -> CommentRun {
    let named = settings.github.workflow.clone().map(|file| Button { file, inputs: None });
    let dispatched = event.dispatched.clone().map(|(file, inputs)| Button { file, inputs: Some(inputs) });
    let account = settings.role.as_ref().map(|role| role.account.as_str());
    CommentRun {
        place: settings_place(settings, account),
        region: settings.region.clone(),
        cluster: last_part(&settings.place.cluster),
        app: settings.github.app.clone(),
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

/// A key that no other step of any run has: run, attempt, job and step.
fn run_key(env: &Environment, context: &Context) -> String {
    let part = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let parts = [
        part(context.run_id.as_deref()),
        part(context.attempt.as_deref()),
        part(env.var("GITHUB_JOB")),
        part(env.var("GITHUB_ACTION")),
    ];
    parts.join("/")
}
