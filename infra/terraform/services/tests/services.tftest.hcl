mock_provider "aws" {
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:1" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/ecs/service/shop/shop:policyName/out" }
  }
}

override_data {
  target = data.terraform_remote_state.network
  values = { outputs = { private_subnets = ["subnet-a", "subnet-b"], tasks_group = "sg-tasks" } }
}

override_data {
  target = data.terraform_remote_state.registry
  values = { outputs = { repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web" } }
}

override_data {
  target = data.terraform_remote_state.cluster
  values = { outputs = { cluster = "shop", capacity = "fargate", capacity_provider = null } }
}

override_data {
  target = data.terraform_remote_state.load_balancer
  values = { outputs = { target_groups = { blue = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-blue/1", green = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/1", develop = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-develop/1" }, container_port = 8080, hosts = {} } }
}

override_data {
  target = data.terraform_remote_state.roles
  values = { outputs = { execution_role = "arn:aws:iam::123456789012:role/shop-execution", task_role = "arn:aws:iam::123456789012:role/shop-task", scaling = "terraform", secrets = { TOKEN = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token" } } }
}

variables {
  name         = "shop"
  region       = "eu-west-1"
  state_bucket = "shop-state"
}

run "one_service_for_each_color" {
  command = plan

  assert {
    condition     = { for color, service in aws_ecs_service.color : color => service.desired_count } == { blue = 2, develop = 1, green = 1 }
    error_message = "blue, green and develop"
  }
  assert {
    condition     = alltrue([for service in aws_ecs_service.color : service.deployment_circuit_breaker[0].enable && !service.deployment_circuit_breaker[0].rollback && service.deployment_minimum_healthy_percent == 100 && service.deployment_maximum_percent == 200])
    error_message = "the circuit breaker ends a bad deployment, and the action restores"
  }
  assert {
    condition     = alltrue([for service in aws_ecs_service.color : service.enable_execute_command && service.health_check_grace_period_seconds == 60])
    error_message = "ECS Exec and a grace period"
  }
  assert {
    condition     = keys(aws_appautoscaling_target.color) == ["blue", "green"] && length(aws_cloudwatch_metric_alarm.high) == 4
    error_message = "blue and green scale by CPU and memory"
  }
  assert {
    condition     = output.action_inputs == { region = "eu-west-1", cluster = "shop", blue-service = "shop-blue", green-service = "shop-green", develop-service = "shop-develop" }
    error_message = "the outputs are the action's inputs"
  }
  assert {
    condition     = yamldecode(output.config).apps.shop == { blue = "shop-blue", develop = "shop-develop", green = "shop-green" }
    error_message = "the config file names the three services"
  }
}

run "secrets_are_named" {
  command = apply
  variables {
    environment = { LOG_LEVEL = "info" }
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.color["blue"].container_definitions)[0].secrets == [{ name = "TOKEN", valueFrom = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token" }]
    error_message = "a secret is given by its ARN"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.color["blue"].container_definitions)[0].image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:initial"
    error_message = "the first image"
  }
}

run "scaling_by_the_action" {
  command = plan
  override_data {
    target = data.terraform_remote_state.roles
    values = { outputs = { execution_role = "arn:aws:iam::123456789012:role/shop-execution", task_role = "arn:aws:iam::123456789012:role/shop-task", scaling = "action", secrets = {} } }
  }

  assert {
    condition     = length(aws_appautoscaling_target.color) + length(aws_appautoscaling_policy.out) + length(aws_appautoscaling_policy.in) + length(aws_cloudwatch_metric_alarm.high) + length(aws_cloudwatch_metric_alarm.low) == 0
    error_message = "scaling has one owner"
  }
  assert {
    condition     = yamldecode(output.config).apps.shop.scaling == { max = 6, min = 2 }
    error_message = "the config file has `scaling`"
  }
}

run "ec2" {
  command = plan
  override_data {
    target = data.terraform_remote_state.cluster
    values = { outputs = { cluster = "shop", capacity = "ec2", capacity_provider = "shop-instances" } }
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.color : [for strategy in service.capacity_provider_strategy : strategy.capacity_provider] == ["shop-instances"]])
    error_message = "the instances' capacity provider"
  }
}

run "memory_that_fargate_lacks" {
  command = plan
  variables {
    cpu    = 256
    memory = 4096
  }
  expect_failures = [aws_ecs_task_definition.color["blue"], aws_ecs_task_definition.color["develop"], aws_ecs_task_definition.color["green"]]
}

run "image_without_a_tag" {
  command = plan
  variables {
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web"
  }
  expect_failures = [var.image]
}

run "long_grace_period" {
  command = plan
  variables {
    grace_period = 1800
  }
  expect_failures = [var.grace_period]
}

run "half_a_task" {
  command = plan
  variables {
    counts = { blue = 1.5 }
  }
  expect_failures = [var.counts]
}

run "low_above_high" {
  command = plan
  variables {
    thresholds = { low = 90 }
  }
  expect_failures = [var.thresholds]
}

run "before_load_balancer" {
  command = plan
  override_data {
    target = data.terraform_remote_state.load_balancer
    values = { outputs = {} }
  }
  expect_failures = [data.terraform_remote_state.load_balancer]
}
