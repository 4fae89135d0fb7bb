mock_provider "aws" {}

variables {
  name   = "shop"
  region = "eu-west-1"
}

run "tags_never_move" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.name == "shop/web" && aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "a repository whose tags stay where they are"
  }
}

run "too_few_images" {
  command = plan
  variables {
    keep_images = 5
  }
  expect_failures = [var.keep_images]
}

run "not_a_repository_name" {
  command = plan
  variables {
    repository_name = "Shop/Web"
  }
  expect_failures = [var.repository_name]
}
