//! Runs of the action in this process, against a testbed on the same thread: both in a time of their own, which jumps to the
//! next event when everything waits. So a run takes as long as its computations, and the same one sees the same times.
//!
//! Everything but the process itself is real: inputs, files, the AWS SDK, and the wire between it and the testbed.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use ecs_blue_green::{Clock, Entry, Environment, Machine, Means, Signals, Sleep, step};
use rustix::process::Signal;
use testbed::clock::{self, Driver};
use testbed::sample::{self, Sample, Stack};
use testbed::{Options, Testbed};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::Action;

/// The testbed with the sample stack: blue live on v1, green idle on v1, develop on v1.
pub fn stack() -> (Testbed, Sample) {
    with(&Stack::default())
}

/// The testbed with a sample stack that differs from the usual one.
pub fn with(stack: &Stack) -> (Testbed, Sample) {
    let bed = Testbed::here(Options::default()).expect("the testbed starts");
    let sample = sample::create_with(&bed, stack).expect("the sample stack settles");
    bed.clear_calls();
    (bed, sample)
}

/// The same, where any change of a weight breaks invariant 10.
pub fn stack_with(stack: &Stack) -> (Testbed, Sample) {
    let (bed, sample) = with(stack);
    super::look::frozen(&bed);
    (bed, sample)
}

/// The sample stack with these weights of blue and green on its production listener.
pub fn at(blue: u32, green: u32) -> (Testbed, Sample) {
    with(&Stack { weights: (blue, green), ..Stack::default() })
}

/// The time of this thread's testbed.
struct BedClock;

impl Clock for BedClock {
    fn now(&self) -> Duration {
        clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, wait: Duration) -> Sleep {
        Box::pin(clock::sleep(wait))
    }
}

/// Reaches the testbed, whatever the endpoint.
#[derive(Clone, Debug)]
struct Wire(SocketAddr);

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let address = self.0;
        HttpConnectorFuture::new(async move {
            answer(address, request).await.map_err(|why| ConnectorError::io(why.into()))
        })
    }
}

/// Sends one request to the testbed.
async fn answer(address: SocketAddr, request: HttpRequest) -> io::Result<HttpResponse> {
    let path = url_path(request.uri()).to_owned();
    let headers: Vec<(String, String)> =
        request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = request.body().bytes().unwrap_or_default().to_vec();
    let answer = testbed::send(address, (request.method(), &path), &headers, body).await?;
    let status = answer.status.try_into().map_err(io::Error::other)?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

/// Path and query of a URL.
fn url_path(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.find('/').map_or("/", |at| &host[at..])
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A run in this process.
pub struct Task {
    /// What it runs on.
    driver: Arc<Driver>,
    /// The run.
    run: JoinHandle<ExitCode>,
    /// Tells it a signal.
    signal: watch::Sender<Option<&'static str>>,
    /// What it printed.
    lines: Lines,
}

impl Task {
    /// Starts a run; it goes on while this thread waits for the testbed or for the run.
    pub fn start(driver: &Arc<Driver>, aws: SocketAddr, action: &Action) -> Self {
        let name = action.entry.file_name().unwrap_or_default().to_string_lossy();
        let entry = if name.ends_with("-post") { Entry::Post } else { Entry::Main };
        let variables = action.env.iter().map(|(name, value)| (name.into(), value.into()));
        let lines = Lines::default();
        let machine = Machine {
            environment: Environment::of(entry, action.path("workspace"), variables),
            clock: Arc::new(BedClock),
            log: Arc::new(Mutex::new(lines.clone())),
            aws: Means { http: Some(SharedHttpClient::new(Wire(aws))), credentials: credentials(action) },
        };
        let (signal, told) = watch::channel(None);
        let run = driver.spawn(async move { step(&machine, Signals::told(told)).await });
        Self { driver: driver.clone(), run, signal, lines }
    }

    /// Ends it where it waits.
    pub fn abort_handle(&self) -> AbortHandle {
        self.run.abort_handle()
    }

    /// Tells it a signal; SIGKILL ends it where it waits.
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::INT => "SIGINT",
            Signal::TERM => "SIGTERM",
            Signal::KILL => return self.run.abort(),
            other => panic!("{other:?} is for a process"),
        };
        let _ = self.signal.send(Some(name));
    }

    /// Waits for its end: the exit code, and -1 if it was killed; what it printed.
    pub fn wait(self) -> (i32, String) {
        let Self { driver, run, signal, lines } = self;
        let code = match driver.block_on(run) {
            Ok(code) => (0..=255_u8).find(|number| ExitCode::from(*number) == code).map_or(-1, i32::from),
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => -1,
        };
        drop(signal);
        let printed = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        (code, String::from_utf8_lossy(&printed).into_owned())
    }
}

/// The credentials in the environment of a run.
fn credentials(action: &Action) -> Option<SharedCredentialsProvider> {
    let of = |name: &str| action.env.get(name).cloned();
    let (id, secret) = (of("AWS_ACCESS_KEY_ID")?, of("AWS_SECRET_ACCESS_KEY")?);
    let given = Credentials::new(id, secret, of("AWS_SESSION_TOKEN"), None, "environment");
    Some(SharedCredentialsProvider::new(given))
}
