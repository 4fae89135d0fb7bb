//! The testbed for tests: started in the background, driven by plain calls.

use crate::checker::{Color, Violation};
use crate::clock::{self, Driver};
use crate::faults::{Fault, Victim};
use crate::github::{self, GitHubCall, GitHubFault, Site};
use crate::oidc;
use crate::port::{self, Listener};
use crate::record::Call;
use crate::server;
use crate::wire::{ApiError, Service};
use crate::world::{Pace, Shared, World, lock};
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::task::AbortHandle;

/// The options of a testbed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The pace of the world.
    pub pace: Pace,
    /// The port of the AWS endpoint on 127.0.0.1; 0 for any free port.
    pub port: u16,
}

/// The recorded calls of a testbed, for code that can't borrow the testbed.
#[derive(Clone)]
pub struct Calls(Shared);

impl Calls {
    /// The recorded calls, in order.
    pub fn all(&self) -> Vec<Call> {
        lock(&self.0).recorder.calls.clone()
    }
}

/// A running testbed; dropping this ends all of its parts.
pub struct Testbed {
    /// The simulated account.
    world: Shared,
    /// The address of the AWS endpoint.
    address: SocketAddr,
    /// The addresses of GitHub and the runner's token endpoint, by `Site`.
    sites: [SocketAddr; 2],
    /// Runs all servers; taken when dropped.
    carrier: Option<Carrier>,
}

/// What carries the servers of a testbed.
enum Carrier {
    /// Threads of its own, in the machine's time.
    Threads(Runtime),
    /// The thread that it was started on, in a time of its own.
    Here {
        /// Shared by all testbeds of the thread.
        driver: Arc<Driver>,
        /// What ends with this testbed.
        servers: Vec<AbortHandle>,
    },
}

impl Testbed {
    /// Starts an empty account behind one endpoint on 127.0.0.1.
    ///
    /// # Errors If the runtime can't be created or the port is unavailable.
    pub fn start(options: Options) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("testbed")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let listener = {
            let _context = handle.enter();
            Listener::of_machine(TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?)?
        };
        let (mut bed, _) = Self::over(listener, options.pace, &handle)?;
        bed.carrier = Some(Carrier::Threads(runtime));
        Ok(bed)
    }

    /// Starts an empty account on this thread, with ports in memory and a time of its own, which jumps when everything
    /// waits. It goes on while this thread waits for it: in [`Testbed::wait_until`], [`clock::pause`] and
    /// [`Driver::block_on`].
    ///
    /// # Errors
    /// When the runtime can't be made.
    pub fn here(options: Options) -> io::Result<Self> {
        let driver = Driver::start()?;
        let handle = driver.runtime().handle().clone();
        let (mut bed, servers) = Self::over(port::any()?.listen()?, options.pace, &handle)?;
        bed.carrier = Some(Carrier::Here { driver, servers });
        Ok(bed)
    }

    /// An account behind this endpoint, not carried yet, and its servers.
    fn over(listener: Listener, pace: Pace, handle: &Handle) -> io::Result<(Self, Vec<AbortHandle>)> {
        let _context = handle.enter();
        let address = listener.local_addr()?;
        let world = Arc::new_cyclic(|weak: &Weak<Mutex<World>>| {
            Mutex::new(World::new(pace, handle.clone(), weak.clone()))
        });
        let mut servers = vec![handle.spawn(server::serve(listener, world.clone())).abort_handle()];
        let mut sites = [address; 2];
        for site in [Site::Api, Site::Oidc] {
            let listener = port::any()?.listen()?;
            sites[site as usize] = listener.local_addr()?;
            servers.push(handle.spawn(github::serve(listener, site, world.clone())).abort_handle());
        }
        servers.push(handle.spawn(ticks(world.clone())).abort_handle());
        Ok((Self { world, address, sites, carrier: None }, servers))
    }

    /// What carries it, if that is the thread that it was started on.
    pub fn driver(&self) -> Option<Arc<Driver>> {
        match &self.carrier {
            Some(Carrier::Here { driver, .. }) => Some(driver.clone()),
            Some(Carrier::Threads(_)) | None => None,
        }
    }

    /// The address of the AWS endpoint.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The AWS endpoint, such as `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables that point any AWS client here.
    pub fn client_env(&self) -> Vec<(String, String)> {
        let region = lock(&self.world).region.clone();
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// GitHub's API in the form of an Enterprise Server, such as `http://127.0.0.1:40124/api/v3`.
    pub fn github_url(&self) -> String {
        format!("{}/api/v3", self.github_server_url())
    }

    /// GitHub's pages, such as `http://127.0.0.1:40124`; the API answers there as well, like `api.github.com`.
    pub fn github_server_url(&self) -> String {
        format!("http://{}", self.sites[Site::Api as usize])
    }

    /// The variables that point an action at this GitHub.
    pub fn github_env(&self) -> Vec<(String, String)> {
        [("GITHUB_API_URL", self.github_url()), ("GITHUB_SERVER_URL", self.github_server_url())]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    }

    /// The variables that give a run with `id-token: write` its OpenID Connect tokens.
    pub fn oidc_env(&self) -> Vec<(String, String)> {
        let url = format!("http://{}{}", self.sites[Site::Oidc as usize], oidc::request_path());
        let token = lock(&self.world).oidc.bearer.clone();
        [("ACTIONS_ID_TOKEN_REQUEST_URL", url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", token)]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    }

    /// Every request to GitHub's API, in order of arrival.
    pub fn github_calls(&self) -> Vec<GitHubCall> {
        lock(&self.world).github.calls(Site::Api)
    }

    /// The requests to GitHub's API that change something.
    pub fn github_writes(&self) -> Vec<GitHubCall> {
        self.github_calls().into_iter().filter(GitHubCall::is_write).collect()
    }

    /// Every request for an OpenID Connect token.
    pub fn oidc_calls(&self) -> Vec<GitHubCall> {
        lock(&self.world).github.calls(Site::Oidc)
    }

    /// Forgets the requests to GitHub and for tokens; numbers continue.
    pub fn clear_github_calls(&self) {
        lock(&self.world).github.clear_calls();
    }

    /// Adds a fault of GitHub or of the token endpoint.
    pub fn github_fault(&self, fault: GitHubFault) {
        lock(&self.world).github.fault(fault);
    }

    /// Removes all faults of GitHub and of the token endpoint.
    pub fn clear_github_faults(&self) {
        lock(&self.world).github.clear_faults();
    }

    /// Takes GitHub's whole API down, or up again at the same port. Returns after the change.
    pub fn set_github_down(&self, down: bool) {
        self.set_down(Site::Api, down);
    }

    /// Takes the token endpoint down, or up again at the same port. Returns after the change.
    pub fn set_oidc_down(&self, down: bool) {
        self.set_down(Site::Oidc, down);
    }

    /// Takes a host down or up again.
    fn set_down(&self, site: Site, down: bool) {
        self.world(|world| {
            let host = &mut world.github.hosts[site as usize];
            host.down = down;
            host.changed.notify_one();
        });
        self.wait_until(Duration::from_secs(5), |world| world.github.hosts[site as usize].listening != down);
    }

    /// Every recorded call, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.world).recorder.calls.clone()
    }

    /// A recorded call in a few words, such as `call 17, UpdateService`; none if not kept.
    pub fn call_named(&self, number: u64) -> Option<String> {
        let world = lock(&self.world);
        let call = world.recorder.calls.iter().rev().find(|call| call.number == number)?;
        Some(format!("call {number}, {}", call.operation))
    }

    /// The record itself.
    pub fn record(&self) -> Calls {
        Calls(self.world.clone())
    }

    /// The recorded calls that change something.
    pub fn writes(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.write).collect()
    }

    /// Forgets the recorded calls; numbers continue.
    pub fn clear_calls(&self) {
        lock(&self.world).recorder.calls.clear();
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        lock(&self.world).faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.world).faults.clear();
    }

    /// Sets the process that faults kill.
    pub fn set_victim(&self, pid: u32) {
        lock(&self.world).faults.victim = Some(Victim::Process(pid));
    }

    /// Names the task that faults kill.
    pub fn set_victim_task(&self, task: AbortHandle) {
        lock(&self.world).faults.victim = Some(Victim::Task(task));
    }

    /// Reads or changes the world between two calls.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut lock(&self.world))
    }

    /// Carries out one operation without a record and without faults, for setup.
    ///
    /// # Errors AWS's own error codes and messages.
    #[expect(clippy::needless_pass_by_value, reason = "callers write json!(…) in place")]
    pub fn call(&self, service: Service, operation: &str, input: Value) -> Result<Value, ApiError> {
        let mut world = lock(&self.world);
        let answer = world.call(service, operation, &input);
        let last = world.last_call();
        world.check(last);
        answer
    }

    /// Requests a certificate for these names, the first as the common name; returns its ARN.
    ///
    /// # Errors AWS's own error codes and messages.
    pub fn certificate(&self, names: &[&str]) -> Result<String, ApiError> {
        let input = json!({ "DomainName": names.first(), "SubjectAlternativeNames": names });
        let answer = self.call(Service::Acm, "RequestCertificate", input)?;
        Ok(answer["CertificateArn"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the world meets a condition; false after the time-out.
    pub fn wait_until(&self, timeout: Duration, mut is: impl FnMut(&mut World) -> bool) -> bool {
        let end = clock::now() + timeout;
        loop {
            if is(&mut lock(&self.world)) {
                return true;
            }
            if clock::now() >= end {
                return false;
            }
            clock::pause(Duration::from_millis(5));
        }
    }

    /// Makes the checker watch these colors, from the current state.
    pub fn watch(&self, blue: Color, green: Color) {
        let mut world = lock(&self.world);
        world.checker.watch(blue, green);
        let last = world.last_call();
        world.check(last);
    }

    /// The violations so far.
    pub fn violations(&self) -> Vec<Violation> {
        lock(&self.world).checker.violations().to_vec()
    }
}

impl Drop for Testbed {
    /// Ends all servers without waiting for their connections.
    fn drop(&mut self) {
        match self.carrier.take() {
            Some(Carrier::Threads(runtime)) => runtime.shutdown_background(),
            Some(Carrier::Here { servers, .. }) => servers.iter().for_each(AbortHandle::abort),
            None => {}
        }
    }
}

/// Advances the world over time.
async fn ticks(world: Shared) {
    loop {
        let wait = lock(&world).between_ticks;
        clock::sleep(wait).await;
        lock(&world).tick(clock::now());
    }
}
