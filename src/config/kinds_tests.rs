//! Every kind of value: what is read, and what is said of what is not.

use super::*;
use proptest::prelude::*;

/// Checks what a kind says of wrong values.
fn told<T: std::fmt::Debug>(parse: impl Fn(&str) -> Result<T, String>, table: &[(&str, &str)]) {
    for (value, what) in table {
        assert_eq!(parse(value).unwrap_err(), *what, "{value:?}");
    }
}

#[test]
fn booleans_are_the_six_words_of_github() {
    for word in ["true", "True", "TRUE"] {
        assert_eq!(parse_boolean(word), Ok(true));
    }
    for word in ["false", "False", "FALSE"] {
        assert_eq!(parse_boolean(word), Ok(false));
    }
    told(
        parse_boolean,
        &[
            ("yes", "`yes` is not a boolean: write `true` or `false`"),
            ("1", "`1` is not a boolean: write `true` or `false`"),
            ("tRUE", "`tRUE` is not a boolean: write `true` or `false`"),
        ],
    );
}

#[test]
fn hosts_are_names_alone() {
    for name in ["green.example.com", "a-1.b", "localhost", "xn--bcher-kva.example", "3.example"] {
        assert_eq!(parse_host(name).as_deref(), Ok(name));
    }
    assert_eq!(parse_host("Green.Example").as_deref(), Ok("green.example"));
    let long = format!("{}.b", "a".repeat(64));
    for wrong in [
        "",
        "a b",
        "*.b",
        "http://a.b",
        "a.b:80",
        "a.b/x",
        "-a.b",
        "a-.b",
        "a..b",
        "a.b.",
        "127.0.0.1",
        "::1",
        "a.0x7f",
        "a_b.c",
        "bücher.example",
        &long,
    ] {
        assert!(parse_host(wrong).unwrap_err().contains("is not a host name"), "{wrong}");
    }
}

#[test]
fn durations_have_units() {
    let table = [
        ("300ms", 300),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("0s", 0),
        ("1h1m1s1ms", 3_661_001),
    ];
    for (text, milliseconds) in table {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    let wrong =
        |value: &str| format!("`{value}` is not a duration: write it like `300ms`, `90s`, `5m` or `1h30m`");
    for value in [
        "5 m",
        "m",
        "-5s",
        "1.5h",
        "5min",
        "30m1h",
        "1m1m",
        "5M",
        "99999999999999999999s",
        "184467440737095517m",
    ] {
        assert_eq!(parse_duration(value), Err(wrong(value)));
    }
    told(parse_duration, &[("30", "`30` has no unit: write `30s` for seconds or `30m` for minutes")]);
    let within = |value: &str| duration_within(value, Duration::from_millis(100), Duration::from_secs(60));
    assert_eq!(within("1m"), Ok(Duration::from_secs(60)));
    told(
        within,
        &[("61s", "`61s` is out of range: 100ms to 1m"), ("99ms", "`99ms` is out of range: 100ms to 1m")],
    );
}

#[test]
fn minutes_are_whole() {
    assert_eq!(parse_minutes("15m"), Ok(Duration::from_secs(900)));
    told(
        parse_minutes,
        &[
            ("90s", "`90s` is not a number of whole minutes, such as `15m`"),
            ("30s", "`30s` is out of range: 1m to 1h"),
            ("61m", "`61m` is out of range: 1m to 1h"),
        ],
    );
}

#[test]
fn words_name_the_nearest() {
    let colors = [("idle", 0), ("blue", 1), ("green", 2)];
    assert_eq!(one_of("green", &colors), Ok(2));
    told(
        |value| one_of(value, &colors),
        &[
            ("gren", "`gren` is not one of `idle`, `blue`, `green`; did you mean `green`?"),
            ("Blue", "`Blue` is not one of `idle`, `blue`, `green`; did you mean `blue`?"),
            ("production", "`production` is not one of `idle`, `blue`, `green`"),
        ],
    );
}

#[test]
fn account_ids_have_twelve_digits() {
    let two = vec!["123456789012".to_owned(), "012345678901".to_owned()];
    assert_eq!(account_ids("123456789012, 012345678901\n123456789012"), Ok(two));
    told(
        account_ids,
        &[
            ("12345678901", "`12345678901` is not an account id: write 12 digits, several with commas"),
            (
                "123456789012;012345678901",
                "`123456789012;012345678901` is not an account id: write 12 digits, several with commas",
            ),
            (",", "holds no account id: write 12 digits, several with commas"),
        ],
    );
}

#[test]
fn regions_have_their_shape() {
    for name in ["eu-west-1", "us-gov-east-1", "ap-southeast-2", "us-iso-west-1", "cn-north-1"] {
        assert_eq!(parse_region(name), Ok(name.to_owned()));
    }
    told(
        parse_region,
        &[
            ("us-east-1a", "`us-east-1a` is an availability zone: its region is `us-east-1`"),
            ("Frankfurt", "`Frankfurt` is not a region: write it like `eu-west-1`"),
            ("eu-west", "`eu-west` is not a region: write it like `eu-west-1`"),
            ("eu-1", "`eu-1` is not a region: write it like `eu-west-1`"),
        ],
    );
}

#[test]
fn clusters_and_services_are_names_or_arns() {
    for name in ["shop", "web-blue_2", "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-blue"] {
        assert_eq!(parse_service(name), Ok(name.to_owned()));
    }
    let arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop";
    assert_eq!(parse_cluster(arn), Ok(arn.to_owned()));
    told(
        parse_service,
        &[
            (
                arn,
                "`arn:aws:ecs:eu-west-1:123456789012:cluster/shop` names ecs `cluster`, not an ECS service",
            ),
            ("web blue", "`web blue` is neither a service name (letters, digits, `-`, `_`) nor an ARN"),
            ("shop/web", "`shop/web` is neither a service name (letters, digits, `-`, `_`) nor an ARN"),
            ("arn:aws:ecs:eu-west-1", "`arn:aws:ecs:eu-west-1` is not a complete ARN"),
        ],
    );
}

#[test]
fn listeners_are_arns_or_ports() {
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";
    assert_eq!(parse_listener(arn), Ok(ListenerChoice::Arn(arn.to_owned())));
    assert_eq!(parse_listener("443"), Ok(ListenerChoice::Port { protocol: None, port: 443 }));
    assert_eq!(
        parse_listener("https:443"),
        Ok(ListenerChoice::Port { protocol: Some(Protocol::Https), port: 443 })
    );
    told(
        parse_listener,
        &[
            ("0", "`0` is not a listener: write an ARN, `443` or `HTTPS:443`"),
            ("+80", "`+80` is not a listener: write an ARN, `443` or `HTTPS:443`"),
            ("99999", "`99999` is not a listener: write an ARN, `443` or `HTTPS:443`"),
            ("shop", "`shop` is not a listener: write an ARN, `443` or `HTTPS:443`"),
            (
                "TCP:80",
                "`TCP` is not a protocol of an Application Load Balancer's listener: write `HTTP` or `HTTPS`",
            ),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/a/b/c/d",
                "`arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/a/b/c/d` is the ARN of a rule: give that of its listener",
            ),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/a/b/c",
                "`arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/a/b/c` is not a listener of an Application Load Balancer",
            ),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b",
                "`arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b` names elasticloadbalancing `targetgroup`, not a listener",
            ),
        ],
    );
}

#[test]
fn a_value_in_a_message_is_one_short_line() {
    assert_eq!(quote_value("a\nb`c"), "`a b c`");
    assert_eq!(quote_value(&"x".repeat(81)), format!("`{}…`", "x".repeat(80)));
}

proptest! {
    #[test]
    fn durations_read_back(milliseconds in 0_u64..100_000_000_000) {
        let value = Duration::from_millis(milliseconds);
        prop_assert_eq!(parse_duration(&show_duration(value)), Ok(value));
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,60}|[a-z0-9:/\\-]{0,40}") {
        let _ = (parse_boolean(&text), parse_duration(&text), account_ids(&text), parse_region(&text));
        let _ = (parse_cluster(&text), parse_service(&text), parse_listener(&text));
    }
}

#[test]
fn an_alarm_is_a_name_with_any_letters_or_an_arn() {
    let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:Too slow: p99 (ü)";
    for good in ["web-5xx", "a b, c/d", "ü", &"a".repeat(255), arn] {
        assert_eq!(parse_alarm(good), Ok(good.to_owned()));
    }
    assert_eq!(alarm_name(arn), Some("Too slow: p99 (ü)"));
    assert_eq!(alarm_name("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:alarm:"), Some("alarm:"));
    let name = "is not the name of an alarm: it has 1 to 255 characters, none of them a control character";
    assert_eq!(parse_alarm(""), Err(format!("{} {name}", quote_value(""))));
    assert_eq!(parse_alarm("a\tb"), Err(format!("`a b` {name}")));
    for bad in [
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm",
        "arn:aws:cloudwatch:eu-west-1:123456789012:dashboard:x",
        "arn:aws:cloudwatch::123456789012:alarm:x",
        "arn:aws:sns:eu-west-1:123456789012:alarm:x",
    ] {
        assert_eq!(parse_alarm(bad), Err(format!("`{bad}` is not the ARN of a CloudWatch alarm")));
    }
}
