//! The clients of all services, from one configuration.

use std::time::Duration;

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

use super::patience::Patience;
use super::refused_keys::RefusedKeys;
use super::trace::{Trace, Tracing};
use super::web_identity::{SignIn, WebIdentity};
use crate::clock;
use crate::plan::definition::Content;

/// A client over a configuration, traced where that is wanted. The builders of the services share no trait.
macro_rules! client {
    ($sdk:ident, $config:expr, $trace:expr, $refused:expr) => {{
        let builder = $sdk::config::Builder::from($config).interceptor($refused.clone());
        let builder = match $trace {
            Some(trace) => builder.interceptor(Tracing(trace)),
            None => builder,
        };
        $sdk::Client::from_conf(builder.build())
    }};
}

/// How to reach AWS. Endpoints come from the environment, as in every tool on AWS's SDKs; so do credentials, unless
/// there is a role to assume.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The region's code.
    pub(crate) region: String,
    /// What the user agent says beside the SDK's own words, such as the run's id. Characters that a user agent
    /// may not hold become dashes.
    pub(crate) app_name: String,
    /// The role to assume by the job's id token; none to take the credentials that the environment has.
    pub(crate) sign_in: Option<SignIn>,
    /// What AWS is reached by.
    pub(crate) means: Means,
    /// Who is told of each attempt of a call; none to tell nobody.
    pub(crate) trace: Option<Trace>,
    /// Who is told of each task definition that is read, before its answer goes on.
    pub(crate) definitions: ReadDefinition,
}

/// What AWS is reached by, where that is not the machine's own.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// The HTTP client; none for the SDK's own.
    pub http: Option<SharedHttpClient>,
    /// Credentials; none for those of the process's environment.
    pub credentials: Option<SharedCredentialsProvider>,
}

/// Waits by the run's own clock.
#[derive(Debug)]
struct Waiting;

impl AsyncSleep for Waiting {
    fn sleep(&self, wait: Duration) -> Sleep {
        Sleep::new(clock::sleep(wait))
    }
}

/// Is told of a task definition that was read.
pub(crate) type ReadDefinition = fn(&Content);

/// AWS in one region, with one set of credentials. Clones share connections and credentials.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    /// What the clients were made from.
    config: SdkConfig,
    /// Who is told of each attempt.
    trace: Option<Trace>,
    /// Credentials that AWS refused.
    refused: RefusedKeys,
    /// Who is told of each task definition that is read.
    pub(super) definitions: ReadDefinition,
    /// Errors that pass by themselves.
    pub(super) patience: Patience,
    /// Elastic Container Service.
    pub(super) ecs: aws_sdk_ecs::Client,
    /// Elastic Load Balancing, version 2.
    pub(super) elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Elastic Container Registry in the own region.
    ecr: aws_sdk_ecr::Client,
    /// Application Auto Scaling.
    pub(super) scaling: aws_sdk_applicationautoscaling::Client,
    /// CloudWatch.
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    /// Security Token Service.
    pub(super) sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Makes the clients. Nothing is sent and no credentials are looked for before the first call.
    pub(crate) async fn new(access: &Access) -> Aws {
        Aws { definitions: access.definitions, ..Aws::over(config(access).await, access.trace) }
    }

    /// The clients over a configuration.
    pub(super) fn over(config: SdkConfig, trace: Option<Trace>) -> Aws {
        let refused = RefusedKeys::default();
        Aws {
            ecs: client!(aws_sdk_ecs, &config, trace, refused),
            elb: client!(aws_sdk_elasticloadbalancingv2, &config, trace, refused),
            ecr: client!(aws_sdk_ecr, &config, trace, refused),
            scaling: client!(aws_sdk_applicationautoscaling, &config, trace, refused),
            cloudwatch: client!(aws_sdk_cloudwatch, &config, trace, refused),
            sts: client!(aws_sdk_sts, &config, trace, refused),
            config,
            trace,
            refused,
            definitions: |_| (),
            patience: Patience::default(),
        }
    }

    /// Elastic Container Registry in a region: an image may live in another one than the service.
    pub(super) fn ecr(&self, region: &str) -> aws_sdk_ecr::Client {
        if self.config.region().is_some_and(|own| own.as_ref() == region) {
            return self.ecr.clone();
        }
        let there = Region::new(region.to_owned());
        client!(aws_sdk_ecr, &self.config.to_builder().region(there).build(), self.trace, self.refused)
    }
}

/// One configuration for all clients.
pub(super) async fn config(access: &Access) -> SdkConfig {
    with_credentials(unsigned(access).await, access)
}

/// Short time-outs and three attempts; without credentials.
pub(super) async fn unsigned(access: &Access) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(access.region.clone()))
        .no_credentials()
        .retry_config(retries())
        .timeout_config(time_outs())
        .sleep_impl(Waiting)
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

/// Adds credentials, which are loaded when they are needed: the role's, or those of the environment.
pub(super) fn with_credentials(config: SdkConfig, access: &Access) -> SdkConfig {
    let identities = IdentityCache::lazy().load_timeout(Duration::from_secs(10));
    let (provider, identities) = match &access.sign_in {
        None => {
            let chain = || credentials(Region::new(access.region.clone()));
            let given = access.means.credentials.clone();
            (given.unwrap_or_else(|| SharedCredentialsProvider::new(chain())), identities)
        }
        // The role's credentials say themselves when to renew them, long before their end.
        Some(sign_in) => (
            SharedCredentialsProvider::new(WebIdentity::new(sign_in.clone(), &config)),
            identities.buffer_time(Duration::from_millis(500)),
        ),
    };
    config.to_builder().credentials_provider(provider).identity_cache(identities.build()).build()
}

/// Three attempts within a second or two: polling is the outer loop, so there is no need to wait long in here.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(200))
        .with_max_backoff(Duration::from_secs(2))
}

/// Limits for a connection, one attempt, and a call with all its attempts.
pub(super) fn time_outs() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(25))
        .build()
}

/// Where credentials come from, in order: environment, web identity, container, instance. The SDK's own chain
/// also reads profiles, which do not exist in this container, and asks a silent metadata service for seconds.
fn credentials(region: Region) -> CredentialsProviderChain {
    let shared = ProviderConfig::without_region().with_region(Some(region)).with_timeout_config(time_outs());
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
            // It looks at AWS_EC2_METADATA_DISABLED by itself.
            ImdsCredentialsProvider::builder().configure(&shared).imds_client(metadata).build(),
        )
}

/// The name in the user agent; none when nothing is left of it. A user agent takes no space and no slash.
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
