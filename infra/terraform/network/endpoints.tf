locals {
  # Images, logs, ECS Exec and secrets. `ssm` holds the secrets that are parameters.
  task_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages"]
  # The agent of an instance, and Session Manager.
  instance_endpoints = var.capacity == "ec2" ? ["ec2messages", "ecs", "ecs-agent", "ecs-telemetry"] : []
  # With a NAT gateway AWS is reached through it.
  own_endpoints = var.nat == "none" ? concat(local.task_endpoints, local.instance_endpoints) : []
  endpoints     = setunion(local.own_endpoints, var.extra_endpoints)
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.endpoints

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  tags                = { Name = "${var.name}-${each.key}" }
}

# ECR keeps the layers of images in S3. This endpoint costs nothing.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  tags              = { Name = "${var.name}-s3" }
}
