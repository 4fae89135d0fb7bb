# EC2 capacity. On Fargate nothing of this file exists.

data "aws_iam_policy_document" "instance_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_partition" "this" {}

resource "aws_iam_role" "instance" {
  count = local.ec2 ? 1 : 0

  name               = "${var.name}-instance"
  assume_role_policy = data.aws_iam_policy_document.instance_trust.json
}

# The ECS agent, and Session Manager in place of a bastion.
resource "aws_iam_role_policy_attachment" "instance" {
  for_each = toset(local.ec2 ? ["service-role/AmazonEC2ContainerServiceforEC2Role", "AmazonSSMManagedInstanceCore"] : [])

  role       = aws_iam_role.instance[0].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/${each.key}"
}

resource "aws_iam_instance_profile" "instance" {
  count = local.ec2 ? 1 : 0

  name = "${var.name}-instance"
  role = aws_iam_role.instance[0].name
}

resource "aws_launch_template" "instance" {
  count = local.ec2 ? 1 : 0

  name_prefix            = "${var.name}-"
  image_id               = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/${var.instance_architecture == "arm64" ? "arm64/" : ""}recommended/image_id"
  instance_type          = var.instance_type
  update_default_version = true

  user_data = base64encode(<<-EOT
    #!/bin/bash
    cat <<'CONFIG' >>/etc/ecs/ecs.config
    ECS_CLUSTER=${var.name}
    ECS_AWSVPC_BLOCK_IMDS=true
    ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
    CONFIG
    EOT
  )

  iam_instance_profile {
    arn = aws_iam_instance_profile.instance[0].arn
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [local.network.tasks_group]
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 30
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  monitoring {
    enabled = true
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = var.name }
  }
}

resource "aws_autoscaling_group" "instance" {
  count = local.ec2 ? 1 : 0

  name_prefix           = "${var.name}-"
  min_size              = var.instances.min
  max_size              = var.instances.max
  vpc_zone_identifier   = local.network.private_subnets
  protect_from_scale_in = true # managed termination protection needs it
  health_check_type     = "EC2"

  launch_template {
    id      = aws_launch_template.instance[0].id
    version = aws_launch_template.instance[0].latest_version
  }

  # A new image or type replaces the instances one by one. Without the preference for protected instances the refresh
  # would wait for them.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage       = 100
      max_healthy_percentage       = 150
      scale_in_protected_instances = "Refresh"
    }
  }

  # ECS sets this tag; without it here, each plan would take the tag away.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [desired_capacity] # ECS decides it
  }
}

resource "aws_ecs_capacity_provider" "instance" {
  count = local.ec2 ? 1 : 0

  name = "${var.name}-instances"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.instance[0].arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status          = "ENABLED"
      target_capacity = 100
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = concat(["FARGATE", "FARGATE_SPOT"], aws_ecs_capacity_provider.instance[*].name)

  default_capacity_provider_strategy {
    capacity_provider = local.ec2 ? aws_ecs_capacity_provider.instance[0].name : "FARGATE"
    weight            = 1
  }
}
