output "target_groups" {
  description = "ARN of each color's target group."
  value       = { for color, group in aws_lb_target_group.color : color => group.arn }
  depends_on  = [aws_lb_listener.production, aws_lb_listener.test] # ECS refuses a service whose group has none
}

output "load_balancer" {
  description = "Name and id of the load balancer, as its ARN ends: for the traffic policy, and for CloudWatch."
  value       = { name = var.name, id = element(split("/", aws_lb.this.arn), 3) }
}

output "production_listener" {
  description = "ARN of the production listener."
  value       = aws_lb_listener.production.arn
}

output "listener" {
  description = "Port of the production listener: the action's input `listener`, where it needs one."
  value       = tostring(local.ports.production)
}

output "container_port" {
  description = "Port on which the container listens."
  value       = var.container_port
}

output "urls" {
  description = "Address of production and of each test listener."
  value = {
    for name, port in merge(local.test_ports, { production = local.ports.production }) : name => join("", [
      local.https ? "https://" : "http://",
      local.dns.domain == "" ? aws_lb.this.dns_name : name == "production" ? local.dns.domain : "${name}.${local.dns.domain}",
      contains([80, 443], port) ? "" : ":${port}",
    ])
  }
}

output "hosts" {
  description = "Names of the certificate, for `hosts` of the action's config file; empty without a domain."
  value       = local.dns.domain == "" ? {} : merge({ production = local.dns.domain }, { for color in local.colors : color => "${color}.${local.dns.domain}" })
}
