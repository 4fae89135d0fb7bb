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

variable "zones" {
  description = "Availability zones, at least two. Without it, the region's first two."
  type        = list(string)
  default     = null
  validation {
    condition     = var.zones == null ? true : length(distinct(var.zones)) >= 2
    error_message = "`zones` must name at least two different zones: a load balancer needs two."
  }
  validation {
    condition     = var.zones == null ? true : length(var.zones) <= 6
    error_message = "`zones` must name at most six zones."
  }
  validation {
    condition     = var.zones == null ? true : alltrue([for zone in var.zones : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])
    error_message = "`zones` must be names such as eu-west-1a."
  }
}

variable "cidr" {
  description = "Addresses of the VPC, /16 to /20."
  type        = string
  default     = "10.0.0.0/16"
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("/(16|17|18|19|20)$", var.cidr))
    error_message = "`cidr` must be a range of IPv4 addresses with /16 to /20, such as 10.0.0.0/16."
  }
}

variable "capacity" {
  description = "fargate, or ec2: with ec2 the instances reach ECS and Systems Manager through endpoints of their own."
  type        = string
  default     = "fargate"
  validation {
    condition     = contains(["fargate", "ec2"], var.capacity)
    error_message = "`capacity` must be fargate or ec2."
  }
}

variable "nat" {
  description = "Way to the internet for private subnets: none, single (one NAT gateway) or per-zone. With none, tasks reach AWS through VPC endpoints and nothing else."
  type        = string
  default     = "none"
  validation {
    condition     = contains(["none", "single", "per-zone"], var.nat)
    error_message = "`nat` must be none, single or per-zone."
  }
}

variable "extra_endpoints" {
  description = "More interface endpoints that the application needs, such as sqs or kms."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for name in var.extra_endpoints : can(regex("^[a-z0-9.-]+$", name)) && !startswith(name, "com.amazonaws")])
    error_message = "`extra_endpoints` must hold the last part of each service's name: sqs, not com.amazonaws.eu-west-1.sqs."
  }
}
