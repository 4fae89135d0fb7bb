//! Actions of a rule: the content of `Actions` and `DefaultActions`.

use serde_json::{Map, Value, json};

use super::input::{Input, not_in_enum, validation};
use crate::wire::ApiError;

/// AWS's action types (API_Action).
const TYPES: [&str; 6] =
    ["forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response", "jwt-validation"];
/// Most target groups in one forward action (Quotas for your Application Load Balancers).
const MOST_GROUPS: usize = 5;

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The order among several actions; 1 to 50000.
    pub order: Option<u32>,
    /// The kind.
    pub kind: Kind,
}

/// The kind of an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Sends requests to target groups.
    Forward(Forward),
    /// Answers directly.
    FixedResponse {
        /// HTTP status.
        status: u16,
        /// `Content-Type`.
        content_type: Option<String>,
        /// The body.
        body: Option<String>,
    },
    /// Redirects the client. Holds `RedirectConfig` as given.
    Redirect(Value),
    /// Authentication, JWT validation, and future types: kept as data, passed through by the data plane.
    Other {
        /// `Type`.
        name: String,
        /// All fields except `Type`, `Order` and the client secret, as AWS shows them.
        fields: Map<String, Value>,
        /// `ClientSecret`, which AWS never shows.
        secret: Option<String>,
    },
}

/// A forward action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Target groups by ARN, each with its weight.
    pub groups: Vec<(String, u32)>,
    /// True if clients stay with their target group.
    pub sticky: bool,
    /// Duration of stickiness, in seconds.
    pub sticky_seconds: Option<u32>,
}

impl Forward {
    /// The sum of the weights.
    pub fn total(&self) -> u32 {
        self.groups.iter().map(|(_, weight)| weight).sum()
    }

    /// The weight of a group; none if the action does not name the group.
    pub fn weight_of(&self, group_arn: &str) -> Option<u32> {
        self.groups.iter().find(|(arn, _)| arn == group_arn).map(|(_, weight)| *weight)
    }
}

impl Action {
    /// The forward, if any.
    pub fn forward(&self) -> Option<&Forward> {
        match &self.kind {
            Kind::Forward(forward) => Some(forward),
            Kind::FixedResponse { .. } | Kind::Redirect(_) | Kind::Other { .. } => None,
        }
    }

    /// An action of any type from AWS's output shape, unchecked: tests add future types this way.
    pub fn raw(mut fields: Map<String, Value>) -> Self {
        let order = fields
            .shift_remove("Order")
            .and_then(|order| order.as_u64())
            .and_then(|order| u32::try_from(order).ok());
        let name =
            fields.shift_remove("Type").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        Self { order, kind: Kind::Other { name, fields, secret: None } }
    }

    /// The action as AWS describes it. The fields' order is AWS's.
    pub fn describe(&self) -> Value {
        let mut out = Map::new();
        match &self.kind {
            Kind::Forward(forward) => describe_forward(forward, &mut out),
            Kind::FixedResponse { status, content_type, body } => {
                out.insert("Type".into(), json!("fixed-response"));
                let config = json!({"MessageBody": body, "StatusCode": status.to_string(), "ContentType": content_type});
                out.insert("FixedResponseConfig".into(), config);
            }
            Kind::Redirect(config) => {
                out.insert("Type".into(), json!("redirect"));
                out.insert("RedirectConfig".into(), config.clone());
            }
            Kind::Other { name, fields, .. } => {
                out.insert("Type".into(), json!(name));
                out.extend(fields.clone());
            }
        }
        if let Some(order) = self.order {
            out.insert("Order".into(), json!(order));
        }
        Value::Object(out)
    }
}

/// A single group shows both forms, several groups only `ForwardConfig` (seen in DescribeRules answers).
fn describe_forward(forward: &Forward, out: &mut Map<String, Value>) {
    out.insert("Type".into(), json!("forward"));
    if let [(only, _)] = forward.groups.as_slice() {
        out.insert("TargetGroupArn".into(), json!(only));
    }
    let groups: Vec<Value> =
        forward.groups.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
    let mut stickiness = json!({"Enabled": forward.sticky});
    if let Some(seconds) = forward.sticky_seconds {
        stickiness["DurationSeconds"] = json!(seconds);
    }
    out.insert(
        "ForwardConfig".into(),
        json!({"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}),
    );
}

/// Reads and checks a whole list, without checks on other resources. `before` are the replaced actions (which may keep
/// their client secret), `member` is the list's name in messages.
pub(super) fn parse_list(
    list: &[Input<'_>],
    before: &[Action],
    member: &str,
) -> Result<Vec<Action>, ApiError> {
    if list.is_empty() {
        return Err(validation("An action must be specified"));
    }
    let mut actions = Vec::with_capacity(list.len());
    for (index, input) in list.iter().enumerate() {
        actions.push(parse(*input, before, &format!("{member}.{}.member.type", index + 1))?);
    }
    check_order(&actions)?;
    actions.sort_by_key(|action| action.order);
    Ok(actions)
}

/// Exactly one final action, at the end of the list (API_Action: "The action with the lowest value for order is
/// performed first").
fn check_order(actions: &[Action]) -> Result<(), ApiError> {
    let ends = |action: &Action| !matches!(action.kind, Kind::Other { .. });
    if actions.iter().filter(|action| ends(action)).count() != 1 {
        return Err(invalid_action(
            "A rule must have exactly one action of type 'forward', 'redirect' or 'fixed-response'",
        ));
    }
    if actions.len() == 1 {
        return Ok(());
    }
    if actions.iter().any(|action| action.order.is_none()) {
        return Err(validation("An action order must be specified when there are multiple actions"));
    }
    let last = actions.iter().max_by_key(|action| action.order);
    match last {
        Some(last) if ends(last) => Ok(()),
        Some(_) | None => {
            Err(invalid_action("The last action must be of type 'forward', 'redirect' or 'fixed-response'"))
        }
    }
}

/// Reads one action.
fn parse(input: Input<'_>, before: &[Action], member: &str) -> Result<Action, ApiError> {
    let name = input.required("Type")?;
    let order = input.number("Order", 1..=50_000)?;
    let kind = match name {
        "forward" => Kind::Forward(parse_forward(input)?),
        "fixed-response" => parse_fixed(input)?,
        "redirect" => parse_redirect(input)?,
        "authenticate-oidc" => parse_oidc(input, before)?,
        "authenticate-cognito" | "jwt-validation" => other(name, input, None),
        unknown => return Err(not_in_enum(unknown, member, &TYPES)),
    };
    Ok(Action { order, kind })
}

/// Keeps an action's fields unchanged.
fn other(name: &str, input: Input<'_>, secret: Option<String>) -> Kind {
    let mut fields = input.0.as_object().cloned().unwrap_or_default();
    fields.shift_remove("Type");
    fields.shift_remove("Order");
    if let Some(config) = fields.get_mut("AuthenticateOidcConfig").and_then(Value::as_object_mut) {
        config.shift_remove("ClientSecret");
        config.shift_remove("UseExistingClientSecret");
    }
    Kind::Other { name: name.to_owned(), fields, secret }
}

/// The secret is never shown again, so a change either sends the secret or sets `UseExistingClientSecret`
/// (API_AuthenticateOidcActionConfig).
fn parse_oidc(input: Input<'_>, before: &[Action]) -> Result<Kind, ApiError> {
    let config = input.structure("AuthenticateOidcConfig").ok_or_else(|| {
        invalid_action(
            "An 'AuthenticateOidcConfig' must be specified with an action of type 'authenticate-oidc'",
        )
    })?;
    for name in ["Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"] {
        config.required(name)?;
    }
    if let Some(secret) = config.owned("ClientSecret") {
        return Ok(other("authenticate-oidc", input, Some(secret)));
    }
    let known = before.iter().find_map(|action| match &action.kind {
        Kind::Other { secret, .. } => secret.clone(),
        Kind::Forward(_) | Kind::FixedResponse { .. } | Kind::Redirect(_) => None,
    });
    match (config.flag("UseExistingClientSecret")?, known) {
        (Some(true), Some(secret)) => Ok(other("authenticate-oidc", input, Some(secret))),
        (Some(true), None) => Err(invalid_action("There is no existing client secret to use")),
        (Some(false) | None, _) => {
            Err(invalid_action("You must specify a client secret or set 'UseExistingClientSecret' to true"))
        }
    }
}

/// `FixedResponseConfig`: a status 2XX, 4XX or 5XX, and five content types (API_FixedResponseActionConfig).
fn parse_fixed(input: Input<'_>) -> Result<Kind, ApiError> {
    const CONTENT: [&str; 5] =
        ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
    let config = input.structure("FixedResponseConfig").ok_or_else(|| {
        invalid_action("A 'FixedResponseConfig' must be specified with an action of type 'fixed-response'")
    })?;
    let text = config.required("StatusCode")?;
    let status = text.parse().ok().filter(|code| matches!(code, 200..=299 | 400..=599)).ok_or_else(|| {
        validation(format!(
            "1 validation error detected: Value '{text}' at 'actions.1.member.fixedResponseConfig.statusCode' failed to \
             satisfy constraint: Member must satisfy regular expression pattern: ^(2|4|5)\\d\\d$"
        ))
    })?;
    let content_type = config.owned("ContentType");
    if content_type.as_deref().is_some_and(|kind| !CONTENT.contains(&kind)) {
        return Err(invalid_action(format!("The ContentType must be one of:'{}'", CONTENT.join("', '"))));
    }
    Ok(Kind::FixedResponse { status, content_type, body: config.owned("MessageBody") })
}

/// `RedirectConfig`, with AWS's defaults filled in as DescribeRules shows them.
fn parse_redirect(input: Input<'_>) -> Result<Kind, ApiError> {
    let config = input.structure("RedirectConfig").ok_or_else(|| {
        invalid_action("A 'RedirectConfig' must be specified with an action of type 'redirect'")
    })?;
    let status = config.required("StatusCode")?;
    if !["HTTP_301", "HTTP_302"].contains(&status) {
        return Err(not_in_enum(
            status,
            "actions.1.member.redirectConfig.statusCode",
            &["HTTP_301", "HTTP_302"],
        ));
    }
    let or = |name: &str, default: &str| config.text(name).unwrap_or(default).to_owned();
    let (protocol, port) = (or("Protocol", "#{protocol}"), or("Port", "#{port}"));
    let (host, path, query) = (or("Host", "#{host}"), or("Path", "/#{path}"), or("Query", "#{query}"));
    if protocol == "#{protocol}" && port == "#{port}" && host == "#{host}" && path == "/#{path}" {
        return Err(invalid_action("The redirect configuration is not valid because it creates a loop."));
    }
    Ok(Kind::Redirect(
        json!({"Protocol": protocol, "Port": port, "Host": host, "Path": path, "Query": query, "StatusCode": status}),
    ))
}

/// `TargetGroupArn`, `ForwardConfig`, or both if equal (API_Action).
fn parse_forward(input: Input<'_>) -> Result<Forward, ApiError> {
    let single = input.text("TargetGroupArn");
    let config = input.structure("ForwardConfig").filter(|config| config.has("TargetGroups"));
    let Some(config) = config else {
        let arn = single.ok_or_else(|| {
            invalid_action("A target group ARN or a forward configuration must be specified with an action of type 'forward'")
        })?;
        return Ok(Forward { groups: vec![(arn.to_owned(), 1)], sticky: false, sticky_seconds: None });
    };
    let groups = parse_groups(&config.list("TargetGroups").unwrap_or_default())?;
    if single.is_some_and(|arn| groups.len() != 1 || groups[0].0 != arn) {
        return Err(invalid_action(
            "You can specify both a target group ARN and a forward configuration only if they name the same single target group",
        ));
    }
    let (sticky, sticky_seconds) = parse_stickiness(config.structure("TargetGroupStickinessConfig"))?;
    Ok(Forward { groups, sticky, sticky_seconds })
}

/// The weighted groups: one to five, none twice, weights 0 to 999 that only a single group may omit
/// (API_TargetGroupTuple).
fn parse_groups(list: &[Input<'_>]) -> Result<Vec<(String, u32)>, ApiError> {
    if list.is_empty() {
        return Err(validation("A target group must be specified in the forward configuration"));
    }
    if list.len() > MOST_GROUPS {
        return Err(ApiError::new(
            "TooManyTargetGroups",
            format!(
                "You have specified '{}' target groups for an action; the limit is '{MOST_GROUPS}'",
                list.len()
            ),
        ));
    }
    let mut groups: Vec<(String, u32)> = Vec::new();
    for tuple in list {
        let arn = tuple.required("TargetGroupArn")?;
        if groups.iter().any(|(known, _)| known == arn) {
            return Err(validation(format!("Target group '{arn}' is specified more than once in an action")));
        }
        let weight = match (tuple.number("Weight", 0..=999)?, list.len()) {
            (Some(weight), _) => weight,
            (None, 1) => 1,
            (None, _) => {
                return Err(validation(
                    "A weight must be specified for each target group when there are multiple target groups",
                ));
            }
        };
        groups.push((arn.to_owned(), weight));
    }
    Ok(groups)
}

/// Group stickiness: true if enabled, and its duration of 1 to 604800 seconds. AWS checks a duration even if stickiness
/// is off.
fn parse_stickiness(config: Option<Input<'_>>) -> Result<(bool, Option<u32>), ApiError> {
    let wrong = || validation("Target group stickiness duration must be between 1 and 604800 seconds");
    let Some(config) = config else { return Ok((false, None)) };
    let enabled = config.flag("Enabled")?.unwrap_or(false);
    let seconds = config
        .text("DurationSeconds")
        .map(|text| text.parse().ok().filter(|seconds| (1..=604_800).contains(seconds)));
    match (enabled, seconds) {
        (_, Some(None)) | (true, None) => Err(wrong()),
        (enabled, Some(Some(seconds))) => Ok((enabled, Some(seconds))),
        (false, None) => Ok((false, None)),
    }
}

/// `InvalidLoadBalancerAction` with AWS's status.
pub(super) fn invalid_action(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidLoadBalancerAction", message)
}
