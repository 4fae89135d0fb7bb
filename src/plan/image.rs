//! References to container images, as users and task definitions write them.

use std::fmt;

/// `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`, in the grammar of the OCI distribution specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ImageRef {
    /// Host and port, where the reference names one: its first part with a dot, a colon, or `localhost`.
    pub(crate) registry: Option<String>,
    /// The path below the registry, lower case.
    pub(crate) repository: String,
    /// The tag, at most 128 characters.
    pub(crate) tag: Option<String>,
    /// `sha256:` and 64 hexadecimal digits.
    pub(crate) digest: Option<String>,
}

impl ImageRef {
    /// Reads a reference; the error is a sentence that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the image reference is empty".to_owned());
        }
        if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!(
                "an image reference has no {}",
                if bad == ' ' { "spaces" } else { "white space" }
            ));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(format!("an image reference has no scheme: leave out `{scheme}://`"));
        }
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(parse_digest(digest)?)),
            None => (text, None),
        };
        let (registry, path) = split_registry(named);
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(parse_tag(tag)?)),
            None => (path, None),
        };
        check_repository(repository)?;
        if let Some(host) = registry {
            check_registry(host)?;
        }
        let (registry, repository) = (registry.map(str::to_owned), repository.to_owned());
        Ok(ImageRef { registry, repository, tag, digest })
    }

    /// The reference without tag and digest.
    pub(crate) fn name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.repository),
            None => self.repository.clone(),
        }
    }
}

/// The text that [`ImageRef::parse`] reads back.
impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Splits off the registry by Docker's rule: the first of several parts, if it has a dot, a colon or is `localhost`.
fn split_registry(named: &str) -> (Option<&str>, &str) {
    match named.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), path),
        Some(_) | None => (None, named),
    }
}

/// Checks `HOST[:PORT]`.
fn check_registry(host: &str) -> Result<(), String> {
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let name_fits = name.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    if name_fits && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        return Ok(());
    }
    let hint = if host.contains('.') {
        ""
    } else {
        "; to name a container, put a space after its colon: `CONTAINER: IMAGE`"
    };
    Err(format!("the part before the first slash is not the host of a registry{hint}"))
}

/// Checks the path: parts of lower-case letters, digits and single separators.
fn check_repository(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the repository is missing".to_owned());
    }
    if path.contains(|c: char| c.is_uppercase()) {
        return Err(format!("the repository has upper-case letters: write `{}`", path.to_lowercase()));
    }
    if path.len() > 255 {
        return Err("the repository is longer than 255 characters".to_owned());
    }
    match path.split('/').find(|part| !is_path_part(part)) {
        None => Ok(()),
        Some("") => {
            Err("the repository has an empty part: look for two slashes, or one at the end".to_owned())
        }
        Some(_) => {
            Err("the repository may hold only a-z, 0-9 and, between them, `.`, `_`, `-` and `/`".to_owned())
        }
    }
}

/// Letters and digits, with `.`, `_`, `__` or dashes only between them.
fn is_path_part(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = part.bytes().next().is_some_and(plain) && part.bytes().next_back().is_some_and(plain);
    ends && part
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-'))
}

/// Checks a tag.
fn parse_tag(tag: &str) -> Result<String, String> {
    if tag.is_empty() {
        return Err("the tag after the colon is empty".to_owned());
    }
    if tag.contains('/') {
        return Err(
            "the tag has a slash; to name a container, put a space after its colon: `CONTAINER: IMAGE`"
                .to_owned(),
        );
    }
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts = tag.bytes().next().is_some_and(word);
    if starts && tag.len() <= 128 && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-') {
        return Ok(tag.to_owned());
    }
    Err("the tag may hold at most 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two".to_owned())
}

/// Checks a digest. ECR knows SHA-256 only.
fn parse_digest(digest: &str) -> Result<String, String> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    match digest.strip_prefix("sha256:") {
        Some(sum) if sum.len() == 64 && sum.bytes().all(hex) => Ok(digest.to_owned()),
        Some(sum) if sum.bytes().all(hex) => {
            Err(format!("the digest has {} hexadecimal digits; SHA-256 has 64", sum.len()))
        }
        Some(_) | None => {
            Err("the digest after `@` is not `sha256:` and 64 hexadecimal digits (0-9, a-f)".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ImageRef;
    use proptest::prelude::*;

    /// A digest that is well-formed.
    fn digest() -> String {
        format!("sha256:{}", "0a".repeat(32))
    }

    #[test]
    fn a_reference_is_split_into_its_parts() {
        let table = [
            ("web", None, "web", None),
            ("library/web:1.2", None, "library/web", Some("1.2")),
            ("localhost:5000/web:v1", Some("localhost:5000"), "web", Some("v1")),
            ("localhost/web", Some("localhost"), "web", None),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:a1b2c3",
                Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
                "shop/web",
                Some("a1b2c3"),
            ),
            ("public.ecr.aws/a/b__c--d.e:latest", Some("public.ecr.aws"), "a/b__c--d.e", Some("latest")),
        ];
        for (text, registry, repository, tag) in table {
            let image = ImageRef::parse(text).unwrap();
            assert_eq!(image.registry.as_deref(), registry, "{text}");
            assert_eq!(image.repository, repository, "{text}");
            assert_eq!(image.tag.as_deref(), tag, "{text}");
            assert_eq!(image.to_string(), text);
            let pinned = ImageRef::parse(&format!("{text}@{}", digest())).unwrap();
            assert_eq!(pinned.digest, Some(digest()));
        }
    }

    #[test]
    fn what_is_wrong_with_a_reference_is_said() {
        let table = [
            ("", "the image reference is empty"),
            ("a b", "an image reference has no spaces"),
            ("shop/Web:1", "the repository has upper-case letters: write `shop/web`"),
            ("web:", "the tag after the colon is empty"),
            (
                "web:-1",
                "the tag may hold at most 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two",
            ),
            (
                "app:shop/web:1",
                "the part before the first slash is not the host of a registry; to name a container, put a space after its colon: `CONTAINER: IMAGE`",
            ),
            (
                "shop/web:1/2",
                "the tag has a slash; to name a container, put a space after its colon: `CONTAINER: IMAGE`",
            ),
            ("shop//web", "the repository has an empty part: look for two slashes, or one at the end"),
            ("shop/we+b", "the repository may hold only a-z, 0-9 and, between them, `.`, `_`, `-` and `/`"),
            ("a.b:x/web", "the part before the first slash is not the host of a registry"),
            ("web@sha256:abc", "the digest has 3 hexadecimal digits; SHA-256 has 64"),
            ("web@md5:abc", "the digest after `@` is not `sha256:` and 64 hexadecimal digits (0-9, a-f)"),
            (":v1", "the repository is missing"),
            ("https://registry/web", "an image reference has no scheme: leave out `https://`"),
        ];
        for (text, told) in table {
            assert_eq!(ImageRef::parse(text), Err(told.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_reads_back_and_nothing_panics(text in "\\PC{0,40}|[a-zA-Z0-9./:@_-]{0,40}") {
            if let Ok(image) = ImageRef::parse(&text) {
                prop_assert_eq!(image.to_string(), text);
            }
        }
    }
}
