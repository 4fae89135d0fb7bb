//! What users see of random walks over the presets, and what one change of traffic costs:
//! `cargo test --test it redirect_walk:: -- --ignored --nocapture --test-threads 1`. It takes minutes and prints its figures.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::common::stack;
use crate::common::traffic::{arrived, path_rule, redirect};
use testbed::{Effect, Fault, Pace, Testbed, sample};

/// Walks, and requests in all.
const WALKS: u64 = 20;
const REQUESTS: usize = 100_000;

/// Presets that a walk goes to.
const STEPS: usize = 5;

/// How long new weights take to reach the data plane.
const PROPAGATION: Duration = Duration::from_millis(200);

/// How long a request may be on its way when the weights arrive.
const MARGIN: Duration = Duration::from_millis(100);

/// Users at the same time.
const USERS: usize = 4;

/// What all users share.
struct Crowd {
    /// Which color a task belongs to.
    colors: BTreeMap<String, usize>,
    /// Since when blue and green have had no weight; none: they have.
    idle: Mutex<[Option<Instant>; 2]>,
    /// Whether the walk is over.
    over: AtomicBool,
    /// Answers so far.
    answers: [AtomicUsize; 2],
    /// Requests that failed.
    failed: AtomicUsize,
    /// Requests that an idle color answered after the delay.
    late: AtomicUsize,
}

/// One request on a connection that stays: status, and the task that answered.
fn ask(stream: &mut BufReader<TcpStream>) -> std::io::Result<(u16, String)> {
    stream.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")?;
    let (mut status, mut task, mut length) = (0, String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("x-task") => value.clone_into(&mut task),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap_or(0);
            }
            Some(_) => {}
            None => status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0),
        }
    }
    stream.read_exact(&mut vec![0; length])?;
    Ok((status, task))
}

impl Crowd {
    /// One user, who asks until the walk is over and the walk's share of requests was asked.
    fn user(&self, port: u16) {
        let open = || TcpStream::connect(("127.0.0.1", port)).map(BufReader::new);
        let mut stream = open().expect("the load balancer listens");
        let enough = || self.answers.iter().map(|count| count.load(Ordering::Relaxed)).sum::<usize>();
        let share = REQUESTS / usize::try_from(WALKS).expect("few");
        while !self.over.load(Ordering::Relaxed) || enough() < share {
            let (idle, sent) = (*self.idle.lock().expect("no panic"), Instant::now());
            match ask(&mut stream) {
                Ok((200, task)) => {
                    let color = self.colors[&task];
                    self.answers[color].fetch_add(1, Ordering::Relaxed);
                    let late = idle[color].is_some_and(|since| sent - since > PROPAGATION + MARGIN);
                    self.late.fetch_add(usize::from(late), Ordering::Relaxed);
                }
                Ok(_) | Err(_) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                    stream = open().expect("the load balancer listens");
                }
            }
        }
    }

    /// Notes which colors have weight.
    fn note(&self, traffic: &str, before: bool) {
        let mut idle = self.idle.lock().expect("no panic");
        for (color, name) in ["green", "blue"].into_iter().enumerate() {
            let none = traffic == name;
            match (none, before) {
                (false, true) => idle[color] = None,
                (true, false) => drop(idle[color].get_or_insert_with(Instant::now)),
                (true, true) | (false, false) => {}
            }
        }
    }
}

/// One walk; gives answers by color, failed and late ones.
fn walk(seed: u64) -> [usize; 4] {
    let options = testbed::Options { pace: Pace { propagation: PROPAGATION, ..Pace::default() }, port: 0 };
    let bed = Testbed::start(options).expect("the testbed starts");
    let sample = sample::create(&bed).expect("the sample stack settles");
    let color = |service: &Option<String>| usize::from(service.as_ref() == Some(&sample.green_service));
    let colors = bed
        .world(|world| world.ecs.tasks.iter().map(|task| (task.id.clone(), color(&task.service))).collect());
    let crowd = Crowd {
        colors,
        idle: Mutex::new([None, Some(Instant::now())]),
        over: AtomicBool::new(false),
        answers: [AtomicUsize::new(0), AtomicUsize::new(0)],
        failed: AtomicUsize::new(0),
        late: AtomicUsize::new(0),
    };
    std::thread::scope(|scope| {
        for _ in 0..USERS {
            scope.spawn(|| crowd.user(sample.production_port));
        }
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut at = 0;
        for _ in 0..STEPS {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let presets = ["blue", "blue-80", "split", "green-80", "green"];
            at = (at + 1 + usize::try_from((random >> 33) % 4).expect("small")) % presets.len();
            crowd.note(presets[at], true);
            redirect(&bed, presets[at]).run().expect(0, "succeeded", "", "changed");
            crowd.note(presets[at], false);
            std::thread::sleep(PROPAGATION + MARGIN * 3);
        }
        crowd.over.store(true, Ordering::Relaxed);
    });
    assert_eq!(bed.violations(), [], "walk {seed}");
    let [blue, green] = crowd.answers.map(AtomicUsize::into_inner);
    [blue, green, crowd.failed.into_inner(), crowd.late.into_inner()]
}

#[test]
#[ignore = "minutes: 100,000 requests; run with `-- --ignored --nocapture --test-threads 1`"]
fn no_request_fails_on_random_walks_and_none_reaches_an_idle_color_after_the_delay() {
    let began = Instant::now();
    let mut sum = [0; 4];
    for seed in 1..=WALKS {
        let one = walk(seed);
        assert_eq!((one[2], one[3]), (0, 0), "failed and late requests of walk {seed}");
        sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
    }
    let [blue, green, failed, late] = sum;
    println!(
        "{WALKS} walks of {STEPS} presets: {} requests, {blue} at blue, {green} at green, {failed} failed, {late} at an idle color {} ms after its weight went to 0, {:.0} s",
        blue + green,
        (PROPAGATION + MARGIN).as_millis(),
        began.elapsed().as_secs_f64()
    );
    assert!(blue + green >= REQUESTS);
}

#[test]
#[ignore = "prints figures; run with `-- --ignored --nocapture --test-threads 1`"]
fn one_change_between_healthy_colors_costs_few_round_trips_and_two_calls_for_each_rule() {
    const TRIP: Duration = Duration::from_millis(600);
    let (bed, sample) = stack();
    path_rule(&bed, &sample, 100, 0);
    bed.fault(Fault::always(Effect::Delay(TRIP)));
    let done = redirect(&bed, "blue-80").run();
    arrived(&bed, &done, "blue-80");
    let calls = bed.calls();
    let first = calls.iter().position(|call| call.write).expect("a write");
    // Every call takes as long, so that those which wait for each other come in waves.
    let waves = |calls: &[testbed::Call]| {
        1 + calls.windows(2).filter(|pair| pair[1].at - pair[0].at > TRIP / 2).count()
    };
    let writes: Vec<&str> =
        calls.iter().filter(|call| call.write).map(|call| call.operation.as_str()).collect();
    let back = calls.iter().filter(|call| !call.input["RuleArns"].is_null()).count();
    println!(
        "one change of 2 rules: {} round trips before the first write ({first} calls), {} in all ({} calls); {} writes, {back} rules read back",
        waves(&calls[..first]),
        waves(&calls),
        calls.len(),
        writes.len()
    );
    for wave in ["before", "after"] {
        let part = if wave == "before" { &calls[..first] } else { &calls[first..] };
        let names: Vec<&str> = part.iter().map(|call| call.operation.as_str()).collect();
        println!("{wave} the first write: {}", names.join(" "));
    }
    assert_eq!((writes, back), (vec!["ModifyRule", "ModifyListener"], 2));
    assert!(waves(&calls[..first]) <= 5, "more than 5 round trips before the first write");
}
