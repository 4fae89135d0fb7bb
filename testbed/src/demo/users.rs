//! Users of the production listener: half keep their connections, half open a new one each time. No user retries.

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

/// Number of users; every second user keeps the connection.
const USERS: u32 = 20;
/// Time between a user's requests: 250 requests a second in all.
const PERIOD: Duration = Duration::from_millis(80);
/// The fewest requests a second that the demo promises.
pub(super) const LEAST_RATE: f64 = 200.0;
/// Longest wait of a user before a failure is counted.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection of a user.
type Connection = SendRequest<Empty<Bytes>>;

/// The state that all users share.
struct Crowd {
    /// The production listener's port.
    port: u16,
    /// The counted answers.
    tally: Mutex<Tally>,
    /// The expected answers for requests sent from now on.
    expected: Mutex<Arc<Expected>>,
    /// The testbed, which knows each task's service.
    bed: Arc<Testbed>,
    /// Colors of the tasks met so far, by task id.
    colors: Mutex<HashMap<String, String>>,
    /// ARNs of the services of the colors.
    services: [(&'static str, String); 2],
}

/// Users at work.
pub(super) struct Users {
    /// The shared state.
    crowd: Arc<Crowd>,
    /// Set to stop the users.
    home: watch::Sender<bool>,
    /// One task a user.
    tasks: JoinSet<()>,
}

impl Users {
    /// Starts users of the production listener; each request must get an expected answer.
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

    /// Access to the numbers for other tasks.
    pub(super) fn numbers(&self) -> impl Fn() -> Tally + Send + 'static {
        let crowd = self.crowd.clone();
        move || lock(&crowd.tally).clone()
    }

    /// Sets the expected answers from now on. A request in progress is judged by the expectation at its start.
    pub(super) fn expect(&self, expected: Expected) {
        *lock(&self.crowd.expected) = Arc::new(expected);
    }

    /// Stops the users, each after its last answer; returns the final numbers.
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

/// Locks; the panic of one user does not disturb the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One user: sends a request once a period until stopped. A delay by a slow answer is caught up, so that the rate
/// holds.
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
    /// One request, sent once: the answer, or the error. A kept connection that the other side closed before the
    /// request is replaced, as in every client.
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

    /// The color of a task.
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
