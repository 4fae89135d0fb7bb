//! Users of the production listener: half keep their connections, half come on a fresh one each time. None tries twice.

use super::tally::{Answer, Expected, Outcome, Tally};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use testbed::Testbed;
use testbed::sample::Sample;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// How many users there are; every second one keeps its connection.
const USERS: u32 = 20;
/// How often each of them asks: 250 requests a second in all.
const PERIOD: Duration = Duration::from_millis(80);
/// Requests a second that the demo promises at least.
pub(super) const LEAST_RATE: f64 = 200.0;
/// A user who waits for longer has seen a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection of a user.
type Connection = SendRequest<Empty<Bytes>>;

/// What all users share.
struct Crowd {
    /// The production listener's port.
    port: u16,
    /// Who answered, counted.
    tally: Mutex<Tally>,
    /// Who may answer what is sent from now on.
    expected: Mutex<Arc<Expected>>,
    /// The testbed, which knows whose task answered.
    bed: Arc<Testbed>,
    /// Colors of the tasks met so far, by task id.
    colors: Mutex<HashMap<String, String>>,
    /// ARNs of the services of the colors.
    services: [(&'static str, String); 2],
}

/// Users at work.
pub(super) struct Users {
    /// What they share.
    crowd: Arc<Crowd>,
    /// Set to send them home.
    home: watch::Sender<bool>,
    /// One task a user.
    tasks: JoinSet<()>,
}

impl Users {
    /// Sends users to the production listener; each must get an expected answer, each time.
    pub(super) fn start(bed: &Arc<Testbed>, sample: &Sample, expected: Expected) -> Self {
        let crowd = Arc::new(Crowd {
            port: sample.production_port,
            tally: Mutex::new(Tally::new()),
            expected: Mutex::new(Arc::new(expected)),
            bed: bed.clone(),
            colors: Mutex::default(),
            services: [("blue", sample.blue_service.clone()), ("green", sample.green_service.clone())],
        });
        let home = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for number in 0..USERS {
            tasks.spawn(user(crowd.clone(), number, home.subscribe()));
        }
        Self { crowd, home, tasks }
    }

    /// A way to the numbers for somebody else.
    pub(super) fn numbers(&self) -> impl Fn() -> Tally + Send + 'static {
        let crowd = self.crowd.clone();
        move || lock(&crowd.tally).clone()
    }

    /// Says who may answer from now on. A request that is under way is judged by what was so when it was sent.
    pub(super) fn expect(&self, expected: Expected) {
        *lock(&self.crowd.expected) = Arc::new(expected);
    }

    /// Sends the users home, each after its last answer; gives the final numbers.
    pub(super) async fn stop(&mut self) -> Tally {
        self.home.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                let lost = Outcome::Lost(format!("a user was lost: {error}"));
                lock(&self.crowd.tally).count(&Expected::default(), lost);
            }
        }
        lock(&self.crowd.tally).clone()
    }
}

/// Locks; a user that panicked spoils nothing for the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One user: asks once a period until sent home. What a slow answer delays is caught up, so that the rate holds.
async fn user(crowd: Arc<Crowd>, number: u32, mut home: watch::Receiver<bool>) {
    let mut pace = interval_at(Instant::now() + PERIOD * number / USERS, PERIOD);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let keeps = number.is_multiple_of(2);
    let mut kept = None;
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            _ = home.changed() => return,
        }
        let expected = lock(&crowd.expected).clone();
        let asked = timeout(PATIENCE, crowd.ask(&mut kept, keeps)).await;
        let asked = asked.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
        if asked.is_err() || !keeps {
            kept = None;
        }
        lock(&crowd.tally).count(&expected, asked.unwrap_or_else(Outcome::Lost));
    }
}

impl Crowd {
    /// One request, sent once: who answered, or what went wrong. A kept connection that the other side closed
    /// before anything was sent on it is replaced, as every client does.
    async fn ask(&self, kept: &mut Option<Connection>, keeps: bool) -> Result<Outcome, String> {
        let mut open = kept.take();
        if let Some(connection) = &mut open
            && connection.ready().await.is_err()
        {
            open = None;
        }
        let mut connection = match open {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let request = Request::get("/")
            .header("host", format!("127.0.0.1:{}", self.port))
            .header("connection", if keeps { "keep-alive" } else { "close" })
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let response = connection
            .send_request(request)
            .await
            .map_err(|error| format!("no answer: {}", chain(&error)))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("a cut answer: {}", chain(&error)))?;
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let (task, version) = (header("x-task").unwrap_or_default(), header("x-version"));
        let outcome = match (parts.status, version) {
            (StatusCode::OK, _) => {
                let version = String::from_utf8_lossy(&body.to_bytes()).into_owned();
                Outcome::Good(Answer { color: self.color_of(task), version })
            }
            (StatusCode::INTERNAL_SERVER_ERROR, Some(version)) => {
                Outcome::Bad(Answer { color: self.color_of(task), version: version.to_owned() })
            }
            (status, _) => return Err(format!("status {status}")),
        };
        *kept = Some(connection);
        Ok(outcome)
    }

    /// Opens a connection.
    async fn connect(&self) -> Result<Connection, String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        let _ = stream.set_nodelay(true);
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| format!("no connection: {error}"))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// The color that a task belongs to.
    fn color_of(&self, task: &str) -> String {
        if let Some(color) = lock(&self.colors).get(task) {
            return color.clone();
        }
        let found =
            self.bed.world(|world| world.ecs.tasks.iter().find(|known| known.id == task)?.service.clone());
        let color = self.services.iter().find(|(_, service)| found.as_ref() == Some(service));
        let color = color.map_or("nobody", |(color, _)| color).to_owned();
        lock(&self.colors).insert(task.to_owned(), color.clone());
        color
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
