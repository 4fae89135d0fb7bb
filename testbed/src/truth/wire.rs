//! One call of an AWS API: encoded, signed, sent, and its answer as plain values, for any protocol.

use std::io;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Map, Value};
use testbed::Service;

/// Limit for one call.
const LIMIT: Duration = Duration::from_secs(20);

/// The body and the headers of a call.
type Encoded = (String, Vec<(&'static str, String)>);

/// A service's protocol.
struct Protocol {
    /// The name in a signature.
    signing: &'static str,
    /// The first part of the host name.
    host: &'static str,
    /// The format of parameters.
    format: Format,
}

/// The format of parameters.
enum Format {
    /// JSON; the target's prefix and the version of the protocol.
    Json(&'static str, &'static str),
    /// A form; the version of the API.
    Query(&'static str),
}

/// Each service's protocol. From the service models of the AWS SDKs.
fn protocol(service: Service) -> Protocol {
    let (signing, host, format) = match service {
        Service::Ecs => ("ecs", "ecs", Format::Json("AmazonEC2ContainerServiceV20141113", "1.1")),
        Service::Ecr => ("ecr", "api.ecr", Format::Json("AmazonEC2ContainerRegistry_V20150921", "1.1")),
        Service::Acm => ("acm", "acm", Format::Json("CertificateManager", "1.1")),
        Service::AutoScaling => (
            "application-autoscaling",
            "application-autoscaling",
            Format::Json("AnyScaleFrontendService", "1.1"),
        ),
        Service::CloudWatch => {
            ("monitoring", "monitoring", Format::Json("GraniteServiceVersion20100801", "1.0"))
        }
        Service::Logs => ("logs", "logs", Format::Json("Logs_20140328", "1.1")),
        Service::Elb => ("elasticloadbalancing", "elasticloadbalancing", Format::Query("2015-12-01")),
        Service::Sts => ("sts", "sts", Format::Query("2011-06-15")),
        Service::Iam => ("iam", "iam", Format::Query("2010-05-08")),
    };
    Protocol { signing, host, format }
}

/// An AWS to call.
pub(super) struct Endpoint {
    /// Sends the calls.
    http: reqwest::Client,
    /// Signs the calls.
    credentials: Credentials,
    /// The region's code.
    region: String,
    /// The address of all services; none for AWS's own addresses.
    url: Option<String>,
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The error's code; none for a success.
    pub(super) code: Option<String>,
    /// The result or the error, without the envelope of the protocol.
    pub(super) body: Value,
}

impl Endpoint {
    /// The AWS of the environment: its credentials, region, and `AWS_ENDPOINT_URL`.
    pub(super) async fn of_environment(region: Option<String>) -> io::Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        if let Some(region) = region {
            loader = loader.region(aws_config::Region::new(region));
        }
        let config = loader.load().await;
        let region = config.region().ok_or_else(|| io::Error::other("no region: give `--region`"))?;
        let provider = config.credentials_provider().ok_or_else(|| io::Error::other("no credentials"))?;
        let credentials = provider.provide_credentials().await.map_err(io::Error::other)?;
        Self::new(credentials, region.to_string(), config.endpoint_url().map(str::to_owned))
    }

    /// A testbed's AWS, from the variables for its clients.
    pub(super) fn of_testbed(variables: &[(String, String)]) -> io::Result<Self> {
        let value = |name: &str| {
            let found = variables.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let credentials = Credentials::new(
            value("AWS_ACCESS_KEY_ID"),
            value("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "testbed",
        );
        Self::new(credentials, value("AWS_REGION"), Some(value("AWS_ENDPOINT_URL")))
    }

    /// An AWS at an address.
    fn new(credentials: Credentials, region: String, url: Option<String>) -> io::Result<Self> {
        let http = reqwest::Client::builder().timeout(LIMIT).build().map_err(io::Error::other)?;
        Ok(Self { http, credentials, region, url })
    }

    /// The region's code.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// Sends one call.
    ///
    /// # Errors If there is no answer.
    pub(super) async fn call(&self, service: Service, operation: &str, input: &Value) -> io::Result<Answer> {
        let protocol = protocol(service);
        let url = self.address(&protocol);
        let (body, mut headers) = encode(&protocol.format, operation, input);
        headers.extend(self.signature(&protocol, &url, &headers, &body)?);
        let mut request = self.http.post(&url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(io::Error::other)?;
        let status = response.status();
        let text = response.text().await.map_err(io::Error::other)?;
        let read = match protocol.format {
            Format::Json(..) => from_json(&text, !status.is_success()),
            Format::Query(_) => from_xml(&text, operation, !status.is_success()),
        };
        // A failure may be outside of the protocol: a page of a proxy, or of an emulator's own fault.
        Ok(read.unwrap_or_else(|_| Answer {
            code: Some(format!("no answer of AWS, {status}")),
            body: Value::Null,
        }))
    }

    /// The address of a service.
    fn address(&self, protocol: &Protocol) -> String {
        let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        match &self.url {
            Some(url) => format!("{}/", url.trim_end_matches('/')),
            None => format!("https://{}.{}.{suffix}/", protocol.host, self.region),
        }
    }

    /// The headers that sign a request.
    fn signature(
        &self,
        protocol: &Protocol,
        url: &str,
        headers: &[(&'static str, String)],
        body: &str,
    ) -> io::Result<Vec<(&'static str, String)>> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(protocol.signing)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(io::Error::other)?
            .into();
        let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new("POST", url, signed, SignableBody::Bytes(body.as_bytes()))
            .map_err(io::Error::other)?;
        let (instructions, _) = sign(request, &parameters).map_err(io::Error::other)?.into_parts();
        let (added, _) = instructions.into_parts();
        Ok(added.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}

/// Body and headers of a call.
fn encode(format: &Format, operation: &str, input: &Value) -> Encoded {
    match format {
        Format::Json(prefix, version) => (
            input.to_string(),
            vec![
                ("content-type", format!("application/x-amz-json-{version}")),
                ("x-amz-target", format!("{prefix}.{operation}")),
            ],
        ),
        Format::Query(version) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", operation).append_pair("Version", version);
            flatten(&mut form, String::new(), input);
            (form.finish(), vec![("content-type", "application/x-www-form-urlencoded".to_owned())])
        }
    }
}

/// Adds a value to a form: `Names.member.1=web`, `Action.Type=forward`.
fn flatten(form: &mut url::form_urlencoded::Serializer<'_, String>, path: String, value: &Value) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(form, below(key), value)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(form, below(&format!("member.{}", index + 1)), item);
            }
        }
        Value::String(text) => {
            form.append_pair(&path, text);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            form.append_pair(&path, &value.to_string());
        }
    }
}

/// The answer of a JSON protocol.
fn from_json(text: &str, failed: bool) -> io::Result<Answer> {
    let body: Value = if text.is_empty() { Value::Null } else { serde_json::from_str(text)? };
    let code = body["__type"].as_str().map(|name| name.rsplit('#').next().unwrap_or(name).to_owned());
    let code = failed.then(|| code.unwrap_or_else(|| "no code".to_owned()));
    Ok(Answer { code, body })
}

/// The answer of a Query protocol: `<DescribeRulesResponse><DescribeRulesResult>…`.
fn from_xml(text: &str, operation: &str, failed: bool) -> io::Result<Answer> {
    let document = roxmltree::Document::parse(text).map_err(io::Error::other)?;
    let find = |name: &str| document.descendants().find(|node| node.has_tag_name(name));
    let named = |name: &str| document.descendants().find(|node| node.tag_name().name() == name);
    if failed {
        let code = named("Code").and_then(|node| node.text()).unwrap_or("no code").to_owned();
        let body = named("Error").map_or(Value::Null, element);
        return Ok(Answer { code: Some(code), body });
    }
    let result = format!("{operation}Result");
    let body = find(&result).or_else(|| named(&result)).map_or(Value::Null, element);
    Ok(Answer { code: None, body })
}

/// An element as a value: a list if it holds `member`s, null if it is empty.
fn element(node: roxmltree::Node<'_, '_>) -> Value {
    let children: Vec<_> = node.children().filter(roxmltree::Node::is_element).collect();
    if children.is_empty() {
        return node.text().map_or(Value::Null, |text| Value::String(text.to_owned()));
    }
    if children.iter().all(|child| child.tag_name().name() == "member") {
        return children.into_iter().map(element).collect();
    }
    let fields = children.into_iter().map(|child| (child.tag_name().name().to_owned(), element(child)));
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_names_each_value_by_its_path() {
        let input = json!({"Actions": [{"Type": "forward", "Order": 1}], "Names": ["a b"]});
        let (body, _) = encode(&Format::Query("2015-12-01"), "ModifyRule", &input);
        assert_eq!(
            body,
            "Action=ModifyRule&Version=2015-12-01&Actions.member.1.Type=forward&Actions.member.1.Order=1\
             &Names.member.1=a+b"
        );
    }

    #[test]
    fn an_answer_loses_its_envelope() {
        let text = "<R xmlns='x'><DescribeRulesResult><Rules><member><Priority>1</Priority><Actions/></member>\
                    </Rules></DescribeRulesResult><ResponseMetadata/></R>";
        let answer = from_xml(text, "DescribeRules", false).unwrap();
        assert_eq!(answer.body, json!({"Rules": [{"Priority": "1", "Actions": null}]}));
        let text = "<ErrorResponse><Error><Code>RuleNotFound</Code></Error></ErrorResponse>";
        assert_eq!(from_xml(text, "DescribeRules", true).unwrap().code.as_deref(), Some("RuleNotFound"));
        let text = r#"{"__type":"com.amazonaws.ecs#ClientException","message":"no"}"#;
        assert_eq!(from_json(text, true).unwrap().code.as_deref(), Some("ClientException"));
    }
}
