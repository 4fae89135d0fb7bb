//! The config file: what is read, and every problem with its place.

use std::time::Duration;

use super::*;
use proptest::prelude::*;

/// The problems of a text, one a line.
fn problems(text: &str) -> String {
    let found = parse_config("blue-green.yml", text).unwrap_err();
    found.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_whole_format_is_read() {
    let text = "
cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    develop: web-dev
    hosts: { production: Shop.example, green: green.shop.example }
    probes:
      - { path: /healthz, status: 204, contains: ok }
      - path: /
    scaling: { min: 2, max: 10, idle-min: 1, cpu: 80, memory: 75, scale-in-below: 40, scale-in-after: 5m }
    rollback-alarms: [web-5xx]
  api: { blue: a, green: b }
branches:            # GitHub flow: { main: idle }
  staging: green
  release/*: blue
  develop: develop
";
    let config = parse_config("x", text).unwrap();
    assert_eq!(config.cluster.as_deref(), Some("shop"));
    let web = &config.apps[0].1;
    assert_eq!(web.blue.as_deref(), Some("web-blue"));
    assert_eq!(web.develop.as_deref(), Some("web-dev"));
    let probe = |path: &str, status, contains: Option<&str>| Probe {
        path: path.to_owned(),
        status,
        contains: contains.map(str::to_owned),
    };
    assert_eq!(web.probes, [probe("/healthz", 204, Some("ok")), probe("/", 200, None)]);
    let scaling = Managed {
        min: 2,
        max: 10,
        idle_min: 1,
        cpu: 80,
        memory: 75,
        scale_in_below: 40,
        scale_in_after: Duration::from_secs(300),
    };
    assert_eq!(web.scaling, Some(scaling));
    assert_eq!(web.rollback_alarms, ["web-5xx"]);
    let hosts = Hosts {
        production: Some("shop.example".to_owned()),
        green: Some("green.shop.example".to_owned()),
        ..Hosts::default()
    };
    assert_eq!(web.hosts, hosts);
    assert_eq!(config.apps[1].0, "api");
    assert_eq!(config.branches[1], ("release/*".to_owned(), WantedColor::Color(ServiceColor::Blue)));
    assert_eq!(parse_config("x", ""), Ok(Config::default()));
    assert_eq!(parse_config("x", "apps:\nbranches: ~\n"), Ok(Config::default()));
}

#[test]
fn all_unknown_keys_are_named_at_once_with_the_nearest() {
    let text = "clster: shop\napps:\n  web:\n    blue: b\n    gren: g\n    colour: x\n    probes:\n      - { pth: / }\n";
    assert_eq!(
        problems(text),
        "blue-green.yml:1:1 clster: unknown key; did you mean `cluster`?\n\
         blue-green.yml:5:5 apps.web.gren: unknown key; did you mean `green`?\n\
         blue-green.yml:6:5 apps.web.colour: unknown key; the keys here are blue, green, develop, hosts, probes, scaling, rollback-alarms, labels\n\
         blue-green.yml:8:11 apps.web.probes[0].pth: unknown key; did you mean `path`?\n\
         blue-green.yml:8:9 apps.web.probes[0]: has no `path`: a probe needs one, such as `/healthz`"
    );
}

#[test]
fn hosts_have_the_colors_as_keys_and_names_as_values() {
    let text = "apps:\n  web:\n    hosts:\n      gren: a.b\n      blue: https://blue.example\n";
    assert_eq!(
        problems(text),
        "x:4:7 apps.web.hosts.gren: unknown key; did you mean `green`?\n\
         x:5:13 apps.web.hosts.blue: `https://blue.example` is not a host name: write the name alone, such as `green.example.com`, without scheme, port, path or `*`"
            .replace("x:", "blue-green.yml:")
    );
}

#[test]
fn keys_that_are_there_twice_are_named() {
    let text = "cluster: a\ncluster: b\nbranches:\n  main: blue\n  main: green\n";
    assert_eq!(
        problems(text),
        "blue-green.yml:2:1 cluster: the key is there twice\n\
         blue-green.yml:5:3 branches.main: the key is there twice"
    );
}

#[test]
fn wrong_types_are_all_named() {
    let text = "
cluster: 1.10
apps:
  web:
    blue: [b]
    green: true
    develop: web dev
    probes:
      - { path: healthz, status: '200' }
      - { path: /, status: 42, contains: 5 }
      - /healthz
    rollback-alarms: web-5xx
  api: web
branches: { main: gren, 1.10: blue, dev: [] }
";
    assert_eq!(
        problems(text),
        "blue-green.yml:2:10 cluster: is a number where text is expected: write it in quotes, as in `cluster: \"…\"`\n\
         blue-green.yml:5:11 apps.web.blue: is a list where text is expected\n\
         blue-green.yml:6:12 apps.web.green: is a boolean where text is expected: write it in quotes, as in `green: \"…\"`\n\
         blue-green.yml:7:14 apps.web.develop: `web dev` is neither a service name (letters, digits, `-`, `_`) nor an ARN\n\
         blue-green.yml:9:17 apps.web.probes[0].path: `healthz` is not a path: begin with `/`, without spaces and `#`, and escape what is not ASCII\n\
         blue-green.yml:9:34 apps.web.probes[0].status: is text where a number is expected: write 200 to 599 without quotes\n\
         blue-green.yml:10:28 apps.web.probes[1].status: 42 is out of range: 200 to 599\n\
         blue-green.yml:10:42 apps.web.probes[1].contains: is a number where text is expected: write it in quotes, as in `contains: \"…\"`\n\
         blue-green.yml:11:9 apps.web.probes[2]: is text: a mapping with the keys path, status, contains is expected\n\
         blue-green.yml:12:22 apps.web.rollback-alarms: is text: a list is expected\n\
         blue-green.yml:13:8 apps.api: is text: a mapping with the keys blue, green, develop, hosts, probes, scaling, rollback-alarms, labels is expected\n\
         blue-green.yml:14:25 branches.(key 2): the key is a number: write it in quotes\n\
         blue-green.yml:14:19 branches.main: `gren` is not one of `idle`, `blue`, `green`, `develop`; did you mean `green`?\n\
         blue-green.yml:14:42 branches.dev: is a list where text is expected"
    );
}

#[test]
fn a_tag_is_refused_at_its_place() {
    assert_eq!(
        problems("apps:\n  web: { blue: !Ref b }\n"),
        "blue-green.yml:2:16: couldn't be read as YAML: a tag such as `!Ref` is not supported here; text that begins \
         with `!` must be in quotes"
    );
}

#[test]
fn scaling_is_checked_alone_and_together() {
    let scaling = |inner: &str| problems(&format!("apps: {{ web: {{ scaling: {{ {inner} }} }} }}"));
    assert_eq!(
        scaling("min: 12, max: 10, scale-in-below: 80"),
        "blue-green.yml:1:25 apps.web.scaling: `min` 12 is above `max` 10\n\
         blue-green.yml:1:25 apps.web.scaling: `scale-in-below` 80 is not below `cpu` 80 and `memory` 80"
    );
    assert_eq!(
        scaling("min: 2, max: 10, idle-min: 3"),
        "blue-green.yml:1:25 apps.web.scaling: `idle-min` 3 is above `min` 2"
    );
    assert_eq!(
        scaling("min: 0, cpu: 80.5"),
        "blue-green.yml:1:32 apps.web.scaling.min: 0 is out of range: 1 to 5000\n\
         blue-green.yml:1:25 apps.web.scaling: has no `max`\n\
         blue-green.yml:1:40 apps.web.scaling.cpu: is a number where a whole number is expected: 1 to 100"
    );
}

#[test]
fn syntax_has_line_and_column() {
    assert_eq!(
        problems("cluster: shop\napps:\n\tweb: 1\n"),
        "blue-green.yml:3:1: couldn't be read as YAML: the line is indented with a tab, and YAML takes only spaces"
    );
    assert_eq!(
        problems("- a\n"),
        "blue-green.yml:1:1: is a list: a mapping with the keys cluster, apps, branches, workflow is expected"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s)(cluster|apps|branches|web|blue|[ \n:\\-{}\\[\\],'a0.~]|.){0,30}") {
        let _ = parse_config("x", &text);
    }
}

#[test]
fn a_value_of_the_config_that_yaml_changes_is_refused() {
    let probe = |rest: &str| {
        problems(&format!(
            "apps:\n  web:\n    blue: a\n    green: b\n    probes:\n      - path: /\n        {rest}\n"
        ))
    };
    let place = "blue-green.yml:7:18 apps.web.probes[0].contains";
    assert_eq!(
        probe("contains: #PLANTED").lines().next().unwrap(),
        format!(
            "{place}: has no value, because YAML takes what begins with `#` for a comment: write `contains: \"#…\"`"
        )
    );
    for (written, what) in [
        (
            "contains: ok #PLANTED",
            "YAML takes the part from ` #` on for a comment: write `contains: \"…\"`, or a space after `#` if it is one",
        ),
        (
            "contains: !!PLANTED",
            "a value that begins with `!` must be in quotes in YAML, as in `contains: \"!…\"`",
        ),
        (
            "contains: ok\n          PLANTED",
            "the value goes on in the next line, and YAML joins lines by a space: write `contains: \"…\"` in one line, or `contains: |` above the lines",
        ),
    ] {
        let told = probe(written);
        assert!(
            told.ends_with(&format!(" apps.web.probes[0].contains: {what}")) && !told.contains("PLANTED"),
            "{told}"
        );
    }
    for written in ["contains:", "contains: ~", "contains: # why"] {
        assert_eq!(
            probe(written),
            "blue-green.yml:6:9 apps.web.probes[0]: has an empty `contains`: write the text in quotes, or leave the key out"
        );
    }
    for (text, key) in [
        ("cluster: #shop", "cluster"),
        ("apps:\n  web:\n    rollback-alarms: #high\n", "apps.web.rollback-alarms"),
    ] {
        let told = problems(text);
        assert!(told.contains(&format!(" {key}: has no value, because YAML takes")), "{told}");
    }
    assert!(parse_config("x", "apps:\n  web: # why\n    probes: # none yet\n    hosts: ## later\n").is_ok());
}

/// The problem of a probe's path, if any.
fn path_problem(path: &str) -> Option<String> {
    let text = format!("apps:\n  web: {{ blue: a, green: b, probes: [{{ path: {path:?} }}] }}\n");
    parse_config("x", &text).err().map(|found| found.iter().map(|one| one.what.clone()).collect())
}

#[test]
fn invariant_38_a_path_that_would_be_sent_as_another_path_is_refused() {
    for path in ["/v2/../healthz", "/v2/./x", "/.", "/..", "/%2e%2E/x", "/a/.%2e", "/a\\b", "/a?q=<x>"] {
        let told = path_problem(path).expect(path);
        assert!(
            told.contains("would be sent as another path: leave out `.` and `..` between slashes"),
            "{told}"
        );
    }
    for path in ["/", "/a.b/..c/.well-known/x?y=/../z&w=.", "/%41//x;y=1,2@3:4+5*(6)!~$&=|[]", "/?a=1&b=|"] {
        assert_eq!(path_problem(path), None, "{path}");
    }
    for sign in (0x21..0x7f).map(char::from) {
        for path in [format!("/a{sign}b"), format!("/a?b{sign}c")] {
            let url = reqwest::Url::parse(&format!("http://h{path}")).unwrap();
            let sent = url.as_str().trim_start_matches("http://h") == path && url.fragment().is_none();
            assert!(sent || path_problem(&path).is_some(), "{path}");
        }
    }
}
