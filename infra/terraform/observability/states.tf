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

data "terraform_remote_state" "services" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/services.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.services)
      error_message = "Apply infra/terraform/services first: its state has no output `services`."
    }
  }
}
