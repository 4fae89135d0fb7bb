variable "name" {
  description = "Name of the application, and the first part of every name in AWS."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "`name` must have 2 to 24 characters: lower-case letters, digits and single hyphens, with a letter first. A target group's name (NAME-develop) may have no more than 32."
  }
}

variable "region" {
  description = "AWS region, such as eu-west-1."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "`region` must be a region such as eu-west-1, without the letter of a zone."
  }
}

variable "state_bucket" {
  description = "S3 bucket that holds the states: the output StateBucket of bootstrap.yml."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "`state_bucket` must be the name of an S3 bucket, without s3:// and without a folder."
  }
}

variable "container_insights" {
  description = "CloudWatch Container Insights: enabled, enhanced or disabled. Each costs by the metric."
  type        = string
  default     = "enabled"
  validation {
    condition     = contains(["enabled", "enhanced", "disabled"], var.container_insights)
    error_message = "`container_insights` must be enabled, enhanced or disabled."
  }
}

variable "instance_type" {
  description = "EC2 instance type, such as t3.small. Required when network has capacity = \"ec2\"."
  type        = string
  default     = null
  validation {
    condition     = var.instance_type == null ? true : can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.instance_type))
    error_message = "`instance_type` must be an instance type such as t3.small."
  }
}

variable "instance_architecture" {
  description = "x86_64 or arm64, as the instance type has."
  type        = string
  default     = "x86_64"
  validation {
    condition     = contains(["x86_64", "arm64"], var.instance_architecture)
    error_message = "`instance_architecture` must be x86_64 or arm64."
  }
}

variable "instances" {
  description = "Smallest and largest number of instances. Only with capacity = \"ec2\"."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 6 }
  validation {
    condition     = var.instances.min >= 0 && var.instances.max >= 1 && var.instances.min <= var.instances.max && floor(var.instances.min) == var.instances.min && floor(var.instances.max) == var.instances.max
    error_message = "`instances` must have whole numbers: min from 0, max from 1, and min not above max."
  }
}
