mock_provider "aws" {}

variables {
  name   = "shop"
  region = "eu-west-1"
}

run "no_domain_makes_nothing" {
  command = plan

  assert {
    condition     = length(aws_acm_certificate.this) == 0 && output.certificate == "" && output.https == "HTTP only: no `domain` is set."
    error_message = "nothing is made, and the output says that it is HTTP"
  }
}

run "certificate" {
  command = plan
  variables {
    domain = "shop.example.com"
    zone   = "example.com"
  }
  override_resource {
    target          = aws_acm_certificate.this
    override_during = plan
    values = {
      arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
      domain_validation_options = [{
        domain_name = "shop.example.com", resource_record_name = "_x.shop.example.com", resource_record_type = "CNAME", resource_record_value = "_y.acm-validations.aws"
      }]
    }
  }

  assert {
    condition     = contains(aws_acm_certificate.this[0].subject_alternative_names, "green.shop.example.com")
    error_message = "the test listeners have names of the certificate"
  }
}

run "domain_without_a_zone" {
  command = plan
  variables {
    domain = "shop.example.com"
  }
  expect_failures = [data.aws_route53_zone.this[0]]
}

run "domain_outside_of_the_zone" {
  command = plan
  variables {
    domain = "shop.example.org"
    zone   = "example.com"
  }
  expect_failures = [data.aws_route53_zone.this[0]]
}

run "not_a_domain" {
  command = plan
  variables {
    domain = "https://shop.example.com"
  }
  expect_failures = [var.domain]
}
