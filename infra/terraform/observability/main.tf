locals {
  cluster       = data.terraform_remote_state.cluster.outputs
  load_balancer = data.terraform_remote_state.load_balancer.outputs
  services      = data.terraform_remote_state.services.outputs.services

  balancer = "app/${local.load_balancer.load_balancer.name}/${local.load_balancer.load_balancer.id}"
  groups   = { for color, arn in local.load_balancer.target_groups : color => element(split(":", arn), 5) }
  topics   = concat(var.topic[*], aws_sns_topic.this[*].arn)

  metrics = { cpu = "CPUUtilization", memory = "MemoryUtilization" }
  load    = { for pair in setproduct(keys(local.services), keys(local.metrics)) : "${pair[0]}-${pair[1]}" => { color = pair[0], resource = pair[1] } }
}

resource "aws_sns_topic" "this" {
  count = var.email != null && var.topic == null ? 1 : 0

  name              = "${var.name}-alarms"
  kms_master_key_id = null # CloudWatch can't publish to a topic that AWS's own key encrypts
}

resource "aws_sns_topic_subscription" "email" {
  count = length(aws_sns_topic.this)

  topic_arn = aws_sns_topic.this[0].arn
  protocol  = "email"
  endpoint  = var.email
}

# Each service, develop too.
resource "aws_cloudwatch_metric_alarm" "load" {
  for_each = local.load

  alarm_name          = "${var.name}-${each.key}-above-${var.percent}"
  alarm_description   = "${each.value.color}: ${each.value.resource} above ${var.percent} %"
  namespace           = "AWS/ECS"
  metric_name         = local.metrics[each.value.resource]
  dimensions          = { ClusterName = local.cluster.cluster, ServiceName = local.services[each.value.color] }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  threshold           = var.percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
}

# The action's input `rollback-alarms` takes these names.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.groups

  alarm_name          = "${var.name}-${each.key}-5xx"
  alarm_description   = "${each.key} answers users with errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  dimensions          = { LoadBalancer = local.balancer, TargetGroup = each.value }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = var.errors
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
}

# Nothing answers at all: no color has a healthy task.
resource "aws_cloudwatch_metric_alarm" "unanswered" {
  alarm_name          = "${var.name}-unanswered"
  alarm_description   = "The load balancer answers users with 5xx of its own"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_ELB_5XX_Count"
  dimensions          = { LoadBalancer = local.balancer }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = var.errors
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for i, widget in concat(
        [for resource, metric in local.metrics : {
          title   = "${resource} %"
          stat    = "Average"
          metrics = [for color, service in local.services : ["AWS/ECS", metric, "ClusterName", local.cluster.cluster, "ServiceName", service, { label = color }]]
        }],
        [for metric, stat in { RequestCount = "Sum", HTTPCode_Target_5XX_Count = "Sum", TargetResponseTime = "p95", HealthyHostCount = "Minimum" } : {
          title                             = metric
          stat                              = stat
          metrics                           = [for color, group in local.groups : ["AWS/ApplicationELB", metric, "TargetGroup", group, "LoadBalancer", local.balancer, { label = color }]]
        }],
        ) : {
        type       = "metric"
        x          = (i % 2) * 12
        y          = floor(i / 2) * 6
        width      = 12
        height     = 6
        properties = { region = var.region, period = 60, title = widget.title, stat = widget.stat, metrics = widget.metrics }
      }
    ]
  })
}
