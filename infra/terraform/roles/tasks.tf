# Roles of the tasks: one with which ECS starts a task, one for the application in it.

locals {
  tasks_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${var.region}:${local.account}:*" }
      }
    }]
  })

  # `ARN:KEY::` names one key of a secret's JSON; the permission is on the secret.
  secret_arns = distinct([for arn in values(var.secrets) : strcontains(arn, ":secretsmanager:") ? join(":", slice(split(":", arn), 0, 7)) : arn])
  secrets     = { for service in ["secretsmanager", "ssm"] : service => [for arn in local.secret_arns : arn if split(":", arn)[2] == service] }

  execution_statements = concat(
    [
      { Sid = "LogInToTheRegistry", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [local.registry.repository_arn]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:${local.partition}:logs:${var.region}:${local.account}:log-group:/ecs/${var.name}/*"]
      },
    ],
    length(local.secrets.secretsmanager) == 0 ? [] : [
      { Sid = "ReadSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = local.secrets.secretsmanager },
    ],
    length(local.secrets.ssm) == 0 ? [] : [
      { Sid = "ReadParameters", Effect = "Allow", Action = ["ssm:GetParameters"], Resource = local.secrets.ssm },
    ],
    length(var.secrets_keys) == 0 ? [] : [
      { Sid = "DecryptSecrets", Effect = "Allow", Action = ["kms:Decrypt"], Resource = sort(var.secrets_keys) },
    ],
  )
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "Starts tasks of ${var.name}: images, logs and secrets"
  assume_role_policy = local.tasks_trust
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-tasks"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.execution_statements })
}

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "The application ${var.name} itself"
  assume_role_policy = local.tasks_trust
}

# AWS has no resource for these four actions.
resource "aws_iam_role_policy" "exec" {
  name = "ecs-exec"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "OpenAShellByEcsExec"
      Effect = "Allow"
      Action = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "task" {
  for_each = var.task_policies

  role       = aws_iam_role.task.name
  policy_arn = each.key
}
