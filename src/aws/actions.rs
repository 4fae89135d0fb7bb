//! The actions of a listener rule as JSON, with the keys of AWS's API, and back. A rule is written as a whole, so no
//! field may get lost.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateCognitoActionConditionalBehaviorEnum,
    AuthenticateCognitoActionConfig, AuthenticateOidcActionConditionalBehaviorEnum,
    AuthenticateOidcActionConfig, FixedResponseActionConfig, ForwardActionConfig,
    JwtValidationActionAdditionalClaim, JwtValidationActionAdditionalClaimFormatEnum,
    JwtValidationActionConfig, RedirectActionConfig, RedirectActionStatusCodeEnum,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use serde_json::{Map, Value};

use super::json::{Json, structure, take_member, word};

/// The range of group stickiness in seconds (API_TargetGroupStickinessConfig).
const DURATIONS: std::ops::RangeInclusive<i32> = 1..=604_800;

/// All actions of a rule, ready to be sent back: a forward action names its groups only in `ForwardConfig`, and a flag
/// keeps a client secret, which AWS never returns (API_ModifyRule). Disabled stickiness keeps its duration, unless AWS
/// would refuse the value: Terraform's provider before version 4 fails on a rule without a duration. `Null` if an
/// action has a type that this SDK does not know.
pub(super) fn actions_to_json(actions: &[Action]) -> Value {
    if actions.is_empty() || !actions.iter().all(is_known) {
        return Value::Null;
    }
    actions.iter().map(|action| sendable_action(action.clone()).write()).collect()
}

/// The SDK's actions for such JSON, or the unknown part as an error.
pub(super) fn from_json(actions: &Value) -> Result<Vec<Action>, String> {
    let actions: Vec<Action> = Vec::read(actions)?;
    if actions.is_empty() {
        return Err("a rule needs an action".to_owned());
    }
    match actions.iter().find(|action| !is_known(action)) {
        Some(Action { r#type: Some(odd), .. }) => Err(format!("unknown type of action: {}", odd.as_str())),
        Some(_) => Err("an action without a type".to_owned()),
        None => Ok(actions),
    }
}

/// True if this SDK knows the whole action.
fn is_known(action: &Action) -> bool {
    use ActionTypeEnum as Type;
    matches!(
        action.r#type(),
        Some(
            Type::AuthenticateCognito
                | Type::AuthenticateOidc
                | Type::FixedResponse
                | Type::Forward
                | Type::JwtValidation
                | Type::Redirect
        )
    )
}

/// An action in the form that AWS accepts, from the form that AWS returns.
fn sendable_action(mut action: Action) -> Action {
    if let Some(oidc) = &mut action.authenticate_oidc_config {
        oidc.use_existing_client_secret = Some(true);
    }
    if action.r#type() == Some(&ActionTypeEnum::Forward) {
        let lone = action.target_group_arn.take();
        let forward = action.forward_config.get_or_insert_with(|| ForwardActionConfig::builder().build());
        if forward.target_groups().is_empty() {
            let only = |arn| TargetGroupTuple::builder().target_group_arn(arn).weight(1).build();
            forward.target_groups = lone.map(|arn| vec![only(arn)]);
        }
        if let Some(stickiness) = &mut forward.target_group_stickiness_config
            && stickiness.enabled() != Some(true)
            && !stickiness.duration_seconds().is_some_and(|seconds| DURATIONS.contains(&seconds))
        {
            stickiness.duration_seconds = None;
        }
    }
    action
}

structure!(Action {
    "Type" r#type set_type,
    "Order" order set_order,
    "TargetGroupArn" target_group_arn set_target_group_arn,
    "AuthenticateOidcConfig" authenticate_oidc_config set_authenticate_oidc_config,
    "AuthenticateCognitoConfig" authenticate_cognito_config set_authenticate_cognito_config,
    "JwtValidationConfig" jwt_validation_config set_jwt_validation_config,
    "RedirectConfig" redirect_config set_redirect_config,
    "FixedResponseConfig" fixed_response_config set_fixed_response_config,
    "ForwardConfig" forward_config set_forward_config,
});

structure!(ForwardActionConfig {
    "TargetGroups" target_groups set_target_groups,
    "TargetGroupStickinessConfig" target_group_stickiness_config set_target_group_stickiness_config,
});

structure!(TargetGroupTuple {
    "TargetGroupArn" target_group_arn set_target_group_arn,
    "Weight" weight set_weight,
});

structure!(TargetGroupStickinessConfig {
    "Enabled" enabled set_enabled,
    "DurationSeconds" duration_seconds set_duration_seconds,
});

// `ClientSecret` is left out on purpose: JSON never contains a secret, neither on output nor on input.
structure!(AuthenticateOidcActionConfig {
    "Issuer" issuer set_issuer,
    "AuthorizationEndpoint" authorization_endpoint set_authorization_endpoint,
    "TokenEndpoint" token_endpoint set_token_endpoint,
    "UserInfoEndpoint" user_info_endpoint set_user_info_endpoint,
    "ClientId" client_id set_client_id,
    "SessionCookieName" session_cookie_name set_session_cookie_name,
    "Scope" scope set_scope,
    "SessionTimeout" session_timeout set_session_timeout,
    "AuthenticationRequestExtraParams" authentication_request_extra_params set_authentication_request_extra_params,
    "OnUnauthenticatedRequest" on_unauthenticated_request set_on_unauthenticated_request,
    "UseExistingClientSecret" use_existing_client_secret set_use_existing_client_secret,
});

structure!(AuthenticateCognitoActionConfig {
    "UserPoolArn" user_pool_arn set_user_pool_arn,
    "UserPoolClientId" user_pool_client_id set_user_pool_client_id,
    "UserPoolDomain" user_pool_domain set_user_pool_domain,
    "SessionCookieName" session_cookie_name set_session_cookie_name,
    "Scope" scope set_scope,
    "SessionTimeout" session_timeout set_session_timeout,
    "AuthenticationRequestExtraParams" authentication_request_extra_params set_authentication_request_extra_params,
    "OnUnauthenticatedRequest" on_unauthenticated_request set_on_unauthenticated_request,
});

structure!(JwtValidationActionConfig {
    "JwksEndpoint" jwks_endpoint set_jwks_endpoint,
    "Issuer" issuer set_issuer,
    "AdditionalClaims" additional_claims set_additional_claims,
});

structure!(JwtValidationActionAdditionalClaim {
    "Format" format set_format,
    "Name" name set_name,
    "Values" values set_values,
});

structure!(RedirectActionConfig {
    "Protocol" protocol set_protocol,
    "Port" port set_port,
    "Host" host set_host,
    "Path" path set_path,
    "Query" query set_query,
    "StatusCode" status_code set_status_code,
});

structure!(FixedResponseActionConfig {
    "MessageBody" message_body set_message_body,
    "StatusCode" status_code set_status_code,
    "ContentType" content_type set_content_type,
});

word!(
    ActionTypeEnum,
    AuthenticateOidcActionConditionalBehaviorEnum,
    AuthenticateCognitoActionConditionalBehaviorEnum,
    JwtValidationActionAdditionalClaimFormatEnum,
    RedirectActionStatusCodeEnum
);
