data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/network.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.public_subnets)
      error_message = "Apply infra/terraform/network first: its state has no output `public_subnets`."
    }
  }
}

data "terraform_remote_state" "dns" {
  backend = "s3"
  config = {
    bucket = var.state_bucket
    key    = "${var.name}/dns.tfstate"
    region = var.region
  }

  lifecycle {
    postcondition {
      condition     = can(self.outputs.certificate)
      error_message = "Apply infra/terraform/dns first: its state has no output `certificate`."
    }
  }
}
