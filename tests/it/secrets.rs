//! Invariant 32: no secret or environment value is told, wherever it comes from; and text from outside is only text.
//!
//! Each planted value is a word that stands nowhere else, so that a leak is a plain search.

use crate::common::look::{frozen, others_untouched};
use crate::common::{Action, Done, pull_request, stack};
use serde_json::json;
use testbed::github::{GitHubEffect, GitHubFault};
use testbed::sample::Sample;
use testbed::{ApiError, Behavior, Effect, Fault, Testbed};

/// Values that may stand nowhere, by where they were planted.
const PLANTED: [(&str, &str); 9] = [
    ("the input environment", "Zq1-planted-in-environment"),
    ("a variable of the current task definition", "Zq2-planted-in-definition"),
    ("a variable that the run removes", "Zq3-planted-and-removed"),
    ("the secret access key", "Zq4planted/secret+access/key"),
    ("the session token", "Zq5planted//session+token=="),
    ("GitHub's OIDC token", "Zq6-planted-oidc-token"),
    ("the event file", "Zq7-planted-in-event"),
    ("the answer to a probe", "Zq8-planted-in-answer"),
    ("GitHub's token", "Zq9-planted-github-token"),
];

/// A planted value by its number.
fn planted(number: usize) -> &'static str {
    PLANTED[number - 1].1
}

/// The sample stack with values planted in green's task definition, and images whose answers hold one.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| {
        for definition in world.ecs.definitions.iter_mut().filter(|one| one.family == "web-green") {
            definition.body["containerDefinitions"][0]["environment"] = json!([
                { "name": "DATABASE_PASSWORD", "value": planted(2) },
                { "name": "OLD_PASSWORD", "value": planted(3) },
            ]);
        }
        let answering = Behavior { body: Some(planted(8).to_owned()), ..Behavior::good("v20") };
        world.ecr.push_behavior("shop/web", "v20", answering);
    });
    frozen(&bed);
    (bed, sample)
}

/// A run with everything planted that a run can be given, and with debug messages on.
fn run(bed: &Testbed, command: &str, image: Option<&str>) -> Action {
    let event = format!(r#"{{ "head_commit": {{ "message": "{}" }} }}"#, planted(7));
    let action = Action::new(bed, command).file("event.json", &event);
    let action = action
        .env("GITHUB_EVENT_PATH", "event.json")
        .env("AWS_SECRET_ACCESS_KEY", planted(4))
        .env("AWS_SESSION_TOKEN", planted(5))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", planted(6))
        .env("GITHUB_TOKEN", planted(9))
        .env("RUNNER_DEBUG", "1")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1");
    match image {
        None => action,
        Some(image) => action
            .input("image", image)
            .input("timeout", "30s")
            .input("environment", &format!("PASSWORD: {}\nOLD_PASSWORD: null\n", planted(1))),
    }
}

/// Asserts that no planted value is told anywhere; the log may have the runner mask credentials.
#[track_caller]
fn tells_nothing(done: &Done) {
    let log: String = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    let values = |of: &std::collections::BTreeMap<String, String>| format!("{of:?}");
    let places = [
        ("the log", log),
        ("the outputs", values(&done.outputs)),
        ("the state", values(&done.state)),
        ("the summary", done.summary.clone()),
    ];
    for (place, text) in places {
        for (from, value) in PLANTED {
            assert!(!text.contains(value), "{place} tells the value of {from}:\n{text}");
        }
    }
}

#[test]
fn invariant_32_a_good_deploy_tells_no_value() {
    let (bed, sample) = stage();
    let done = run(&bed, "deploy", Some(&sample.image("v2"))).run();
    done.expect(0, "succeeded", "", "changed").says("PASSWORD");
    tells_nothing(&done);
    for number in [4, 5, 6] {
        done.says(&format!("::add-mask::{}", planted(number)));
    }
    others_untouched(&bed);
}

/// The role of a job that assumes one by itself.
const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// A run with everything planted that assumes its role by the job's id token.
fn by_role(bed: &Testbed, image: &str) -> Action {
    let subject = "repo:octo-org/octo-repo:ref:refs/heads/main";
    bed.world(|world| {
        world.oidc.bearer = planted(6).to_owned();
        world.sts.role(ROLE, "sts.amazonaws.com", &[subject], 3600);
    });
    let action = run(bed, "deploy", Some(image)).input("role-to-assume", ROLE);
    bed.oidc_env().into_iter().fold(action, |action, (name, value)| action.env(&name, &value))
}

/// Asserts that no planted value, id token, key of a session or session token is told, and that all are masked.
#[track_caller]
fn tells_no_session(bed: &Testbed, done: &Done) {
    tells_nothing(done);
    let mut secrets: Vec<String> = Vec::new();
    for call in bed.calls().iter().filter(|call| call.operation == "AssumeRoleWithWebIdentity") {
        secrets.extend(call.input["WebIdentityToken"].as_str().map(str::to_owned));
        let given = call.result.as_ref().ok().filter(|_| !call.dropped).map(|answer| &answer["Credentials"]);
        let fields = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
        secrets.extend(fields.iter().filter_map(|field| Some(given?[*field].as_str()?.to_owned())));
    }
    assert!(!secrets.is_empty(), "no id token was used");
    let told: String = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    let told = format!("{told}{}{:?}{:?}", done.summary, done.outputs, done.state);
    for secret in secrets {
        assert!(!told.contains(&secret), "{secret} is told:\n{told}");
        done.says(&format!("::add-mask::{secret}"));
    }
}

#[test]
fn invariant_32_a_role_of_the_job_tells_no_token_and_no_key() {
    let (bed, sample) = stage();
    let done = by_role(&bed, &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    tells_no_session(&bed, &done);
    bed.clear_calls();
    let done = by_role(&bed, &sample.image("v3-crash")).run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    tells_no_session(&bed, &done);
}

#[test]
fn invariant_32_errors_on_the_way_to_a_role_tell_no_token_and_no_answer() {
    let sts = [
        Effect::Error(ApiError::new("ValidationError", "The web identity token is wrong")),
        Effect::Deny,
        Effect::Expire,
        Effect::DropAfter,
        Effect::ServerError(500),
    ];
    for effect in sts {
        let (bed, sample) = stage();
        let action = by_role(&bed, &sample.image("v2"));
        bed.fault(Fault::on("AssumeRoleWithWebIdentity", effect));
        let done = action.input("timeout", "3s").run();
        assert_eq!(done.code, 1, "{}", done.log);
        tells_no_session(&bed, &done);
    }
    let answer = json!({ "value": format!("{} {}", planted(7), planted(6)) });
    for status in [200, 401, 500] {
        let (bed, sample) = stage();
        let action = by_role(&bed, &sample.image("v2"));
        bed.github_fault(GitHubFault::on("GET", "*/idtoken", GitHubEffect::Answer(status, answer.clone())));
        let done = action.run();
        assert_eq!(done.code, 1, "{}", done.log);
        tells_nothing(&done);
    }
}

#[test]
fn invariant_32_a_plan_tells_no_value() {
    let (bed, sample) = stage();
    let done = run(&bed, "deploy", Some(&sample.image("v2"))).input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched").says("PASSWORD");
    tells_nothing(&done);
}

#[test]
fn invariant_32_a_failed_deploy_tells_no_value() {
    let (bed, sample) = stage();
    let done = run(&bed, "deploy", Some(&sample.image("v3-crash"))).run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    tells_nothing(&done);
}

#[test]
fn invariant_32_a_failed_probe_tells_no_answer() {
    let (bed, sample) = stage();
    let probes = r#"[{ "path": "/", "status": 200, "contains": "ready" }]"#;
    let done = run(&bed, "deploy", Some(&sample.image("v20"))).input("probes", probes).run();
    done.expect(1, "failed", "probe", "restored");
    tells_nothing(&done);
}

#[test]
fn invariant_32_a_refusal_tells_no_value() {
    let (bed, sample) = stage();
    let done = run(&bed, "deploy", Some(&sample.image("v2"))).input("color", "blue").run();
    done.expect(1, "refused", "live-color", "untouched");
    tells_nothing(&done);
}

#[test]
fn invariant_32_a_wrong_environment_is_refused_without_its_values() {
    let (bed, sample) = stage();
    let deploy = || run(&bed, "deploy", Some(&sample.image("v2")));
    let value = planted(1);
    let wrong = [
        format!("PASSWORD={value}"),
        format!("- {value}"),
        format!("PASSWORD: [{value}]"),
        format!("PASSWORD: {value}\nPASSWORD: {value}"),
        format!("PASSWORD: \"{value}"),
        format!("PASSWORD: !{value} x"),
        value.to_owned(),
    ];
    for text in wrong {
        for input in ["environment", "secrets"] {
            let done = deploy().input(input, &text).run();
            assert_eq!((done.code, done.output("result")), (1, "refused"), "{text}:\n{}", done.log);
            tells_nothing(&done);
        }
    }
    assert_eq!(bed.writes().len(), 0);
}

#[test]
fn invariant_32_a_wrong_task_definition_file_is_refused_without_its_values() {
    let (bed, _) = stage();
    let value = planted(1);
    let texts = [
        format!(
            r#"{{ "family": "web", "containerDefinitions": [{{ "name": "app", "image": "x", "environment": [{{ "name": "A", "value": "{value}" "#
        ),
        format!(
            r#"{{ "family": "web", "containerDefinitions": [{{ "name": "app", "image": "x:1", "environment": {{ "A": "{value}" }} }}] }}"#
        ),
        format!(
            r#"{{ "family": "web", "containerDefinitions": [{{ "name": "app", "image": "x:1", "environment": [{{ "nmae": "A", "vlaue": "{value}" }}] }}] }}"#
        ),
        format!(
            r#"{{ "family": "web", "containerDefinitions": [{{ "name": "app", "image": "x:1", "environment": [{{ "name": "A", "value": "{value}" }}, "{value}"] }}] }}"#
        ),
    ];
    for text in texts {
        let action = run(&bed, "deploy", None).input("task-definition", "task.json");
        let done = action.file("task.json", &text).run();
        assert_eq!((done.code, done.output("result")), (1, "refused"), "{text}:\n{}", done.log);
        tells_nothing(&done);
    }
}

#[test]
fn invariant_32_a_cancelled_deploy_tells_no_value() {
    let (bed, sample) = stage();
    bed.world(|world| world.pace.launch = std::time::Duration::from_secs(20));
    let running = run(&bed, "deploy", Some(&sample.image("v2"))).spawn();
    assert!(bed.wait_until(std::time::Duration::from_secs(20), |world| {
        crate::common::look::wanted(world, "web-green").starts_with("web-green:2")
    }));
    running.signal(rustix::process::Signal::INT);
    let done = running.wait();
    assert_eq!((done.code, done.output("result")), (1, "cancelled"), "{}", done.log);
    tells_nothing(&done);
    tells_nothing(&run(&bed, "deploy", Some(&sample.image("v2"))).post(&done.state).run());
}

#[test]
fn invariant_32_status_tells_no_value() {
    let (bed, _) = stage();
    let done = run(&bed, "status", None).run();
    done.expect(0, "succeeded", "", "untouched");
    tells_nothing(&done);
}

#[test]
fn invariant_32_troubles_with_aws_tell_no_credential() {
    for effect in [Effect::Deny, Effect::Expire, Effect::DropAfter, Effect::ServerError(500)] {
        let (bed, sample) = stage();
        bed.fault(Fault::on("RegisterTaskDefinition", effect));
        let done = run(&bed, "deploy", Some(&sample.image("v2"))).input("timeout", "3s").run();
        tells_nothing(&done);
    }
}

#[test]
fn invariant_32_an_endpoint_that_can_not_be_reached_tells_no_credential() {
    let (bed, sample) = stage();
    let action = run(&bed, "deploy", Some(&sample.image("v2"))).input("timeout", "2s");
    let done = action.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").run();
    assert_eq!(done.code, 1, "{}", done.log);
    tells_nothing(&done);
}

/// Text that would be a command, a mention or markup if it were taken at its word.
const EVIL: &str = "x\n::set-output name=result::pwned\n::error::pwned\r\n##[add-path]/pwned ::stop-commands::x \
                    | a | b |\n<img src=pwned onerror=alert(1)> @octo-org/team [link](http://pwned.example) `code` \
                    ``` \u{1b}[31mred\u{202e}";

/// Asserts that the log holds no command but the run's own, and summary and outputs nothing that is markup.
#[track_caller]
fn stays_text(done: &Done) {
    let own = ["group::", "endgroup::", "add-mask::", "error title=", "warning title="];
    for line in done.log.split(['\n', '\r']) {
        if let Some(command) = line.trim_start().strip_prefix("::") {
            assert!(own.iter().any(|start| command.starts_with(start)), "a command was injected: {line}");
        }
        assert!(!line.contains("##["), "a command was injected: {line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\u{202e}'), "control characters: {line:?}");
    }
    let outside: Vec<&str> = fenced_out(&done.summary);
    for line in outside {
        for markup in ["<img", "@octo", "[link](http", "##["] {
            assert!(!line.contains(markup), "`{markup}` is alive in the summary: {line}");
        }
    }
    assert!(!done.outputs.keys().any(|name| name.contains("pwned")));
    assert_ne!(done.output("result"), "pwned");
}

/// The lines of Markdown that are not inside a fenced block.
fn fenced_out(text: &str) -> Vec<&str> {
    let mut fence: Option<String> = None;
    let mut all = Vec::new();
    for line in text.lines() {
        let marks: String = line.chars().take_while(|letter| *letter == '`').collect();
        match &fence {
            Some(open) if line.trim_end() == open => fence = None,
            Some(_) => {}
            None if marks.len() >= 3 => fence = Some(marks),
            None => all.push(line),
        }
    }
    assert_eq!(fence, None, "a block stays open in the summary:\n{text}");
    all
}

/// Every table of the summary has as many cells in each row as in its head.
#[track_caller]
fn tables_are_whole(done: &Done) {
    let mut width = None;
    for line in fenced_out(&done.summary) {
        if !line.starts_with('|') {
            width = None;
            continue;
        }
        let cells = line.matches('|').count();
        assert_eq!(*width.get_or_insert(cells), cells, "a broken table:\n{}", done.summary);
    }
}

/// A run whose surroundings are all hostile text.
fn hostile(bed: &Testbed, image: &str) -> Action {
    let action = Action::new(bed, "deploy").input("image", image);
    ["GITHUB_REF_NAME", "GITHUB_HEAD_REF", "GITHUB_ACTOR", "GITHUB_WORKFLOW", "GITHUB_EVENT_NAME"]
        .into_iter()
        .fold(action, |action, name| action.env(name, EVIL))
}

#[test]
fn invariant_32_branch_names_are_only_text() {
    let (bed, sample) = stage();
    let done = hostile(&bed, &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    stays_text(&done);
    tables_are_whole(&done);
    let status = Action::new(&bed, "status").env("GITHUB_REF_NAME", EVIL).run();
    stays_text(&status);
    tables_are_whole(&status);
}

#[test]
fn invariant_32_reasons_of_aws_are_only_text() {
    let (bed, sample) = stage();
    bed.world(|world| {
        let evil = Behavior { start_error: Some(EVIL.to_owned()), ..Behavior::good("v21") };
        world.ecr.push_behavior("shop/web", "v21", evil);
    });
    let done = hostile(&bed, &sample.image("v21")).run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    done.says("pwned");
    stays_text(&done);
    tables_are_whole(&done);
}

#[test]
fn invariant_32_errors_of_aws_are_only_text() {
    for operation in ["DescribeServices", "RegisterTaskDefinition", "DescribeRules"] {
        let (bed, sample) = stage();
        bed.fault(Fault::on(operation, Effect::Error(ApiError::new("ClientException", EVIL))));
        let done = hostile(&bed, &sample.image("v2")).run();
        assert_eq!(done.code, 1, "{}", done.log);
        stays_text(&done);
        tables_are_whole(&done);
    }
}

#[test]
fn invariant_32_inputs_are_only_text() {
    let (bed, sample) = stage();
    for (input, text) in [
        ("image", EVIL),
        ("command", EVIL),
        ("color", EVIL),
        ("cluster", EVIL),
        ("green-service", EVIL),
        ("environment", EVIL),
        ("task-definition", EVIL),
        ("listener", EVIL),
    ] {
        let done = hostile(&bed, &sample.image("v2")).input(input, text).run();
        assert_eq!(done.code, 1, "{input}:\n{}", done.log);
        stays_text(&done);
        tables_are_whole(&done);
    }
    assert_eq!(bed.writes().len(), 0);
}

/// Everything that AWS can repeat: a value of the input, one of the task definition, one in a second container, and forms
/// of them.
fn repeating() -> String {
    let (given, read) = (planted(1), planted(2));
    let cut = &planted(3)[..12];
    format!("{given} {{\"v\":\"{read}\"}} Zq10-planted%20in%20sidecar {cut}...")
}

/// What may not be found of [`repeating`].
const REPEATED: [&str; 4] = [PLANTED[0].1, PLANTED[1].1, "Zq10-planted", "Zq3-planted"];

/// The stage with a pull request, and with a value in green's second container.
fn repeating_stage() -> (Testbed, Sample) {
    let (bed, sample) = stage();
    bed.world(|world| {
        for definition in world.ecs.definitions.iter_mut().filter(|one| one.family == "web-green") {
            let mut second = definition.body["containerDefinitions"][0].clone();
            second["name"] = json!("sidecar");
            second["essential"] = json!(false);
            second["portMappings"] = json!([]);
            second["environment"] = json!([{ "name": "TOKEN", "value": "Zq10-planted in sidecar" }]);
            if let Some(all) = definition.body["containerDefinitions"].as_array_mut() {
                all.push(second);
            }
        }
        pull_request(world, planted(9));
    });
    (bed, sample)
}

/// A run that also tells on GitHub.
fn telling(bed: &Testbed, action: Action) -> Action {
    let action = bed.github_env().into_iter().fold(action, |action, (name, value)| action.env(&name, &value));
    action.input("token", planted(9)).env("GITHUB_REF_NAME", "feature/cart").env("GITHUB_ACTOR", "octocat")
}

/// A deploy that also tells on GitHub.
fn repeating_deploy(bed: &Testbed, sample: &Sample, version: &str) -> Action {
    let image = format!("{{ app: {} }}", sample.image(version));
    telling(bed, run(bed, "deploy", Some(&image))).input("timeout", "20s")
}

/// Asserts that none of these is in the log, summary, outputs or state, nor in anything that was sent to GitHub, and that
/// something was hidden.
#[track_caller]
fn repeats_none(bed: &Testbed, done: &Done, values: &[&str], case: &str) {
    let log: Vec<&str> = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    let sent: Vec<String> =
        bed.github_writes().iter().map(|call| format!("{} {}", call.path, call.body)).collect();
    assert!(!sent.is_empty(), "{case}: nothing was told on GitHub:\n{}", done.log);
    let places = [
        ("log", log.join("\n")),
        ("summary", done.summary.clone()),
        ("outputs", format!("{:?}", done.outputs)),
        ("state", format!("{:?}", done.state)),
        ("GitHub", sent.join("\n")),
    ];
    for (place, text) in &places {
        for value in values {
            assert!(!text.contains(value), "{case}: {place} tells {value}:\n{text}");
        }
    }
    assert!(places[0].1.contains("***"), "{case}: nothing was hidden in the log:\n{}", done.log);
}

#[test]
fn invariant_32_errors_of_a_deploy_that_repeat_values_tell_none() {
    for operation in
        ["RegisterTaskDefinition", "UpdateService", "DescribeRules", "DescribeTargetHealth", "DescribeTasks"]
    {
        let (bed, sample) = repeating_stage();
        let error = ApiError::new("ClientException", repeating());
        bed.fault(Fault::on(operation, Effect::Error(error)));
        let done = repeating_deploy(&bed, &sample, "v2").run();
        assert_eq!(done.code, 1, "{operation}:\n{}", done.log);
        repeats_none(&bed, &done, &REPEATED, operation);
    }
}

#[test]
fn invariant_32_the_first_call_of_aws_can_not_repeat_an_input() {
    for (operation, code) in [("GetCallerIdentity", "AccessDenied"), ("DescribeServices", "ClientException")]
    {
        let (bed, sample) = repeating_stage();
        bed.fault(Fault::on(operation, Effect::Error(ApiError::new(code, planted(1)))));
        let done = repeating_deploy(&bed, &sample, "v2").input("secrets", "TLS: /web/Zq11-planted").run();
        assert_eq!(done.code, 1, "{operation}:\n{}", done.log);
        repeats_none(&bed, &done, &[planted(1)], operation);
        done.says(&format!("::add-mask::{}", planted(1))).says("::add-mask::/web/Zq11-planted");
    }
}

#[test]
fn invariant_32_the_first_calls_of_aws_can_not_repeat_a_value_of_a_file() {
    for (operation, code) in [("GetCallerIdentity", "AccessDenied"), ("DescribeServices", "ClientException")]
    {
        let (bed, sample) = repeating_stage();
        let file = json!({ "family": "web-green", "containerDefinitions": [{
            "name": "app", "image": sample.image("v2"), "memory": 128,
            "environment": [{ "name": "A", "value": "Zq14-planted-in-file" }] }] });
        bed.fault(Fault::on(operation, Effect::Error(ApiError::new(code, "bad Zq14-planted-in-file"))));
        let action = telling(&bed, run(&bed, "deploy", None)).input("task-definition", "task.json");
        let done = action.file("task.json", &file.to_string()).run();
        assert_eq!(done.code, 1, "{operation}:\n{}", done.log);
        repeats_none(&bed, &done, &["Zq14"], operation);
        done.says("::add-mask::Zq14-planted-in-file");
    }
}

#[test]
fn invariant_32_each_line_of_a_value_is_masked() {
    let (bed, sample) = repeating_stage();
    let error = ApiError::new("ClientException", "bad Zq12-second-line there");
    bed.fault(Fault::on("UpdateService", Effect::Error(error)));
    let environment = "KEY: |\n  Zq12-first-line\n  abc\n  Zq12-second-line\n";
    let done = repeating_deploy(&bed, &sample, "v2").input("environment", environment).run();
    repeats_none(&bed, &done, &["Zq12"], "lines");
    done.says("::add-mask::Zq12-first-line").says("::add-mask::Zq12-second-line");
    assert!(!done.log.contains("::add-mask::abc"), "{}", done.log);
}

#[test]
fn invariant_32_reasons_of_stopped_tasks_and_containers_that_repeat_values_tell_none() {
    let crash = |reason| testbed::Crash { after: std::time::Duration::ZERO, exit_code: 1, reason };
    let behaviors = [
        Behavior { start_error: Some(repeating()), ..Behavior::good("v22") },
        Behavior { crash: Some(crash(Some(repeating()))), ..Behavior::good("v22") },
    ];
    for behavior in behaviors {
        let (bed, sample) = repeating_stage();
        let case = format!("{behavior:?}");
        bed.world(|world| world.ecr.push_behavior("shop/web", "v22", behavior));
        let done = repeating_deploy(&bed, &sample, "v22").run();
        done.expect(1, "failed", "circuit-breaker", "restored");
        repeats_none(&bed, &done, &REPEATED, &case);
    }
}

#[test]
fn invariant_32_words_of_ours_stay_when_a_value_is_one_of_them() {
    let (bed, sample) = repeating_stage();
    bed.fault(Fault::on("UpdateService", Effect::Error(ApiError::new("ClientException", "bad web-green"))));
    let done = repeating_deploy(&bed, &sample, "v2").input("environment", "NAME: web-green").run();
    done.says("on `web-green`").says("bad ***");
    assert!(done.summary.contains("web-green"), "{}", done.summary);
}

#[test]
fn invariant_32_a_task_definition_file_and_a_named_one_are_known_too() {
    let (bed, sample) = repeating_stage();
    let file = json!({ "family": "web-green", "containerDefinitions": [{
        "name": "app", "image": sample.image("v2"), "memory": 128, "portMappings": [{ "containerPort": 8080 }],
        "environment": [{ "name": "A", "value": "Zq13-planted-in-file" }] }] });
    let error = ApiError::new("ClientException", "bad Zq13-planted-in-file");
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Error(error)));
    let action = telling(&bed, run(&bed, "deploy", None)).input("task-definition", "task.json");
    let done = action.file("task.json", &file.to_string()).run();
    assert_eq!(done.code, 1, "{}", done.log);
    repeats_none(&bed, &done, &["Zq13"], "a file");
}

#[test]
fn invariant_32_moves_of_users_that_read_definitions_tell_no_value() {
    let moves = [("redirect-traffic", "traffic", "green"), ("promote", "color", "green")];
    for (command, input, value) in moves {
        for operation in ["ModifyRule", "ModifyListener", "DescribeTargetHealth"] {
            let (bed, _) = repeating_stage();
            let error = ApiError::new("ValidationError", format!("bad {}", planted(2)));
            bed.fault(Fault::on(operation, Effect::Error(error)));
            let action = telling(&bed, run(&bed, command, None)).input(input, value);
            let action = action.input("timeout", "5s").input("settle", "0s");
            let action = if command == "promote" { action.input("mode", "swap") } else { action };
            let done = action.run();
            if done.code == 1 {
                repeats_none(&bed, &done, &[planted(2)], &format!("{command} {operation}"));
            }
        }
    }
}
