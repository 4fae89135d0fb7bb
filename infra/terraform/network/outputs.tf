output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnets" {
  description = "Ids of the subnets that hold the load balancer."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "private_subnets" {
  description = "Ids of the subnets that hold the tasks and instances."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "load_balancer_group" {
  description = "Security group of the load balancer."
  value       = aws_security_group.load_balancer.id
}

output "tasks_group" {
  description = "Security group of the tasks and instances."
  value       = aws_security_group.tasks.id
}

output "capacity" {
  description = "fargate or ec2, for the cluster."
  value       = var.capacity
}
