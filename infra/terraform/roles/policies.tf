# The action's own policy files, with the placeholders filled in as docs/permissions.md does.
locals {
  files = {
    read    = file("${path.module}/../../policies/read.json")
    deploy  = file("${path.module}/../../policies/deploy.json")
    traffic = file("${path.module}/../../policies/traffic.json")
    scaling = file("${path.module}/../../policies/scaling.json")
    doctor  = file("${path.module}/../../policies/doctor.json")
  }

  # For develop alone: its names take green's place, and blue's lines go.
  only_develop = join("\n", [
    for line in split("\n", replace(local.files.deploy, "GREEN_", "ONLY_")) : replace(line, "ONLY_", "DEVELOP_")
    if !strcontains(line, "DEVELOP_") && !strcontains(line, "BLUE_")
  ])
  all_services = merge(local.files, { "deploy-develop" = local.only_develop })

  # Without develop its lines go.
  templates = {
    for name, text in local.all_services : name => join("\n", [
      for line in split("\n", text) : line if local.develop || !strcontains(line, "DEVELOP_")
    ])
  }

  placed = {
    for name, text in local.templates : name =>
    replace(replace(replace(replace(replace(replace(text,
      "arn:aws:", "arn:${local.partition}:"),
      "ACCOUNT_ID", local.account),
      "REGION", var.region),
      "LOAD_BALANCER_ID", local.load_balancer.load_balancer.id),
      "LOAD_BALANCER", local.load_balancer.load_balancer.name),
    "REPOSITORY", local.registry.repository_name)
  }

  logged = {
    for name, text in local.placed : name =>
    replace(replace(replace(text,
      "BLUE_LOG_GROUP", "/ecs/${var.name}/blue"),
      "GREEN_LOG_GROUP", "/ecs/${var.name}/green"),
    "DEVELOP_LOG_GROUP", "/ecs/${var.name}/develop")
  }

  named = {
    for name, text in local.logged : name =>
    replace(replace(replace(replace(replace(replace(text,
      "CLUSTER", var.name),
      "/BLUE_(SERVICE|FAMILY)/", "${var.name}-blue"),
      "/GREEN_(SERVICE|FAMILY)/", "${var.name}-green"),
      "/DEVELOP_(SERVICE|FAMILY)/", "${var.name}-develop"),
      "EXECUTION_ROLE", "${var.name}-execution"),
    "TASK_ROLE", "${var.name}-task")
  }

  policies = merge(local.named, { push = local.push })

  push = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "LogInToTheRegistry", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Sid    = "PushImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = local.registry.repository_arn
      },
    ]
  })
}
