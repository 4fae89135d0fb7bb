mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1c", "eu-west-1a", "eu-west-1b"] }
  }
}

variables {
  name   = "shop"
  region = "eu-west-1"
}

run "private_by_default" {
  command = plan

  assert {
    condition     = keys(aws_subnet.private) == ["eu-west-1a", "eu-west-1b"]
    error_message = "the first two zones"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "no way to the internet"
  }
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages"]
    error_message = "endpoints for images, logs, secrets and ECS Exec"
  }
  assert {
    condition     = length(distinct(concat(values(aws_subnet.private)[*].cidr_block, values(aws_subnet.public)[*].cidr_block))) == 4
    error_message = "four ranges that differ"
  }
}

run "instances_reach_ecs" {
  command = plan
  variables {
    capacity        = "ec2"
    extra_endpoints = ["sqs"]
  }

  assert {
    condition     = length(setsubtract(["ecs", "ecs-agent", "ecs-telemetry", "ec2messages", "sqs"], keys(aws_vpc_endpoint.interface))) == 0
    error_message = "the agent's endpoints, Session Manager's, and the application's own"
  }
}

run "nat_replaces_endpoints" {
  command = plan
  variables {
    nat = "per-zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_route.nat) == 2 && length(aws_vpc_endpoint.interface) == 0
    error_message = "a gateway and a route for each zone, and no interface endpoint"
  }
}

run "single_nat" {
  command = plan
  variables {
    nat = "single"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "one gateway for both zones"
  }
}

run "one_zone" {
  command = plan
  variables {
    zones = ["eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "the_same_zone_twice" {
  command = plan
  variables {
    zones = ["eu-west-1a", "eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "a_region_with_one_zone" {
  command = plan
  override_data {
    target = data.aws_availability_zones.this
    values = { names = ["eu-west-1a"] }
  }
  expect_failures = [data.aws_availability_zones.this]
}

run "a_name_of_24_characters" {
  command = plan
  variables {
    name = "a-name-of-24-characters1"
  }
}

run "small_range" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "zone_for_region" {
  command = plan
  variables {
    region = "eu-west-1a"
  }
  expect_failures = [var.region]
}

run "name_too_long_for_a_target_group" {
  command = plan
  variables {
    name = "a-name-of-twenty-five-cha"
  }
  expect_failures = [var.name]
}

run "unknown_nat" {
  command = plan
  variables {
    nat = "yes"
  }
  expect_failures = [var.nat]
}
