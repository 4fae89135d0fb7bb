# The names of the certificate point here: users' name, and one for each color's test listener.
resource "aws_route53_record" "alias" {
  for_each = local.dns.domain == "" ? toset([]) : setunion([local.dns.domain], [for color in local.colors : "${color}.${local.dns.domain}"])

  zone_id = local.dns.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = false
  }
}
