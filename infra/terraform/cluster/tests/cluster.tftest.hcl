mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

override_data {
  target = data.terraform_remote_state.network
  values = { outputs = { private_subnets = ["subnet-a", "subnet-b"], tasks_group = "sg-tasks", capacity = "fargate" } }
}

variables {
  name         = "shop"
  region       = "eu-west-1"
  state_bucket = "shop-state"
}

run "fargate" {
  command = plan

  assert {
    condition     = length(aws_autoscaling_group.instance) == 0 && length(aws_iam_role.instance) == 0
    error_message = "no instances"
  }
  assert {
    condition     = output.cluster == "shop" && output.capacity_provider == null
    error_message = "the cluster, and no capacity provider of its own"
  }
}

run "ec2" {
  command = plan
  variables {
    instance_type = "t3.small"
  }
  override_data {
    target = data.terraform_remote_state.network
    values = { outputs = { private_subnets = ["subnet-a", "subnet-b"], tasks_group = "sg-tasks", capacity = "ec2" } }
  }

  assert {
    condition     = aws_launch_template.instance[0].metadata_options[0].http_tokens == "required"
    error_message = "IMDSv2 alone"
  }
  assert {
    condition     = aws_autoscaling_group.instance[0].protect_from_scale_in && aws_ecs_capacity_provider.instance[0].auto_scaling_group_provider[0].managed_termination_protection == "ENABLED"
    error_message = "ECS decides which instance goes"
  }
  assert {
    condition     = contains(keys(aws_iam_role_policy_attachment.instance), "AmazonSSMManagedInstanceCore")
    error_message = "Session Manager in place of a bastion"
  }
  assert {
    condition     = output.capacity_provider == "shop-instances"
    error_message = "services use the instances"
  }
}

run "ec2_without_an_instance_type" {
  command = plan
  override_data {
    target = data.terraform_remote_state.network
    values = { outputs = { private_subnets = ["subnet-a", "subnet-b"], tasks_group = "sg-tasks", capacity = "ec2" } }
  }
  expect_failures = [aws_ecs_cluster.this]
}

run "instance_type_on_fargate" {
  command = plan
  variables {
    instance_type = "t3.small"
  }
  expect_failures = [aws_ecs_cluster.this]
}

run "min_above_max" {
  command = plan
  variables {
    instances = { min = 3, max = 2 }
  }
  expect_failures = [var.instances]
}

run "before_network" {
  command = plan
  override_data {
    target = data.terraform_remote_state.network
    values = { outputs = {} }
  }
  expect_failures = [data.terraform_remote_state.network]
}
