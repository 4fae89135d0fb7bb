//! Users who ask the production listener while something is done.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Threads that ask at the same time.
const THREADS: u32 = 6;

/// Most failures that are told in words.
const TOLD: usize = 5;

/// How much of its time a user catches up at most.
const LATE: Duration = Duration::from_secs(1);

/// How long a user sleeps at most before looking whether something changed.
const NAP: Duration = Duration::from_millis(10);

/// Users, and what became of their requests.
pub(crate) struct Users {
    /// The port that they ask.
    port: u16,
    /// Microseconds between two requests of one thread.
    pause: AtomicU64,
    /// Whether they are to go home.
    over: AtomicBool,
    /// Requests so far.
    asked: AtomicUsize,
    /// Requests without a good answer.
    failed: AtomicUsize,
    /// The first failures, in words.
    words: Mutex<Vec<String>>,
}

impl Users {
    /// Lets users ask this port, so many times a second, while work is done; gives what it gave, how many requests there
    /// were, and the failures.
    pub(crate) fn while_doing<T>(
        port: u16,
        rate: u32,
        work: impl FnOnce(&Users) -> T,
    ) -> (T, usize, Vec<String>) {
        let users = Users {
            port,
            pause: AtomicU64::new(0),
            over: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            words: Mutex::new(Vec::new()),
        };
        users.rate(rate);
        let done = std::thread::scope(|scope| {
            // A test that panics lets its users go home, too.
            let home = Home(&users.over);
            for number in 0..THREADS {
                let users = &users;
                scope.spawn(move || users.ask_on(number));
            }
            let done = work(&users);
            drop(home);
            done
        });
        let mut words = users.words.into_inner().expect("no panic");
        let failed = users.failed.into_inner();
        if failed > words.len() {
            words.push(format!("{failed} in all"));
        }
        (done, users.asked.into_inner(), words)
    }

    /// Changes how many requests there are a second.
    pub(crate) fn rate(&self, rate: u32) {
        let pause = Duration::from_secs(1) * THREADS / rate.max(1);
        self.pause.store(u64::try_from(pause.as_micros()).expect("short"), Ordering::SeqCst);
    }

    /// One user: asks in time until told to go home. What a slow answer delays is caught up, so that the rate holds.
    fn ask_on(&self, number: u32) {
        let pause = Duration::from_micros(self.pause.load(Ordering::SeqCst));
        let mut last = Instant::now() + pause * number / THREADS;
        while !self.over.load(Ordering::SeqCst) {
            let pause = Duration::from_micros(self.pause.load(Ordering::SeqCst));
            let due = last + pause;
            let now = Instant::now();
            if now < due {
                std::thread::sleep((due - now).min(NAP));
                continue;
            }
            last = due.max(now.checked_sub(LATE).unwrap_or(now));
            self.asked.fetch_add(1, Ordering::SeqCst);
            if let Err(what) = self.ask() {
                self.failed.fetch_add(1, Ordering::SeqCst);
                let mut words = self.words.lock().expect("no panic");
                if words.len() < TOLD {
                    words.push(what);
                }
            }
        }
    }

    /// One request on a connection of its own.
    fn ask(&self) -> Result<(), String> {
        let lost = |error: std::io::Error| format!("no answer: {error}");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(lost)?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(lost)?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").map_err(lost)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(lost)?;
        let status = answer.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(format!("`{status}`")) }
    }
}

/// Sends users home when it is dropped.
struct Home<'a>(&'a AtomicBool);

impl Drop for Home<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Does something while users ask the production listener for `/`; gives what it gave, and how many answers were not 200.
pub(crate) fn with_users<T>(port: u16, work: impl FnOnce() -> T) -> (T, usize) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let users = scope.spawn(|| users(port, &stop));
        let done = work();
        stop.store(true, Ordering::SeqCst);
        (done, users.join().expect("users come to an end"))
    })
}

/// Asks until told to stop; gives how many answers were not 200.
fn users(port: u16, stop: &AtomicBool) -> usize {
    let mut failed = 0;
    while !stop.load(Ordering::SeqCst) {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the load balancer listens");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        failed += usize::from(!answer.starts_with("HTTP/1.1 200"));
        std::thread::sleep(Duration::from_millis(5));
    }
    failed
}
