output "certificate" {
  description = "Certificate for the load balancer, once it is valid; empty without a domain."
  value       = var.domain == null ? "" : aws_acm_certificate_validation.this[0].certificate_arn
}

output "domain" {
  description = "Name that users type; empty without a domain."
  value       = var.domain == null ? "" : var.domain
}

output "zone_id" {
  description = "Hosted zone of the domain; empty without a domain."
  value       = var.domain == null ? "" : data.aws_route53_zone.this[0].zone_id
}

output "https" {
  description = "How users reach the application."
  value       = var.domain == null ? "HTTP only: no `domain` is set." : "https://${var.domain}"
}
