data "terraform_remote_state" "registry" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/registry.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.repository_arn)
      error_message = "Apply infra/terraform/registry first: its state has no output `repository_arn`."
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
