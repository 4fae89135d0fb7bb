locals {
  network       = data.terraform_remote_state.network.outputs
  registry      = data.terraform_remote_state.registry.outputs
  cluster       = data.terraform_remote_state.cluster.outputs
  load_balancer = data.terraform_remote_state.load_balancer.outputs
  roles         = data.terraform_remote_state.roles.outputs

  # The one map: a service for each target group. A target group in the state has its listener, which ECS asks for.
  services = { for color, arn in local.load_balancer.target_groups : color => { target_group = arn, count = var.counts[color] } }

  ec2       = local.cluster.capacity == "ec2"
  container = "app"
  image     = var.image != null ? var.image : "${local.registry.repository_url}:initial"

  # Memory that Fargate has for each size of CPU, in MiB: least, most, step.
  fargate = {
    "256"   = { least = 512, most = 2048, step = 512 }
    "512"   = { least = 1024, most = 4096, step = 1024 }
    "1024"  = { least = 2048, most = 8192, step = 1024 }
    "2048"  = { least = 4096, most = 16384, step = 1024 }
    "4096"  = { least = 8192, most = 30720, step = 1024 }
    "8192"  = { least = 16384, most = 61440, step = 4096 }
    "16384" = { least = 32768, most = 122880, step = 8192 }
  }
  sizes  = local.fargate[tostring(var.cpu)]
  fits   = var.memory >= local.sizes.least && var.memory <= local.sizes.most && var.memory % local.sizes.step == 0
  rounds = var.cpu == 256 ? contains([512, 1024, 2048], var.memory) : true
}

resource "aws_cloudwatch_log_group" "color" {
  for_each = local.services

  name              = "/ecs/${var.name}/${each.key}"
  retention_in_days = var.log_days
}

# The first revision. The action registers the later ones from what runs: a change here reaches a service by a deploy with
# `task-definition: NAME-blue`, the family's newest revision.
resource "aws_ecs_task_definition" "color" {
  for_each = local.services

  family                   = "${var.name}-${each.key}"
  cpu                      = var.cpu
  memory                   = var.memory
  network_mode             = "awsvpc"
  requires_compatibilities = [local.ec2 ? "EC2" : "FARGATE"]
  execution_role_arn       = local.roles.execution_role
  task_role_arn            = local.roles.task_role
  skip_destroy             = true # a color may run an old revision, or go back to it

  container_definitions = jsonencode([{
    name            = local.container
    image           = local.image
    essential       = true
    stopTimeout     = var.stop_timeout
    environment     = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
    secrets         = [for name in sort(keys(local.roles.secrets)) : { name = name, valueFrom = local.roles.secrets[name] }]
    portMappings    = [{ containerPort = local.load_balancer.container_port, hostPort = local.load_balancer.container_port, protocol = "tcp" }]
    linuxParameters = { initProcessEnabled = true } # ECS Exec leaves no zombies
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.color[each.key].name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = each.key
      }
    }
  }])

  lifecycle {
    precondition {
      condition     = local.ec2 || (local.fits && local.rounds)
      error_message = "Fargate has no task with cpu = ${var.cpu} and memory = ${var.memory}. With this cpu, memory must be ${local.sizes.least} to ${local.sizes.most} MiB in steps of ${local.sizes.step}."
    }
  }
}

resource "aws_ecs_service" "color" {
  for_each = local.services

  name                               = "${var.name}-${each.key}"
  cluster                            = local.cluster.cluster
  task_definition                    = aws_ecs_task_definition.color[each.key].arn
  desired_count                      = each.value.count
  launch_type                        = local.ec2 ? null : "FARGATE"
  enable_execute_command             = true
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = var.grace_period

  # The action restores a color itself; ECS doing so too would compete with it.
  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }

  dynamic "capacity_provider_strategy" {
    for_each = local.ec2 ? [local.cluster.capacity_provider] : []
    content {
      capacity_provider = capacity_provider_strategy.value
      weight            = 1
    }
  }

  network_configuration {
    subnets         = local.network.private_subnets
    security_groups = [local.network.tasks_group]
  }

  load_balancer {
    target_group_arn = each.value.target_group
    container_name   = local.container
    container_port   = local.load_balancer.container_port
  }

  lifecycle {
    ignore_changes = [desired_count, task_definition] # the action's
  }
}
