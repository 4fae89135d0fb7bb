output "rollback_alarms" {
  description = "Alarms that send users back while they are moved: the action's input `rollback-alarms`."
  value       = sort([for color, alarm in aws_cloudwatch_metric_alarm.errors : alarm.alarm_name if color != "develop"])
}

output "topics" {
  description = "Topics that alarms write to."
  value       = local.topics
}
