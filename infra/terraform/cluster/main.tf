locals {
  network = data.terraform_remote_state.network.outputs
  ec2     = local.network.capacity == "ec2"
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  lifecycle {
    precondition {
      condition     = local.ec2 == (var.instance_type != null)
      error_message = local.ec2 ? "network has capacity = \"ec2\", so `instance_type` must be set, such as t3.small." : "`instance_type` is set, but network has capacity = \"fargate\". Set capacity = \"ec2\" there, or leave `instance_type` out."
    }
  }
}
