//! The digest of an image reference.

use aws_sdk_ecr::types::ImageIdentifier;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::clients::Aws;
use super::errors::read_error;
use crate::plan::aws_error::AwsResult;

impl Aws {
    /// The digest (`sha256:…`) of an image in ECR, by tag or digest, in the account and region of the registry. None if
    /// there is no such image or repository.
    pub(crate) async fn digest(
        &self,
        account: &str,
        region: &str,
        repository: &str,
        tag_or_digest: &str,
    ) -> AwsResult<Option<String>> {
        let image = ImageIdentifier::builder();
        let image = if tag_or_digest.starts_with("sha256:") {
            image.image_digest(tag_or_digest)
        } else {
            image.image_tag(tag_or_digest)
        };
        let asked = self
            .ecr(region)
            .describe_images()
            .registry_id(account)
            .repository_name(repository)
            .image_ids(image.build())
            .send();
        match asked.await {
            Ok(answer) => {
                Ok(answer.image_details().first().and_then(|detail| detail.image_digest()).map(str::to_owned))
            }
            Err(error)
                if matches!(error.code(), Some("ImageNotFoundException" | "RepositoryNotFoundException")) =>
            {
                Ok(None)
            }
            Err(error) => Err(read_error("ecr:DescribeImages", repository)(error)),
        }
    }
}
