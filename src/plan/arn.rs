//! The parts of an Amazon Resource Name.

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, split; the resource may hold more colons and slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// The service's name in ARNs, such as `ecs` or `elasticloadbalancing`.
    pub(crate) service: &'a str,
    /// The region, such as `eu-west-1`.
    pub(crate) region: &'a str,
    /// The account, 12 digits.
    pub(crate) account: &'a str,
    /// The resource, such as `service/shop/web-blue`.
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// True if a text claims to be an ARN, well-formed or not.
    pub(crate) fn looks_like(text: &str) -> bool {
        text.starts_with("arn:")
    }

    /// The parts. None unless all six exist, region and resource are not empty and the account has 12 digits.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let (service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let account_fits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let filled = [partition, service, region, resource].iter().all(|part| !part.is_empty());
        (arn == "arn" && plain && account_fits && filled).then_some(Arn {
            service,
            region,
            account,
            resource,
        })
    }

    /// The kind of the resource: the text before the first slash or colon.
    pub(crate) fn kind(&self) -> &'a str {
        self.resource.split(['/', ':']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn an_arn_is_split_at_its_first_five_colons() {
        let arn = Arn::parse("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7").unwrap();
        assert_eq!((arn.service, arn.region, arn.account), ("ecs", "eu-west-1", "123456789012"));
        assert_eq!((arn.resource, arn.kind()), ("task-definition/web:7", "task-definition"));
    }

    #[test]
    fn a_text_that_begins_like_an_arn_claims_to_be_one() {
        assert!(Arn::looks_like("arn:aws:ecs"), "half of one is told as a broken ARN, not taken for a name");
        assert!(!Arn::looks_like("web-blue"));
        assert!(!Arn::looks_like("my-arn:1"));
    }

    #[test]
    fn what_lacks_a_part_or_holds_white_space_is_no_arn() {
        for text in [
            "arn:aws:ecs",
            "arn:aws:ecs:eu-west-1:123456789012:cluster/a b",
            "arn:aws:ecs:eu-west-1:123456789012:cluster/a\n",
            "arn:aws:ecs:eu-west-1:123456789012:cluster/a\u{1b}",
            "arn:aws:ecs::123456789012:cluster/a",
            "arn:aws:ecs:eu-west-1:1234:cluster/a",
            "web",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
