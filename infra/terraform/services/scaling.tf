# Scaling by Terraform. With scaling = "action" the config file's `scaling` makes all of this, and nothing is here.

locals {
  scaled = { for color, service in local.services : color => service if local.roles.scaling == "terraform" && color != "develop" }
  high = {
    for pair in setproduct(keys(local.scaled), ["cpu", "memory"]) : "${pair[0]}-${pair[1]}-high" => { color = pair[0], resource = pair[1] }
  }
  metrics = { cpu = "CPUUtilization", memory = "MemoryUtilization" }
}

resource "aws_appautoscaling_target" "color" {
  for_each = local.scaled

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${local.cluster.cluster}/${aws_ecs_service.color[each.key].name}"
  min_capacity       = min(max(1, each.value.count), var.max_tasks)
  max_capacity       = var.max_tasks

  # The action sets the bounds and suspends scale-in while both colors have users.
  lifecycle {
    ignore_changes = [
      min_capacity,
      max_capacity,
      suspended_state,
    ]
  }
}

resource "aws_appautoscaling_policy" "out" {
  for_each = local.scaled

  name               = "${var.name}-${each.key}-out"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.color[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.color[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.color[each.key].resource_id

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    min_adjustment_magnitude = 1
    cooldown                 = 60
    metric_aggregation_type  = "Average"

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 25
    }
  }
}

resource "aws_appautoscaling_policy" "in" {
  for_each = local.scaled

  name               = "${var.name}-${each.key}-in"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.color[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.color[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.color[each.key].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 300
    metric_aggregation_type = "Average"

    step_adjustment {
      metric_interval_upper_bound = 0
      scaling_adjustment          = -1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "high" {
  for_each = local.high

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "Adds tasks to ${each.value.color}"
  namespace           = "AWS/ECS"
  metric_name         = local.metrics[each.value.resource]
  dimensions          = { ClusterName = local.cluster.cluster, ServiceName = aws_ecs_service.color[each.value.color].name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  threshold           = var.thresholds[each.value.resource]
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.out[each.value.color].arn]
}

# One alarm over both metrics: with one each, low CPU would take away the tasks that memory needs.
resource "aws_cloudwatch_metric_alarm" "low" {
  for_each = local.scaled

  alarm_name          = "${var.name}-${each.key}-low"
  alarm_description   = "Takes tasks from ${each.key}"
  evaluation_periods  = 15
  threshold           = var.thresholds.low
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.in[each.key].arn]

  metric_query {
    id          = "larger"
    expression  = "MAX([cpu, memory])"
    label       = "The larger of CPU and memory"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.metrics
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ECS"
        metric_name = metric_query.value
        dimensions  = { ClusterName = local.cluster.cluster, ServiceName = aws_ecs_service.color[each.key].name }
        period      = 60
        stat        = "Average"
      }
    }
  }
}
