# The weights below are those of the first day. From then on they are the action's: Terraform ignores them.
# `ignore_changes` does not survive a replacement, which would send all users to blue: `prevent_destroy` refuses that.

resource "aws_lb_listener" "production" {
  load_balancer_arn = aws_lb.this.arn
  port              = local.ports.production
  protocol          = local.protocol
  ssl_policy        = local.tls_policy
  certificate_arn   = local.https ? local.certificate : null

  default_action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.color["blue"].arn
        weight = 100
      }
      target_group {
        arn    = aws_lb_target_group.color["green"].arn
        weight = 0
      }
    }
  }

  lifecycle {
    ignore_changes  = [default_action]
    prevent_destroy = true

    precondition {
      condition     = !local.https ? true : split(":", local.certificate)[3] == var.region
      error_message = "The certificate is in another region. A load balancer takes one of its own region, ${var.region}."
    }
    precondition {
      condition     = length(distinct(values(local.ports))) == 4 || contains(values(var.ports), 0)
      error_message = "Two listeners would have the same port. Ports that `ports` does not name keep their default."
    }
  }
}

resource "aws_lb_listener_rule" "production" {
  for_each = var.rules

  listener_arn = aws_lb_listener.production.arn
  priority     = each.value.priority

  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.color["blue"].arn
        weight = 100
      }
      target_group {
        arn    = aws_lb_target_group.color["green"].arn
        weight = 0
      }
    }
  }

  dynamic "condition" {
    for_each = length(each.value.paths) > 0 ? [each.value.paths] : []
    content {
      path_pattern {
        values = condition.value
      }
    }
  }

  dynamic "condition" {
    for_each = length(each.value.hosts) > 0 ? [each.value.hosts] : []
    content {
      host_header {
        values = condition.value
      }
    }
  }

  lifecycle {
    ignore_changes  = [action]
    prevent_destroy = true
  }
}

# One test listener for each color: it shows that color alone, before users see it.
resource "aws_lb_listener" "test" {
  for_each = local.test_ports

  load_balancer_arn = aws_lb.this.arn
  port              = each.value
  protocol          = local.protocol
  ssl_policy        = local.tls_policy
  certificate_arn   = local.https ? local.certificate : null

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.color[each.key].arn
  }
}

resource "aws_lb_listener" "redirect" {
  count = local.https ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = tostring(local.ports.production)
      status_code = "HTTP_301"
    }
  }

  # A listener that leaves port 80 for 443 goes first.
  depends_on = [aws_lb_listener.production]
}
