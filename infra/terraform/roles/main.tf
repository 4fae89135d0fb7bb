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

  # Roles of jobs: the subjects' last parts, and the policies.
  writes_scaling = var.scaling == "action" ? ["scaling"] : []
  jobs = merge(
    {
      status   = { subjects = [local.on_branch], policies = ["read", "doctor"] }
      deploy   = { subjects = [local.on_branch], policies = concat(["read", "doctor", "deploy"], local.writes_scaling) }
      promote  = { subjects = ["environment:${var.environments.promote}"], policies = concat(["read", "doctor", "traffic"], local.writes_scaling) }
      redirect = { subjects = ["environment:${var.environments.traffic}"], policies = concat(["read", "doctor", "traffic"], local.writes_scaling) }
      # Pull requests build, too, if there is a develop to bring them to.
      push = { subjects = concat([local.on_branch], local.develop ? ["pull_request"] : []), policies = ["push"] }
    },
    # Pull requests deploy to develop and reach no other service.
    local.develop ? { develop = { subjects = ["pull_request"], policies = ["read", "deploy-develop", "push"] } } : {},
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
          "${local.github}:sub" = [for pair in setproduct(local.repositories, each.value.subjects) : "repo:${pair[0]}:${pair[1]}"]
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "job" {
  for_each = local.attachments

  name = each.value.policy
  role = aws_iam_role.job[each.value.job].id
  # `doctor` simulates the policies of the role that it runs with, and of no other.
  policy = replace(local.policies[each.value.policy], "CHECKED_ROLE", aws_iam_role.job[each.value.job].name)
}
