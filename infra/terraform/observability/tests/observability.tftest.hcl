mock_provider "aws" {}

override_data {
  target = data.terraform_remote_state.cluster
  values = { outputs = { cluster = "shop" } }
}

override_data {
  target = data.terraform_remote_state.load_balancer
  values = { outputs = {
    target_groups = {
      blue    = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-blue/1"
      green   = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/2"
      develop = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-develop/3"
    }
    load_balancer = { name = "shop", id = "50dc6c495c0c9188" }
  } }
}

override_data {
  target = data.terraform_remote_state.services
  values = { outputs = { services = { blue = "shop-blue", green = "shop-green", develop = "shop-develop" } } }
}

variables {
  name         = "shop"
  region       = "eu-west-1"
  state_bucket = "shop-state"
}

run "every_service_has_alarms" {
  command = plan

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.load) == ["blue-cpu", "blue-memory", "develop-cpu", "develop-memory", "green-cpu", "green-memory"] && alltrue([for alarm in aws_cloudwatch_metric_alarm.load : alarm.threshold == 80])
    error_message = "CPU and memory above 80 %, develop too"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.errors["blue"].dimensions == tomap({ LoadBalancer = "app/shop/50dc6c495c0c9188", TargetGroup = "targetgroup/shop-blue/1" })
    error_message = "the names that CloudWatch has"
  }
  assert {
    condition     = output.rollback_alarms == tolist(["shop-blue-5xx", "shop-green-5xx"])
    error_message = "alarms for the action"
  }
}

run "email" {
  command = plan
  variables {
    email = "on-call@example.com"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 1
    error_message = "alarms have a reader"
  }
}

run "not_an_address" {
  command = plan
  variables {
    email = "on-call"
  }
  expect_failures = [var.email]
}

run "percent_above_100" {
  command = plan
  variables {
    percent = 800
  }
  expect_failures = [var.percent]
}
