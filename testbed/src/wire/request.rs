//! A request, read from its headers and body.

use super::{ApiError, cbor, form, json, query};
use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

/// The AWS services that the testbed knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Amazon Elastic Container Service, JSON 1.1.
    Ecs,
    /// Amazon Elastic Container Registry, JSON 1.1.
    Ecr,
    /// AWS Certificate Manager, JSON 1.1.
    Acm,
    /// Elastic Load Balancing version 2, Query.
    Elb,
    /// Application Auto Scaling, JSON 1.1.
    AutoScaling,
    /// Security Token Service, Query.
    Sts,
    /// Identity and Access Management, Query.
    Iam,
    /// Amazon CloudWatch: RPC v2 CBOR, JSON 1.0 and, for alarms, Query.
    CloudWatch,
    /// Amazon CloudWatch Logs, JSON 1.1.
    Logs,
}

/// The format of a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A form in, XML out.
    Query,
    /// AWS JSON 1.1.
    Json11,
    /// AWS JSON 1.0.
    Json10,
    /// Smithy RPC v2 CBOR.
    Cbor,
}

impl Protocol {
    /// The protocol by a request's path and headers.
    pub(crate) fn of(path: &str, headers: &HeaderMap) -> Self {
        let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        match target {
            _ if cbor::target(path).is_some() => Self::Cbor,
            None => Self::Query,
            Some(_) if headers.get("content-type").is_some_and(|kind| kind == json::VERSION_1_0) => {
                Self::Json10
            }
            Some(_) => Self::Json11,
        }
    }
}

impl Service {
    /// Whether it speaks the Query protocol (form in, XML out) and no other.
    pub(crate) fn is_query(self) -> bool {
        match self {
            Self::Elb | Self::Sts | Self::Iam => true,
            Self::Ecs | Self::Ecr | Self::Acm | Self::AutoScaling | Self::CloudWatch | Self::Logs => false,
        }
    }

    /// The prefix of the service's IAM actions, also the signing name, except for CloudWatch: that signs as
    /// `monitoring`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Ecr => "ecr",
            Self::Acm => "acm",
            Self::Elb => "elasticloadbalancing",
            Self::AutoScaling => "application-autoscaling",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::CloudWatch => "cloudwatch",
            Self::Logs => "logs",
        }
    }

    /// The XML namespace of its Query answers; empty for services that speak JSON alone.
    pub(crate) fn xmlns(self) -> &'static str {
        match self {
            Self::Elb => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
            Self::Ecs | Self::Ecr | Self::Acm | Self::AutoScaling | Self::Logs => "",
        }
    }

    /// The service by an `X-Amz-Target` prefix, or by the path of an RPC v2 request.
    fn of_target(prefix: &str) -> Option<Self> {
        match prefix {
            "AmazonEC2ContainerServiceV20141113" => Some(Self::Ecs),
            "AmazonEC2ContainerRegistry_V20150921" => Some(Self::Ecr),
            "CertificateManager" => Some(Self::Acm),
            "GraniteServiceVersion20100801" => Some(Self::CloudWatch),
            "Logs_20140328" => Some(Self::Logs),
            "AnyScaleFrontendService" => Some(Self::AutoScaling),
            _ => None,
        }
    }

    /// The Query service by a form's `Version`.
    fn of_version(version: &str) -> Option<Self> {
        match version {
            "2015-12-01" => Some(Self::Elb),
            "2011-06-15" => Some(Self::Sts),
            "2010-05-08" => Some(Self::Iam),
            "2010-08-01" => Some(Self::CloudWatch),
            _ => None,
        }
    }
}

/// The signer of a request, by its `Authorization` header; signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The access key id.
    pub access_key: String,
    /// The region of the credential scope.
    pub region: String,
    /// The signing name of the credential scope.
    pub service: String,
}

impl Credential {
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
    fn parse(header: &str) -> Option<Self> {
        let scope = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
        let mut parts = scope.split('/');
        let access_key = parts.next()?.to_owned();
        let _date = parts.next()?;
        Some(Self { access_key, region: parts.next()?.to_owned(), service: parts.next()?.to_owned() })
    }
}

/// One call of an AWS API.
#[derive(Debug, Clone)]
pub struct Request {
    /// The service called.
    pub service: Service,
    /// The operation, such as `UpdateService`.
    pub operation: String,
    /// Its parameters; leaves are strings for services that speak Query alone.
    pub input: Value,
    /// The body as sent.
    pub body: Bytes,
    /// The signer; `None` for an unsigned request.
    pub credential: Option<Credential>,
    /// `User-Agent` as sent.
    pub agent: String,
    /// The protocol.
    pub protocol: Protocol,
    /// True if the client requests the error codes of the Query protocol (`x-amzn-query-mode`).
    pub query_mode: bool,
}

impl Request {
    /// Reads a request. The errors for unknown targets are those of AWS's front end.
    pub(crate) fn parse(path: &str, headers: &HeaderMap, body: Bytes) -> Result<Self, ApiError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let credential = Credential::parse(header("authorization"));
        let agent = header("user-agent").to_owned();
        let protocol = Protocol::of(path, headers);
        let (service, operation, input) = match protocol {
            Protocol::Query => Self::parse_query(&body)?,
            Protocol::Json11 | Protocol::Json10 => Self::parse_json(header("x-amz-target"), &body)?,
            Protocol::Cbor => Self::parse_cbor(path, &body)?,
        };
        let query_mode = header("x-amzn-query-mode") == "true";
        Ok(Self { service, operation, input, body, credential, agent, protocol, query_mode })
    }

    /// True if the operation changes something, by its name.
    pub(crate) fn is_write(&self) -> bool {
        let reads = ["Describe", "List", "Get", "BatchGet", "BatchCheck", "AssumeRole", "Simulate"];
        !reads.iter().any(|verb| self.operation.starts_with(verb))
    }

    /// Reads an RPC v2 CBOR request.
    fn parse_cbor(path: &str, body: &[u8]) -> Result<(Service, String, Value), ApiError> {
        let unknown =
            || ApiError::with_status("UnknownOperationException", format!("nothing is at {path}"), 404);
        let (name, operation) = cbor::target(path).ok_or_else(unknown)?;
        let service = Service::of_target(name).ok_or_else(unknown)?;
        Ok((service, operation.to_owned(), cbor::decode(body)?))
    }

    /// Reads a JSON request.
    fn parse_json(target: &str, body: &[u8]) -> Result<(Service, String, Value), ApiError> {
        let unknown =
            || ApiError::new("UnknownOperationException", format!("no operation is known as {target}"));
        let (prefix, operation) = target.split_once('.').ok_or_else(unknown)?;
        let service = Service::of_target(prefix).ok_or_else(unknown)?;
        Ok((service, operation.to_owned(), json::decode(body)?))
    }

    /// Reads a Query request.
    fn parse_query(body: &[u8]) -> Result<(Service, String, Value), ApiError> {
        let mut input = query::decode(body);
        let mut take = |key: &str| {
            let value = input.as_object_mut().and_then(|map| map.shift_remove(key));
            value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let (action, version) = (take("Action"), take("Version"));
        if action.is_empty() {
            return Err(ApiError::new("MissingAction", "The request must contain the parameter Action"));
        }
        let invalid = || {
            let text = format!("Could not find operation {action} for version {version}");
            ApiError::new("InvalidAction", text)
        };
        let service = Service::of_version(&version).ok_or_else(invalid)?;
        Ok((service, action, if service.is_query() { input } else { form::typed(input) }))
    }
}
