output "cluster" {
  description = "Name of the cluster: the action's input `cluster`."
  value       = aws_ecs_cluster.this.name
}

output "capacity" {
  description = "fargate or ec2."
  value       = local.network.capacity
}

output "capacity_provider" {
  description = "Capacity provider of the instances; null on Fargate."
  value       = local.ec2 ? "${var.name}-instances" : null
}
