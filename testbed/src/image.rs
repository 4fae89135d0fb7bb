//! The behavior of a running image.

use std::time::Duration;

/// The details of a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// Time from the container's start to its exit.
    pub after: Duration,
    /// The process's exit code.
    pub exit_code: i32,
    /// The container's reason, such as `OutOfMemoryError: Container killed due to memory usage`.
    pub reason: Option<String>,
}

/// The behavior of a container with an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behavior {
    /// The answer to users.
    pub version: String,
    /// Time from the container's start until the port is open; connections are refused before.
    pub start_delay: Duration,
    /// Number of failed health checks before the first success.
    pub healthy_after: u32,
    /// Health checks are answered with 500.
    pub unhealthy: bool,
    /// Health checks are answered with 500 after this time from the start.
    pub sick_after: Option<Duration>,
    /// The container exits by itself.
    pub crash: Option<Crash>,
    /// The container accepts connections and never answers.
    pub hang: bool,
    /// Time for each answer to a user.
    pub slow: Option<Duration>,
    /// Users get 500, while health checks pass.
    pub fail_users: bool,
    /// One in so many requests of users gets 500.
    pub fail_every: Option<u32>,
    /// The answer instead of the version.
    pub body: Option<String>,
    /// The container can't be started: ECS's reason, such as `ResourceInitializationError: …`.
    pub start_error: Option<String>,
}

impl Behavior {
    /// A well-behaved image.
    pub fn good(version: &str) -> Self {
        Self { version: version.to_owned(), ..Self::default() }
    }

    /// Reads the behavior from a tag: the version, then words. `v2`, `v3-crash`, `v3-crash-after-300ms`, `v3-oom`,
    /// `v4-unhealthy`, `v4-sick-after-300ms`, `v5-slow-200ms`, `v6-fail-users`, `v6-fail-1-in-50`, `v7-hang`, `v8-wrong-body`,
    /// `v9-start-300ms`, `v10-healthy-after-3`, `v11-no-secret`. Unknown words only belong to the name.
    pub fn of_tag(tag: &str) -> Self {
        let words: Vec<&str> = tag.split('-').collect();
        let mut behavior = Self::good(words.first().copied().unwrap_or(tag));
        for (index, word) in words.iter().enumerate().skip(1) {
            behavior.read_word(word, &words[index + 1..]);
        }
        behavior
    }

    /// Applies one word of a tag; `rest` are the following words.
    fn read_word(&mut self, word: &str, rest: &[&str]) {
        match word {
            "crash" => self.crash = Some(Crash { after: after(rest), exit_code: 1, reason: None }),
            "oom" => {
                let reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
                self.crash = Some(Crash { after: after(rest), exit_code: 137, reason });
            }
            "unhealthy" => self.unhealthy = true,
            "sick" => self.sick_after = Some(after(rest)),
            "slow" => self.slow = rest.first().and_then(|text| duration(text)),
            "fail" if rest.first() == Some(&"users") => self.fail_users = true,
            "fail" if rest.starts_with(&["1", "in"]) => {
                self.fail_every = rest.get(2).and_then(|text| text.parse().ok()).filter(|every| *every > 0);
            }
            "hang" => self.hang = true,
            "wrong" if rest.first() == Some(&"body") => {
                self.body = Some("something else entirely".to_owned())
            }
            "start" => self.start_delay = rest.first().and_then(|text| duration(text)).unwrap_or_default(),
            "healthy" => {
                self.healthy_after = rest.get(1).and_then(|text| text.parse().ok()).unwrap_or_default()
            }
            "no" if rest.first() == Some(&"secret") => {
                self.start_error = Some(
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
                     retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): \
                     ResourceNotFoundException: Secrets Manager can't find the specified secret."
                        .to_owned(),
                );
            }
            _ => {}
        }
    }
}

/// The duration in `after-300ms`; zero without.
fn after(words: &[&str]) -> Duration {
    match words {
        ["after", text, ..] => duration(text).unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Reads `300ms` or `2s`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_the_behavior() {
        let of = Behavior::of_tag;
        assert_eq!(of("v2"), Behavior::good("v2"));
        assert_eq!(of("v3-crash-after-300ms").crash.unwrap().after, Duration::from_millis(300));
        assert_eq!(of("v3-oom").crash.unwrap().exit_code, 137);
        assert!(of("v4-unhealthy").unhealthy && of("v6-fail-users").fail_users && of("v7-hang").hang);
        assert_eq!((of("v6-fail-1-in-50").fail_every, of("v6-fail-1-in-0").fail_every), (Some(50), None));
        assert_eq!(of("v5-slow-200ms").slow, Some(Duration::from_millis(200)));
        assert_eq!(of("v9-start-2s").start_delay, Duration::from_secs(2));
        assert_eq!(of("v10-healthy-after-3").healthy_after, 3);
        assert_eq!(of("release-2024").version, "release");
    }
}
