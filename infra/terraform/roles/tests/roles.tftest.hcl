mock_provider "aws" {
  override_during = plan
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

override_data {
  target = data.terraform_remote_state.registry
  values = { outputs = { repository_arn = "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web", repository_name = "shop/web" } }
}

override_data {
  target = data.terraform_remote_state.load_balancer
  values = { outputs = {
    target_groups = { blue = "arn:blue", green = "arn:green", develop = "arn:develop" }
    load_balancer = { name = "shop", id = "50dc6c495c0c9188" }
  } }
}

variables {
  name         = "shop"
  region       = "eu-west-1"
  state_bucket = "shop-state"
  repository   = "octo-org/shop"
}

run "policies_are_filled_in" {
  command = plan

  assert {
    condition     = alltrue([for text in values(output.policies) : !can(regex("[A-Z]+_[A-Z]+|REGION|REPOSITORY|CLUSTER", text))])
    error_message = "no placeholder is left"
  }
  assert {
    condition     = alltrue([for text in values(output.policies) : can(jsondecode(text))])
    error_message = "each is JSON"
  }
  assert {
    condition     = strcontains(output.policies["redirect traffic"], "listener/app/shop/50dc6c495c0c9188/*")
    error_message = "this load balancer alone"
  }
  assert {
    condition     = !strcontains(output.policies["develop deploy-develop"], "shop-blue") && !strcontains(output.policies["develop deploy-develop"], "shop-green")
    error_message = "pull requests reach develop alone"
  }
}

run "doctor" {
  command = plan

  assert {
    condition     = { for name, text in output.policies : name => jsondecode(text).Statement[0] if endswith(name, " doctor") } == { for job in ["deploy", "promote", "redirect", "status"] : "${job} doctor" => { Sid = "SeeWhatTheRoleMayDo", Effect = "Allow", Action = "iam:SimulatePrincipalPolicy", Resource = "arn:aws:iam::123456789012:role/shop-${job}" } }
    error_message = "each of these roles may ask IAM about itself, and about no other"
  }
}

run "trust" {
  command = plan
  variables {
    repository_with_ids = "octo-org@1/shop@2"
  }

  assert {
    condition     = jsondecode(aws_iam_role.job["deploy"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:octo-org/shop:ref:refs/heads/main", "repo:octo-org@1/shop@2:ref:refs/heads/main"]
    error_message = "pushes to main, in both forms of the subject"
  }
  assert {
    condition     = jsondecode(aws_iam_role.job["promote"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"][0] == "repo:octo-org/shop:environment:production"
    error_message = "promotion needs the environment's approval"
  }
  assert {
    condition     = jsondecode(aws_iam_role.job["push"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:octo-org/shop:ref:refs/heads/main", "repo:octo-org/shop:pull_request", "repo:octo-org@1/shop@2:ref:refs/heads/main", "repo:octo-org@1/shop@2:pull_request"]
    error_message = "builds of main, and of pull requests, which go to develop"
  }
  assert {
    condition     = length(regexall("StringLike", jsonencode([for role in aws_iam_role.job : role.assume_role_policy]))) == 0
    error_message = "whole subjects"
  }
}

run "scaling_by_the_action" {
  command = plan
  variables {
    scaling = "action"
  }

  assert {
    condition     = alltrue([for job in ["deploy", "promote", "redirect"] : contains(keys(aws_iam_role_policy.job), "${job} scaling")])
    error_message = "each command that writes scaling may do so"
  }
  assert {
    condition     = output.policies["deploy scaling"] == replace(replace(replace(replace(replace(replace(file("../../policies/scaling.json"), "ACCOUNT_ID", "123456789012"), "REGION", "eu-west-1"), "CLUSTER", "shop"), "BLUE_SERVICE", "shop-blue"), "GREEN_SERVICE", "shop-green"), "DEVELOP_SERVICE", "shop-develop")
    error_message = "the policy is the file with names filled in"
  }
}

run "without_develop" {
  command = plan
  override_data {
    target = data.terraform_remote_state.load_balancer
    values = { outputs = { target_groups = { blue = "arn:blue", green = "arn:green" }, load_balancer = { name = "shop", id = "1" } } }
  }

  assert {
    condition     = alltrue([for text in values(output.policies) : !strcontains(text, "develop")]) && !contains(keys(aws_iam_role.job), "develop")
    error_message = "nothing of develop is left"
  }
  assert {
    condition     = jsondecode(aws_iam_role.job["push"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:octo-org/shop:ref:refs/heads/main"]
    error_message = "without develop no pull request pushes an image"
  }
}

run "secrets" {
  command = plan
  variables {
    secrets = {
      DATABASE_URL = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf:url::"
      TOKEN        = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token"
    }
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if contains(["ReadSecrets", "ReadParameters"], statement.Sid)] == [["arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf"], ["arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token"]]
    error_message = "the secret that holds the key, and the parameter"
  }
}

run "a_secret_itself" {
  command = plan
  variables {
    secrets = { DATABASE_URL = "postgres://shop:hunter2@db/shop" }
  }
  expect_failures = [var.secrets]
}

run "a_repository_with_a_wildcard" {
  command = plan
  variables {
    repository = "octo-org/*"
  }
  expect_failures = [var.repository]
}

run "scaling_by_both" {
  command = plan
  variables {
    scaling = "both"
  }
  expect_failures = [var.scaling]
}
