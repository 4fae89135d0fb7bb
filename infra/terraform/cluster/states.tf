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
