data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/network.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.private_subnets)
      error_message = "Apply infra/terraform/network first: its state has no output `private_subnets`."
    }
  }
}

data "terraform_remote_state" "registry" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/registry.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.repository_url)
      error_message = "Apply infra/terraform/registry first: its state has no output `repository_url`."
    }
  }
}

data "terraform_remote_state" "cluster" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/cluster.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.cluster)
      error_message = "Apply infra/terraform/cluster first: its state has no output `cluster`."
    }
  }
}

data "terraform_remote_state" "load_balancer" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/load-balancer.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.target_groups)
      error_message = "Apply infra/terraform/load-balancer first: its state has no output `target_groups`."
    }
  }
}

data "terraform_remote_state" "roles" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/roles.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.execution_role)
      error_message = "Apply infra/terraform/roles first: its state has no output `execution_role`."
    }
  }
}
