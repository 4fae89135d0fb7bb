output "services" {
  description = "Name of each color's service."
  value       = { for color, service in aws_ecs_service.color : color => service.name }
}

output "action_inputs" {
  description = "Inputs of the action, by their names."
  value = merge(
    {
      region        = var.region
      cluster       = local.cluster.cluster
      blue-service  = aws_ecs_service.color["blue"].name
      green-service = aws_ecs_service.color["green"].name
    },
    { for color, service in aws_ecs_service.color : "develop-service" => service.name if color == "develop" },
  )
}

output "config" {
  description = "The file .github/blue-green.yml for these services."
  value = yamlencode({
    cluster = local.cluster.cluster
    apps = {
      (var.name) = merge(
        { for color, service in aws_ecs_service.color : color => service.name },
        length(local.load_balancer.hosts) == 0 ? {} : { hosts = local.load_balancer.hosts },
        local.roles.scaling != "action" ? {} : { scaling = { min = max(1, var.counts.blue), max = var.max_tasks } },
      )
    }
  })
}
