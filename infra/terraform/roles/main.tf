data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  registry      = data.terraform_remote_state.registry.outputs
  load_balancer = data.terraform_remote_state.load_balancer.outputs
  account       = data.aws_caller_identity.this.account_id
  partition     = data.aws_partition.this.partition
  develop       = contains(keys(local.load_balancer.target_groups), "develop")

  # bootstrap.yml makes the provider, once for the account.
  github   = "token.actions.githubusercontent.com"
  provider = "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.github}"
  audience = local.partition == "aws-cn" ? "sts.amazonaws.com.cn" : "sts.amazonaws.com"

  repositories = compact([var.repository, var.repository_with_ids])
  on_branch    = "ref:refs/heads/${var.branch}"

  # Roles of jobs: the subject's last part, and the policies.
  writes_scaling = var.scaling == "action" ? ["scaling"] : []
  jobs = merge(
    {
      status   = { subject = local.on_branch, policies = ["read"] }
      deploy   = { subject = local.on_branch, policies = concat(["read", "deploy"], local.writes_scaling) }
      promote  = { subject = "environment:${var.environments.promote}", policies = concat(["read", "traffic"], local.writes_scaling) }
      redirect = { subject = "environment:${var.environments.traffic}", policies = concat(["read", "traffic"], local.writes_scaling) }
      push     = { subject = local.on_branch, policies = ["push"] }
    },
    # Pull requests deploy to develop and reach no other service.
    local.develop ? { develop = { subject = "pull_request", policies = ["read", "deploy-develop", "push"] } } : {},
  )
  attachments = merge([for job, role in local.jobs : { for policy in role.policies : "${job} ${policy}" => { job = job, policy = policy } }]...)
}

resource "aws_iam_role" "job" {
  for_each = local.jobs

  name                 = "${var.name}-${each.key}"
  description          = "${each.key} job of ${var.repository}"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github}:aud" = local.audience
          "${local.github}:sub" = [for repository in local.repositories : "repo:${repository}:${each.value.subject}"]
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "job" {
  for_each = local.attachments

  name   = each.value.policy
  role   = aws_iam_role.job[each.value.job].id
  policy = local.policies[each.value.policy]
}
