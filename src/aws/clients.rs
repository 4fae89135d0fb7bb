//! The clients of all services, from one configuration.

use std::time::{Duration, SystemTime};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecs::config::{AsyncSleep, SharedHttpClient, Sleep};
use aws_smithy_async::time::TimeSource;

use super::call_count::CallCount;
use super::memo::Memo;
use super::patience::Patience;
use super::refused_keys::RefusedKeys;
use super::trace::{Trace, Tracing};
use super::web_identity::{SignIn, WebIdentity};
use crate::clock;
use crate::plan::definition::Content;
use crate::plan::snapshot::{Balancer, GroupAttributes};

/// A client with a configuration, traced if requested. The builders of the services share no trait.
macro_rules! client {
    ($sdk:ident, $config:expr, $trace:expr, ($refused:expr, $calls:expr)) => {{
        let builder = $sdk::config::Builder::from($config);
        let builder = builder.interceptor($refused.clone()).interceptor($calls.clone());
        let builder = match $trace {
            Some(trace) => builder.interceptor(Tracing(trace)),
            None => builder,
        };
        $sdk::Client::from_conf(builder.build())
    }};
}

/// Access to AWS. Endpoints come from the environment, as in every tool with AWS's SDKs; so do credentials, unless
/// there is a role to assume.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The region's code.
    pub(crate) region: String,
    /// The application's part of the user agent, such as the run's id. Characters that a user agent may not hold become
    /// dashes.
    pub(crate) app_name: String,
    /// The role to assume by the job's id token; none to use the environment's credentials.
    pub(crate) sign_in: Option<SignIn>,
    /// The means to reach AWS.
    pub(crate) means: Means,
    /// Receives each attempt of a call; none for no trace.
    pub(crate) trace: Option<Trace>,
    /// Receives each task definition from AWS, before the rest of the process sees the answer.
    pub(crate) definitions: ReadDefinition,
}

/// The means to reach AWS, if not the machine's own.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// The HTTP client; none for the SDK's own.
    pub http: Option<SharedHttpClient>,
    /// Credentials; none for those of the process's environment.
    pub credentials: Option<SharedCredentialsProvider>,
}

/// Waits by the run's own clock.
#[derive(Debug)]
struct RunClockSleep;

impl AsyncSleep for RunClockSleep {
    fn sleep(&self, wait: Duration) -> Sleep {
        Sleep::new(clock::sleep(wait))
    }
}

/// Tells the time by the run's own clock, which no change of the wall clock moves (invariant 40): by that time the SDK
/// signs requests, and finds credentials to renew. With the wall clock, a jump ahead would load new credentials before
/// each call, and a jump back would keep expired credentials in use.
#[derive(Debug)]
struct RunClockTime;

impl TimeSource for RunClockTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(clock::now().0)
    }
}

/// Receives a task definition from AWS.
pub(crate) type ReadDefinition = fn(&Content);

/// AWS in one region, with one set of credentials. Clones share connections and credentials.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    /// The configuration of the clients.
    config: SdkConfig,
    /// Receives each attempt.
    trace: Option<Trace>,
    /// Credentials that AWS refused.
    refused: RefusedKeys,
    /// The calls so far.
    calls: CallCount,
    /// Receives each task definition from AWS.
    pub(super) definitions: ReadDefinition,
    /// Transient errors with codes of final errors.
    pub(super) patience: Patience,
    /// Attributes of target groups.
    pub(super) attributes: Memo<GroupAttributes>,
    /// Load balancers without rules.
    pub(super) balancers: Memo<Balancer>,
    /// Elastic Container Service.
    pub(super) ecs: aws_sdk_ecs::Client,
    /// Elastic Load Balancing, version 2.
    pub(super) elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Elastic Container Registry in the run's region.
    ecr: aws_sdk_ecr::Client,
    /// Application Auto Scaling.
    pub(super) scaling: aws_sdk_applicationautoscaling::Client,
    /// CloudWatch.
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    /// Identity and Access Management, which has one endpoint in each partition.
    pub(super) iam: aws_sdk_iam::Client,
    /// Security Token Service.
    pub(super) sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Creates the clients. The first call sends the first request and loads the credentials.
    pub(crate) async fn new(access: &Access) -> Aws {
        Aws { definitions: access.definitions, ..Aws::over(sdk_config(access).await, access.trace) }
    }

    /// The clients with a configuration.
    pub(super) fn over(config: SdkConfig, trace: Option<Trace>) -> Aws {
        let (refused, calls) = (RefusedKeys::default(), CallCount::default());
        Aws {
            ecs: client!(aws_sdk_ecs, &config, trace, (refused, calls)),
            elb: client!(aws_sdk_elasticloadbalancingv2, &config, trace, (refused, calls)),
            ecr: client!(aws_sdk_ecr, &config, trace, (refused, calls)),
            scaling: client!(aws_sdk_applicationautoscaling, &config, trace, (refused, calls)),
            cloudwatch: client!(aws_sdk_cloudwatch, &config, trace, (refused, calls)),
            iam: client!(aws_sdk_iam, &config, trace, (refused, calls)),
            sts: client!(aws_sdk_sts, &config, trace, (refused, calls)),
            config,
            trace,
            refused,
            calls,
            definitions: |_| (),
            patience: Patience::default(),
            attributes: Memo::default(),
            balancers: Memo::default(),
        }
    }

    /// Elastic Container Registry in a region: an image may be in another region than the service.
    pub(super) fn ecr(&self, region: &str) -> aws_sdk_ecr::Client {
        if self.config.region().is_some_and(|own| own.as_ref() == region) {
            return self.ecr.clone();
        }
        client!(aws_sdk_ecr, &self.config_in(region), self.trace, (self.refused, self.calls))
    }

    /// CloudWatch Logs in a region: a log group may be in another region than the service. Only a failure needs this client.
    pub(super) fn logs(&self, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        client!(aws_sdk_cloudwatchlogs, &self.config_in(region), self.trace, (self.refused, self.calls))
    }

    /// The configuration with another region.
    fn config_in(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// Number of calls so far, with every attempt.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.get()
    }
}

/// One configuration for all clients.
pub(super) async fn sdk_config(access: &Access) -> SdkConfig {
    with_credentials(unsigned_config(access).await, access)
}

/// Short time-outs and three attempts; without credentials.
pub(super) async fn unsigned_config(access: &Access) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(access.region.clone()))
        .no_credentials()
        .retry_config(sdk_retries())
        .timeout_config(time_outs())
        .sleep_impl(RunClockSleep)
        .time_source(RunClockTime)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let loader = match &access.means.http {
        Some(http) => loader.http_client(http.clone()),
        None => loader,
    };
    match app_name(&access.app_name) {
        Some(name) => loader.app_name(name),
        None => loader,
    }
    .load()
    .await
}

/// Adds credentials, loaded on the first use: the role's, or the environment's.
pub(super) fn with_credentials(config: SdkConfig, access: &Access) -> SdkConfig {
    let identities = IdentityCache::lazy().load_timeout(Duration::from_secs(10));
    let (provider, identities) = match &access.sign_in {
        None => {
            let chain = || credentials_chain(Region::new(access.region.clone()));
            let given = access.means.credentials.clone();
            (given.unwrap_or_else(|| SharedCredentialsProvider::new(chain())), identities)
        }
        // The role's credentials set the time of renewal themselves, long before the end.
        Some(sign_in) => (
            SharedCredentialsProvider::new(WebIdentity::new(sign_in.clone(), &config)),
            identities.buffer_time(Duration::from_millis(500)),
        ),
    };
    config.to_builder().credentials_provider(provider).identity_cache(identities.build()).build()
}

/// Three attempts within a second or two: polling is the outer loop, so long waits are not needed here.
fn sdk_retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(200))
        .with_max_backoff(Duration::from_secs(2))
}

/// Limits for a connection, for an attempt, and for a call with all attempts.
pub(super) fn time_outs() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(25))
        .build()
}

/// The sources of credentials, in order: environment, web identity, container, instance. The SDK's own chain also reads
/// profiles, which do not exist in this container, and waits seconds for a silent metadata service.
fn credentials_chain(region: Region) -> CredentialsProviderChain {
    let shared = ProviderConfig::without_region()
        .with_region(Some(region))
        .with_timeout_config(time_outs())
        .with_time_source(RunClockTime);
    let metadata = imds::Client::builder()
        .configure(&shared)
        .max_attempts(1)
        .connect_timeout(Duration::from_millis(300))
        .read_timeout(Duration::from_millis(300))
        .operation_timeout(Duration::from_millis(900))
        .build();
    CredentialsProviderChain::first_try("environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("web identity", WebIdentityTokenCredentialsProvider::builder().configure(&shared).build())
        .or_else("container", EcsCredentialsProvider::builder().configure(&shared).build())
        .or_else(
            "instance metadata",
            // This provider checks AWS_EC2_METADATA_DISABLED itself.
            ImdsCredentialsProvider::builder().configure(&shared).imds_client(metadata).build(),
        )
}

/// The name in the user agent; none if nothing is left of the name. A user agent accepts no space and no slash.
fn app_name(name: &str) -> Option<AppName> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    let name: String =
        name.chars().map(|letter| if allowed(letter) { letter } else { '-' }).take(50).collect();
    AppName::new(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_makes_an_app_name() {
        let name = |text: &str| app_name(text).map(|name| name.to_string());
        assert_eq!(name("ecs-blue-green-run-42"), Some("ecs-blue-green-run-42".to_owned()));
        assert_eq!(name("run 1/2\nx\u{e9}"), Some("run-1-2-x-".to_owned()));
        assert_eq!(name(""), None);
    }
}
