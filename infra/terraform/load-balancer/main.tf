locals {
  network     = data.terraform_remote_state.network.outputs
  dns         = data.terraform_remote_state.dns.outputs
  certificate = var.certificate != null ? var.certificate : local.dns.certificate
  https       = local.certificate != ""
  protocol    = local.https ? "HTTPS" : "HTTP"
  tls_policy  = local.https ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null # TLS 1.2 and 1.3

  # The one map of services: `services` makes one for each target group.
  colors = toset(concat(["blue", "green"], var.develop ? ["develop"] : []))

  default_ports = local.https ? { production = 443, blue = 8444, green = 8443, develop = 9443 } : { production = 80, blue = 8081, green = 8080, develop = 9090 }
  ports         = { for name, port in local.default_ports : name => var.ports[name] == null ? port : var.ports[name] }
  test_ports    = { for color in local.colors : color => local.ports[color] if local.ports[color] != 0 }
}

resource "aws_lb" "this" {
  name                       = var.name
  internal                   = false
  load_balancer_type         = "application"
  subnets                    = local.network.public_subnets
  security_groups            = [local.network.load_balancer_group]
  idle_timeout               = var.idle_timeout
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  dynamic "access_logs" {
    for_each = var.access_logs_bucket[*]
    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# A new port or protocol replaces a target group, and AWS refuses to delete the one that is in use.
resource "aws_lb_target_group" "color" {
  for_each = local.colors

  name                 = "${var.name}-${each.key}"
  port                 = var.container_port
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = local.network.vpc_id
  deregistration_delay = var.deregistration_delay

  health_check {
    path                = var.health_check.path
    matcher             = var.health_check.matcher
    interval            = var.health_check.interval
    timeout             = var.health_check.timeout
    healthy_threshold   = var.health_check.healthy
    unhealthy_threshold = var.health_check.unhealthy
  }

  lifecycle {
    prevent_destroy = true
  }
}
