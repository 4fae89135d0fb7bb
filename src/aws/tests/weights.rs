//! Actions of rules in JSON, how new weights are written, and how they are read back.

use serde_json::{Value, json};

use super::server::{Answer, Request, Server, refusal, xml};
use crate::aws::actions;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::Split;
use crate::plan::sample::snapshot;
use crate::plan::snapshot::{Rule, Weighted};
use crate::plan::step::{Purpose, Weights};

/// Writes one rule.
async fn set(server: &Server, weights: &Weights) -> AwsResult<Rule> {
    let (mut answers, between) =
        server.aws().await.set_weights(&[(weights, &found())], &[], &snapshot()).await;
    assert!(answers.len() == 1 && between.is_none());
    answers.remove(0)
}

/// The production rule.
const RULE: &str = "arn:rule/10";

/// Its listener.
const LISTENER: &str = "arn:listener/443";

/// An authenticate-oidc action as DescribeRules returns it: without its secret.
const OIDC: &str = "<member><Type>authenticate-oidc</Type><Order>1</Order><AuthenticateOidcConfig>\
     <Issuer>https://id.example</Issuer><AuthorizationEndpoint>https://id.example/a</AuthorizationEndpoint>\
     <TokenEndpoint>https://id.example/t</TokenEndpoint><UserInfoEndpoint>https://id.example/u</UserInfoEndpoint>\
     <ClientId>shop</ClientId><SessionCookieName>SESSION</SessionCookieName><Scope>openid email</Scope>\
     <SessionTimeout>604800</SessionTimeout><AuthenticationRequestExtraParams>\
     <entry><key>prompt</key><value>login</value></entry><entry><key>display</key><value>page</value></entry>\
     </AuthenticationRequestExtraParams><OnUnauthenticatedRequest>deny</OnUnauthenticatedRequest>\
     </AuthenticateOidcConfig></member>";

/// The same in JSON, with the secret that is to be kept.
fn oidc() -> Value {
    json!({ "Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
        "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a",
        "TokenEndpoint": "https://id.example/t", "UserInfoEndpoint": "https://id.example/u",
        "ClientId": "shop", "SessionCookieName": "SESSION", "Scope": "openid email", "SessionTimeout": 604_800,
        "AuthenticationRequestExtraParams": { "display": "page", "prompt": "login" },
        "OnUnauthenticatedRequest": "deny", "UseExistingClientSecret": true
    } })
}

/// A forward action to both colors, with stickiness.
fn forward(blue: u32, green: u32) -> Value {
    json!({ "Type": "forward", "Order": 2, "ForwardConfig": {
        "TargetGroups": [
            { "TargetGroupArn": "arn:group/blue", "Weight": blue },
            { "TargetGroupArn": "arn:group/green", "Weight": green }
        ],
        "TargetGroupStickinessConfig": { "Enabled": true, "DurationSeconds": 3600 }
    } })
}

/// What DescribeRules says of the production rule, with these actions in XML.
fn described(actions: &str) -> Answer {
    let rule = format!(
        "<Rules><member><RuleArn>{RULE}</RuleArn><Priority>10</Priority><IsDefault>false</IsDefault>\
         <Actions>{actions}</Actions></member></Rules>"
    );
    xml("DescribeRules", &rule)
}

/// A forward action to both colors in XML; this stickiness with an hour.
fn forward_xml(blue: u32, green: u32, sticky: bool) -> String {
    format!(
        "<member><Type>forward</Type><Order>2</Order><ForwardConfig><TargetGroups>\
         <member><TargetGroupArn>arn:group/blue</TargetGroupArn><Weight>{blue}</Weight></member>\
         <member><TargetGroupArn>arn:group/green</TargetGroupArn><Weight>{green}</Weight></member></TargetGroups>\
         <TargetGroupStickinessConfig><Enabled>{sticky}</Enabled><DurationSeconds>3600</DurationSeconds>\
         </TargetGroupStickinessConfig></ForwardConfig></member>"
    )
}

/// The rule as it was found; of it only the listener counts here.
fn found() -> Rule {
    Rule {
        arn: RULE.to_owned(),
        listener: LISTENER.to_owned(),
        port: 443,
        protocol: "HTTPS".to_owned(),
        priority: Some(10),
        conditions: Vec::new(),
        forward: Vec::new(),
        stickiness: None,
        actions: Vec::new(),
        whole: Value::Null.into(),
    }
}

/// The rule from 100/0 to 80/20 with these actions; a listener's default action or not.
fn weights(default: bool, actions: Value) -> Weights {
    let split = |blue| Split { blue, green: 100 - blue };
    Weights {
        rule: RULE.to_owned(),
        listener: LISTENER.to_owned(),
        default,
        name: "HTTPS:443 rule 10".to_owned(),
        before: split(100),
        after: split(80),
        adopts: None,
        actions,
        purpose: Purpose::Traffic,
    }
}

/// A load balancer that takes every write and then shows 80/20.
fn good(request: &Request) -> Answer {
    match request.operation().as_str() {
        "DescribeRules" => described(&(OIDC.to_owned() + &forward_xml(80, 20, true))),
        other => xml(other, ""),
    }
}

#[tokio::test]
async fn invariant_03_a_rule_is_written_with_all_its_actions_and_nothing_else() {
    for (default, operation, head) in
        [(false, "ModifyRule", [("RuleArn", RULE)]), (true, "ModifyListener", [("ListenerArn", LISTENER)])]
    {
        let server = Server::start(|request, _| good(request)).await;
        let step = weights(default, json!([oidc(), forward(80, 20)]));
        let rule = set(&server, &step).await.unwrap();
        assert_eq!(server.operations(), [operation, "DescribeRules"]);
        let list = if default { "DefaultActions" } else { "Actions" };
        let mut expected: Vec<(String, String)> =
            head.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        expected
            .extend([("Action", operation), ("Version", "2015-12-01")].map(|(k, v)| (k.into(), v.into())));
        let first = [
            ("Type", "authenticate-oidc"),
            ("Order", "1"),
            ("AuthenticateOidcConfig.Issuer", "https://id.example"),
            ("AuthenticateOidcConfig.AuthorizationEndpoint", "https://id.example/a"),
            ("AuthenticateOidcConfig.TokenEndpoint", "https://id.example/t"),
            ("AuthenticateOidcConfig.UserInfoEndpoint", "https://id.example/u"),
            ("AuthenticateOidcConfig.ClientId", "shop"),
            ("AuthenticateOidcConfig.SessionCookieName", "SESSION"),
            ("AuthenticateOidcConfig.Scope", "openid email"),
            ("AuthenticateOidcConfig.SessionTimeout", "604800"),
            ("AuthenticateOidcConfig.OnUnauthenticatedRequest", "deny"),
            ("AuthenticateOidcConfig.UseExistingClientSecret", "true"),
        ];
        let second = [
            ("Type", "forward"),
            ("Order", "2"),
            ("ForwardConfig.TargetGroups.member.1.TargetGroupArn", "arn:group/blue"),
            ("ForwardConfig.TargetGroups.member.1.Weight", "80"),
            ("ForwardConfig.TargetGroups.member.2.TargetGroupArn", "arn:group/green"),
            ("ForwardConfig.TargetGroups.member.2.Weight", "20"),
            ("ForwardConfig.TargetGroupStickinessConfig.Enabled", "true"),
            ("ForwardConfig.TargetGroupStickinessConfig.DurationSeconds", "3600"),
        ];
        expected.extend(first.map(|(key, value)| (format!("{list}.member.1.{key}"), value.to_owned())));
        expected.extend(second.map(|(key, value)| (format!("{list}.member.2.{key}"), value.to_owned())));
        // The entries of a map come in any order.
        let (params, mut sent): (Vec<_>, Vec<_>) =
            server.requests()[0].fields().into_iter().partition(|(key, _)| key.contains("ExtraParams"));
        let mut params: Vec<String> = params.into_iter().map(|(_, value)| value).collect();
        params.sort();
        assert_eq!(params, ["display", "login", "page", "prompt"]);
        sent.sort();
        expected.sort();
        assert_eq!(sent, expected);
        assert_eq!(*rule.whole, step.actions, "as it was sent");
    }
}

#[tokio::test]
async fn invariant_02_the_rule_is_read_back_with_the_listener_as_it_was_found() {
    let server = Server::start(|request, _| good(request)).await;
    let step = weights(true, json!([oidc(), forward(80, 20)]));
    let rule = set(&server, &step).await.unwrap();
    assert_eq!(server.requests()[1].field("RuleArns.member.1").as_deref(), Some(RULE));
    let weighted = |group: &str, weight| Weighted { group: group.to_owned(), weight };
    assert_eq!(rule.forward, [weighted("arn:group/blue", 80), weighted("arn:group/green", 20)]);
    assert_eq!(
        (rule.arn.as_str(), rule.listener.as_str(), rule.port, rule.protocol.as_str(), rule.priority),
        (RULE, LISTENER, 443, "HTTPS", Some(10))
    );
}

#[tokio::test]
async fn stickiness_that_is_off_keeps_its_duration_and_a_lone_group_is_named_once() {
    let off = actions_of(&forward_xml(1, 0, false)).await;
    let kept = json!({ "Enabled": false, "DurationSeconds": 3600 });
    assert_eq!(off[0]["ForwardConfig"]["TargetGroupStickinessConfig"], kept);
    for seconds in ["0", "604801"] {
        let refused = forward_xml(1, 0, false).replace("3600", seconds);
        let off = actions_of(&refused).await;
        assert_eq!(off[0]["ForwardConfig"]["TargetGroupStickinessConfig"], json!({ "Enabled": false }));
    }
    let lone = "<TargetGroupArn>arn:group/blue</TargetGroupArn>";
    let config = "<ForwardConfig><TargetGroups><member><TargetGroupArn>arn:group/blue</TargetGroupArn>\
                  <Weight>1</Weight></member></TargetGroups></ForwardConfig>";
    for parts in [lone.to_owned(), config.to_owned(), format!("{lone}{config}")] {
        let read = actions_of(&format!("<member><Type>forward</Type>{parts}</member>")).await;
        let groups = json!({ "TargetGroups": [{ "TargetGroupArn": "arn:group/blue", "Weight": 1 }] });
        assert_eq!(read, json!([{ "Type": "forward", "ForwardConfig": groups }]), "{parts}");
    }
    let unknown = actions_of("<member><Type>teleport</Type></member>").await;
    assert_eq!(unknown, Value::Null, "an action that is not understood is not written");
}

/// The actions of a rule with this XML.
async fn actions_of(actions: &str) -> Value {
    let answer = actions.to_owned();
    let server = Server::start(move |request, _| match request.operation().as_str() {
        "DescribeRules" => described(&answer),
        other => xml(other, ""),
    })
    .await;
    let step = weights(false, json!([forward(80, 20)]));
    set(&server, &step).await.unwrap().whole.as_ref().clone()
}

/// One action with every key that there is; AWS takes only some at a time.
fn everything() -> Value {
    let mut action = oidc();
    let more = json!({
        "TargetGroupArn": "arn:group/blue",
        "AuthenticateCognitoConfig": {
            "UserPoolArn": "arn:pool", "UserPoolClientId": "c", "UserPoolDomain": "d", "SessionCookieName": "S",
            "Scope": "openid", "SessionTimeout": 60, "AuthenticationRequestExtraParams": { "a": "b" },
            "OnUnauthenticatedRequest": "allow"
        },
        "JwtValidationConfig": {
            "JwksEndpoint": "https://id.example/jwks", "Issuer": "https://id.example",
            "AdditionalClaims": [{ "Format": "string-array", "Name": "aud", "Values": ["shop", "web"] }]
        },
        "RedirectConfig": {
            "Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}",
            "StatusCode": "HTTP_301"
        },
        "FixedResponseConfig": { "MessageBody": "closed", "StatusCode": "503", "ContentType": "text/plain" },
        "ForwardConfig": forward(80, 20)["ForwardConfig"]
    });
    for (key, value) in more.as_object().unwrap() {
        action[key] = value.clone();
    }
    action
}

#[test]
fn no_field_of_the_sdks_actions_is_forgotten() {
    let all = json!([everything()]);
    let read = actions::from_json(&all).unwrap();
    // The SDK prints every field. The secret has none in JSON.
    let told = format!("{read:?}").replace("client_secret: None", "");
    assert!(!told.contains("None"), "a field that src/aws/actions.rs does not have: {told}");
    assert_eq!(actions::actions_to_json(&read), all);
}

#[test]
fn invariant_32_a_client_secret_does_not_get_into_json() {
    let mut read = actions::from_json(&json!([oidc()])).unwrap();
    let config = read[0].authenticate_oidc_config.as_mut().unwrap();
    config.client_secret = Some("hush".to_owned());
    config.use_existing_client_secret = None;
    assert_eq!(actions::actions_to_json(&read), json!([oidc()]));
}

#[test]
fn what_is_not_understood_is_told_by_its_place() {
    let refused = |actions: Value| actions::from_json(&actions).unwrap_err();
    assert_eq!(refused(Value::Null), "not a list");
    assert_eq!(refused(json!([])), "a rule needs an action");
    assert_eq!(refused(json!([{ "Order": 1 }])), "an action without a type");
    assert_eq!(refused(json!([{ "Type": "teleport" }])), "unknown type of action: teleport");
    assert_eq!(refused(json!([{ "Type": "forward", "Beam": 1 }])), "unknown key Beam");
    let group = |group: Value| json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": [group] } }]);
    assert_eq!(
        refused(group(json!({ "Weight": "1" }))),
        "ForwardConfig: TargetGroups: Weight: not a whole number"
    );
    assert_eq!(
        refused(group(json!({ "Weight": 1_u64 << 40 }))),
        "ForwardConfig: TargetGroups: Weight: too large a number"
    );
    assert_eq!(refused(group(json!(1))), "ForwardConfig: TargetGroups: not an object");
    let secret =
        json!([{ "Type": "authenticate-oidc", "AuthenticateOidcConfig": { "ClientSecret": "hush" } }]);
    assert_eq!(refused(secret), "AuthenticateOidcConfig: unknown key ClientSecret");
}

#[tokio::test]
async fn nothing_is_sent_when_the_actions_are_not_understood() {
    let server = Server::start(|request, _| good(request)).await;
    let trouble = set(&server, &weights(true, Value::Null)).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Refused, false));
    assert_eq!(
        (trouble.action, trouble.resource.as_str()),
        ("elasticloadbalancing:ModifyListener", LISTENER)
    );
    assert_eq!(trouble.message, "can't be written, nothing was sent: not a list");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn invariant_35_weights_without_an_answer_are_sent_once() {
    for default in [false, true] {
        for dropped in [false, true] {
            let server = Server::start(move |request, _| {
                if dropped { Answer::Drop } else { refusal(request, 500, "InternalFailure", "boom") }
            })
            .await;
            let step = weights(default, json!([forward(80, 20)]));
            let trouble = set(&server, &step).await.unwrap_err();
            assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Unreachable, true));
            let action = if default { "ModifyListener" } else { "ModifyRule" };
            assert_eq!(trouble.action, format!("elasticloadbalancing:{action}"));
            assert_eq!(server.operations(), [action]);
        }
    }
}

#[tokio::test]
async fn throttled_weights_are_sent_again_and_refused_ones_had_no_effect() {
    let server = Server::start(|request, number| match number {
        1 => refusal(request, 400, "Throttling", "Rate exceeded"),
        _ => good(request),
    })
    .await;
    let step = weights(false, json!([forward(80, 20)]));
    set(&server, &step).await.unwrap();
    assert_eq!(server.operations(), ["ModifyRule", "ModifyRule", "DescribeRules"]);
    for (code, kind) in
        [("RuleNotFound", AwsErrorKind::Missing), ("InvalidConfigurationRequest", AwsErrorKind::Refused)]
    {
        let server = Server::start(move |request, _| refusal(request, 400, code, "no")).await;
        let trouble = set(&server, &step).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.effect_unknown, trouble.resource.as_str()), (kind, false, RULE));
    }
}

#[tokio::test]
async fn a_read_back_that_fails_leaves_the_effect_unknown() {
    for (code, kind) in [("AccessDenied", AwsErrorKind::Denied), ("", AwsErrorKind::Missing)] {
        let server = Server::start(move |request, _| match (request.operation().as_str(), code) {
            ("DescribeRules", "") => xml("DescribeRules", "<Rules></Rules>"),
            ("DescribeRules", code) => refusal(request, 400, code, "no"),
            (other, _) => xml(other, ""),
        })
        .await;
        let step = weights(true, json!([forward(80, 20)]));
        let trouble = set(&server, &step).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.effect_unknown), (kind, true));
        assert_eq!((trouble.action, trouble.resource.as_str()), ("elasticloadbalancing:DescribeRules", RULE));
    }
}

/// One rule by its number, as it was found and as it is to be written.
fn numbered(number: usize) -> (Weights, Rule) {
    let arn = format!("arn:rule/{number}");
    let write = Weights { rule: arn.clone(), ..weights(false, json!([forward(80, 20)])) };
    (write, Rule { arn, ..found() })
}

/// What DescribeRules says of the rules that a request names, without these.
fn described_without(request: &Request, gone: &[&str]) -> Answer {
    let named =
        request.fields().into_iter().filter(|(key, _)| key.starts_with("RuleArns.")).map(|(_, arn)| arn);
    let named: Vec<String> = named.collect();
    if named.iter().any(|arn| gone.contains(&arn.as_str())) {
        return refusal(request, 400, "RuleNotFound", "One or more rules not found");
    }
    let actions = forward_xml(80, 20, true);
    let rule = |arn: &String| {
        format!(
            "<member><RuleArn>{arn}</RuleArn><Priority>10</Priority><Actions>{actions}</Actions></member>"
        )
    };
    xml("DescribeRules", &format!("<Rules>{}</Rules>", named.iter().map(rule).collect::<String>()))
}

/// The answers of three writes at once, with the operations that were asked.
async fn three(server: &Server) -> (Vec<Result<String, (AwsErrorKind, bool)>>, usize) {
    let all: Vec<(Weights, Rule)> = (1..=3).map(numbered).collect();
    let writes: Vec<(&Weights, &Rule)> = all.iter().map(|(write, rule)| (write, rule)).collect();
    let (answers, _) = server.aws().await.set_weights(&writes, &[], &snapshot()).await;
    let told = |answer: AwsResult<Rule>| {
        answer.map(|rule| rule.arn).map_err(|trouble| (trouble.kind, trouble.effect_unknown))
    };
    let reads = server.operations().iter().filter(|name| *name == "DescribeRules").count();
    (answers.into_iter().map(told).collect(), reads)
}

#[tokio::test]
async fn invariant_35_of_rules_written_at_once_each_has_an_answer_of_its_own() {
    let ok = |number: usize| Ok(format!("arn:rule/{number}"));
    let server = Server::start(|request, _| match request.operation().as_str() {
        "DescribeRules" => described_without(request, &[]),
        other => xml(other, ""),
    })
    .await;
    assert_eq!(three(&server).await, (vec![ok(1), ok(2), ok(3)], 1), "read back by one call");

    let second = |request: &Request| request.field("RuleArn").as_deref() == Some("arn:rule/2");
    for (code, answer) in [
        ("AccessDenied", Err((AwsErrorKind::Denied, false))),
        ("InternalFailure", Err((AwsErrorKind::Unreachable, true))),
    ] {
        let server = Server::start(move |request, _| match request.operation().as_str() {
            "DescribeRules" => described_without(request, &[]),
            _ if second(request) && code == "InternalFailure" => refusal(request, 500, code, "no"),
            _ if second(request) => refusal(request, 400, code, "no"),
            other => xml(other, ""),
        })
        .await;
        assert_eq!(three(&server).await, (vec![ok(1), answer, ok(3)], 1), "{code}");
    }

    // A rule that is gone when it is read back takes no other answer with it.
    let server = Server::start(|request, _| match request.operation().as_str() {
        "DescribeRules" => described_without(request, &["arn:rule/2"]),
        other => xml(other, ""),
    })
    .await;
    assert_eq!(three(&server).await, (vec![ok(1), Err((AwsErrorKind::Missing, true)), ok(3)], 4));
}
