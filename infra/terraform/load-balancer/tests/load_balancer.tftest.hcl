mock_provider "aws" {
  override_during = plan
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188", dns_name = "shop-1.eu-west-1.elb.amazonaws.com" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2" }
  }
}

override_data {
  target = data.terraform_remote_state.network
  values = { outputs = { vpc_id = "vpc-1", public_subnets = ["subnet-a", "subnet-b"], load_balancer_group = "sg-balancer", tasks_group = "sg-tasks" } }
}

override_data {
  target = data.terraform_remote_state.dns
  values = { outputs = { certificate = "", domain = "", zone_id = "" } }
}

variables {
  name         = "shop"
  region       = "eu-west-1"
  state_bucket = "shop-state"
}

run "http" {
  command = plan
  variables {
    rules       = { api = { priority = 10, paths = ["/api/*"] } }
    test_ranges = ["203.0.113.0/24"]
  }

  assert {
    condition     = [for group in aws_lb_listener.production.default_action[0].forward[0].target_group : group.weight] == [100, 0] || [for group in aws_lb_listener.production.default_action[0].forward[0].target_group : group.weight] == [0, 100]
    error_message = "the production listener holds both groups, 100 and 0"
  }
  assert {
    condition     = length(aws_lb_listener_rule.production["api"].action[0].forward[0].target_group) == 2
    error_message = "each production rule holds both groups"
  }
  assert {
    condition     = length(aws_lb_listener.production.default_action[0].forward[0].stickiness) == 0 && length(aws_lb_listener_rule.production["api"].action[0].forward[0].stickiness) == 0
    error_message = "no user is kept on a color whose weight is 0"
  }
  assert {
    condition     = aws_lb_listener_rule.production["api"].priority == 10
    error_message = "priorities are written, and stay"
  }
  assert {
    condition     = aws_lb_listener.production.port == 80 && { for color, listener in aws_lb_listener.test : color => listener.port } == { blue = 8081, develop = 9090, green = 8080 }
    error_message = "80 for users, and a test listener for each color"
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.color : group.deregistration_delay == "30" && group.target_type == "ip" && length(group.name) <= 32])
    error_message = "target groups that drain in 30 seconds"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.test) == 3 && alltrue([for rule in aws_vpc_security_group_ingress_rule.test : rule.cidr_ipv4 == "203.0.113.0/24"])
    error_message = "test ports are open to the named range alone"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.tasks.referenced_security_group_id == "sg-balancer"
    error_message = "tasks are reached from the load balancer alone"
  }
  assert {
    condition     = output.urls.green == "http://shop-1.eu-west-1.elb.amazonaws.com:8080" && output.load_balancer.id == "50dc6c495c0c9188"
    error_message = "addresses, and the id for the traffic policy"
  }
}

run "test_ports_are_closed_by_default" {
  command = plan

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.test) == 0
    error_message = "no range is named"
  }
  assert {
    condition     = aws_lb.this.enable_deletion_protection && aws_lb.this.drop_invalid_header_fields
    error_message = "deletion protection, and no invalid headers"
  }
}

run "https" {
  command = plan
  override_data {
    target = data.terraform_remote_state.dns
    values = { outputs = { certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1", domain = "shop.example.com", zone_id = "Z1" } }
  }

  assert {
    condition     = aws_lb_listener.production.port == 443 && aws_lb_listener.production.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "TLS 1.2 and 1.3"
  }
  assert {
    condition     = aws_lb_listener.redirect[0].port == 80 && aws_lb_listener.redirect[0].default_action[0].redirect[0].port == "443"
    error_message = "80 leads to 443"
  }
  assert {
    condition     = { for color, listener in aws_lb_listener.test : color => listener.port } == { blue = 8444, develop = 9443, green = 8443 }
    error_message = "test listeners with TLS"
  }
  assert {
    condition     = output.urls.production == "https://shop.example.com" && output.urls.develop == "https://develop.shop.example.com:9443" && length(aws_route53_record.alias) == 4
    error_message = "names for users and for each color"
  }
}

run "without_develop" {
  command = plan
  variables {
    develop = false
  }

  assert {
    condition     = keys(aws_lb_target_group.color) == ["blue", "green"] && keys(aws_lb_listener.test) == ["blue", "green"]
    error_message = "two colors"
  }
}

run "certificate_in_another_region" {
  command = plan
  variables {
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  }
  expect_failures = [aws_lb_listener.production]
}

run "two_listeners_on_one_port" {
  command = plan
  variables {
    ports = { production = 8080 }
  }
  expect_failures = [aws_lb_listener.production]
}

run "timeout_as_long_as_interval" {
  command = plan
  variables {
    health_check = { interval = 5, timeout = 5 }
  }
  expect_failures = [var.health_check]
}

run "test_ports_for_everybody" {
  command = plan
  variables {
    test_ranges = ["0.0.0.0/0"]
  }
  expect_failures = [var.test_ranges]
}

run "two_rules_with_one_priority" {
  command = plan
  variables {
    rules = { api = { priority = 10, paths = ["/api/*"] }, web = { priority = 10, paths = ["/web/*"] } }
  }
  expect_failures = [var.rules]
}

run "name_too_long_for_a_target_group" {
  command = plan
  variables {
    name = "a-name-of-twenty-five-cha"
  }
  expect_failures = [var.name]
}

run "before_dns" {
  command = plan
  override_data {
    target = data.terraform_remote_state.dns
    values = { outputs = {} }
  }
  expect_failures = [data.terraform_remote_state.dns]
}
