//! Image references as AWS and Docker write them: `registry/repository:tag@sha256:…`.

use std::fmt;

use super::placeholder::find_placeholder;

/// Longest reference before the digest that ECS takes, in characters (API_ContainerDefinition, `image`).
pub(super) const MAX_LENGTH: usize = 255;
/// Longest tag, in characters (the grammar of the distribution project).
const MAX_TAG: usize = 128;
/// Digits of a digest that [`ImageRef::shorten_image`] shows.
const SHORT_DIGEST: usize = 12;
/// The ends of ECR's host names after the region: AWS's partitions, IPv4 and dual-stack (Amazon ECR, service
/// endpoints).
const ECR_SUFFIXES: [&str; 5] =
    ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "on.aws", "on.amazonwebservices.com.cn"];

/// A parsed image reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ImageRef {
    /// The registry's host, with a port if given. `None` is Docker Hub.
    pub(crate) registry: Option<String>,
    /// The repository's path in the registry.
    pub(crate) repository: String,
    /// The tag, if one is given.
    pub(crate) tag: Option<String>,
    /// The digest, `sha256:` and 64 digits, if one is given.
    pub(crate) digest: Option<String>,
}

/// The place of an image in Amazon ECR.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ecr {
    /// The account that owns the registry: 12 digits.
    pub(crate) account: String,
    /// The registry's region, which may differ from the services' region.
    pub(crate) region: String,
    /// The host name after the region, such as `amazonaws.com.cn`. The suffix identifies the partition.
    pub(crate) suffix: String,
    /// The repository's name.
    pub(crate) repository: String,
}

impl ImageRef {
    /// Reads a reference. The error names the problem and the allowed form.
    pub(crate) fn parse(text: &str) -> Result<ImageRef, String> {
        if text.is_empty() {
            return Err(
                "the image is empty; write it as `repository:tag` or `repository@sha256:…`".to_owned()
            );
        }
        if let Some(left) = find_placeholder(text) {
            return Err(format!("`{left}` is a placeholder; write the image itself"));
        }
        if let Some(found) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("an image holds no white space, but this one holds {found:?}"));
        }
        if text.contains("://") {
            return Err(format!("`{text}` is a URL; write the image without `https://`"));
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(parse_digest(digest)?)),
            None => (text, None),
        };
        if name.len() > MAX_LENGTH {
            return Err(format!(
                "the image has {} characters, and ECS takes at most {MAX_LENGTH}",
                name.len()
            ));
        }
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(parse_tag(tag)?)),
            Some(_) | None => (name, None),
        };
        let (registry, repository) = split_registry(path)?;
        check_repository(repository)?;
        Ok(ImageRef { registry, repository: repository.to_owned(), tag, digest })
    }

    /// The same repository by digest, without the tag. This form always means the same image.
    pub(crate) fn with_digest(&self, digest: &str) -> ImageRef {
        ImageRef { tag: None, digest: Some(digest.to_owned()), ..self.clone() }
    }

    /// True if the reference holds a digest, which always means the same image.
    pub(crate) fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// The tag that a pull would follow: the given tag, or `latest`.
    pub(crate) fn tag_or_latest(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }

    /// The place in ECR, if the registry is a private one of ECR.
    pub(crate) fn ecr(&self) -> Option<Ecr> {
        let host = self.registry.as_deref()?;
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let rest = ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr.", "dkr-ecr-fips."]
            .iter()
            .find_map(|service| rest.strip_prefix(service))?;
        let (region, suffix) = rest.split_once('.')?;
        if region.is_empty() || !ECR_SUFFIXES.contains(&suffix) {
            return None;
        }
        Some(Ecr {
            account: account.to_owned(),
            region: region.to_owned(),
            suffix: suffix.to_owned(),
            repository: self.repository.clone(),
        })
    }

    /// The reference for people: without an ECR registry (its host holds the account id), with twelve digits of the
    /// digest. `shop/web:v2`, `shop/web@sha256:0123456789ab`, `ghcr.io/shop/web:v2`.
    pub(crate) fn short(&self) -> String {
        let mut short = match &self.registry {
            Some(registry) if self.ecr().is_none() => format!("{registry}/{}", self.repository),
            Some(_) | None => self.repository.clone(),
        };
        if let Some(tag) = &self.tag {
            short.push(':');
            short.push_str(tag);
        }
        if let Some(digits) = self.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:")) {
            short.push_str("@sha256:");
            short.extend(digits.chars().take(SHORT_DIGEST));
        }
        short
    }
}

/// The full reference.
impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// An image text for people: [`ImageRef::shorten_image`], or the text itself if the text does not parse.
pub(crate) fn shorten_image(image: &str) -> String {
    ImageRef::parse(image).map_or_else(|_| image.to_owned(), |image| image.short())
}

/// A part of a reference for a message. An empty part would be invisible between backticks.
pub(super) fn shown_part(part: &str) -> String {
    if part.is_empty() { "(empty)".to_owned() } else { format!("`{part}`") }
}

/// Checks the text after `@`: ECS knows no other hash than sha256 (API_ContainerDefinition, `image`).
fn parse_digest(digest: &str) -> Result<String, String> {
    let hex = |digits: &str| digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match digest.strip_prefix("sha256:") {
        Some(digits) if hex(digits) => Ok(digest.to_owned()),
        Some(_) | None => {
            Err(format!("the digest {} is not `sha256:` and 64 hexadecimal digits", shown_part(digest)))
        }
    }
}

/// Checks the text after the last `:`.
fn parse_tag(tag: &str) -> Result<String, String> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-');
    if fits {
        return Ok(tag.to_owned());
    }
    Err(format!(
        "the tag {} is not 1 to {MAX_TAG} of letters, digits, `_`, `.` and `-`, the first of them a letter, digit or `_`",
        shown_part(tag)
    ))
}

/// Splits the registry from the path as Docker does: the first part is a host if that part holds a dot or a colon, or
/// is `localhost`.
fn split_registry(path: &str) -> Result<(Option<String>, &str), String> {
    let Some((first, rest)) = path.split_once('/') else { return Ok((None, path)) };
    if !(first.contains(['.', ':']) || first == "localhost") {
        return Ok((None, path));
    }
    let (host, port) = first.split_once(':').map_or((first, None), |(host, port)| (host, Some(port)));
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !host.split('.').all(label) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(format!("`{first}` is not a registry's host name, with or without a port"));
    }
    Ok((Some(first.to_owned()), rest))
}

/// Checks a repository's path: parts of lower-case letters and digits, with single separators inside.
fn check_repository(repository: &str) -> Result<(), String> {
    if repository.split('/').all(is_path_part) {
        return Ok(());
    }
    Err(format!(
        "the repository {} is not made of lower-case letters and digits, \
         with `.`, `_`, `__`, `-` or `/` between them",
        shown_part(repository)
    ))
}

/// True if a part of a path begins and ends with a letter or digit and has only allowed separators in between.
fn is_path_part(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    part.starts_with(word) && part.ends_with(word) && part.split(word).all(separator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 64 digits.
    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn parsed(text: &str) -> ImageRef {
        ImageRef::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn parts(text: &str) -> (Option<String>, String, Option<String>, bool) {
        let image = parsed(text);
        (image.registry, image.repository, image.tag, image.digest.is_some())
    }

    #[test]
    fn references_are_read_as_docker_reads_them() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("nginx"), (None, "nginx".into(), None, false));
        assert_eq!(parts("nginx:1.27"), (None, "nginx".into(), some("1.27"), false));
        assert_eq!(parts("acme/web"), (None, "acme/web".into(), None, false));
        assert_eq!(parts("localhost/web"), (some("localhost"), "web".into(), None, false));
        assert_eq!(parts("localhost:5000/web"), (some("localhost:5000"), "web".into(), None, false));
        assert_eq!(parts("registry:5000/a/b:c"), (some("registry:5000"), "a/b".into(), some("c"), false));
        assert_eq!(
            parts(&format!("ghcr.io/acme/my__web-app.x:V_2.0-rc@sha256:{HEX}")),
            (some("ghcr.io"), "acme/my__web-app.x".into(), some("V_2.0-rc"), true)
        );
        assert_eq!(parts(&format!("web@sha256:{}", HEX.to_uppercase())), (None, "web".into(), None, true));
        assert_eq!(parts("a--b/c"), (None, "a--b/c".into(), None, false));
    }

    #[test]
    fn what_is_wrong_with_a_reference_is_said() {
        let error = |text: &str| ImageRef::parse(text).unwrap_err();
        assert_eq!(error(""), "the image is empty; write it as `repository:tag` or `repository@sha256:…`");
        assert_eq!(error("web: v1"), "an image holds no white space, but this one holds ' '");
        assert_eq!(error("web\n"), "an image holds no white space, but this one holds '\\n'");
        assert_eq!(
            error("https://ghcr.io/a"),
            "`https://ghcr.io/a` is a URL; write the image without `https://`"
        );
        assert_eq!(
            error("web@sha256:12"),
            "the digest `sha256:12` is not `sha256:` and 64 hexadecimal digits"
        );
        assert_eq!(
            error("web:"),
            "the tag (empty) is not 1 to 128 of letters, digits, `_`, `.` and `-`, \
             the first of them a letter, digit or `_`"
        );
        assert_eq!(error("<IMAGE1_NAME>"), "`<IMAGE1_NAME>` is a placeholder; write the image itself");
        assert_eq!(error("-a.b/web"), "`-a.b` is not a registry's host name, with or without a port");
        assert_eq!(error("a:99999/web"), "`a:99999` is not a registry's host name, with or without a port");
        assert_eq!(parts(&"a".repeat(255)).1.len(), 255);
        assert_eq!(error(&"a".repeat(256)), "the image has 256 characters, and ECS takes at most 255");
        let tag = |letters: usize| format!("web:{}", "v".repeat(letters));
        assert!(ImageRef::parse(&tag(128)).is_ok() && ImageRef::parse(&tag(129)).is_err());
        for bad in ["Web", "web/", "/web", "web//a", "web-", "a._b", "a___b", "@sha256:", ":v1", "ghcr.io/"] {
            assert!(ImageRef::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_registries_of_ecr_are_known() {
        let ecr = |host: &str| {
            parsed(&format!("{host}/shop/web:v2")).ecr().map(|e| (e.account, e.region, e.suffix))
        };
        let found = |region: &str, suffix: &str| Some(("123456789012".into(), region.into(), suffix.into()));
        assert_eq!(ecr("123456789012.dkr.ecr.eu-west-1.amazonaws.com"), found("eu-west-1", "amazonaws.com"));
        assert_eq!(
            ecr("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            found("cn-north-1", "amazonaws.com.cn")
        );
        assert_eq!(
            ecr("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"),
            found("us-gov-west-1", "amazonaws.com")
        );
        assert_eq!(ecr("123456789012.dkr-ecr.us-east-2.on.aws"), found("us-east-2", "on.aws"));
        assert_eq!(ecr("123456789012.dkr-ecr-fips.us-east-2.on.aws"), found("us-east-2", "on.aws"));
        for other in [
            "public.ecr.aws",
            "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.com",
            "123456789012.dkr.ecr.amazonaws.com",
            "123456789012.s3.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(ecr(other), None, "{other}");
        }
        assert_eq!(
            parsed("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web").ecr().map(|e| e.repository),
            Some("shop/web".into())
        );
        assert_eq!(parsed("nginx").ecr(), None);
    }

    #[test]
    fn a_short_reference_holds_no_account_id() {
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        assert_eq!(shorten_image(&format!("{host}/shop/web:v2")), "shop/web:v2");
        assert_eq!(shorten_image(&format!("{host}/shop/web@sha256:{HEX}")), "shop/web@sha256:0123456789ab");
        assert_eq!(
            shorten_image(&format!("{host}/shop/web:v2@sha256:{HEX}")),
            "shop/web:v2@sha256:0123456789ab"
        );
        assert_eq!(shorten_image("ghcr.io/acme/web:v2"), "ghcr.io/acme/web:v2");
        assert_eq!(shorten_image("nginx"), "nginx");
        assert_eq!(shorten_image("Not An Image"), "Not An Image");
    }

    #[test]
    fn a_reference_without_a_tag_is_the_latest() {
        let digest = format!("sha256:{HEX}");
        assert!(!parsed("web:v2").is_pinned());
        assert!(parsed("web:v2").with_digest(&digest).is_pinned());
        assert_eq!(parsed("web").tag_or_latest(), "latest");
        assert_eq!(parsed("web:v2").tag_or_latest(), "v2");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = ImageRef::parse(&text);
            let _ = shorten_image(&text);
        }

        #[test]
        fn what_parses_is_written_back_as_it_was(text in "([a-z]{1,5}(\\.[a-z]{2,3})?(:[0-9]{1,4})?/)?[a-z0-9]{1,6}(:[a-zA-Z0-9_.-]{1,6})?") {
            if let Ok(image) = ImageRef::parse(&text) {
                prop_assert_eq!(image.to_string(), text);
            }
        }
    }
}
