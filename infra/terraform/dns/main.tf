data "aws_route53_zone" "this" {
  count = var.domain == null ? 0 : 1

  name         = var.zone
  private_zone = false

  lifecycle {
    precondition {
      condition     = var.zone != null
      error_message = "`domain` is set, so `zone` must name the hosted zone in Route 53 that holds it, such as example.com."
    }
    precondition {
      condition     = var.zone == null ? true : var.domain == var.zone || endswith(coalesce(var.domain, "-"), ".${var.zone}")
      error_message = "`domain` must be `zone` itself or end with it: shop.example.com lies in example.com."
    }
  }
}

# One certificate for production and for the test listeners. In the load balancer's region: `region` is the same variable.
resource "aws_acm_certificate" "this" {
  count = var.domain == null ? 0 : 1

  domain_name               = var.domain
  subject_alternative_names = [for color in ["blue", "develop", "green"] : "${color}.${var.domain}"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = var.domain == null ? {} : {
    for option in aws_acm_certificate.this[0].domain_validation_options : option.domain_name => option
  }

  zone_id         = data.aws_route53_zone.this[0].zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

# Waits until ACM has seen the records.
resource "aws_acm_certificate_validation" "this" {
  count = var.domain == null ? 0 : 1

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}
